/** Which changes of a schema lose nothing: new tables, and new columns behind or between the old ones. */
import type { ColumnSchema, TableSchema } from "./schema.ts";

/** Why `next` cannot follow `now`, in one line; null when it can. */
export function schemaChange(
  now: readonly TableSchema[],
  next: readonly TableSchema[],
): string | null {
  for (const table of now) {
    const after = next.find((other) => other.name === table.name);
    if (after === undefined) return `table ${table.name} is gone from the schema; put it back`;
    const why = tableChange(table, after);
    if (why !== null) return why;
  }
  return null;
}

function tableChange(now: TableSchema, next: TableSchema): string | null {
  const keys = [now, next].map((table) =>
    table.keyColumns.map((i) => (table.columns[i] as ColumnSchema).name).join(", "),
  );
  if (keys[0] !== keys[1]) {
    return `table ${now.name}: the primary key was (${keys[0]}) and cannot become (${keys[1]})`;
  }
  for (const column of now.columns) {
    const after = next.columns.find((other) => other.name === column.name);
    const where = `column ${column.name} of ${now.name}`;
    if (after === undefined) return `${where} is gone from the schema; put it back`;
    if (after.affinity !== column.affinity) {
      return `${where} was ${column.affinity} and cannot become ${after.affinity}`;
    }
    if (after.policy !== column.policy) {
      return `${where} merged as ${column.policy} and cannot merge as ${after.policy}`;
    }
    if (after.notNull && !column.notNull)
      return `${where} may hold NULL already; leave out NOT NULL`;
  }
  for (const { name, notNull, hasDefault } of next.columns) {
    if (now.columns.some((column) => column.name === name) || !notNull || hasDefault) continue;
    return `column ${name} of ${now.name} is new and NOT NULL, and rows that are there need a value in it; write DEFAULT and a literal`;
  }
  return null;
}

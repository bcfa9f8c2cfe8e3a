/** Which storage classes a column can hold: NOT NULL, STRICT tables and the rowid. */
import type { ColumnSchema, TableSchema } from "./schema.ts";
import { storageClassOf, type Value } from "./value.ts";

/** Why `value`, normalised, cannot stand in `column`; null when it can. */
export function whyNotStored(
  table: TableSchema,
  column: ColumnSchema,
  value: Value,
): string | null {
  if (value === null) {
    return column.notNull ? `column ${column.name} of ${table.name} is NOT NULL here` : null;
  }
  if (!table.strict && !table.rowidKey) return null;
  const held = storageClassOf(value);
  const rowid = table.rowidKey && table.columns[table.keyColumns[0] as number] === column;
  if (rowid && held !== "integer") return `column ${column.name} of ${table.name} holds integers`;
  if (!table.strict) return null;
  const allowed = strictClass(column);
  if (allowed === null || held === allowed) return null;
  return `column ${column.name} of the STRICT table ${table.name} holds ${allowed}, not ${held}`;
}

/** The one class that a column of a STRICT table holds; null for ANY. */
function strictClass(column: ColumnSchema): string | null {
  switch (column.affinity) {
    case "integer":
      return "integer";
    case "real":
      return "real";
    case "text":
      return "text";
    case "blob":
      return /^any\b/i.test(column.declaredType) ? null : "blob";
    case "numeric":
      return null;
  }
}

/** The living rows of a table as people want them: whole, in primary-key order, values exact. */
import type { Value } from "../../core/crdt/value.ts";
import type { Engine } from "./engine.ts";
import { quoteName } from "./schema-source.ts";
import { fromSqlExact } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";

/** Rows read at once. */
const batchRows = 256;

export function* readTable(engine: Engine, plan: TablePlan): Generator<readonly Value[]> {
  const { keyNames, schema } = plan;
  const names = schema.columns.map(({ name }) => quoteName(name)).join(", ");
  const keys = keyNames.join(", ");
  const after = `WHERE (${keys}) > (${keyNames.map(() => "?").join(", ")})`;
  const select = (where: string) =>
    `SELECT ${names} FROM ${plan.table} ${where} ORDER BY ${keys} LIMIT ${batchRows}`;
  // Read in batches, since nothing could be written while a statement is being stepped through.
  let rows = engine.statements.get(select("")).raw().safeIntegers().all() as unknown[][];
  while (rows.length > 0) {
    for (const row of rows) yield row.map(fromSqlExact);
    const last = rows.at(-1) as unknown[];
    const key = schema.keyColumns.map((i) => last[i]);
    if (rows.length < batchRows) return;
    rows = engine.statements.get(select(after)).raw().safeIntegers().all(key) as unknown[][];
  }
}

/** Damage to stored data that no version accounts for, as failing hardware does it. */
import type { Origin } from "../../core/crdt/origin.ts";
import { setCell } from "../../core/crdt/row.ts";
import type { ColumnSchema } from "../../core/crdt/schema.ts";
import { valuesEqual, type Value } from "../../core/crdt/value.ts";
import type { MemoryTable } from "./memory-table.ts";

/** Changes the first living cell that somebody wrote and that the last write wins; false when there is none. */
export function rotOneCell(tables: Iterable<MemoryTable>): boolean {
  for (const table of tables) {
    const { rules, sum } = table;
    for (const row of table.range("", "")) {
      const i = row.origins.findIndex(
        (origin, at) => origin !== null && rules.policies[at] === "lww",
      );
      if (!row.alive || i < 0) continue;
      const value = otherValue(rules.dataColumns[i] as ColumnSchema, row.values[i] as Value);
      setCell(rules, row, i, value, row.origins[i] as Origin, sum);
      return true;
    }
  }
  return false;
}

/** A value that the column can hold and that is not `held`. */
function otherValue({ affinity }: ColumnSchema, held: Value): Value {
  const value = affinity === "text" || affinity === "blob" ? "rotten" : 666;
  if (!valuesEqual(value, held)) return value;
  return typeof value === "string" ? `${value} again` : value + 1;
}

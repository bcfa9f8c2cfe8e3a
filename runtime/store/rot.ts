/** Damage to stored data that no version accounts for, as failing hardware does it: for simulated disks. */
import type { Origin } from "../../core/crdt/origin.ts";
import { setCell } from "../../core/crdt/row.ts";
import type { ColumnSchema } from "../../core/crdt/schema.ts";
import { type Value, valuesEqual } from "../../core/crdt/value.ts";
import type { Engine } from "./engine.ts";
import { KeyRange } from "./key-range.ts";

const everything = new Uint8Array(0);

/** Changes the first living cell that somebody wrote and that the last write wins; false when there is none. */
export function rotOneCell(engine: Engine): boolean {
  engine.foldNow();
  for (const plan of engine.plans.values()) {
    const { rules, sum } = plan;
    for (const rows of new KeyRange(engine, plan, everything, everything).batches(true)) {
      for (const row of rows) {
        const i = row.origins.findIndex(
          (origin, at) => origin !== null && rules.policies[at] === "lww",
        );
        if (!row.alive || i < 0) continue;
        const value = otherValue(rules.dataColumns[i] as ColumnSchema, row.values[i] as Value);
        engine.begin();
        setCell(rules, row, i, value, row.origins[i] as Origin, sum);
        engine.rows(plan).table.update(row.key, [i], row.values);
        engine.settle();
        engine.commit(true);
        return true;
      }
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

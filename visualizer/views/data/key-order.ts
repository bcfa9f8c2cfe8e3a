import { untagValue } from "../../../core/trace/tagged-value.ts";
import type { Value } from "../../../core/crdt/value.ts";
import { compareValues } from "../../../core/crdt/value-order.ts";
import type { Loaded } from "../../app/loaded.ts";

const cache = new WeakMap<Loaded, Int32Array[]>();

/** Rows by table, in primary-key order. */
export function rowsByTable(loaded: Loaded): readonly Int32Array[] {
  const known = cache.get(loaded);
  if (known !== undefined) return known;
  const { rows } = loaded.trace;
  const keys: Value[][] = [];
  const lists: number[][] = rows.tables.map(() => []);
  for (let row = 0; row < rows.count; row++) {
    keys.push(loaded.rows.key(row).map(valueOf));
    lists[rows.table[row] as number]?.push(row);
  }
  const sorted = lists.map((list) =>
    Int32Array.from(list.sort((a, b) => compareKeys(keys[a] ?? [], keys[b] ?? []))),
  );
  cache.set(loaded, sorted);
  return sorted;
}

function valueOf(json: unknown): Value {
  const untagged = untagValue(json);
  return untagged.ok ? untagged.value : null;
}

function compareKeys(a: readonly Value[], b: readonly Value[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    const order = compareValues(a[i] as Value, b[i] as Value);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/**
 * Shortcuts of the merge for the plainest rows, which are most rows: most are in their first life,
 * every column written by one version, and merged by last-writer-wins. They keep digests and counts of
 * living pieces exactly as `mergeChange` would, without a `Row` in between.
 */
import type { Origin } from "./origin.ts";
import { hashCellOf, hashRowOf, rowSeed } from "./row.ts";
import type { StateSum } from "./state-hash.ts";
import type { TableRules } from "./table-rules.ts";
import type { Value } from "./value.ts";

/** A row is inserted that never was. @param values of all data columns. */
export function addWholeRow(
  rules: TableRules,
  key: readonly Value[],
  values: readonly Value[],
  origin: Origin,
  sum: StateSum,
): void {
  const { a, b } = rowSeed(rules, key);
  const columns = values.length;
  sum.add(hashRowOf(a, b, 1, columns === 0 ? origin : null));
  sum.rows++;
  for (let i = 0; i < columns; i++) {
    sum.add(hashCellOf(a, b, rules.columnSeeds[i] as number, values[i] as Value, origin));
  }
  origin.retain(columns === 0 ? 1 : columns);
}

/** Such a row is deleted: its tombstone stems from `by`. */
export function removeWholeRow(
  rules: TableRules,
  key: readonly Value[],
  values: readonly Value[],
  origin: Origin,
  by: Origin,
  sum: StateSum,
): void {
  const { a, b } = rowSeed(rules, key);
  const columns = values.length;
  sum.remove(hashRowOf(a, b, 1, columns === 0 ? origin : null));
  sum.rows--;
  for (let i = 0; i < columns; i++) {
    sum.remove(hashCellOf(a, b, rules.columnSeeds[i] as number, values[i] as Value, origin));
  }
  origin.release(columns === 0 ? 1 : columns);
  by.retain();
}

/** A living row of any life is deleted. @param origins of its cells; null: nobody has written it. */
export function removeRow(
  rules: TableRules,
  key: readonly Value[],
  causalLength: number,
  values: readonly Value[],
  origins: readonly (Origin | null)[],
  by: Origin,
  sum: StateSum,
): void {
  const { a, b } = rowSeed(rules, key);
  sum.remove(hashRowOf(a, b, causalLength, null));
  sum.rows--;
  for (let i = 0; i < values.length; i++) {
    const origin = origins[i] ?? null;
    if (origin === null) continue;
    sum.remove(hashCellOf(a, b, rules.columnSeeds[i] as number, values[i] as Value, origin));
    origin.release();
  }
  by.retain();
}

/** Cell `i` of a living row, of any life, is overwritten by a later version. */
export function replaceCell(
  rules: TableRules,
  key: readonly Value[],
  i: number,
  before: Value,
  held: Origin,
  after: Value,
  origin: Origin,
  sum: StateSum,
): void {
  const { a, b } = rowSeed(rules, key);
  const columnSeed = rules.columnSeeds[i] as number;
  sum.remove(hashCellOf(a, b, columnSeed, before, held));
  sum.add(hashCellOf(a, b, columnSeed, after, origin));
  held.release();
  origin.retain();
}

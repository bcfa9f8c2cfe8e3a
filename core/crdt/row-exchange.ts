/**
 * Rows with all that decides merges, out to a peer and back in: what repair by key range and
 * snapshots carry. Merging a row's state is the join of all changes that made it.
 */
import type { RowState } from "../node/store.ts";
import { type CellState, decodeRowCells, encodeRowCells, type Stamp } from "../wire/row-state.ts";
import { WireError } from "../wire/wire-error.ts";
import { normalise } from "./affinity.ts";
import { decodeKey, encodeKeyText, keyBytes, keyText } from "./key.ts";
import { decideLife, mergeCell, mergeSentinel, mergeTotal } from "./merge.ts";
import { compareOrigins, type Origin } from "./origin.ts";
import { isCount } from "./policies.ts";
import { maxCausalLength } from "./prepare.ts";
import { beginLife, counterBase, type Row, setCell, setTally, tallyOf } from "./row.ts";
import type { StateSum } from "./state-hash.ts";
import { whyNotStored } from "./store-class.ts";
import type { TableRules } from "./table-rules.ts";
import type { Value } from "./value.ts";
import { compareValues } from "./value-order.ts";

/** The origin that stands for a stamp in this store. */
export type OriginOf = (stamp: Stamp) => Origin;

export function exportRow(rules: TableRules, row: Row): RowState {
  const cells: CellState[] = [];
  for (let i = 0; i < row.origins.length; i++) {
    const origin = row.origins[i] ?? null;
    const tallies = row.counters?.[i]?.tallies ?? [];
    if (origin === null && tallies.length === 0) continue;
    cells.push({
      column: (rules.dataColumns[i] as TableRules["dataColumns"][number]).name,
      base: origin === null ? null : { value: counterBase(row, i), stamp: stampOf(origin) },
      totals: tallies.map((tally) => ({ stamp: stampOf(tally.origin), total: tally.total })),
    });
  }
  const sentinel = row.sentinel === null ? null : stampOf(row.sentinel);
  return {
    table: rules.name,
    key: keyBytes(row.keyText),
    causalLength: row.causalLength,
    cells: encodeRowCells({ sentinel, cells }),
  };
}

function stampOf(origin: Origin): Stamp {
  return { hlc: origin.hlc, actor: origin.actor };
}

interface KnownCell {
  readonly i: number;
  readonly cell: CellState;
}

/**
 * Merges a row's state into the row of its key.
 * @param find gives that row, made if need be.
 * @returns whether the row changed; a row with columns unknown here is passed over.
 * @throws WireError when the state is none that a row can have.
 */
export function mergeRowState(
  rules: TableRules,
  state: RowState,
  find: (keyText: string, key: readonly Value[]) => Row,
  originOf: OriginOf,
  sum: StateSum,
): boolean {
  const { causalLength } = state;
  const text = keyText(state.key);
  const key = decodeKey(state.key, rules.keyAffinities);
  if (key === null || encodeKeyText(key) !== text) throw new WireError("not a key of its table");
  if (causalLength < 1 || causalLength > maxCausalLength) {
    throw new WireError("causal length out of range");
  }
  const { sentinel, cells } = decodeRowCells(state.cells);
  if (causalLength % 2 === 0 && cells.length > 0) throw new WireError("a deleted row with cells");
  const known = resolveCells(rules, cells);
  if (known === null) return false;
  const row = find(text, key);
  const decision = decideLife(row.causalLength, causalLength);
  if (decision === "stale") return false;
  let changed = decision !== "same";
  if (changed) beginLife(rules, row, causalLength, sum);
  if (sentinel !== null && mergeSentinel(row, originOf(sentinel), sum)) changed = true;
  for (const { i, cell } of known) {
    if (mergeCellState(rules, row, i, cell, originOf, sum)) changed = true;
  }
  return changed;
}

function mergeCellState(
  rules: TableRules,
  row: Row,
  i: number,
  { base, totals }: CellState,
  originOf: OriginOf,
  sum: StateSum,
): boolean {
  const affinity = (rules.dataColumns[i] as TableRules["dataColumns"][number]).affinity;
  let changed = false;
  if (base !== null) {
    const value = normalise(base.value, affinity);
    const origin = originOf(base.stamp);
    changed =
      mergeCell(rules, row, i, value, origin, sum) ||
      settleContradiction(rules, row, i, value, origin, sum);
  }
  for (const { stamp, total } of totals) {
    const origin = originOf(stamp);
    if (mergeTotal(rules, row, i, total, origin, sum)) changed = true;
    else if (settleTotals(rules, row, i, total, origin, sum)) changed = true;
  }
  return changed;
}

/** As `settleContradiction`, for two totals of one addition. */
function settleTotals(
  rules: TableRules,
  row: Row,
  i: number,
  total: Value,
  origin: Origin,
  sum: StateSum,
): boolean {
  const held = tallyOf(row, i, origin.actor);
  if (held === null || compareOrigins(origin, held.origin) !== 0) return false;
  if (compareValues(total, held.total) <= 0) return false;
  setTally(rules, row, i, total, origin, sum);
  return true;
}

/**
 * One write with two values: a store is damaged, and nobody can tell which. The larger value is
 * taken, so that all agree again. Max and min columns settle this by their policy.
 */
function settleContradiction(
  rules: TableRules,
  row: Row,
  i: number,
  value: Value,
  origin: Origin,
  sum: StateSum,
): boolean {
  const held = row.origins[i] as Origin;
  const policy = rules.policies[i];
  if (compareOrigins(origin, held) !== 0 || policy === "max" || policy === "min") return false;
  if (compareValues(value, counterBase(row, i)) <= 0) return false;
  setCell(rules, row, i, value, origin, sum);
  return true;
}

/** Null when a column is unknown here or cannot hold its value. */
function resolveCells(rules: TableRules, cells: readonly CellState[]): KnownCell[] | null {
  const known: KnownCell[] = [];
  for (const cell of cells) {
    const i = rules.position(cell.column);
    if (i === undefined) return null;
    const column = rules.dataColumns[i] as TableRules["dataColumns"][number];
    const counts = column.policy === "counter";
    if (cell.totals.length > 0 && !counts) return null;
    if (cell.totals.some(({ total }) => !isCount(total)))
      throw new WireError("a total is an integer");
    if (cell.base !== null) {
      const value = normalise(cell.base.value, column.affinity);
      if (counts ? !isCount(value) : whyNotStored(rules.schema, column, value) !== null)
        return null;
    }
    known.push({ i, cell });
  }
  return known;
}

/**
 * The merge of one row change into one row: causal length first (after the causal length sets of
 * Yu and Rostad, PaPoC 2020), then cell by cell within a life. Commutative, associative and
 * idempotent in values and in metadata: the state of a row is the join of the changes merged.
 */
import { assert, unreachable } from "../base/assert.ts";
import { compareOrigins, type Origin } from "./origin.ts";
import { wins } from "./policies.ts";
import { beginLife, type Row, setCell, setSentinel, setTally, tallyOf } from "./row.ts";
import type { StateSum } from "./state-hash.ts";
import type { TableRules } from "./table-rules.ts";
import type { Value } from "./value.ts";

/** What an incoming causal length means for a row that has another or the same. */
export type LifeDecision =
  /** Of a life that is over: nothing of it is kept. */
  | "stale"
  /** Of the life, or the death, that the row has: cell by cell. */
  | "same"
  /** A later life: the columns take their defaults, then the incoming cells are set. */
  | "begins"
  /** A later death. */
  | "ends";

export function decideLife(held: number, incoming: number): LifeDecision {
  if (incoming < held) return "stale";
  if (incoming === held) return "same";
  return incoming % 2 === 1 ? "begins" : "ends";
}

/** A row change resolved against a table: columns by position, values normalised. */
export interface PreparedChange {
  readonly rules: TableRules;
  readonly keyText: string;
  readonly key: readonly Value[];
  readonly causalLength: number;
  /** Data columns written, by position, ascending or not; empty for deletes and tables of key columns alone. */
  readonly columns: readonly number[];
  readonly values: readonly Value[];
  /** True where the value is an actor's running total of a counter. Null: nowhere. */
  readonly totals: readonly boolean[] | null;
}

/** How many pieces a change has that can win or lose: its cells, or the row itself when it has none. */
export function piecesOf(change: PreparedChange): number {
  return change.columns.length === 0 ? 1 : change.columns.length;
}

/**
 * Merges `change`, written by `origin`, into `row` and keeps `sum` and the origins' counts of
 * living pieces up to date.
 * @returns how many of its pieces changed the row.
 */
export function mergeChange(
  row: Row,
  change: PreparedChange,
  origin: Origin,
  sum: StateSum,
): number {
  const { rules, causalLength } = change;
  assert(causalLength >= 1, "a change begins or ends a life, or happens in one");
  assert(row.keyText === change.keyText, "a change is merged into the row of its key");
  const decision = decideLife(row.causalLength, causalLength);
  switch (decision) {
    case "stale":
      return 0;
    case "begins":
    case "ends":
      beginLife(rules, row, causalLength, sum);
      return mergeIntoLife(row, change, origin, sum);
    case "same":
      return mergeIntoLife(row, change, origin, sum);
    default:
      return unreachable(decision);
  }
}

function mergeIntoLife(row: Row, change: PreparedChange, origin: Origin, sum: StateSum): number {
  const { rules, columns, values, totals } = change;
  if (columns.length === 0) return Number(mergeSentinel(row, origin, sum));
  let won = 0;
  for (let k = 0; k < columns.length; k++) {
    const i = columns[k] as number;
    const value = values[k] as Value;
    const isTotal = totals !== null && (totals[k] as boolean);
    const changed = isTotal
      ? mergeTotal(rules, row, i, value, origin, sum)
      : mergeCell(rules, row, i, value, origin, sum);
    if (changed) won++;
  }
  return won;
}

/** A change without cells: of several for one life the larger (stamp, actor) is remembered. */
export function mergeSentinel(row: Row, origin: Origin, sum: StateSum): boolean {
  if (row.sentinel !== null && compareOrigins(origin, row.sentinel) <= 0) return false;
  setSentinel(row, origin, sum);
  return true;
}

export function mergeCell(
  rules: TableRules,
  row: Row,
  i: number,
  value: Value,
  origin: Origin,
  sum: StateSum,
): boolean {
  const held = row.origins[i] as Origin | null;
  if (held !== null) {
    const policy = rules.policies[i] as TableRules["policies"][number];
    if (!wins(policy, value, origin, row.values[i] as Value, held)) return false;
  }
  setCell(rules, row, i, value, origin, sum);
  return true;
}

/** An actor's running total replaces an older one of the same actor. */
export function mergeTotal(
  rules: TableRules,
  row: Row,
  i: number,
  total: Value,
  origin: Origin,
  sum: StateSum,
): boolean {
  const held = tallyOf(row, i, origin.actor);
  if (held !== null && compareOrigins(origin, held.origin) <= 0) return false;
  setTally(rules, row, i, total, origin, sum);
  return true;
}

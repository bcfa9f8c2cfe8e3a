/**
 * Puts in order what a table shows where that is not what will be replicated:
 * - text that is no UTF-8 becomes text, with U+FFFD where bytes made no sense;
 * - −0.0 in a column without affinity becomes 0.0;
 * - a write that does not exceed a maximum (or undercut a minimum) which somebody wrote is undone.
 */
import { OpError } from "../../core/crdt/op-values.ts";
import { extremeOrder } from "../../core/crdt/policies.ts";
import { Row } from "../../core/crdt/row.ts";
import { type Value, valuesEqual } from "../../core/crdt/value.ts";
import { type ClockCell, unpackCell } from "./clock-cell.ts";
import type { Engine } from "./engine.ts";
import type { PendingRow } from "./pending.ts";
import type { TablePlan } from "./table-plan.ts";

/** @param cell the row's clock before the transaction. @throws OpError for a key that is no UTF-8. */
export function mendRow(
  engine: Engine,
  plan: TablePlan,
  pending: PendingRow,
  cell: ClockCell | null,
): void {
  const { values, key } = pending;
  if (pending.born) mendKey(engine, plan, key);
  const mended: number[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (typeof value === "string" ? value.includes("\ufffd") : isBareZero(plan, i, value)) {
      mended.push(i);
    }
  }
  const held = plan.hasPolicies ? heldExtremes(engine, plan, pending, cell) : null;
  if (mended.length === 0 && held === null) return;
  const shown = values.slice();
  for (const [i, value] of held ?? []) {
    shown[i] = value;
    if (!mended.includes(i)) mended.push(i);
  }
  engine.rows(plan).table.update(key, mended, shown);
}

/** Columns whose maximum or minimum stays as it was, and what it is; null when there are none. */
function heldExtremes(
  engine: Engine,
  plan: TablePlan,
  pending: PendingRow,
  cell: ClockCell | null,
): Map<number, Value> | null {
  if (cell === null || !pending.aliveBefore || pending.born) return null;
  const row = new Row(plan.rules, pending.keyText, pending.key);
  unpackCell(plan, cell, row, engine.origins);
  let held: Map<number, Value> | null = null;
  for (let i = 0; i < pending.values.length; i++) {
    const policy = plan.rules.policies[i];
    const value = pending.values[i];
    const before = pending.before[i];
    if ((policy !== "max" && policy !== "min") || value === undefined || before === undefined)
      continue;
    if (row.origins[i] === null || valuesEqual(value, before)) continue;
    if (extremeOrder(policy, value, before) > 0) continue;
    held ??= new Map();
    held.set(i, before);
  }
  return held;
}

/** A key of a column without affinity stands as an INTEGER where it can; see `normaliseKey`. */
function mendKey(engine: Engine, plan: TablePlan, key: readonly Value[]): void {
  let doubtful = false;
  for (let i = 0; i < key.length; i++) {
    const value = key[i];
    if (typeof value === "string") doubtful ||= value.includes("\ufffd");
    else if (plan.keyAffinities[i] === "blob") doubtful ||= typeof value === "number";
  }
  if (doubtful && !engine.rows(plan).table.rewriteKey(key)) {
    throw new OpError("SQLITE_MISMATCH", `a primary key of ${plan.table} is not UTF-8`);
  }
}

function isBareZero(plan: TablePlan, i: number, value: Value | undefined): boolean {
  if (typeof value !== "object" || value === null || plan.dataAffinities[i] !== "blob")
    return false;
  return !(value instanceof Uint8Array) && value.real === 0;
}

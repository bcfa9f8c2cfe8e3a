/** A row that a local transaction touched, with all that decides merges, as it was before. */
import type { Hlc } from "../../core/clock/hlc.ts";
import { netChange } from "../../core/crdt/net-change.ts";
import { Row } from "../../core/crdt/row.ts";
import { type ClockCell, takeValues, unpackCell } from "./clock-cell.ts";
import type { Engine } from "./engine.ts";
import type { PendingRow } from "./pending.ts";
import { CorruptionError, describeKey } from "./row-table.ts";
import type { TablePlan } from "./table-plan.ts";

/** The row as it was before the transaction. @throws CorruptionError when table and clock contradict each other. */
export function rowBefore(
  engine: Engine,
  plan: TablePlan,
  pending: PendingRow,
  cell: ClockCell | null,
): Row {
  const row = new Row(plan.rules, pending.keyText, pending.key);
  if (cell !== null) unpackCell(plan, cell, row, engine.origins);
  if (row.alive !== pending.aliveBefore) {
    const what = `row ${describeKey(pending.key)} of ${plan.table}`;
    throw new CorruptionError(`${what} was changed by something that is not a node`);
  }
  if (!row.alive) return row;
  takeValues(row, pending.before);
  if (plan.rules.hasCounters && pending.alive && !pending.born) {
    // The values of counters are told by their clock, even where the transaction told nothing.
    pending.values = row.values.map((value, i) => {
      const told = pending.values[i];
      return told === undefined ? value : told;
    });
  }
  return row;
}

/** The latest stamp that the row's changes overwrite; null: none. */
export function overwrittenBy(
  engine: Engine,
  plan: TablePlan,
  pending: PendingRow,
  cell: ClockCell | null,
): Hlc | null {
  if (cell === null) return null;
  const row = rowBefore(engine, plan, pending, cell);
  return netChange(plan.rules, row, pending, engine.identity.actor)?.overwrites ?? null;
}

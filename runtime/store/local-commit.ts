/**
 * Turns what a local transaction changed into a version, in the same transaction: its net effect,
 * stamped, merged into the metadata of the rows, encoded and logged.
 */
import { assert } from "../../core/base/assert.ts";
import { compareHlc, type Hlc } from "../../core/clock/hlc.ts";
import { netChange, type NetChange } from "../../core/crdt/net-change.ts";
import { OpError } from "../../core/crdt/op-values.ts";
import { extremeOrder } from "../../core/crdt/policies.ts";
import { mergeChange } from "../../core/crdt/merge.ts";
import { Row } from "../../core/crdt/row.ts";
import { type Value, valuesEqual } from "../../core/crdt/value.ts";
import type { Chunk } from "../../core/node/store.ts";
import { encodeChunks } from "../../core/wire/changes.ts";
import { maxChunksPerVersion, maxPayloadBytes } from "../../core/wire/limits.ts";
import type { CapturedChange } from "./capture.ts";
import { type ClockCell, packCell, takeValues, unpackCell } from "./clock-cell.ts";
import { readClocks } from "./clock-table.ts";
import type { Engine } from "./engine.ts";
import { type PendingRow, type PendingRows, pendingRows } from "./pending.ts";
import { CorruptionError, describeKey } from "./row-table.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";

/** A changed row with its metadata. */
interface Changed {
  readonly plan: TablePlan;
  readonly row: Row;
  readonly rowKey: RowKey;
  readonly wasDead: boolean;
  readonly net: NetChange;
}

/**
 * Inside the transaction, after its last statement. @returns the version's chunks; none when
 * nothing replicated changed. @throws OpError when it cannot be committed.
 */
export function commitChanges(
  engine: Engine,
  wallMs: number,
  changes: readonly CapturedChange[],
  chunkBytes: number,
): Chunk[] {
  if (changes.length === 0) return [];
  const changed = changedRows(engine, pendingRows(changes));
  if (changed.length === 0) return [];
  const payloads = encodeChunks(
    changed.map(({ net }) => net.sent),
    chunkBytes,
  );
  const count = payloads.length;
  if (count > maxChunksPerVersion || payloads.some((bytes) => bytes.length > maxPayloadBytes)) {
    throw new OpError("SQLITE_TOOBIG", "a row or the whole transaction is too large to be sent");
  }
  const hlc = engine.clock.tick(wallMs, latestOverwritten(changed));
  if (hlc === null) {
    throw new OpError(
      "SQLITE_FULL",
      "a cell has the last stamp there is and cannot be written again",
    );
  }
  const { actor } = engine.identity;
  const log = engine.own;
  const version = log.head + 1;
  const origin = engine.origins.add(engine.nextId(), actor, hlc, version);
  for (const { plan, row, rowKey, wasDead, net } of changed) {
    const won = mergeChange(row, net.change, origin, plan.sum);
    assert(won > 0, "what is written locally wins");
    plan.dead += Number(!row.alive) - Number(wasDead);
    engine.putClock(plan, { key: row.key, cell: packCell(plan, row) }, rowKey);
  }
  const chunks = payloads.map((payload, index) => ({ actor, version, index, count, hlc, payload }));
  const { effects, live } = engine.settle();
  engine.log.append(origin, log, chunks, live.get(origin.id) ?? 0, effects);
  log.hold(version, version);
  return chunks;
}

/** By table name, then by key. */
function changedRows(engine: Engine, pending: PendingRows): Changed[] {
  const changed: Changed[] = [];
  const plans = [...pending.keys()].sort((a, b) => (a.schema.name < b.schema.name ? -1 : 1));
  for (const plan of plans) {
    const rows = [...(pending.get(plan)?.values() ?? [])].filter(
      (row) => row.alive || row.aliveBefore,
    );
    sortRows(rows);
    const cells = clocksOf(engine, plan, rows);
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as PendingRow;
      const change = changedRow(engine, plan, row, cells[i] ?? null);
      if (change !== null) changed.push(change);
    }
  }
  return changed;
}

function sortRows(rows: PendingRow[]): void {
  let sorted = true;
  for (let i = 1; i < rows.length && sorted; i++) {
    sorted = compareRows(rows[i - 1] as PendingRow, rows[i] as PendingRow) < 0;
  }
  if (!sorted) rows.sort(compareRows);
}

/** The order of canonical key bytes. */
function compareRows(a: PendingRow, b: PendingRow): number {
  return a.rowKey < b.rowKey ? -1 : 1;
}

function clocksOf(
  engine: Engine,
  plan: TablePlan,
  rows: readonly PendingRow[],
): readonly (ClockCell | null)[] {
  // Where nothing was ever deleted, what is inserted was never there.
  const fresh = plan.dead === 0 && rows.every((row) => !row.aliveBefore);
  if (fresh) return rows.map(() => null);
  return readClocks(
    engine.statements,
    plan,
    rows.map((row) => row.rowKey),
    rows.map((row) => row.key),
  );
}

function changedRow(
  engine: Engine,
  plan: TablePlan,
  pending: PendingRow,
  cell: ClockCell | null,
): Changed | null {
  const { rules } = plan;
  const { key, keyText, rowKey, alive, born, aliveBefore } = pending;
  const row = new Row(rules, keyText, key);
  if (cell !== null) unpackCell(plan, cell, row, engine.origins);
  if (row.alive !== aliveBefore) {
    const why = `row ${describeKey(key)} of ${plan.table} was changed by something that is not a node`;
    throw new CorruptionError(why);
  }
  const wasDead = cell !== null && !row.alive;
  const width = rules.dataColumns.length;
  if (row.alive) takeValues(row, filled(pending.before, width));
  const values = filled(pending.after, width);
  mend(engine, plan, pending, row, values);
  const before = cell === null ? undefined : row;
  const net = netChange(
    rules,
    before,
    { keyText, key, alive, born, values },
    engine.identity.actor,
  );
  return net === null ? null : { plan, row, rowKey, wasDead, net };
}

/**
 * What is not told did not change and is the same before and after; it is never read, neither for
 * values nor for the digest.
 */
function filled(values: readonly (Value | undefined)[], width: number): Value[] {
  const all = values.slice() as Value[];
  all.length = width;
  return all;
}

/** Puts the table in order where it shows what will not be replicated so: see `mendedValue`. */
function mend(
  engine: Engine,
  plan: TablePlan,
  pending: PendingRow,
  row: Row,
  values: Value[],
): void {
  if (!pending.alive) return;
  let mended: number[] | null = null;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value === undefined || !needsMending(plan, pending, row, i, value)) continue;
    mended ??= [];
    mended.push(i);
  }
  if (mended !== null)
    engine.table(plan).update(pending.key, mended, shownValues(plan, pending, row, values));
}

/**
 * - Text with U+FFFD may have been other bytes, which are no UTF-8.
 * - A zero without affinity may be −0.0.
 * - What does not exceed a maximum that somebody wrote is not written.
 */
function needsMending(
  plan: TablePlan,
  pending: PendingRow,
  row: Row,
  i: number,
  value: Value,
): boolean {
  if (typeof value === "string" && value.includes("\ufffd")) return true;
  if (plan.dataAffinities[i] === "blob" && typeof value === "object" && value !== null) {
    if (!(value instanceof Uint8Array) && value.real === 0) return true;
  }
  return plan.hasPolicies && keepsHeld(plan, pending, row, i, value);
}

function keepsHeld(
  plan: TablePlan,
  pending: PendingRow,
  row: Row,
  i: number,
  value: Value,
): boolean {
  const policy = plan.rules.policies[i];
  if ((policy !== "max" && policy !== "min") || !pending.aliveBefore || pending.born) return false;
  const held = row.values[i];
  if (held === undefined || row.origins[i] === null || valuesEqual(value, held)) return false;
  return extremeOrder(policy, value, held) <= 0;
}

function shownValues(
  plan: TablePlan,
  pending: PendingRow,
  row: Row,
  values: readonly Value[],
): Value[] {
  return values.map((value, i) => {
    if (value === undefined || !keepsHeld(plan, pending, row, i, value)) return value;
    return row.values[i] as Value;
  });
}

function latestOverwritten(changed: readonly Changed[]): Hlc | null {
  let latest: Hlc | null = null;
  for (const { net } of changed) {
    const { overwrites } = net;
    if (overwrites !== null && (latest === null || compareHlc(overwrites, latest) > 0)) {
      latest = overwrites;
    }
  }
  return latest;
}

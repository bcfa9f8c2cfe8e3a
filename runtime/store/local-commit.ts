/**
 * Turns what a local transaction changed into a version, in the same transaction: its net effect,
 * stamped, merged into the metadata of the rows, encoded and logged. Row by row, so that a large
 * transaction takes little memory beside what was captured of it. The plainest rows, which are
 * most, take a short way that leaves the same behind.
 */
import { assert } from "../../core/base/assert.ts";
import { emptyList } from "../../core/base/room.ts";
import { compareHlc, type Hlc } from "../../core/clock/hlc.ts";
import { mergeChange } from "../../core/crdt/merge.ts";
import { netChange } from "../../core/crdt/net-change.ts";
import { OpError } from "../../core/crdt/op-values.ts";
import { type Value, valuesEqual } from "../../core/crdt/value.ts";
import { addWholeRow, removeRow, removeWholeRow, replaceCell } from "../../core/crdt/whole-row.ts";
import type { Chunk } from "../../core/node/store.ts";
import { ChunkEncoder } from "../../core/wire/changes.ts";
import { maxChunksPerVersion, maxPayloadBytes } from "../../core/wire/limits.ts";
import type { CapturedChanges, CapturedStream } from "./capture.ts";
import { causalLengthOf, type ClockCell, coversAll, packCell, packReplaced } from "./clock-cell.ts";
import { clockText, readClockText } from "./clock-text.ts";
import { type ClocksAhead, readAhead, readClock, readClocks } from "./clock-table.ts";
import type { Engine } from "./engine.ts";
import type { LiveChanges, LogOrigin } from "./log-origin.ts";
import { mendRow } from "./mend-row.ts";
import { onlyRow, type PendingRow, type ToldRow, toldRows, TouchedRows } from "./pending.ts";
import { overwrittenBy, rowBefore } from "./row-before.ts";
import type { RowStore } from "./row-store.ts";
import { fromSql } from "./sql-value.ts";
import type { Affinity } from "../../core/crdt/schema.ts";
import type { TablePlan } from "./table-plan.ts";
import { UniqueRows } from "./unique-rows.ts";
import { maxClocksInLog } from "./waiting-clocks.ts";

/** Rows whose clocks are read together: those of neighbours take two statements, however many they are. */
const rowsInBatch = 256;

/**
 * Inside the transaction, after its last statement. @returns the version's chunks; none when
 * nothing replicated changed. @throws OpError when it cannot be committed; memory must be read back.
 */
export function commitChanges(
  engine: Engine,
  wallMs: number,
  changes: CapturedChanges,
  chunkBytes: number,
): Chunk[] {
  const count = changes.args.length;
  if (count === 0) return [];
  if (count > maxClocksInLog) engine.beginBulk();
  const commit = new LocalCommit(engine, wallMs, changes, chunkBytes);
  const { plan } = changes.streams[0] as CapturedStream;
  const told = toldRows(changes);
  if (told !== null && commit.insertTold(plan, told)) return commit.finish();
  const only = count === 1 ? onlyRow(changes) : null;
  if (only !== null) commit.only(plan, only);
  else mergeTables(engine, commit, touchedTables(changes));
  commit.settleUniques();
  return commit.finish();
}

function mergeTables(engine: Engine, commit: LocalCommit, tables: readonly TouchedRows[]): void {
  for (const table of tables) {
    const { plan } = table;
    commit.stored = engine.rows(plan);
    const ahead =
      plan.rowids === null ? null : readAhead(engine.statements, plan.rowids, table.rowidsBefore());
    table.inBatches(rowsInBatch, (batch) => {
      const cells = clocksOf(engine, plan, batch, ahead);
      const first = (batch[0] as PendingRow).rowKey;
      const last = (batch.at(-1) as PendingRow).rowKey;
      commit.dense = plan.isDense(first, last, batch.length);
      for (let i = 0; i < batch.length; i++) {
        commit.row(plan, batch[i] as PendingRow, cells[i] ?? null);
      }
    });
    engine.waiting.placeBorn(plan);
  }
}

function touchedTables(changes: CapturedChanges): TouchedRows[] {
  const tables = new Map<TablePlan, TouchedRows>();
  let table: TouchedRows | null = null;
  for (let i = 0; i < changes.streams.length; i++) {
    const { plan } = changes.streams[i] as CapturedStream;
    if (table === null || table.plan !== plan) {
      table = tables.get(plan) ?? new TouchedRows(plan, changes);
      tables.set(plan, table);
    }
    table.add(i);
  }
  const list = [...tables.values()];
  return list.sort((a, b) => (a.plan.schema.name < b.plan.schema.name ? -1 : 1));
}

const noCells: readonly (ClockCell | null)[] = [];

/** Where nothing was ever deleted and nothing stands aside, what is inserted was never there. */
function knowsNew(engine: Engine, plan: TablePlan): boolean {
  return plan.dead === 0 && engine.rows(plan).asideCount === 0;
}

function clocksOf(
  engine: Engine,
  plan: TablePlan,
  rows: readonly PendingRow[],
  ahead: ClocksAhead | null = null,
): readonly (ClockCell | null)[] {
  if (knowsNew(engine, plan) && rows.every((row) => !row.aliveBefore)) return noCells;
  const rowids = plan.rowids === null ? null : rows.map((row) => row.rowidBefore);
  const cells = readClocks(
    engine.statements,
    plan,
    rows.map((row) => row.rowKey),
    rows.map((row) => row.key),
    rowids,
    ahead,
  );
  rowids?.forEach((rowid, i) => {
    (rows[i] as PendingRow).rowidBefore = rowid;
  });
  return cells;
}

/** Who wrote the columns of the row at hand. */
const heldColumns: (LogOrigin | null)[] = [];

class LocalCommit {
  readonly #engine: Engine;
  readonly #wallMs: number;
  readonly #changes: CapturedChanges;
  readonly #encoder: ChunkEncoder;
  /** Tables in which the rows that stand aside may find their place now. */
  #unsettled: Set<TablePlan> | null = null;
  /** Of the table at hand. */
  stored: RowStore | null = null;
  /** The rows at hand are neighbours. */
  dense = false;
  /** Of the version about to be made; null until a row with a net effect is found. */
  #origin: LogOrigin | null = null;

  constructor(engine: Engine, wallMs: number, changes: CapturedChanges, chunkBytes: number) {
    this.#engine = engine;
    this.#wallMs = wallMs;
    this.#changes = changes;
    this.#encoder = new ChunkEncoder(chunkBytes);
  }

  /**
   * Rows of which the transaction told no more than that they are new, a good deal faster than row
   * by row. @returns false when they are not that plain.
   */
  insertTold(plan: TablePlan, rows: readonly ToldRow[]): boolean {
    const engine = this.#engine;
    if (plan.hasPolicies || !knowsNew(engine, plan)) return false;
    const origin = this.#version();
    if (plan.lastSince >= origin.id) return false;
    const values = plan.unknown.slice();
    for (let from = 0; from < rows.length; from += rowsInBatch) {
      const to = Math.min(from + rowsInBatch, rows.length);
      const [first] = rows[from] as ToldRow;
      const [last] = rows[to - 1] as ToldRow;
      const dense = plan.isDense(first, last, to - from);
      for (let i = from; i < to; i++) {
        const row = rows[i] as ToldRow;
        const key = [row[0]];
        for (let k = 0; k < values.length; k++) {
          values[k] = fromSql(row[k + 1], plan.dataAffinities[k] as Affinity);
        }
        addWholeRow(plan.rules, key, values, origin, plan.sum);
        this.#encoder.addSet(plan.schema.name, key, 1, plan.columns, values);
        engine.putClock(plan, key, row[0], origin.id, dense, true);
      }
    }
    return true;
  }

  /** The only row of the transaction. */
  only(plan: TablePlan, pending: PendingRow): void {
    const engine = this.#engine;
    const { aliveBefore, rowKey, key } = pending;
    this.stored = engine.rows(plan);
    if (plan.rowids !== null) {
      this.row(plan, pending, clocksOf(engine, plan, [pending])[0] ?? null);
      engine.waiting.placeBorn(plan);
      return;
    }
    const isNew = !aliveBefore && knowsNew(engine, plan);
    this.row(plan, pending, isNew ? null : readClock(engine.statements, plan, rowKey, key));
  }

  #putClock(plan: TablePlan, pending: PendingRow, cell: ClockCell, isNew = false): void {
    const engine = this.#engine;
    const { key, rowKey, rowidBefore, rowid, born, alive } = pending;
    if (plan.rowids === null) {
      engine.putClock(plan, key, rowKey, cell, this.dense, isNew);
      return;
    }
    // Where a clock stands under the key, it would hide what is said of the rowid.
    const isByRowid = alive && (rowidBefore !== 0 || isNew);
    const at = isByRowid ? rowid : 0;
    const forgets = rowidBefore === at ? 0 : rowidBefore;
    engine.placeClock(plan, key, rowKey, cell, at, forgets, born);
  }

  row(plan: TablePlan, pending: PendingRow, cell: ClockCell | null): void {
    if (this.stored !== null && this.stored.asideCount > 0) this.#besideAside(plan, pending, cell);
    if (pending.alive) mendRow(this.#engine, plan, pending, cell);
    if (pending.touches === 1 && !plan.hasPolicies) {
      if (cell === null) {
        if (this.#insertNew(plan, pending)) return;
      } else if (typeof cell === "number" && cell > 0 && coversAll(plan, cell)) {
        if (
          pending.alive
            ? this.#updateOne(plan, pending, cell)
            : this.#deleteWhole(plan, pending, cell)
        ) {
          return;
        }
      } else if (typeof cell === "string" && pending.aliveBefore && !pending.born) {
        const { alive } = pending;
        if (alive ? this.#updateCell(plan, pending, cell) : this.#delete(plan, pending, cell)) {
          return;
        }
      }
    }
    this.#merge(plan, pending, cell);
  }

  /** Some rows of the table stand aside: what this one does may give them their place, or be done to one of them. */
  #besideAside(plan: TablePlan, pending: PendingRow, cell: ClockCell | null): void {
    this.#unsettled ??= new Set();
    this.#unsettled.add(plan);
    if (pending.aliveBefore || causalLengthOf(cell) % 2 === 0) return;
    // It was inserted where the table shows none, but one stands aside: it begins that one's next life.
    const rows = this.#engine.rows(plan);
    const values = rows.aside?.read([pending.key])[0] ?? null;
    if (values === null) return;
    pending.replaces(values);
    rows.aside?.remove(pending.key);
    rows.asideCount--;
  }

  /** Finds the places of rows that stand aside anew, where that may have changed. */
  settleUniques(): void {
    for (const plan of this.#unsettled ?? []) {
      this.#engine.waiting.flush();
      const uniques = new UniqueRows(this.#engine, plan, () => null);
      uniques.seekAll();
      uniques.settle();
    }
  }

  /** A row that never was. @returns false when it is not that plain. */
  #insertNew(plan: TablePlan, pending: PendingRow): boolean {
    if (!pending.born || pending.aliveBefore) return false;
    const origin = this.#version();
    if (plan.lastSince >= origin.id) return false;
    const { key, values } = pending;
    addWholeRow(plan.rules, key, values, origin, plan.sum);
    this.#encoder.addSet(plan.schema.name, key, 1, plan.columns, values);
    this.#putClock(plan, pending, origin.id, true);
    return true;
  }

  /** One column of a row that one version wrote. */
  #updateOne(plan: TablePlan, pending: PendingRow, cell: number): boolean {
    const { key, before, values, updated: i } = pending;
    if (i < 0 || pending.born || !pending.aliveBefore) return false;
    const value = values[i] as Value;
    if (valuesEqual(before[i] as Value, value)) return true;
    const origin = this.#version();
    const held = this.#engine.origins.get(cell);
    replaceCell(plan.rules, key, i, before[i] as Value, held, value, origin, plan.sum);
    this.#encoder.addSet(plan.schema.name, key, 1, [plan.columns[i] as string], [value]);
    this.#putClock(plan, pending, packReplaced(plan, cell, i, origin.id));
    return true;
  }

  #deleteWhole(plan: TablePlan, pending: PendingRow, cell: number): boolean {
    if (!pending.aliveBefore) return false;
    const { key, before } = pending;
    const origin = this.#version();
    const held = this.#engine.origins.get(cell);
    removeWholeRow(plan.rules, key, before, held, origin, plan.sum);
    plan.dead++;
    this.#encoder.addSet(plan.schema.name, key, 2, [], []);
    this.#putClock(plan, pending, -origin.id);
    return true;
  }

  /** One column of a row that several versions wrote. @returns false when it is not that plain. */
  #updateCell(plan: TablePlan, pending: PendingRow, cell: string): boolean {
    const { key, before, values, updated: i } = pending;
    if (i < 0) return false;
    const value = values[i] as Value;
    if (valuesEqual(before[i] as Value, value)) return true;
    // First, since it may read other clocks.
    const origin = this.#version();
    const { causalLength, sentinel, ids } = readClockText(plan, cell);
    const slot = plan.slots[i] as number;
    const id = ids[slot] ?? 0;
    if (sentinel !== 0 || id === 0 || ids.length !== plan.slots.length) return false;
    const held = this.#engine.origins.get(id);
    replaceCell(plan.rules, key, i, before[i] as Value, held, value, origin, plan.sum);
    this.#encoder.addSet(plan.schema.name, key, causalLength, [plan.columns[i] as string], [value]);
    ids[slot] = origin.id;
    const isUniform = ids.length === 1 && causalLength === 1;
    const after = isUniform ? origin.id : clockText(plan, causalLength, 0, ids);
    this.#putClock(plan, pending, after);
    return true;
  }

  /** A row that several versions wrote. @returns false when it is not that plain. */
  #delete(plan: TablePlan, pending: PendingRow, cell: string): boolean {
    const { key, before } = pending;
    const { origins } = this.#engine;
    const origin = this.#version();
    const { causalLength, sentinel, ids } = readClockText(plan, cell);
    if (sentinel !== 0) return false;
    const held = heldColumns;
    emptyList(held);
    let [lastId, last]: [number, LogOrigin | null] = [0, null];
    for (let i = 0; i < plan.slots.length; i++) {
      const id = ids[plan.slots[i] as number] ?? 0;
      // Most columns were written by the version that wrote the one before.
      if (id !== lastId) [lastId, last] = [id, id === 0 ? null : origins.get(id)];
      held.push(last);
    }
    removeRow(plan.rules, key, causalLength, before, held, origin, plan.sum);
    plan.dead++;
    this.#encoder.addSet(plan.schema.name, key, causalLength + 1, [], []);
    const after =
      causalLength === 1 ? -origin.id : clockText(plan, causalLength + 1, origin.id, []);
    this.#putClock(plan, pending, after);
    return true;
  }

  /** Any row, by the rules of the core. */
  #merge(plan: TablePlan, pending: PendingRow, cell: ClockCell | null): void {
    const engine = this.#engine;
    const row = rowBefore(engine, plan, pending, cell);
    const wasDead = cell !== null && !row.alive;
    const before = cell === null ? undefined : row;
    const net = netChange(plan.rules, before, pending, engine.identity.actor);
    if (net === null) {
      // What is put in place of a row begins its next life; so a row with a new rowid gets a clock.
      assert(!(pending.born && pending.alive), "a row that is inserted changes something");
      return;
    }
    const origin = this.#version();
    this.#encoder.add(net.sent);
    const won = mergeChange(row, net.change, origin, plan.sum);
    assert(won > 0, "what is written locally wins");
    plan.dead += Number(!row.alive) - Number(wasDead);
    this.#putClock(plan, pending, packCell(plan, row), cell === null);
  }

  /** The version about to be made: its number, its stamp and its place in the log. */
  #version(): LogOrigin {
    if (this.#origin !== null) return this.#origin;
    const engine = this.#engine;
    const hlc = engine.clock.tick(this.#wallMs, this.#latestOverwritten());
    if (hlc === null) {
      throw new OpError(
        "SQLITE_FULL",
        "a cell has the last stamp there is and cannot be written again",
      );
    }
    const version = engine.own.head + 1;
    this.#origin = engine.origins.add(engine.nextId(), engine.identity.actor, hlc, version);
    return this.#origin;
  }

  /** The latest stamp that the transaction overwrites; only one from the far future can be above the clock. */
  #latestOverwritten(): Hlc | null {
    const engine = this.#engine;
    if (!engine.knowsFarStamps) return null;
    let latest: Hlc | null = null;
    for (const table of touchedTables(this.#changes)) {
      const { plan } = table;
      table.inBatches(rowsInBatch, (batch) => {
        const cells = clocksOf(engine, plan, batch);
        batch.forEach((pending, i) => {
          const stamp = overwrittenBy(engine, plan, pending, cells[i] ?? null);
          if (stamp !== null && (latest === null || compareHlc(stamp, latest) > 0)) latest = stamp;
        });
      });
    }
    return latest;
  }

  /** Logs the version. @returns its chunks. */
  finish(): Chunk[] {
    const origin = this.#origin;
    if (origin === null) return [];
    const engine = this.#engine;
    const payloads = this.#encoder.finish();
    const count = payloads.length;
    if (count > maxChunksPerVersion || payloads.some((bytes) => bytes.length > maxPayloadBytes)) {
      throw new OpError("SQLITE_TOOBIG", "a row or the whole transaction is too large to be sent");
    }
    const { actor, version, hlc } = origin;
    const chunks = payloads.map((payload, index) => {
      const chunk = { actor, version, index, count, hlc, payload };
      return engine.sealer === null ? chunk : { ...chunk, seal: engine.sealer.seal(chunk) };
    });
    const { effects, live } = engine.settle();
    engine.log.append(origin, engine.own, chunks, piecesOf(live, origin.id), effects);
    engine.own.hold(version, version);
    return chunks;
  }
}

function piecesOf(live: LiveChanges, id: number): number {
  for (let i = 0; i < live.length; i += 2) if (live[i] === id) return live[i + 1] as number;
  return 0;
}

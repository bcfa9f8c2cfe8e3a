/**
 * The state of an open store in memory and its write transactions. What a transaction does to
 * clocks, digests and bookkeeping goes into the log row of its version (`effects.ts`) and into
 * memory; `fold` moves it into the tables where it belongs, in some later transaction. When a
 * transaction fails, memory is read back from the file.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import { HybridClock } from "../../core/clock/hybrid-clock.ts";
import { encodeKeyText } from "../../core/crdt/key.ts";
import { StateSum } from "../../core/crdt/state-hash.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { StoreSummary } from "../../core/node/store.ts";
import { type ActorLog, ActorTable, encodeRanges } from "./actor-table.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { ClockCell } from "./clock-cell.ts";
import { ClockWriter, foldClocks } from "./clock-table.ts";
import { type Db, StatementCache } from "./db.ts";
import { decodeEffects, encodeEffects, type Effects, type TableEffect } from "./effects.ts";
import { Origins } from "./log-origin.ts";
import { RowSet } from "./row-set.ts";
import { RowTable } from "./row-table.ts";
import type { ClockEntry, RowKey, TablePlan } from "./table-plan.ts";
import { VersionLog } from "./version-log.ts";

/** Transactions and clocks that may wait to be folded: bounds memory, and what is read back after a crash. */
const maxTailVersions = 1024;
const maxWaitingClocks = 4096;

/** A transaction that changes more clocks than this is folded at once. */
export const maxClocksInLog = 1024;

export interface StoreIdentity {
  readonly actor: ActorId;
  readonly node: NodeId;
  epoch: number;
}

export class Engine {
  readonly db: Db;
  readonly statements: StatementCache;
  readonly driftMs: number | undefined;
  readonly actors = new ActorTable();
  readonly origins: Origins;
  readonly log: VersionLog;
  identity: StoreIdentity;
  clock: HybridClock;
  /** Replicated tables, sorted by name. */
  plans: ReadonlyMap<string, TablePlan> = new Map();
  rules: ReadonlyMap<string, TableRules> = new Map();
  /** Some table has a CHECK or a foreign key. */
  constrained = false;
  #mode: "local" | "merge" = "local";
  #tables = new Map<TablePlan, RowTable>();
  #nextId = 1;
  #folded = 0;
  /** Changes of `patina_log.live` not yet folded. */
  #live = new Map<number, number>();
  #waitingClocks = 0;
  /** Clocks changed by the transaction under way; not listed when they are too many to wait. */
  readonly #changedClocks = new Map<TablePlan, ClockEntry[]>();
  #clocksChanged = 0;
  readonly #writers = new Map<TablePlan, ClockWriter>();
  /** The transaction under way did more than may wait in a log row. */
  #tooMuch = false;
  /** The last log row before the transaction under way. */
  #idBefore = 0;
  /** A far-future stamp is in the log; it stays so, since nothing says when the last one is gone. */
  #farSeen = false;
  #own: ActorLog;

  constructor(db: Db, identity: StoreIdentity, driftMs: number | undefined) {
    this.db = db;
    this.identity = identity;
    this.driftMs = driftMs;
    db.pragma("foreign_keys = ON");
    this.statements = new StatementCache(db);
    this.origins = new Origins(db, this.actors);
    this.log = new VersionLog(this.statements);
    this.clock = new HybridClock(undefined, driftMs);
    this.#own = this.actors.findOrAdd(identity.actor);
  }

  get own(): ActorLog {
    return this.#own;
  }

  /** Some stamp here may be later than the node's clock. */
  get knowsFarStamps(): boolean {
    return this.#farSeen;
  }

  /** A stamp of another node came in. @returns whether it is from the far future. */
  observe(wallMs: number, stamp: Hlc): boolean {
    const far = this.clock.observe(wallMs, stamp) === "far";
    if (far) this.#farSeen = true;
    return far;
  }

  /** Takes on another set of tables; their digests and waiting clocks come with them. */
  adopt(plans: readonly TablePlan[]): void {
    const sorted = [...plans].sort((a, b) => (a.schema.name < b.schema.name ? -1 : 1));
    this.plans = new Map(sorted.map((plan) => [plan.schema.name, plan]));
    this.rules = new Map(sorted.map((plan) => [plan.schema.name, plan.rules]));
    this.#tables = new Map(sorted.map((plan) => [plan, new RowTable(plan, this.statements)]));
  }

  table(plan: TablePlan): RowTable {
    const table = this.#tables.get(plan);
    assert(table !== undefined, "a plan has its table");
    return table;
  }

  rowSet(plan: TablePlan): RowSet {
    return new RowSet(plan, this.table(plan), this.statements, this.origins);
  }

  summary(): StoreSummary {
    let a = 0;
    let b = 0;
    let rows = 0;
    for (const { sum } of this.plans.values()) {
      a = (a + sum.a) | 0;
      b = (b + sum.b) | 0;
      rows += sum.rows;
    }
    summed.a = a;
    summed.b = b;
    return { hash: summed.hex(), rows };
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** The id of the last log row so far. */
  get lastId(): number {
    return this.#nextId - 1;
  }

  /** Merges are not held to CHECK constraints and foreign keys; local transactions are. */
  begin(mode: "local" | "merge" = "merge"): void {
    assert(!this.db.inTransaction, "transactions do not nest");
    if (this.constrained && mode !== this.#mode) {
      this.db.pragma(`foreign_keys = ${mode === "local" ? "ON" : "OFF"}`);
      this.db.pragma(`ignore_check_constraints = ${mode === "local" ? "OFF" : "ON"}`);
      this.#mode = mode;
    }
    this.statements.get("BEGIN IMMEDIATE").run();
    this.#changedClocks.clear();
    this.#clocksChanged = 0;
    this.#tooMuch = false;
    this.#writers.clear();
    this.#idBefore = this.lastId;
    for (const plan of this.plans.values()) plan.markDigest();
  }

  /** The transaction will change so many clocks that none of them shall wait. */
  beginBulk(): void {
    this.#foldClocks();
    this.#tooMuch = true;
  }

  /**
   * A clock that the transaction changed. `dense`: its neighbours in the clock table change too, so
   * that writing it there at once costs no page that is not written anyway.
   */
  putClock(
    plan: TablePlan,
    key: readonly Value[],
    rowKey: RowKey,
    cell: ClockCell,
    dense: boolean,
  ): void {
    if (this.#tooMuch || (dense && !plan.overlay.has(rowKey))) {
      this.#writerOf(plan).add(key, cell);
      return;
    }
    // Keys outlive the bytes that they were read from.
    const kept = key.some((value) => value instanceof Uint8Array) ? key.map(owned) : key;
    const entry = { key: kept, cell };
    const before = plan.overlay.size;
    plan.overlay.set(rowKey, entry);
    this.#waitingClocks += plan.overlay.size - before;
    const changed = this.#changedClocks.get(plan);
    if (changed === undefined) this.#changedClocks.set(plan, [entry]);
    else changed.push(entry);
    if (++this.#clocksChanged > maxClocksInLog) this.beginBulk();
  }

  #writerOf(plan: TablePlan): ClockWriter {
    let writer = this.#writers.get(plan);
    if (writer === undefined) {
      writer = new ClockWriter(this.statements, plan);
      this.#writers.set(plan, writer);
    }
    return writer;
  }

  /** Writes out clocks that do not wait, so that the clock tables can be read again. */
  flushClocks(): void {
    for (const writer of this.#writers.values()) writer.flush();
  }

  /**
   * What the transaction did, for the log row about to be written; null when there is too much of
   * it, so that it must be folded at once. `live`: how many pieces of state each version won or lost.
   */
  settle(): { readonly effects: Uint8Array | null; readonly live: ReadonlyMap<number, number> } {
    const live = this.origins.settle();
    const older = new Map<number, number>();
    for (const [id, delta] of live) {
      if (id > this.#idBefore) continue;
      older.set(id, delta);
      this.#live.set(id, (this.#live.get(id) ?? 0) + delta);
    }
    this.flushClocks();
    if (this.#tooMuch) return { effects: null, live };
    const tables: TableEffect[] = [];
    for (const plan of this.plans.values()) {
      const clocks = this.#changedClocks.get(plan);
      if (clocks === undefined && !plan.digestChanged()) continue;
      const { a, b, rows } = plan.sum;
      const { n, dead } = plan;
      tables.push({ n, a, b, rows, dead, keyColumns: plan.keyNames.length, clocks: clocks ?? [] });
    }
    const clock = this.clock.save();
    const effects = encodeEffects({ clock, farSeen: this.#farSeen, tables, live: older });
    return { effects, live };
  }

  /** @param mustFold what the transaction did is in no log row. */
  commit(mustFold = false): void {
    const full = this.log.tailSize >= maxTailVersions || this.#waitingClocks >= maxWaitingClocks;
    if (full || mustFold || this.#tooMuch) this.fold();
    else for (const log of this.actors.logs) if (!log.stored) this.#foldActor(log);
    this.statements.get("COMMIT").run();
  }

  /** Ends a transaction that failed: nothing of it stays, neither in the file nor in memory. */
  rollback(): void {
    if (this.db.inTransaction) this.statements.get("ROLLBACK").run();
    this.reload();
  }

  /** Ends a transaction that failed before it changed anything in memory. */
  rollbackRows(): void {
    if (this.db.inTransaction) this.statements.get("ROLLBACK").run();
  }

  /** Moves what waits into the tables where it belongs. Inside a transaction. */
  fold(): void {
    assert(this.db.inTransaction, "folding writes");
    this.#foldClocks();
    this.log.fold();
    const addLive = this.statements.get("UPDATE patina_log SET live = live + ? WHERE id = ?");
    for (const [id, delta] of this.#live) if (delta !== 0) addLive.run(delta, id);
    this.#live.clear();
    for (const log of this.actors.logs) this.#foldActor(log);
    const sums = this.statements.get(
      "UPDATE patina_object SET hash_a = ?, hash_b = ?, rows = ?, dead = ? WHERE n = ?",
    );
    for (const { sum, dead, n } of this.plans.values()) sums.run(sum.a, sum.b, sum.rows, dead, n);
    this.#folded = this.lastId;
    this.#saveState();
  }

  /** Outside a transaction: so that the tables tell everything. */
  foldNow(): void {
    if (this.log.tailSize === 0 && this.#waitingClocks === 0 && this.#live.size === 0) return;
    this.begin();
    try {
      this.commit(true);
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Everything so far is safe against power loss when it returns; then content that nobody needs is dropped. */
  checkpoint(): void {
    const usual = this.db.pragma("synchronous", { simple: true }) as number;
    // A commit with this setting waits until the whole write-ahead log is on the disk.
    if (usual === 1) this.db.pragma("synchronous = FULL");
    try {
      this.begin();
      this.fold();
      this.log.shrink();
      this.statements.get("COMMIT").run();
    } catch (error) {
      this.rollback();
      throw error;
    } finally {
      if (usual === 1) this.db.pragma("synchronous = NORMAL");
    }
  }

  saveEpoch(epoch: number): void {
    assert(epoch >= this.identity.epoch, "identity epochs rise");
    this.statements.get("UPDATE patina_state SET epoch = ?").run(epoch);
    this.identity.epoch = epoch;
  }

  /** Folds what waits and notes that nothing was under way. */
  close(): void {
    if (!this.db.open) return;
    try {
      this.begin();
      this.fold();
      this.statements.get("UPDATE patina_state SET clean = 1").run();
      this.statements.get("COMMIT").run();
    } finally {
      this.db.close();
    }
  }

  #foldClocks(): void {
    this.flushClocks();
    for (const plan of this.plans.values()) foldClocks(this.statements, plan);
    this.#waitingClocks = 0;
  }

  #foldActor(log: ActorLog): void {
    if (!log.changed) return;
    this.statements
      .get("REPLACE INTO patina_actor VALUES (?, ?, ?)")
      .run(log.n, log.actor, encodeRanges(log.held));
    log.changed = false;
    log.stored = true;
  }

  #saveState(): void {
    const { ms, counter, farMs, farCounter } = this.clock.save();
    const { actor, node, epoch } = this.identity;
    const far = Number(this.#farSeen);
    this.statements
      .get("REPLACE INTO patina_state VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)")
      .run(actor, node, epoch, ms, counter, farMs, farCounter, far, this.#folded, this.#nextId);
  }

  /** Reads back from the file everything that is kept in memory. */
  reload(): void {
    const state = this.statements.get("SELECT * FROM patina_state").get() as StateRow;
    this.identity = { actor: state.actor, node: state.node, epoch: state.epoch };
    this.#folded = state.folded;
    this.#nextId = state.next_id;
    this.#farSeen = state.far_seen === 1;
    this.#live.clear();
    this.#waitingClocks = 0;
    this.origins.clear();
    this.log.clearTail();
    this.actors.clear();
    const actors = this.statements.get("SELECT n, actor, held FROM patina_actor ORDER BY n");
    for (const [n, actor, held] of actors.raw().all() as [number, ActorId, Uint8Array][]) {
      this.actors.load(n, actor, held);
    }
    this.#own = this.actors.findOrAdd(state.actor);
    this.#loadSums();
    this.#loadParts();
    let clock = {
      ms: state.clock_ms,
      counter: state.clock_counter,
      farMs: state.far_ms,
      farCounter: state.far_counter,
    };
    for (const row of this.#unfolded()) {
      const log = this.actors.byNumber(row.actor);
      if (row.version > 0) {
        log.hold(row.version, row.version);
        this.log.addTail(row.actor, row.version, row.id);
      }
      if (row.effects !== null) clock = this.#replay(decodeEffects(row.effects));
      this.#nextId = Math.max(this.#nextId, row.id + 1);
    }
    this.clock = new HybridClock(clock, this.driftMs);
  }

  #loadSums(): void {
    const sums = this.statements.get("SELECT n, hash_a, hash_b, rows, dead FROM patina_object");
    const rows = new Map<number, readonly number[]>();
    for (const row of sums.raw().all() as number[][]) rows.set(row[0] as number, row);
    for (const plan of this.plans.values()) {
      const row = rows.get(plan.n);
      assert(row !== undefined, `table ${plan.schema.name} has its digest`);
      [, plan.sum.a, plan.sum.b, plan.sum.rows, plan.dead] = row as [
        number,
        number,
        number,
        number,
        number,
      ];
      plan.overlay.clear();
    }
  }

  #loadParts(): void {
    const parts = this.statements.get(
      "SELECT actor, version, idx, count, ms, counter FROM patina_part ORDER BY actor, version, idx",
    );
    type PartRow = [number, number, number, number, number, number];
    for (const [actor, version, index, count, ms, counter] of parts.raw().all() as PartRow[]) {
      this.actors.byNumber(actor).addPart(version, count, { ms, counter }, index);
    }
  }

  #unfolded(): readonly UnfoldedRow[] {
    return this.statements
      .get(
        "SELECT l.id, actor, version, coalesce(l.effects, e.effects) AS effects " +
          "FROM patina_log AS l LEFT JOIN patina_effects AS e ON e.id = l.id WHERE l.id > ? ORDER BY l.id",
      )
      .all(this.#folded) as UnfoldedRow[];
  }

  #replay({ clock, farSeen, tables, live }: Effects): Effects["clock"] {
    this.#farSeen = farSeen;
    for (const [id, delta] of live) this.#live.set(id, (this.#live.get(id) ?? 0) + delta);
    for (const effect of tables) {
      const plan = [...this.plans.values()].find(({ n }) => n === effect.n);
      assert(plan !== undefined, "what waits to be folded is of a table that is there");
      plan.sum.a = effect.a;
      plan.sum.b = effect.b;
      plan.sum.rows = effect.rows;
      plan.dead = effect.dead;
      for (const entry of effect.clocks) {
        const before = plan.overlay.size;
        plan.overlay.set(plan.rowKey(entry.key, encodeKeyText(entry.key)), entry);
        this.#waitingClocks += plan.overlay.size - before;
      }
    }
    return clock;
  }
}

function owned(value: Value): Value {
  return value instanceof Uint8Array ? value.slice() : value;
}

const summed = new StateSum();

interface StateRow {
  readonly actor: ActorId;
  readonly node: NodeId;
  readonly epoch: number;
  readonly clock_ms: number;
  readonly clock_counter: number;
  readonly far_ms: number;
  readonly far_counter: number;
  readonly far_seen: number;
  readonly folded: number;
  readonly next_id: number;
}

interface UnfoldedRow {
  readonly id: number;
  readonly actor: number;
  readonly version: number;
  readonly effects: Uint8Array | null;
}

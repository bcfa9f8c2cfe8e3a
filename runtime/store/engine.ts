/**
 * The state of an open store in memory and its write transactions. What a transaction does to
 * clocks, digests and bookkeeping goes into the log row of its version (`effects.ts`) and into
 * memory; `fold` moves it into the tables where it belongs, in some later transaction. When a
 * transaction fails, memory is read back from the file.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import { type ClockState, HybridClock } from "../../core/clock/hybrid-clock.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Chunk, StoreSummary } from "../../core/node/store.ts";
import { type ActorLog, ActorTable } from "./actor-table.ts";
import type { ClockCell } from "./clock-cell.ts";
import { type Db, StatementCache } from "./db.ts";
import { HeldSnapshot } from "./held-snapshot.ts";
import { decodeEffects, encodeEffects, type Effects } from "./effects.ts";
import { LiveCounts } from "./live-counts.ts";
import { type LiveChanges, Origins } from "./log-origin.ts";
import { PackedLog, versionsPerPack } from "./packed-log.ts";
import { RowStore } from "./row-store.ts";
import { loadActors, saveActor } from "./stored-actors.ts";
import { readDigests, readState, readUnfolded, writeState } from "./stored-state.ts";
import { summaryOf } from "./summary.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";
import { VersionLog } from "./version-log.ts";
import { WaitingClocks } from "./waiting-clocks.ts";

/** Transactions and clocks that may wait to be folded: bounds memory, and what is read back after a crash. */
const maxTailVersions = 3072;
const maxWaitingClocks = 8192;
const maxUnpackedBytes = 512 * 1024;

export interface StoreIdentity {
  readonly actor: ActorId;
  readonly node: NodeId;
  epoch: number;
}

/** Signs what this node writes, within the transaction that writes it. */
export interface Sealer {
  seal(chunk: Chunk): Uint8Array;
}

/** What a transaction did, for its log row. */
export interface Settled {
  /** Null when there is too much of it: it is folded at once. */
  readonly effects: Uint8Array | null;
  readonly live: LiveChanges;
}

export class Engine {
  readonly db: Db;
  readonly statements: StatementCache;
  readonly driftMs: number | undefined;
  readonly actors = new ActorTable();
  readonly origins: Origins;
  readonly packs: PackedLog;
  readonly live: LiveCounts;
  readonly log: VersionLog;
  readonly waiting: WaitingClocks;
  /** Given up before whatever is no plain transaction. */
  readonly snapshot: HeldSnapshot;
  identity: StoreIdentity;
  /** Null: versions are not signed. */
  sealer: Sealer | null = null;
  clock: HybridClock;
  /** Replicated tables, sorted by name. */
  plans: ReadonlyMap<string, TablePlan> = new Map();
  rules: ReadonlyMap<string, TableRules> = new Map();
  /** What is in memory is what is in the file. */
  usable = true;
  /** Some table has a CHECK or a foreign key. */
  constrained = false;
  /** Some foreign key is checked only when a transaction is committed. */
  deferred = false;
  /** As `plans`: many small transactions go along it. */
  #planList: readonly TablePlan[] = [];
  #mode: "local" | "merge" = "local";
  #rows = new Map<TablePlan, RowStore>();
  #nextId = 1;
  #folded = 0;
  /** The last log row before the transaction under way. */
  #idBefore = 0;
  /** A far-future stamp is in the log; it stays so, since nothing says when the last one is gone. */
  #farSeen = false;
  #own: ActorLog;

  constructor(
    db: Db,
    identity: StoreIdentity,
    driftMs: number | undefined,
    perPack: number = versionsPerPack,
  ) {
    this.db = db;
    this.identity = identity;
    this.driftMs = driftMs;
    db.pragma("foreign_keys = ON");
    this.statements = new StatementCache(db);
    this.packs = new PackedLog(this.statements, perPack);
    this.live = new LiveCounts(this.statements);
    this.origins = new Origins(db, this.actors, this.packs);
    this.log = new VersionLog(this.statements, this.packs, this.live);
    this.waiting = new WaitingClocks(this.statements);
    this.snapshot = new HeldSnapshot(db);
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

  /** Takes on another set of tables. */
  adopt(plans: readonly TablePlan[]): void {
    const sorted = [...plans].sort((a, b) => (a.schema.name < b.schema.name ? -1 : 1));
    this.#planList = sorted;
    this.plans = new Map(sorted.map((plan) => [plan.schema.name, plan]));
    this.rules = new Map(sorted.map((plan) => [plan.schema.name, plan.rules]));
    this.#rows = new Map(sorted.map((plan) => [plan, new RowStore(plan, this.statements)]));
  }

  rows(plan: TablePlan): RowStore {
    const rows = this.#rows.get(plan);
    assert(rows !== undefined, "a plan has its rows");
    return rows;
  }

  summary(): StoreSummary {
    return summaryOf(this.#planList);
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** The log is folded up to this id. */
  get folded(): number {
    return this.#folded;
  }

  /** The id of the last log row so far. */
  get lastId(): number {
    return this.#nextId - 1;
  }

  /**
   * Merges are not held to CHECK constraints and foreign keys; local transactions are.
   * `keep`: see `held-snapshot.ts`; whoever asks for it tells it what was written.
   */
  begin(mode: "local" | "merge" = "merge", keep = false): void {
    if (this.constrained && mode !== this.#mode) {
      this.db.pragma(`foreign_keys = ${mode === "local" ? "ON" : "OFF"}`);
      this.db.pragma(`ignore_check_constraints = ${mode === "local" ? "OFF" : "ON"}`);
      this.#mode = mode;
    }
    // SQLite refuses it within another.
    this.snapshot.begin(keep);
    this.#beginChanges();
  }

  #beginChanges(): void {
    this.waiting.begin();
    this.#idBefore = this.lastId;
    for (const plan of this.#planList) plan.markDigest();
  }

  /** One of several transactions that are committed together: it can be taken back alone. */
  beginMember(): void {
    assert(this.db.inTransaction, "a member is of a group under way");
    this.statements.get("SAVEPOINT patina_member").run();
    this.#beginChanges();
  }

  endMember(): void {
    this.#settleTail(false);
    this.statements.get("RELEASE patina_member").run();
  }

  /** @param changedMemory what it did has come into memory, which is read back. */
  undoMember(changedMemory: boolean): void {
    this.statements.get("ROLLBACK TO patina_member").run();
    this.statements.get("RELEASE patina_member").run();
    if (!changedMemory) return;
    this.usable = false;
    this.reload();
    this.usable = true;
  }

  /** Ends a group; each member has ended. */
  commitGroup(): void {
    this.statements.get("COMMIT").run();
  }

  /** The transaction will change so many clocks that none of them shall wait. */
  beginBulk(): void {
    this.waiting.writeDirectly(this.plans.values());
  }

  /** A clock that the transaction changed; `dense`: so did its neighbours. `isNew`: the row never was. */
  putClock(
    plan: TablePlan,
    key: readonly Value[],
    rowKey: RowKey,
    cell: ClockCell,
    dense: boolean,
    isNew = false,
  ): void {
    this.waiting.put(plan, key, rowKey, cell, dense, isNew);
    if (this.waiting.isFull) this.beginBulk();
  }

  /** As `putClock`, in a table with clocks under rowids; see `WaitingClocks.place`. */
  placeClock(
    plan: TablePlan,
    key: readonly Value[],
    rowKey: RowKey,
    cell: ClockCell,
    rowid: number,
    forgets: number,
    born: boolean,
  ): void {
    this.waiting.place(plan, key, rowKey, cell, rowid, forgets, born);
    if (this.waiting.isFull) this.beginBulk();
  }

  /** Ends the merging of a transaction: what it did, for the log row about to be written. */
  settle(): Settled {
    const live = this.origins.settle();
    let older: number[] = [];
    for (let i = 0; i < live.length; i += 2) {
      const [id, delta] = [live[i] as number, live[i + 1] as number];
      if (id > this.#idBefore) continue;
      if (older.length === 0) older = [id, delta];
      else older.push(id, delta);
      this.live.add(id, delta);
    }
    this.waiting.flush();
    if (this.waiting.tooMany) return { effects: null, live };
    const clock = this.clock.save();
    const effects = encodeEffects(clock, this.#farSeen, this.#planList, this.waiting, older);
    return { effects, live };
  }

  /** @param mustFold what the transaction did is in no log row. */
  commit(mustFold = false): void {
    this.#settleTail(mustFold);
    this.snapshot.commit();
  }

  #settleTail(mustFold: boolean): void {
    const full =
      this.log.tailSize >= maxTailVersions ||
      this.waiting.size >= maxWaitingClocks ||
      this.packs.waitingBytes >= maxUnpackedBytes;
    if (full || mustFold || this.waiting.tooMany) this.fold();
    else if (!this.actors.allStored) {
      for (const log of this.actors.logs) if (!log.stored) saveActor(this.statements, log);
      this.actors.allStored = true;
    }
  }

  /** Ends a transaction that failed: nothing of it stays, neither in the file nor in memory. */
  rollback(): void {
    this.rollbackRows();
    this.usable = false;
    this.reload();
    this.usable = true;
  }

  /** Ends a transaction that failed before it changed anything in memory. */
  rollbackRows(): void {
    this.snapshot.release();
    if (this.db.inTransaction) this.statements.get("ROLLBACK").run();
  }

  /** Moves what waits into the tables where it belongs. Inside a transaction. */
  fold(): void {
    assert(this.db.inTransaction, "folding writes");
    this.waiting.fold(this.plans.values());
    this.log.fold();
    this.live.fold();
    this.packs.pack(this.lastId);
    for (const log of this.actors.logs) saveActor(this.statements, log);
    const sums = this.statements.get(
      "UPDATE patina_object SET hash_a = ?, hash_b = ?, rows = ?, dead = ? WHERE n = ?",
    );
    for (const { sum, dead, n } of this.plans.values()) sums.run(sum.a, sum.b, sum.rows, dead, n);
    this.#folded = this.lastId;
    this.#saveState(false);
  }

  /** Outside a transaction: so that the tables tell everything. */
  foldNow(): void {
    if (this.log.tailSize === 0 && this.waiting.size === 0 && this.live.isEmpty) return;
    this.inTransaction(() => this.fold());
  }

  /** One transaction of the store's own, which changes no rows. */
  inTransaction(work: () => void): void {
    this.begin();
    try {
      work();
      this.statements.get("COMMIT").run();
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  /** Everything so far is safe against power loss when it returns; then content that nobody needs is dropped. */
  checkpoint(): void {
    this.snapshot.release();
    const usual = this.db.pragma("synchronous", { simple: true }) as number;
    // A commit with this setting waits until the whole write-ahead log is on the disk.
    if (usual === 1) this.db.pragma("synchronous = FULL");
    try {
      this.inTransaction(() => {
        this.fold();
        this.log.shrink();
      });
    } finally {
      if (usual === 1) this.db.pragma("synchronous = NORMAL");
    }
  }

  /**
   * From now on the store writes as another author and, unless `node` is null, as another node:
   * numbers of versions that others may have seen under the old name are never used again.
   */
  renew(actor: ActorId, node: NodeId | null): void {
    assert(this.actors.find(actor) === undefined, "a fresh author has written nothing");
    this.inTransaction(() => {
      const { identity } = this;
      this.identity = node === null ? { ...identity, actor } : { actor, node, epoch: 0 };
      this.#own = this.actors.findOrAdd(actor);
      this.fold();
    });
  }

  saveEpoch(epoch: number): void {
    assert(epoch >= this.identity.epoch, "identity epochs rise");
    this.snapshot.release();
    this.statements.get("UPDATE patina_state SET epoch = ?").run(epoch);
    this.identity.epoch = epoch;
  }

  /** Folds what waits and notes that nothing was under way. */
  close(): void {
    if (!this.db.open) return;
    try {
      this.inTransaction(() => {
        this.fold();
        this.#saveState(true);
      });
    } finally {
      this.db.close();
    }
  }

  #saveState(clean: boolean): void {
    const { actor, node, epoch } = this.identity;
    const clock = this.clock.save();
    const [farSeen, folded, nextId] = [this.#farSeen, this.#folded, this.#nextId];
    const { packed } = this.packs;
    writeState(this.statements, {
      actor,
      node,
      epoch,
      clock,
      farSeen,
      folded,
      packed,
      nextId,
      clean,
    });
  }

  /** Reads back from the file everything that is kept in memory. */
  reload(): void {
    const state = readState(this.statements);
    this.identity = { actor: state.actor, node: state.node, epoch: state.epoch };
    this.#folded = state.folded;
    this.#nextId = state.nextId;
    this.#farSeen = state.farSeen;
    this.live.clear();
    this.origins.clear();
    this.log.clearTail();
    this.packs.load(state.packed);
    this.waiting.clear(this.plans.values());
    loadActors(this.statements, this.actors);
    this.#own = this.actors.findOrAdd(state.actor);
    this.#loadDigests();
    let { clock } = state;
    for (const row of readUnfolded(this.statements, state.folded)) {
      if (row.version > 0) {
        this.actors.byNumber(row.actor).hold(row.version, row.version);
        this.log.addTail(row.actor, row.version, row.id);
      }
      if (row.live !== null) this.live.begin(row.id, row.live);
      if (row.effects !== null) clock = this.#replay(decodeEffects(row.effects));
      this.#nextId = Math.max(this.#nextId, row.id + 1);
    }
    this.clock = new HybridClock(clock, this.driftMs);
  }

  #loadDigests(): void {
    const digests = readDigests(this.statements);
    for (const plan of this.plans.values()) {
      const digest = digests.get(plan.n);
      assert(digest !== undefined, `table ${plan.schema.name} has its digest`);
      [, plan.sum.a, plan.sum.b, plan.sum.rows, plan.dead] = digest;
      plan.keyed = digest[5] === 1;
      this.rows(plan).countAside();
    }
  }

  #replay({ clock, farSeen, tables, live }: Effects): ClockState {
    this.#farSeen = farSeen;
    for (let i = 0; i < live.length; i += 2) {
      this.live.add(live[i] as number, live[i + 1] as number);
    }
    for (const effect of tables) {
      const plan = [...this.plans.values()].find(({ n }) => n === effect.n);
      assert(plan !== undefined, "what waits to be folded is of a table that is there");
      plan.sum.a = effect.a;
      plan.sum.b = effect.b;
      plan.sum.rows = effect.rows;
      plan.dead = effect.dead;
      for (const span of effect.spans) this.waiting.restoreSpan(plan, span);
      for (const entry of effect.clocks) this.waiting.restore(plan, entry);
    }
    return clock;
  }
}

/** The Store port over one SQLite file: ordinary tables, with what Patina keeps beside them. */
import { assert } from "../../core/base/assert.ts";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import { OpError } from "../../core/crdt/op-values.ts";
import type { TableSchema } from "../../core/crdt/schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import type {
  ActorHoldings,
  Chunk,
  CommitOutcome,
  Op,
  RangeDigest,
  ReceiveOutcome,
  RowState,
  Served,
  Store,
  StoreSummary,
  VersionRange,
  Want,
} from "../../core/node/store.ts";
import { targetChunkBytes } from "../../core/wire/limits.ts";
import {
  applySchema,
  installCapture,
  loadPlans,
  SchemaRefusedError,
  schemaTraits,
} from "./apply-schema.ts";
import { type Conflict, findConflicts, hasConstraints } from "./constraints.ts";
import { Capture } from "./capture.ts";
import type { Db } from "./db.ts";
import { checkStore, checkTail, type Problem } from "./check-store.ts";
import { loadCredentials, saveCredential } from "./credentials.ts";
import { Engine, type Sealer } from "./engine.ts";
import { rangeDigests, readRows } from "./key-range.ts";
import { type LocalTransaction, SqlDoor } from "./local-transaction.ts";
import { LocalWriter, type MemberOutcome } from "./local-writer.ts";
import { settleAll } from "./unique-rows.ts";
import { mergeRowStates } from "./merge-rows.ts";
import { lockDatabase, openDatabase, StoreOpenError, type Synchronous } from "./open-database.ts";
import { noNode, readBootId, type Renewal, renew, renewalOf } from "./renewal.ts";
import { readState, writeOpening } from "./stored-state.ts";
import {
  type CheckpointOptions,
  checkpointWal,
  vacuumSome,
  type WalCheckpoint,
  walBytesOf,
} from "./upkeep.ts";
import { backupFrom, type Copied } from "./backup.ts";
import { countStore, type StoreCounts } from "./counts.ts";
import { receiveVersions } from "./receive.ts";
import { releaseQuarantined } from "./quarantine.ts";
import { runOp } from "./run-op.ts";
import type { SchemaSource } from "./schema-source.ts";
import { serveVersions } from "./serve.ts";
import { parseStatement } from "./statement-form.ts";
import { StoreError, storeError } from "./store-error.ts";
import { readTable } from "./table-rows.ts";

export interface SqliteStoreOptions {
  readonly path: string;
  /** Taken by a new database; an existing one keeps its own. */
  readonly actor: ActorId;
  readonly node?: NodeId;
  /** Replicated and local tables, indexes, views and triggers. */
  readonly schema: readonly (string | SchemaSource)[];
  readonly driftMs?: number;
  /** Payload at which a version is cut into chunks. */
  readonly chunkBytes?: number;
  readonly synchronous?: Synchronous;
  readonly cacheKiB?: number;
  /** The file may grow to this; more is refused as a full disk is. */
  readonly maxBytes?: number;
  /** Small versions that are stored as one row. Default 512. */
  readonly versionsPerPack?: number;
  /** Signs each chunk of a local version; null or absent: none is signed. */
  readonly sealer?: Sealer | null;
  /** False: nothing keeps another process from opening it too. */
  readonly lock?: boolean;
  /**
   * Take `actor`, or `actor` and `node`, of these options though the file has its own. Backups that
   * are opened for the first time take both unless this says "actor"; a file that may have lost
   * commits takes `actor` by itself. So give fresh random ids at each opening.
   */
  readonly renew?: Renewal["what"];
  /** Names this run of the operating system. Default: what Linux says. */
  readonly bootId?: string;
}

export class SqliteStore implements Store {
  readonly #engine: Engine;
  readonly #capture: Capture;
  readonly #door: SqlDoor;
  readonly #writer: LocalWriter;
  readonly #path: string;
  readonly #lock: Db | null;
  readonly #renewal: Renewal | null;
  #broken: StoreError | null = null;

  /** @throws StoreOpenError, SchemaRefusedError */
  constructor(options: SqliteStoreOptions) {
    this.#path = options.path;
    this.#lock =
      options.lock === false || options.path === ":memory:" ? null : lockDatabase(options.path);
    let db: Db | null = null;
    try {
      db = openDatabase({
        path: options.path,
        actor: options.actor,
        node: options.node ?? noNode,
        synchronous: options.synchronous ?? "normal",
        cacheKiB: options.cacheKiB ?? null,
        maxBytes: options.maxBytes ?? null,
      });
      const { actor, driftMs, versionsPerPack } = options;
      this.#engine = new Engine(db, { actor, node: noNode, epoch: 0 }, driftMs, versionsPerPack);
      this.#engine.sealer = options.sealer ?? null;
      this.#capture = new Capture(db);
      this.#door = new SqlDoor(this.#engine, this.#capture);
      this.#writer = new LocalWriter(this.#engine, this.#capture, {
        path: options.path,
        chunkBytes: options.chunkBytes ?? targetChunkBytes,
      });
      this.#renewal = this.#start(options);
    } catch (error) {
      db?.close();
      this.#lock?.close();
      if (error instanceof SchemaRefusedError || error instanceof StoreOpenError) throw error;
      throw new StoreOpenError(storeError(this.#path, error)?.message ?? (error as Error).message);
    }
  }

  #start(options: SqliteStoreOptions): Renewal | null {
    const engine = this.#engine;
    this.#adoptPlans();
    engine.reload();
    const state = readState(engine.statements);
    if (!state.clean) {
      const [problem] = checkTail(engine);
      if (problem !== undefined) {
        throw new StoreOpenError(
          `${this.#path} does not fit together after the last stop: ${problem.where}: ${problem.what}; restore a backup, or move it away to begin empty and be filled by the peers`,
        );
      }
    }
    const bootId = options.bootId ?? readBootId();
    const asked = { path: this.#path, actor: options.actor, node: options.node ?? noNode, bootId };
    const renewal = renewalOf(state, { ...asked, renew: options.renew ?? null });
    if (renewal !== null) renew(engine, renewal, { ...asked, renew: renewal.what });
    // That nothing can be written is found out now.
    const durable = options.synchronous === "full";
    writeOpening(engine.statements, { backup: false, bootId, durable });
    this.#applySchema(options.schema.map(asSource));
    installCapture(engine, this.#capture);
    return renewal;
  }

  /** Everything that does not fit together; none is the proof that all does. Reads the whole file. */
  check(): readonly Problem[] {
    return this.#guard(() => checkStore(this.#engine));
  }

  /** Runs what touches the file: damage is told in one line, and ends all further work. @throws StoreError */
  #guard<T>(work: () => T): T {
    if (this.#broken !== null) throw this.#broken;
    try {
      return work();
    } catch (error) {
      const told = storeError(this.#path, error);
      if (told?.damaged === true || !this.#engine.usable) {
        this.#broken = told ?? new StoreError("SQLITE_INTERNAL", (error as Error).message, true);
      }
      throw told ?? error;
    }
  }

  protected get engine(): Engine {
    return this.#engine;
  }

  get actor(): ActorId {
    return this.#engine.identity.actor;
  }

  get tables(): readonly TableSchema[] {
    return [...this.#engine.plans.values()].map(({ schema }) => schema);
  }

  holdings(): readonly ActorHoldings[] {
    const held = [...this.#engine.actors.logs].filter((log) => log.head > 0);
    return held.map((log) => log.holdings()).sort((a, b) => (a.actor < b.actor ? -1 : 1));
  }

  summary(): StoreSummary {
    return this.#engine.summary();
  }

  commit(wallMs: number, ops: readonly Op[]): CommitOutcome {
    return this.#guard(() =>
      this.#writer.one(wallMs, () => {
        this.#capture.triggers.bring();
        for (let i = 0; i < ops.length; i++) runOp(this.#engine, ops[i] as Op);
      }),
    );
  }

  /**
   * Runs `body` as one local transaction; what it throws fails the transaction. Errors of SQL are
   * the outcome, any other is thrown on.
   */
  transact(wallMs: number, body: (transaction: LocalTransaction) => void): CommitOutcome {
    return this.#guard(() => this.#writer.one(wallMs, () => this.#body(body)));
  }

  /** Runs statements in the forms of the HTTP API as one local transaction. */
  commitSql(wallMs: number, statements: readonly unknown[]): CommitOutcome {
    return this.transact(wallMs, (transaction) => {
      for (const given of statements) {
        const statement = parseStatement(given);
        if (statement === null) throw new OpError("SQLITE_MISUSE", "this is no statement");
        transaction.run(statement.sql, statement.parameters);
      }
    });
  }

  /**
   * Several local transactions, committed together: each has its own version and its own outcome,
   * and what fails one of them touches no other. All are durable when it returns, for one wait on
   * the disk. The bodies are run in order, each once, and see what those before them did.
   */
  commitGroup(
    wallMs: number,
    bodies: readonly ((transaction: LocalTransaction) => void)[],
  ): readonly MemberOutcome[] {
    if (bodies.length === 0) return [];
    const members = bodies.map((body) => () => this.#body(body));
    return this.#guard(() => this.#writer.group(wallMs, members));
  }

  #body(body: (transaction: LocalTransaction) => void): void {
    const transaction = this.#door.open();
    body(transaction);
    transaction.finish();
  }

  receive(
    wallMs: number,
    chunks: readonly Chunk[],
    overwritten: readonly VersionRange[],
  ): ReceiveOutcome {
    return this.#guard(() => receiveVersions(this.#engine, wallMs, chunks, overwritten));
  }

  serve(wants: readonly Want[], maxBytes: number): Served {
    return this.#guard(() => serveVersions(this.#engine, wants, maxBytes));
  }

  tableDigests(): readonly (readonly [table: string, hash: string])[] {
    return [...this.#engine.plans].map(([name, { sum }]) => [name, sum.hex()] as const);
  }

  rangeDigests(
    table: string,
    from: Uint8Array,
    to: Uint8Array,
    parts: number,
  ): readonly RangeDigest[] {
    assert(parts >= 1, "a range is cut into at least one part");
    const plan = this.#engine.plans.get(table);
    if (plan === undefined) return [];
    return this.#guard(() => {
      this.#engine.foldNow();
      return rangeDigests(this.#engine, plan, from, to, parts);
    });
  }

  readRows(
    table: string,
    from: Uint8Array,
    to: Uint8Array,
    maxBytes: number,
  ): { readonly rows: readonly RowState[]; readonly next: Uint8Array | null } {
    const plan = this.#engine.plans.get(table);
    if (plan === undefined) return { rows: [], next: null };
    return this.#guard(() => {
      this.#engine.foldNow();
      return readRows(this.#engine, plan, from, to, maxBytes);
    });
  }

  mergeRows(
    wallMs: number,
    rows: readonly RowState[],
  ): { readonly changed: number; readonly summary: StoreSummary } {
    const changed = this.#guard(() => mergeRowStates(this.#engine, wallMs, rows));
    return { changed, summary: this.summary() };
  }

  checkpoint(): void {
    this.#guard(() => this.#engine.checkpoint());
  }

  migrate(wallMs: number, schema: readonly (string | SchemaSource)[]): ReceiveOutcome {
    return this.#guard(() => {
      if (this.#applySchema(schema.map(asSource))) installCapture(this.#engine, this.#capture);
      return releaseQuarantined(this.#engine, wallMs);
    });
  }

  #applySchema(sources: readonly SchemaSource[]): boolean {
    const engine = this.#engine;
    engine.begin();
    try {
      engine.fold();
      const changed = applySchema(engine, sources);
      if (changed) this.#adoptPlans();
      if (changed) engine.reload();
      settleAll(engine);
      engine.commit(true);
      return changed;
    } catch (error) {
      if (engine.db.inTransaction) engine.db.exec("ROLLBACK");
      this.#adoptPlans();
      engine.reload();
      installCapture(engine, this.#capture);
      throw error;
    }
  }

  #adoptPlans(): void {
    const engine = this.#engine;
    engine.adopt(loadPlans(engine.db));
    engine.constrained = hasConstraints(engine.db, this.tables);
    const traits = schemaTraits(engine.db);
    engine.deferred = traits.defers;
    this.#door.adopt(traits.triggers ? [] : [...engine.plans.values()], traits.fails);
  }

  /** Living rows that a merge has left in breach of a CHECK or a foreign key. */
  conflicts(): Conflict[] {
    return findConflicts(this.#engine);
  }

  rows(table: string): Iterable<readonly Value[]> {
    const plan = this.#engine.plans.get(table);
    if (plan === undefined) throw new RangeError(`no such table: ${table}`);
    return readTable(this.#engine, plan);
  }

  /** Why and what the store took for a fresh name when it was opened; null: it kept the file's. */
  get renewal(): Renewal | null {
    return this.#renewal;
  }

  counts(): StoreCounts {
    return this.#guard(() => countStore(this.#engine));
  }

  /** As `conflicts` lists them; looks at all rows of tables with a CHECK or a foreign key. */
  conflictCount(): number {
    const count = this.#engine.statements.get("SELECT count(*) FROM patina_conflicts").pluck();
    return this.#guard(() => count.get() as number);
  }

  /** Another key signs from now on; null: none does. */
  setSealer(sealer: Sealer | null): void {
    this.#engine.sealer = sealer;
  }

  /** As they were saved, in the order of their keys' ids. */
  credentials(): Uint8Array[] {
    return this.#guard(() => loadCredentials(this.#engine));
  }

  saveCredential(key: Uint8Array, credential: Uint8Array): void {
    this.#guard(() => saveCredential(this.#engine, key, credential));
  }

  /** The identity epoch last saved. */
  get epoch(): number {
    return this.#engine.identity.epoch;
  }

  get nodeId(): NodeId {
    return this.#engine.identity.node;
  }

  /** Keeps the node's identity epoch, which must never go back. */
  saveEpoch(epoch: number): void {
    this.#engine.saveEpoch(epoch);
  }

  /** Bytes of the database file; what the write-ahead log holds is copied into it first, as far as no reader is in the way. */
  sizeBytes(): number {
    const db = this.#engine.snapshot.releasedDb();
    db.pragma("wal_checkpoint(TRUNCATE)");
    const pragma = (name: string) => db.pragma(name, { simple: true }) as number;
    return pragma("page_count") * pragma("page_size");
  }

  /** Gives back the room of what was deleted; takes as long as copying the file. */
  vacuum(): void {
    this.#guard(() => this.#engine.snapshot.releasedDb().exec("VACUUM"));
  }

  /** Gives back some of it, at most `pages` pages, in a moment. @returns how many. */
  vacuumSome(pages: number): number {
    return this.#guard(() => vacuumSome(this.#engine.snapshot.releasedDb(), pages));
  }

  /** Bytes of the write-ahead log. */
  walBytes(): number {
    return walBytesOf(this.#path);
  }

  /** Keeps the write-ahead log small; see `upkeep.ts`. */
  checkpointWal(options?: CheckpointOptions): WalCheckpoint {
    return this.#guard(() =>
      checkpointWal(this.#engine.snapshot.releasedDb(), this.#path, options),
    );
  }

  /**
   * A consistent copy in the new file `to`, marked as a backup. Nothing is written meanwhile; where
   * that takes too long, another thread calls `backupDatabase` instead. @throws StoreOpenError
   */
  backupTo(to: string): Copied {
    return backupFrom(this.#engine.snapshot.releasedDb(), to);
  }

  close(): void {
    try {
      if (this.#broken === null) this.#guard(() => this.#engine.close());
    } finally {
      this.abandon();
    }
  }

  /** Closes the file as a crash would leave it: for tests and simulated disks. */
  abandon(): void {
    this.#engine.snapshot.releasedDb().close();
    this.#lock?.close();
  }
}

function asSource(schema: string | SchemaSource, i: number): SchemaSource {
  return typeof schema === "string" ? { name: `schema ${i + 1}`, text: schema } : schema;
}

/**
 * The Store port in memory, complete: the store of simulations and the model that the SQLite store
 * is tested against. Each living piece of state points to the version that it stems from
 * (`Origin`), which counts them: a version without any is dropped at the next checkpoint.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId } from "../../core/base/ids.ts";
import { IntervalSet } from "../../core/base/interval-set.ts";
import { HybridClock } from "../../core/clock/hybrid-clock.ts";
import { compareHlc, formatHlc } from "../../core/clock/hlc.ts";
import type { NetChange } from "../../core/crdt/net-change.ts";
import { OpError } from "../../core/crdt/op-values.ts";
import { Origin } from "../../core/crdt/origin.ts";
import type { TableSchema } from "../../core/crdt/schema.ts";
import { emptySummary } from "../../core/crdt/state-summary.ts";
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
  VersionOutcome,
  VersionRange,
  Want,
} from "../../core/node/store.ts";
import { encodeChunks } from "../../core/wire/changes.ts";
import { maxChunksPerVersion, maxPayloadBytes, targetChunkBytes } from "../../core/wire/limits.ts";
import type { Stamp } from "../../core/wire/row-state.ts";
import { WireError } from "../../core/wire/wire-error.ts";
import { MemoryState } from "./memory-state.ts";
import { rotOneCell } from "./rot.ts";
import { serveVersions } from "./serve.ts";
import { asRecord, type Check, latestOverwritten, Transaction } from "./transaction.ts";
import { type PartialVersion, StoredVersion, VersionLog } from "./version-log.ts";

export interface MemoryStoreOptions {
  readonly actor: ActorId;
  readonly schema: readonly string[];
  readonly driftMs?: number;
  /** Payload at which a version is cut into chunks. */
  readonly chunkBytes?: number;
  /**
   * Stand for the constraints of the schema, which may declare some only if this is given. They
   * hold for local transactions; what a merge breaks is listed by `brokenChecks()`.
   */
  readonly checks?: readonly Check[];
}

/** A living row that a merge has left in breach of a check. */
export interface BrokenCheck {
  readonly check: string;
  readonly table: string;
  readonly key: readonly Value[];
}

export class MemoryStore implements Store {
  readonly actor: ActorId;
  readonly #options: MemoryStoreOptions;
  readonly #clock: HybridClock;
  readonly #checks: readonly Check[];
  readonly #state: MemoryState;
  readonly #logs = new Map<ActorId, VersionLog>();
  readonly #own: VersionLog;
  /** Versions that had a last living piece overwritten, or never had one, since the last checkpoint. */
  readonly #dead: StoredVersion[] = [];
  readonly #quarantined: StoredVersion[] = [];
  /** Those with versions that a power loss may take. */
  readonly #unsafe: VersionLog[] = [];

  /** @throws RangeError when the schema cannot be replicated, in one line. */
  constructor(options: MemoryStoreOptions) {
    this.actor = options.actor;
    this.#options = options;
    this.#clock = new HybridClock(undefined, options.driftMs);
    this.#checks = options.checks ?? [];
    this.#state = new MemoryState(options.schema, options.checks !== undefined);
    this.#own = this.#logOf(options.actor);
  }

  get tables(): readonly TableSchema[] {
    return [...this.#state.tables.values()].map((table) => table.rules.schema);
  }

  holdings(): readonly ActorHoldings[] {
    const logs = [...this.#logs.values()].filter((log) => log.head > 0);
    return logs.map((log) => log.holdings()).sort((a, b) => (a.actor < b.actor ? -1 : 1));
  }

  summary(): StoreSummary {
    return this.#state.summary();
  }

  commit(wallMs: number, ops: readonly Op[]): CommitOutcome {
    try {
      const transaction = new Transaction(this.#state.tables, this.#checks);
      for (let i = 0; i < ops.length; i++) transaction.run(ops[i] as Op);
      const changes = transaction.changes(this.actor);
      const chunks = changes.length === 0 ? [] : this.#commitChanges(wallMs, changes);
      return { type: "committed", chunks, summary: this.summary() };
    } catch (error) {
      if (!(error instanceof OpError)) throw error;
      return { type: "failed", code: error.code, error: error.message };
    }
  }

  /** Everything that can fail does so before the clock or a version number moves. */
  #commitChanges(wallMs: number, changes: readonly NetChange[]): Chunk[] {
    const payloads = encodeChunks(
      changes.map((change) => change.sent),
      this.#options.chunkBytes ?? targetChunkBytes,
    );
    const count = payloads.length;
    if (count > maxChunksPerVersion || payloads.some((bytes) => bytes.length > maxPayloadBytes)) {
      throw new OpError("SQLITE_TOOBIG", "a row or the whole transaction is too large to be sent");
    }
    const hlc = this.#clock.tick(wallMs, latestOverwritten(changes));
    if (hlc === null) {
      throw new OpError(
        "SQLITE_FULL",
        "a cell has the last stamp there is and cannot be written again",
      );
    }
    const { actor } = this;
    const version = this.#own.head + 1;
    const chunks = payloads.map((payload, index) => ({
      actor,
      version,
      index,
      count,
      hlc,
      payload,
    }));
    const stored = new StoredVersion(this.#own, hlc, version, chunks, this.#dead);
    for (const { change } of changes) {
      assert(this.#state.merge(change, stored) > 0, "what is written locally wins");
    }
    this.#keep(stored);
    return chunks;
  }

  receive(
    wallMs: number,
    chunks: readonly Chunk[],
    overwritten: readonly VersionRange[],
  ): ReceiveOutcome {
    const batch = new Batch();
    for (let i = 0; i < chunks.length; i++) this.#accept(wallMs, chunks[i] as Chunk, batch);
    for (const { actor, from, to } of overwritten) {
      if (from < 1 || to < from) continue;
      const log = this.#logOf(actor);
      for (const [low, high] of log.held.gaps(from, to)) this.#noteUnsafe(log, low, high);
      log.mark(from, to);
    }
    for (const { first, have, log } of batch.touched) {
      const partial = log.partials.get(first.version);
      if (partial === undefined) continue;
      partial.listed = false;
      const { actor, version, count: of } = first;
      batch.versions.push({ type: "buffered", actor, version, have: have.count, of });
    }
    return batch.finish(this.summary());
  }

  #accept(wallMs: number, chunk: Chunk, batch: Batch): void {
    const log = this.#logOf(chunk.actor);
    const { actor, version, index, count } = chunk;
    if (log.held.has(version)) {
      batch.known(actor, version);
      return;
    }
    if (index >= count || count < 1 || count > maxChunksPerVersion) {
      batch.versions.push({ type: "rejected", actor, version, why: "chunk index past its count" });
      return;
    }
    if (count === 1 && !log.partials.has(version)) {
      this.#complete(wallMs, log, [chunk], batch);
      return;
    }
    const partial = this.#buffer(log, chunk, batch);
    if (partial === null || partial.have.count < count) return;
    log.partials.delete(version);
    const whole: Chunk[] = [];
    for (let i = 0; i < count; i++) whole.push(partial.chunks.get(i) as Chunk);
    this.#complete(wallMs, log, whole, batch);
  }

  /** Null when the chunk contradicts those held: nobody can tell which is right, so all are dropped. */
  #buffer(log: VersionLog, chunk: Chunk, batch: Batch): PartialVersion | null {
    const { actor, version, index, count, hlc } = chunk;
    let partial = log.partials.get(version);
    if (partial === undefined) {
      partial = { log, first: chunk, chunks: new Map(), have: new IntervalSet(), listed: false };
      log.partials.set(version, partial);
    } else if (partial.first.count !== count || compareHlc(partial.first.hlc, hlc) !== 0) {
      log.partials.delete(version);
      const why = "chunks of one version contradict each other";
      batch.versions.push({ type: "rejected", actor, version, why });
      return null;
    }
    if (partial.have.add(index) === 1) partial.chunks.set(index, chunk);
    if (!partial.listed) batch.touch(partial);
    partial.listed = true;
    return partial;
  }

  #complete(wallMs: number, log: VersionLog, chunks: readonly Chunk[], batch: Batch): void {
    const { actor, version, hlc } = chunks[0] as Chunk;
    const stored = new StoredVersion(log, hlc, version, chunks, this.#dead);
    try {
      const applied = this.#state.apply(stored, chunks);
      if (applied.type === "quarantined") {
        stored.quarantined = applied.why;
        this.#quarantined.push(stored);
      }
      this.#keep(stored);
      if (this.#clock.observe(wallMs, hlc) === "far") batch.farFuture++;
      if (applied.type === "applied") {
        const { won, lost } = applied;
        batch.say({ type: "applied", actor, version, won, lost });
      } else {
        batch.say({ type: "quarantined", actor, version, why: applied.why });
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      batch.versions.push({ type: "rejected", actor, version, why: error.message });
    }
  }

  #keep(stored: StoredVersion): void {
    const { log, version } = stored;
    log.keep(stored);
    this.#noteUnsafe(log, version, version);
    if (stored.live === 0 && stored.quarantined === null) this.#dead.push(stored);
  }

  serve(wants: readonly Want[], maxBytes: number): Served {
    return serveVersions(this.#logs, wants, maxBytes);
  }

  tableDigests(): readonly (readonly [table: string, hash: string])[] {
    return this.#state.tableDigests();
  }

  rangeDigests(
    table: string,
    from: Uint8Array,
    to: Uint8Array,
    parts: number,
  ): readonly RangeDigest[] {
    return this.#state.rangeDigests(table, from, to, parts);
  }

  readRows(
    table: string,
    from: Uint8Array,
    to: Uint8Array,
    maxBytes: number,
  ): { readonly rows: readonly RowState[]; readonly next: Uint8Array | null } {
    return this.#state.readRows(table, from, to, maxBytes);
  }

  mergeRows(
    wallMs: number,
    rows: readonly RowState[],
  ): { readonly changed: number; readonly summary: StoreSummary } {
    const found = new Map<string, Origin>();
    const originOf = (stamp: Stamp): Origin => {
      const name = stamp.actor + formatHlc(stamp.hlc);
      let origin = found.get(name);
      if (origin === undefined) {
        this.#clock.observe(wallMs, stamp.hlc);
        origin = this.#originOf(stamp);
        found.set(name, origin);
      }
      return origin;
    };
    const changed = this.#state.mergeRows(rows, originOf);
    return { changed, summary: this.summary() };
  }

  /** The version here that has this stamp; if its content is gone, an origin of its own. */
  #originOf({ actor, hlc }: Stamp): Origin {
    for (const stored of this.#logs.get(actor)?.versions.values() ?? []) {
      if (stored.quarantined === null && compareHlc(stored.hlc, hlc) === 0) return stored;
    }
    return new Origin(actor, hlc, 0);
  }

  checkpoint(): void {
    for (const log of this.#unsafe) log.unsafe.clear();
    this.#unsafe.length = 0;
    const dead = this.#dead;
    for (let i = 0; i < dead.length; i++) {
      const stored = dead[i] as StoredVersion;
      if (stored.live === 0) stored.log.shrink(stored);
    }
    dead.length = 0;
  }

  migrate(wallMs: number, schema: readonly string[]): ReceiveOutcome {
    this.#state.migrate(schema);
    const batch = new Batch();
    const waiting = this.#quarantined.splice(0).sort(compareVersions);
    for (const stored of waiting) {
      const { actor, version, chunks } = stored;
      const applied = this.#state.apply(stored, chunks);
      if (applied.type === "quarantined") {
        stored.quarantined = applied.why;
        this.#quarantined.push(stored);
        continue;
      }
      stored.quarantined = null;
      if (stored.live === 0) this.#dead.push(stored);
      this.#clock.observe(wallMs, stored.hlc);
      batch.versions.push({ ...applied, actor, version });
    }
    return batch.finish(this.summary());
  }

  /** One stored value changes, as failing hardware would change it. False when there is none to change. */
  rot(): boolean {
    return rotOneCell(this.#state.tables.values());
  }

  rows(table: string): Iterable<readonly Value[]> {
    return this.#state.rows(table);
  }

  /** Living rows that a merge has left in breach of a check, by check, then by key. */
  brokenChecks(): BrokenCheck[] {
    const broken: BrokenCheck[] = [];
    for (const check of this.#checks) {
      const table = this.#state.tables.get(check.table);
      for (const row of table?.range("", "") ?? []) {
        if (!row.alive || table === undefined) continue;
        if (check.holds(asRecord(table, row.key, row.values))) continue;
        broken.push({ check: check.name, table: check.table, key: row.key });
      }
    }
    return broken;
  }

  /**
   * The store that a power loss leaves behind: what was here at the last checkpoint, under a new
   * actor, since commits that peers have seen may be lost.
   */
  afterPowerLoss(wallMs: number, actor: ActorId, schema: readonly string[]): MemoryStore {
    const store = new MemoryStore({ ...this.#options, actor, schema });
    for (const log of this.#logs.values()) {
      const lost = log.unsafe;
      const markers = log.overwritten.clone();
      markers.removeAll(lost);
      const chunks: Chunk[] = [];
      for (const [version, stored] of log.versions) {
        if (!lost.has(version)) chunks.push(...stored.chunks);
      }
      const ranges = markers.ranges().map(([from, to]) => ({ actor: log.actor, from, to }));
      store.receive(wallMs, chunks, ranges);
    }
    store.checkpoint();
    return store;
  }

  close(): void {}

  #logOf(actor: ActorId): VersionLog {
    let log = this.#logs.get(actor);
    if (log === undefined) {
      log = new VersionLog(actor);
      this.#logs.set(actor, log);
    }
    return log;
  }

  #noteUnsafe(log: VersionLog, from: number, to: number): void {
    if (log.unsafe.isEmpty) this.#unsafe.push(log);
    log.unsafe.add(from, to);
  }
}

function compareVersions(a: Origin, b: Origin): number {
  if (a.actor !== b.actor) return a.actor < b.actor ? -1 : 1;
  return a.version - b.version;
}

/** The answer to one call of `receive`, as it comes together. */
class Batch implements ReceiveOutcome {
  versions: VersionOutcome[] = [];
  farFuture = 0;
  summary: StoreSummary = emptySummary;
  // Private: an outcome is handed out as it is, and shows no more than its interface says.
  #touched: PartialVersion[] | null = null;

  /** Versions of which parts came, in order of the first. */
  get touched(): readonly PartialVersion[] {
    return this.#touched ?? [];
  }

  touch(partial: PartialVersion): void {
    (this.#touched ??= []).push(partial);
  }

  /** Mostly there is one outcome: as a literal it takes a third of the room that `push` would make. */
  say(outcome: VersionOutcome): void {
    if (this.versions.length === 0) this.versions = [outcome];
    else this.versions.push(outcome);
  }

  /** Said once for a version, however many of its chunks come. */
  known(actor: ActorId, version: number): void {
    const last = this.versions.at(-1);
    if (last?.actor === actor && last.version === version) return;
    this.versions.push({ type: "known", actor, version });
  }

  finish(summary: StoreSummary): ReceiveOutcome {
    this.summary = summary;
    return this;
  }
}

/**
 * Where chunks wait for the store, whichever way they came. One `receive` is with the store at a
 * time; what arrives meanwhile goes with the next one, so a slow store gets larger batches instead
 * of a longer queue. Overflow policy: a chunk for which there is no room is dropped before it is
 * marked as pending, so that the books still say that it is missing, and sync fetches it later.
 * After a failure all marks are taken back and nothing is accepted until the store is tried again.
 */
import { assert } from "../base/assert.ts";
import type { ActorId } from "../base/ids.ts";
import type { Effect, Notice, Now, StoreResponse } from "../node/event.ts";
import type { IdSource } from "../node/ids.ts";
import type { Chunk, StoreSummary, VersionOutcome, VersionRange } from "../node/store.ts";
import type { ChunkPool } from "./chunk-pool.ts";
import type { SyncConfig } from "./config.ts";
import type { Ledger } from "./ledger.ts";

/** Waiting for the store, both ways of arrival together. */
export const maxInboxBytes = 16 * 1024 * 1024;
export const maxInboxChunks = 16_384;
/** In one call of the store: it holds the rows of one call in memory, and a local transaction waits for its end. */
const maxBatchBytes = 1024 * 1024;
const maxBatchChunks = 1024;

type Via = "gossip" | "sync";

const none: readonly VersionRange[] = [];

/** What an answer of the store changed. */
export interface Received {
  readonly via: Via;
  /** Versions held whole now that were not before. */
  readonly held: number;
  readonly outcomes: readonly VersionOutcome[];
  readonly released: readonly VersionRange[];
  readonly summary: StoreSummary;
}

interface Batch {
  readonly id: number;
  readonly via: Via;
  readonly chunks: readonly Chunk[];
  readonly overwritten: readonly VersionRange[];
}

export class Inbox {
  readonly #ledger: Ledger;
  readonly #config: SyncConfig;
  readonly #ids: IdSource;
  readonly #pool: ChunkPool | null;
  #gossip: Chunk[] = [];
  #sync: Chunk[] = [];
  #release: VersionRange[] = [];
  #bytes = 0;
  #dropped = 0;
  #batch: Batch | null = null;
  #lastVia: Via = "sync";
  #retryAtMs = 0;
  #retryMs: number;
  #failing = false;

  /** @param pool of the process, where its replicas share chunks; null: each keeps its own. */
  constructor(ledger: Ledger, config: SyncConfig, ids: IdSource, pool: ChunkPool | null = null) {
    this.#pool = pool;
    this.#ledger = ledger;
    this.#config = config;
    this.#ids = ids;
    this.#retryMs = config.storeRetryMs;
  }

  get size(): number {
    return this.#gossip.length + this.#sync.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The store failed lately; nothing is taken. When to go on: `retryAtMs`. */
  get failing(): boolean {
    return this.#failing;
  }

  get retryAtMs(): number {
    return this.#retryAtMs;
  }

  /** The time has come to try a store that failed. */
  resume(): void {
    this.#failing = false;
  }

  /** Takes a chunk whose verdict is `new`. False: no room, and nothing was marked. */
  take(chunk: Chunk, via: Via): boolean {
    if (this.#failing) return false;
    assert(chunk.index < chunk.count, "a chunk is one of its version's");
    const bytes = chunk.payload.length;
    const full = this.#bytes + bytes > maxInboxBytes && this.size > 0;
    if (full || this.size >= maxInboxChunks || !this.#mark(chunk)) {
      this.#dropped++;
      return false;
    }
    this.#bytes += bytes;
    const kept = this.#pool === null ? chunk : this.#pool.share(chunk);
    // Mostly one alone: as a literal it takes a third of the room that `push` would make.
    if (via === "sync") this.#sync.push(kept);
    else if (this.#gossip.length === 0) this.#gossip = [kept];
    else this.#gossip.push(kept);
    return true;
  }

  /**
   * Takes a chunk that contradicts the books, from a peer that was asked for its version: the store
   * drops what it has of that version, so that it can be asked for anew.
   */
  takeContradicting(chunk: Chunk): void {
    if (this.#failing || this.size >= maxInboxChunks) return;
    this.#bytes += chunk.payload.length;
    this.#sync.push(chunk);
  }

  /** Hands markers to the store with its next call; the caller vouches for what `Store.receive` asks. */
  release(overwritten: readonly VersionRange[]): void {
    for (const range of overwritten) {
      const ledger = this.#ledger.get(range.actor);
      assert(ledger !== undefined, "markers are of actors with books");
      ledger.setPending(range.from, range.to, true);
      this.#release.push(range);
    }
  }

  /** Gives the store what waits, unless it is busy or failing. */
  flush(out: Effect[]): void {
    if (this.#dropped > 0) {
      out.push(notice({ type: "overflow", queue: "inbox", count: this.#dropped }));
      this.#dropped = 0;
    }
    if (this.#batch !== null || this.#failing) return;
    if (this.size === 0 && this.#release.length === 0) return;
    const via = this.#nextVia();
    const queue = via === "gossip" ? this.#gossip : this.#sync;
    const chunks = this.#cut(queue, via);
    let overwritten = none;
    if (via === "sync" && this.#release.length > 0) {
      overwritten = this.#release;
      this.#release = [];
    }
    this.#lastVia = via;
    this.#batch = { id: this.#ids.next(), via, chunks, overwritten };
    out.push({
      type: "store",
      id: this.#batch.id,
      request: { type: "receive", chunks, overwritten, via },
    });
  }

  /** The store's answer to request `id`; null when it failed or is not the inbox's. */
  stored(now: Now, id: number, response: StoreResponse): Received | null {
    const batch = this.#batch;
    if (batch === null || batch.id !== id) return null;
    this.#batch = null;
    if (response.type !== "receive") {
      assert(response.type === "failed", "a receive is answered as such, or fails");
      this.#fail(now, batch);
      return null;
    }
    this.#retryMs = this.#config.storeRetryMs;
    let held = 0;
    for (const range of batch.overwritten) {
      this.#ledger.get(range.actor)?.setPending(range.from, range.to, false);
      held += this.#ledger.hold(range.actor, range.from, range.to);
    }
    held += this.#book(batch, response.versions);
    return {
      via: batch.via,
      held,
      outcomes: response.versions,
      released: batch.overwritten,
      summary: response.summary,
    };
  }

  #mark(chunk: Chunk): boolean {
    return this.#ledger.setPending(chunk.actor, chunk.version, chunk.index, chunk.count);
  }

  /** The two ways in take turns, so that a large sync does not hold up what is fresh, nor the reverse. */
  #nextVia(): Via {
    if (this.#gossip.length === 0) return "sync";
    if (this.#sync.length === 0 && this.#release.length === 0) return "gossip";
    return this.#lastVia === "gossip" ? "sync" : "gossip";
  }

  #cut(queue: Chunk[], via: Via): readonly Chunk[] {
    let bytes = 0;
    let n = 0;
    while (n < queue.length && n < maxBatchChunks) {
      const more = (queue[n] as Chunk).payload.length;
      if (n > 0 && bytes + more > maxBatchBytes) break;
      bytes += more;
      n++;
    }
    this.#bytes -= bytes;
    assert(this.#bytes >= 0, "no more bytes leave the inbox than came in");
    if (n === queue.length) {
      if (via === "gossip") this.#gossip = [];
      else this.#sync = [];
      return queue;
    }
    return queue.splice(0, n);
  }

  /** Enters outcomes into the books; returns how many versions became held. */
  #book(batch: Batch, outcomes: readonly VersionOutcome[]): number {
    const ledger = this.#ledger;
    let held = 0;
    let whole = 0;
    // Rejected ones with the outcome decided last.
    let rejected: Map<string, VersionOutcome> | null = null;
    for (let i = 0; i < outcomes.length; i++) {
      const outcome = outcomes[i] as VersionOutcome;
      const { actor, version, type } = outcome;
      if (type === "applied" || type === "quarantined") {
        held += ledger.hold(actor, version, version);
        whole++;
      }
      if (type === "rejected") rejected ??= new Map();
      if (rejected === null) continue;
      const key = keyOf(outcome);
      if (type === "rejected" || rejected.has(key)) rejected.set(key, outcome);
    }
    // As a rule each chunk was a version of its own.
    if (whole === batch.chunks.length && rejected === null) return held;
    for (const outcome of rejected?.values() ?? []) this.#refuse(batch, outcome);
    // What is neither whole nor refused by now was buffered, or is known to the store already.
    for (const chunk of batch.chunks) {
      if (rejected?.has(keyOf(chunk)) === true) continue;
      const { actor, version, index, count } = chunk;
      if (count > 1) ledger.holdChunk(actor, version, index, count);
      else held += ledger.hold(actor, version, version);
    }
    return held;
  }

  /**
   * The store dropped what it had of a version. When it kept chunks that came after that in the
   * same batch, `last` says how many: they are the last ones of that version in the batch.
   */
  #refuse(batch: Batch, last: VersionOutcome): void {
    const { actor, version } = last;
    const own = batch.chunks.filter((c) => c.actor === actor && c.version === version);
    for (const { index, count } of own) this.#ledger.clearPending(actor, version, index, count);
    this.#ledger.refuse(actor, version);
    if (last.type !== "buffered") return;
    const kept = new Set<number>();
    for (let i = own.length - 1; i >= 0 && kept.size < last.have; i--) {
      const { index, count } = own[i] as Chunk;
      kept.add(index);
      this.#ledger.holdChunk(actor, version, index, count);
    }
  }

  #fail(now: Now, batch: Batch): void {
    this.#failing = true;
    this.#retryAtMs = now.monoMs + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, this.#config.storeRetryMaxMs);
    for (const chunks of [batch.chunks, this.#gossip, this.#sync]) {
      for (const { actor, version, index, count } of chunks) {
        this.#ledger.clearPending(actor, version, index, count);
      }
    }
    for (const { actor, from, to } of [...batch.overwritten, ...this.#release]) {
      this.#ledger.get(actor)?.setPending(from, to, false);
    }
    this.#gossip = [];
    this.#sync = [];
    this.#release = [];
    this.#bytes = 0;
  }
}

function keyOf({ actor, version }: { readonly actor: ActorId; readonly version: number }): string {
  return `${actor}/${version}`;
}

function notice(n: Notice): Effect {
  return { type: "notify", notice: n };
}

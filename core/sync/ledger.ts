/**
 * The books of a replica: per author what is held, what is missing and what is on its way, with a
 * 64-bit hash of all that is held, per bucket of authors and in all, so that two nodes find out
 * with one comparison whether they hold the same. The ledger mirrors the store: it changes when
 * the store has answered, in the order of the store's own operations, and holdings never shrink.
 */
import { assert } from "../base/assert.ts";
import { type ActorId, compareIds } from "../base/ids.ts";
import type { Interval } from "../base/interval-set.ts";
import type { ActorHoldings } from "../node/store.ts";
import { ActorLedger, maxVersion, type Verdict } from "./actor-ledger.ts";
import { addRange, type Lanes } from "./set-hash.ts";

/** Authors are spread over 2^6 buckets by their ids. */
export const bucketBits = 6;
const bucketCount = 1 << bucketBits;

/**
 * Authors that one ledger keeps. Past it versions of new authors are dropped and reported: a
 * fleet has hundreds; this many means that somebody makes them up.
 */
export const maxActors = 65_536;

/** Partial versions per ledger. Past it first chunks of further ones are dropped; sync brings them later. */
export const maxPartials = 4096;

/** Holdings hashes remembered: enough to recognise what this node held some seconds ago under load. */
const historyLength = 256;

export class Ledger {
  readonly #actors = new Map<ActorId, ActorLedger>();
  #sorted: ActorLedger[] | null = [];
  readonly #total: Lanes = { hi: 0, lo: 0 };
  readonly #buckets = new Int32Array(bucketCount * 2);
  #history: Int32Array | null = null;
  #historyAt = 0;
  #partials = 0;
  #heldVersions = 0;
  #refused = false;

  constructor(holdings: readonly ActorHoldings[]) {
    for (const { actor, head, gaps, partial } of holdings) {
      const ledger = this.open(actor);
      assert(ledger !== null, "a store holds no more actors than a ledger");
      const missing = [...gaps, ...partial.map((p): Interval => [p.version, p.version])];
      missing.sort((a, b) => a[0] - b[0]);
      let from = 1;
      for (const [low, high] of missing) {
        if (low > from) this.#hold(ledger, from, low - 1);
        from = high + 1;
      }
      if (from <= head) this.#hold(ledger, from, head);
      for (const { version, count, have } of partial) {
        for (const [low, high] of have) this.#haveChunks(ledger, version, count, low, high);
      }
    }
    this.#remember();
  }

  /** Of everything held, whole or in part. */
  get hash(): Readonly<Lanes> {
    return this.#total;
  }

  get actorCount(): number {
    return this.#actors.size;
  }

  get partialCount(): number {
    return this.#partials;
  }

  /** How many versions are held whole. */
  get heldVersions(): number {
    return this.#heldVersions;
  }

  get(actor: ActorId): ActorLedger | undefined {
    return this.#actors.get(actor);
  }

  /** The books of `actor`, opened when there are none; null when there are too many. */
  open(actor: ActorId): ActorLedger | null {
    const known = this.#actors.get(actor);
    if (known !== undefined) return known;
    if (this.#actors.size >= maxActors) return null;
    const opened = new ActorLedger(actor);
    this.#actors.set(actor, opened);
    this.#sorted = null;
    return opened;
  }

  /** All actors, sorted by id. */
  actors(): readonly ActorLedger[] {
    this.#sorted ??= [...this.#actors.values()].sort((a, b) => compareIds(a.actor, b.actor));
    return this.#sorted;
  }

  /** As the store tells its own: sorted by actor, without actors of whom nothing is held. */
  holdings(): ActorHoldings[] {
    const all: ActorHoldings[] = [];
    for (const actor of this.actors()) {
      const held = actor.holdings();
      if (held !== null) all.push(held);
    }
    return all;
  }

  verdict(actor: ActorId, version: number, index: number, count: number): Verdict {
    const ledger = this.#actors.get(actor);
    return ledger === undefined ? "new" : ledger.verdict(version, index, count);
  }

  /** Marks a chunk as handed to the store. False: no room in the books for one more. */
  setPending(actor: ActorId, version: number, index: number, count: number): boolean {
    assert(version >= 1 && version <= maxVersion, "the version was checked");
    const ledger = this.open(actor);
    if (ledger === null) return false;
    if (count === 1) {
      ledger.setPending(version, version, true);
      return true;
    }
    if (ledger.partial(version) === undefined) {
      if (this.#partials >= maxPartials) return false;
      this.#partials++;
    }
    ledger.openPartial(version, count).pending.add(index);
    return true;
  }

  /** Takes the mark back: the store did not keep the chunk. */
  clearPending(actor: ActorId, version: number, index: number, count: number): void {
    const ledger = this.#actors.get(actor);
    if (ledger === undefined) return;
    const part = ledger.partial(version);
    if (part === undefined || count === 1) {
      ledger.setPending(version, version, false);
      return;
    }
    part.pending.remove(index);
    this.#closeIfEmpty(ledger, version);
  }

  /** Asked chunk ranges of a version that is known to come in parts. */
  askChunks(ledger: ActorLedger, version: number, ranges: readonly Interval[], on: boolean): void {
    const part = ledger.partial(version);
    if (part === undefined) return;
    for (const [from, to] of ranges) {
      if (on) part.asked.add(from, to);
      else part.asked.remove(from, to);
    }
    if (!on) this.#closeIfEmpty(ledger, version);
  }

  /** The store holds `from`..`to` whole now, or did already. Returns how many are new. */
  hold(actor: ActorId, from: number, to: number): number {
    const ledger = this.open(actor);
    assert(ledger !== null, "what is held was pending, so it has books");
    if (from === to) {
      if (ledger.held.has(from)) return 0;
      this.#hold(ledger, from, from);
      this.#remember();
      return 1;
    }
    let added = 0;
    for (const [low, high] of ledger.lacking(from, to)) {
      this.#hold(ledger, low, high);
      added += high - low + 1;
    }
    if (added > 0) this.#remember();
    return added;
  }

  /** The store holds this chunk of a version of which others are missing. */
  holdChunk(actor: ActorId, version: number, index: number, count: number): void {
    const ledger = this.open(actor);
    assert(ledger !== null, "what is held was pending, so it has books");
    if (ledger.held.has(version)) return;
    if (this.#haveChunks(ledger, version, count, index, index)) this.#remember();
  }

  /** The store read the version and kept nothing of it: it is not asked for until `forgiveAll`. */
  refuse(actor: ActorId, version: number): void {
    const ledger = this.#actors.get(actor);
    if (ledger === undefined || ledger.held.has(version)) return;
    ledger.setRefused(version);
    this.#refused = true;
    const part = ledger.partial(version);
    if (part === undefined) return;
    this.#toggle(ledger, part.hash.hi, part.hash.lo);
    ledger.dropPartial(part);
    this.#partials--;
    this.#remember();
  }

  /** Lets refused versions be asked for again. False when there are none. */
  forgiveAll(): boolean {
    if (!this.#refused) return false;
    for (const ledger of this.#actors.values()) ledger.forgive();
    this.#refused = false;
    return true;
  }

  /** Is `hash` that of something held now or lately? Then everything of it is held here. */
  hasHeld(hash: Readonly<Lanes>): boolean {
    if (hash.hi === this.#total.hi && hash.lo === this.#total.lo) return true;
    const history = this.#history;
    if (history === null) return false;
    for (let i = 0; i < history.length; i += 2) {
      if (history[i] === hash.hi && history[i + 1] === hash.lo) return true;
    }
    return false;
  }

  /** Hashes of 2^`bits` buckets, hi and lo in turn: the ledger's own buckets folded together. */
  bucketHashes(bits: number): Int32Array {
    const count = 1 << bits;
    assert(count <= bucketCount, "no finer than the ledger's own buckets");
    const folded = new Int32Array(count * 2);
    for (let i = 0; i < bucketCount; i++) {
      const at = (i & (count - 1)) * 2;
      folded[at] = (folded[at] as number) ^ (this.#buckets[i * 2] as number);
      folded[at + 1] = (folded[at + 1] as number) ^ (this.#buckets[i * 2 + 1] as number);
    }
    return folded;
  }

  /** The bucket of `ledger` among 2^`bits`. */
  bucketOf(ledger: ActorLedger, bits: number): number {
    return ledger.seed.lo & ((1 << bits) - 1);
  }

  #hold(ledger: ActorLedger, from: number, to: number): void {
    const before = ledger.partialCount;
    for (const part of ledger.partialsWithin(from, to)) {
      this.#toggle(ledger, part.hash.hi, part.hash.lo);
    }
    const { hi, lo } = ledger.hash;
    ledger.hold(from, to);
    this.#toggle(ledger, hi ^ ledger.hash.hi, lo ^ ledger.hash.lo);
    this.#partials += ledger.partialCount - before;
    this.#heldVersions += to - from + 1;
  }

  /** True when the holdings changed. */
  #haveChunks(
    ledger: ActorLedger,
    version: number,
    count: number,
    from: number,
    to: number,
  ): boolean {
    if (ledger.partial(version) === undefined) this.#partials++;
    const part = ledger.openPartial(version, count);
    part.pending.remove(from, to);
    const fresh = part.have.gaps(from, to);
    for (const [low, high] of fresh) {
      const { hi, lo } = part.hash;
      part.have.add(low, high);
      addRange(part.hash, part.seed, low, high);
      this.#toggle(ledger, hi ^ part.hash.hi, lo ^ part.hash.lo);
    }
    if (part.have.count === count) this.#hold(ledger, version, version);
    return fresh.length > 0;
  }

  #closeIfEmpty(ledger: ActorLedger, version: number): void {
    const part = ledger.partial(version);
    if (part === undefined) return;
    const before = ledger.partialCount;
    ledger.closePartialIfEmpty(part);
    this.#partials += ledger.partialCount - before;
  }

  #toggle(ledger: ActorLedger, hi: number, lo: number): void {
    this.#total.hi ^= hi;
    this.#total.lo ^= lo;
    const at = this.bucketOf(ledger, bucketBits) * 2;
    this.#buckets[at] = (this.#buckets[at] as number) ^ hi;
    this.#buckets[at + 1] = (this.#buckets[at + 1] as number) ^ lo;
  }

  #remember(): void {
    this.#history ??= new Int32Array(historyLength * 2);
    this.#history[this.#historyAt] = this.#total.hi;
    this.#history[this.#historyAt + 1] = this.#total.lo;
    this.#historyAt = (this.#historyAt + 2) % this.#history.length;
  }
}

/**
 * What a node knows of one author's versions: which it holds whole, which in part, and which are
 * on their way (being written by the store, asked of a peer, or waiting as markers). Everything is
 * ranges, so that a version number absurdly far ahead costs no memory.
 */
import { assert } from "../base/assert.ts";
import type { ActorId } from "../base/ids.ts";
import { type Interval, IntervalSet } from "../base/interval-set.ts";
import type { ActorHoldings, PartialHolding } from "../node/store.ts";
import { addRange, innerSeed, type Lanes, seedOfId } from "./set-hash.ts";

/** Bound on version numbers: room for 10,000 transactions a second for 890 years, and for arithmetic above it. */
export const maxVersion = 2 ** 48;

/** A version of several chunks of which not all are here. */
export interface PartialVersion {
  readonly version: number;
  readonly count: number;
  /** Chunk indexes that the store holds. */
  readonly have: IntervalSet;
  /** Handed to the store, not answered yet. */
  readonly pending: IntervalSet;
  /** Asked of a peer. */
  readonly asked: IntervalSet;
  readonly seed: Lanes;
  readonly hash: Lanes;
}

/** What a chunk that arrives is to this node. */
export type Verdict = "new" | "known" | "conflict";

const empty: readonly Interval[] = [];
const noPartials: readonly PartialVersion[] = [];

export class ActorLedger {
  readonly actor: ActorId;
  /** Names the actor in hashes and chooses its bucket. */
  readonly seed: Readonly<Lanes>;
  /** Of the versions held whole. */
  readonly hash: Lanes = { hi: 0, lo: 0 };
  readonly held = new IntervalSet();
  #partials: Map<number, PartialVersion> | null = null;
  // Most actors have nothing on the way most of the time, and there may be a thousand actors on
  // each of a thousand nodes of one simulation: these sets exist only while they have members.
  #pending: IntervalSet | null = null;
  #asked: IntervalSet | null = null;
  #marked: IntervalSet | null = null;
  #refused: IntervalSet | null = null;

  constructor(actor: ActorId) {
    this.actor = actor;
    this.seed = seedOfId(actor);
  }

  /** The highest version of which anything is held; 0 when nothing is. */
  get head(): number {
    let head = this.held.max ?? 0;
    if (this.#partials !== null) {
      for (const part of this.#partials.values()) {
        if (part.version > head && !part.have.isEmpty) head = part.version;
      }
    }
    return head;
  }

  partial(version: number): PartialVersion | undefined {
    return this.#partials === null ? undefined : this.#partials.get(version);
  }

  get partialCount(): number {
    return this.#partials === null ? 0 : this.#partials.size;
  }

  /** Versions held in part, ascending. */
  partials(): PartialVersion[] {
    if (this.#partials === null) return [];
    return [...this.#partials.values()].sort((a, b) => a.version - b.version);
  }

  /** Partial versions among `from`..`to`, in no order that matters. */
  partialsWithin(from: number, to: number): readonly PartialVersion[] {
    if (this.#partials === null) return noPartials;
    if (from === to) {
      const part = this.#partials.get(from);
      return part === undefined ? noPartials : [part];
    }
    return this.partials().filter(({ version }) => version >= from && version <= to);
  }

  verdict(version: number, index: number, count: number): Verdict {
    if (this.held.has(version)) return "known";
    const part = this.partial(version);
    if (part !== undefined) {
      if (part.count !== count) return "conflict";
      return part.have.has(index) || part.pending.has(index) ? "known" : "new";
    }
    return this.#pending !== null && this.#pending.has(version) ? "known" : "new";
  }

  /** Versions `from`..`to`, none of them held, are held whole now. */
  hold(from: number, to: number): void {
    assert(from >= 1 && from <= to && to <= maxVersion, "versions count from 1 to their bound");
    assert(!this.held.hasAny(from, to), "a version becomes held once");
    this.held.add(from, to);
    addRange(this.hash, this.seed, from, to);
    this.setPending(from, to, false);
    this.setMarked(from, to, false);
    for (const part of this.partialsWithin(from, to)) this.#partials?.delete(part.version);
    if (this.#partials !== null && this.#partials.size === 0) this.#partials = null;
  }

  /** The partial version, made when it is not known yet. The caller has checked `verdict`. */
  openPartial(version: number, count: number): PartialVersion {
    assert(!this.held.has(version), "a version held whole is not in parts");
    this.#partials ??= new Map();
    let part = this.#partials.get(version);
    if (part === undefined) {
      part = {
        version,
        count,
        have: new IntervalSet(),
        pending: new IntervalSet(),
        asked: new IntervalSet(),
        seed: innerSeed(this.seed, version),
        hash: { hi: 0, lo: 0 },
      };
      this.#partials.set(version, part);
    }
    assert(part.count === count, "a version has one count of chunks");
    return part;
  }

  /** The store kept nothing of it. */
  dropPartial(part: PartialVersion): void {
    this.#partials?.delete(part.version);
    if (this.#partials !== null && this.#partials.size === 0) this.#partials = null;
  }

  /** Forgets a partial version of which nothing is here or on the way. */
  closePartialIfEmpty(part: PartialVersion): void {
    if (!part.have.isEmpty || !part.pending.isEmpty || !part.asked.isEmpty) return;
    this.dropPartial(part);
  }

  setPending(from: number, to: number, on: boolean): void {
    this.#pending = withRange(this.#pending, from, to, on);
  }

  setAsked(from: number, to: number, on: boolean): void {
    this.#asked = withRange(this.#asked, from, to, on);
  }

  setMarked(from: number, to: number, on: boolean): void {
    this.#marked = withRange(this.#marked, from, to, on);
  }

  /** Versions that the store could not read: not asked for until they are forgiven. */
  setRefused(version: number): void {
    this.#refused = withRange(this.#refused, version, version, true);
  }

  forgive(): void {
    this.#refused = null;
  }

  isAsked(version: number): boolean {
    return this.#asked !== null && this.#asked.has(version);
  }

  /** Of `from`..`to`, what is neither held nor on its way to being held. Ascending. */
  wanting(from: number, to: number): Interval[] {
    return this.#without(this.held.gaps(from, to));
  }

  /** Of `from`..`to`, what is not held. */
  lacking(from: number, to: number): Interval[] {
    return this.held.gaps(from, to);
  }

  /** Chunks of a partial version that are neither here nor on the way. */
  wantingChunks(part: PartialVersion): Interval[] {
    let ranges = part.have.gaps(0, part.count - 1);
    ranges = subtract(ranges, part.pending);
    return subtract(ranges, part.asked);
  }

  holdings(): ActorHoldings | null {
    const partial: PartialHolding[] = [];
    for (const { version, count, have } of this.partials()) {
      if (!have.isEmpty) partial.push({ version, count, have: have.ranges() });
    }
    const head = this.head;
    if (head === 0) return null;
    const whole = this.held.clone();
    for (const { version } of partial) whole.add(version);
    return { actor: this.actor, head, gaps: whole.gapsBelow(head), partial };
  }

  #without(ranges: Interval[]): Interval[] {
    let left = ranges;
    if (this.#pending !== null) left = subtract(left, this.#pending);
    if (this.#asked !== null) left = subtract(left, this.#asked);
    if (this.#marked !== null) left = subtract(left, this.#marked);
    if (this.#refused !== null) left = subtract(left, this.#refused);
    return left;
  }
}

/** Sets come and go with every version on its way: a few that are empty are kept for the next. */
const spareSets: IntervalSet[] = [];
const maxSpareSets = 64;

function withRange(
  set: IntervalSet | null,
  from: number,
  to: number,
  on: boolean,
): IntervalSet | null {
  if (on) {
    const grown = set ?? spareSets.pop() ?? new IntervalSet();
    grown.add(from, to);
    return grown;
  }
  if (set === null) return null;
  set.remove(from, to);
  if (!set.isEmpty) return set;
  if (spareSets.length < maxSpareSets) spareSets.push(set);
  return null;
}

/** The integers of `ranges` (ascending, disjoint) that are not in `set`. */
export function subtract(ranges: Interval[], set: IntervalSet): Interval[] {
  if (set.isEmpty || ranges.length === 0) return ranges;
  const left: Interval[] = [];
  for (const [from, to] of ranges) {
    if (!set.hasAny(from, to)) left.push([from, to]);
    else for (const gap of set.gaps(from, to)) left.push(gap);
  }
  return left.length === 0 ? (empty as Interval[]) : left;
}

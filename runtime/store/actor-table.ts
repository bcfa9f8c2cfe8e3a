/**
 * What is held of each author, in memory: ranges of versions held whole and parts of others. Few
 * authors and few ranges, so this stays small whatever the size of the database. Authors have
 * small numbers in the database; the first is this node itself.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId } from "../../core/base/ids.ts";
import { IntervalSet } from "../../core/base/interval-set.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import type { ActorHoldings, PartialHolding } from "../../core/node/store.ts";
import { Reader } from "../../core/wire/reader.ts";
import { Writer } from "../../core/wire/writer.ts";

/** A version of which chunks are missing; its chunks stand in `patina_part`. */
export interface PartialVersion {
  readonly version: number;
  readonly count: number;
  readonly hlc: Hlc;
  readonly have: IntervalSet;
}

export class ActorLog {
  readonly n: number;
  readonly actor: ActorId;
  /** Held whole, as content or as marker. */
  readonly held: IntervalSet;
  readonly partials = new Map<number, PartialVersion>();
  /** `patina_actor` has a row for it. */
  stored: boolean;
  /** That row says something else about what is held. */
  changed: boolean;

  constructor(n: number, actor: ActorId, held: IntervalSet, stored: boolean) {
    this.n = n;
    this.actor = actor;
    this.held = held;
    this.stored = stored;
    this.changed = !stored;
  }

  /** The highest version of which anything is held; 0 for none. */
  get head(): number {
    let head = this.held.max ?? 0;
    for (const version of this.partials.keys()) head = Math.max(head, version);
    return head;
  }

  hold(from: number, to: number): void {
    this.held.add(from, to);
    this.changed = true;
  }

  /** A chunk that is kept. @returns the version's part so far. */
  addPart(version: number, count: number, hlc: Hlc, index: number): PartialVersion {
    let partial = this.partials.get(version);
    if (partial === undefined) {
      partial = { version, count, hlc, have: new IntervalSet() };
      this.partials.set(version, partial);
    }
    partial.have.add(index);
    return partial;
  }

  holdings(): ActorHoldings {
    const partial: PartialHolding[] = [];
    for (const { version, count, have } of this.partials.values()) {
      partial.push({ version, count, have: have.ranges() });
    }
    partial.sort((a, b) => a.version - b.version);
    const { head } = this;
    let known = this.held;
    if (partial.length > 0) {
      known = this.held.clone();
      for (const { version } of partial) known.add(version);
    }
    return { actor: this.actor, head, gaps: known.gapsBelow(head), partial };
  }
}

export class ActorTable {
  readonly #byId = new Map<ActorId, ActorLog>();
  readonly #byNumber: (ActorLog | undefined)[] = [];
  /** `patina_actor` has a row for each. */
  allStored = true;

  get logs(): Iterable<ActorLog> {
    return this.#byId.values();
  }

  find(actor: ActorId): ActorLog | undefined {
    return this.#byId.get(actor);
  }

  findOrAdd(actor: ActorId): ActorLog {
    return (
      this.#byId.get(actor) ??
      this.#add(new ActorLog(this.#byNumber.length, actor, new IntervalSet(), false))
    );
  }

  /** An author as `patina_actor` has it. */
  load(n: number, actor: ActorId, held: Uint8Array): void {
    this.#add(new ActorLog(n, actor, decodeRanges(held), true));
  }

  byNumber(n: number): ActorLog {
    const log = this.#byNumber[n];
    assert(log !== undefined, `author ${n} is known`);
    return log;
  }

  idOf(n: number): ActorId {
    return this.byNumber(n).actor;
  }

  clear(): void {
    this.#byId.clear();
    this.#byNumber.length = 0;
    this.allStored = true;
  }

  #add(log: ActorLog): ActorLog {
    assert(this.#byNumber[log.n] === undefined, "authors have numbers of their own");
    if (!log.stored) this.allStored = false;
    this.#byId.set(log.actor, log);
    this.#byNumber[log.n] = log;
    return log;
  }
}

/** Ranges as differences: each a gap and a length. */
export function encodeRanges(ranges: IntervalSet): Uint8Array {
  const writer = new Writer();
  let next = 0;
  for (const [from, to] of ranges.ranges()) {
    writer.varint(from - next);
    writer.varint(to - from);
    next = to + 1;
  }
  return writer.finish();
}

function decodeRanges(bytes: Uint8Array): IntervalSet {
  const r = new Reader(bytes);
  const ranges = new IntervalSet();
  let next = 0;
  while (r.remaining > 0) {
    const from = next + r.varint();
    const to = from + r.varint();
    ranges.add(from, to);
    next = to + 1;
  }
  return ranges;
}

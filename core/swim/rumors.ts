/**
 * What is still to be told: members whose news this node passes on, fewest-sent first (SWIM,
 * section 4.1). A rumor is only a slot and a count; what is said is what the list holds at the
 * moment of sending, so that newer news replaces older by itself, and the queue is bounded by the
 * number of members.
 */
import { assert } from "../base/assert.ts";
import type { Roster } from "./roster.ts";
import { SlotList } from "./slot-list.ts";

// The roster's word: place in the queue · 256 + told bit + full bit + times sent; 0 without a rumor.
const placeUnit = 256;
const toldBit = 0x80;
/** Told with the whole identity: a newcomer, whom others cannot know by its tag. */
const fullBit = 0x40;
const sentBits = 0x3f;

/** Counts above this cannot be kept; λ·⌈log10(n+1)⌉ is 20 at 10,000 members. */
const maxSent = 0x3f;

/** How many rumors were sent how often: working memory of `pick`. */
const counts = new Int32Array(maxSent + 2);

export class Rumors {
  readonly #roster: Roster;
  readonly #queue = new SlotList();
  /** The queue's length, at hand: every event asks whether there are rumors. */
  #size = 0;

  constructor(roster: Roster) {
    this.#roster = roster;
  }

  get size(): number {
    return this.#size;
  }

  has(slot: number): boolean {
    return this.#roster.rumorAt(slot) !== 0;
  }

  isFull(slot: number): boolean {
    return (this.#roster.rumorAt(slot) & fullBit) !== 0;
  }

  /** How often it was told so far. */
  sent(slot: number): number {
    return this.#roster.rumorAt(slot) & sentBits;
  }

  /** Begins to tell, or begins anew. A newcomer stays one until its rumor ends. */
  add(slot: number, full: boolean): void {
    const held = this.#roster.rumorAt(slot);
    const place = held === 0 ? this.#queue.push(slot) : Math.floor(held / placeUnit);
    this.#size = this.#queue.length;
    const flag = full ? fullBit : held & fullBit;
    this.#roster.setRumor(slot, place * placeUnit + toldBit + flag);
  }

  remove(slot: number): void {
    const held = this.#roster.rumorAt(slot);
    if (held === 0) return;
    const place = Math.floor(held / placeUnit);
    assert(this.#queue.at(place) === slot, "a rumor stands where it was put");
    this.#roster.setRumor(slot, 0);
    const moved = this.#queue.removeAt(place);
    this.#size = this.#queue.length;
    if (moved < 0) return;
    const word = this.#roster.rumorAt(moved);
    this.#roster.setRumor(moved, place * placeUnit + (word & (placeUnit - 1)));
  }

  /** Counts `copies` more of a rumor as sent; at `limit` it ends. */
  advance(slot: number, copies: number, limit: number): void {
    const held = this.#roster.rumorAt(slot);
    assert(held !== 0 && copies > 0, "advances a rumor that is told");
    const sent = (held & sentBits) + copies;
    if (sent >= limit || sent > maxSent) this.remove(slot);
    else this.#roster.setRumor(slot, held + copies);
  }

  /** Writes the slots into `into`, fewest-sent first, at most `max`; returns how many. */
  pick(into: Int32Array, max: number): number {
    const size = this.#queue.length;
    if (size === 1) {
      into[0] = this.#queue.at(0);
      return 1;
    }
    counts.fill(0);
    for (let i = 0; i < size; i++) {
      const sent = this.#roster.rumorAt(this.#queue.at(i)) & sentBits;
      counts[sent + 1] = (counts[sent + 1] as number) + 1;
    }
    for (let i = 1; i < counts.length; i++) {
      counts[i] = (counts[i] as number) + (counts[i - 1] as number);
    }
    for (let i = 0; i < size; i++) {
      const slot = this.#queue.at(i);
      const sent = this.#roster.rumorAt(slot) & sentBits;
      const at = counts[sent] as number;
      counts[sent] = at + 1;
      if (at < max) into[at] = slot;
    }
    return Math.min(size, max);
  }
}

/**
 * What is still to be told: members whose news this node passes on, fewest-sent first (SWIM,
 * section 4.1). A rumor is only a slot and a count; what is said is what the list holds at the
 * moment of sending, so that newer news replaces older by itself, and the queue is bounded by the
 * number of members.
 */
import { assert } from "../base/assert.ts";

const none = 0xff;
/** Told with the whole identity: a newcomer, whom others cannot know by its tag. */
const fullBit = 0x40;
const countBits = 0x3f;

/** Counts above this cannot be kept; λ·⌈log10(n+1)⌉ is 20 at 10,000 members. */
const maxSent = 0x3e;

export class Rumors {
  #sent = new Uint8Array(0);
  #positions = new Int32Array(0);
  /** By times sent. */
  readonly #buckets: number[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(slot: number): boolean {
    return slot < this.#sent.length && this.#sent[slot] !== none;
  }

  isFull(slot: number): boolean {
    return this.has(slot) && ((this.#sent[slot] as number) & fullBit) !== 0;
  }

  /** Begins to tell, or begins anew. A newcomer stays one until its rumor ends. */
  add(slot: number, full: boolean): void {
    if (slot >= this.#sent.length) this.#grow(slot + 1);
    const wasFull = this.isFull(slot);
    if (this.has(slot)) this.remove(slot);
    this.#sent[slot] = full || wasFull ? fullBit : 0;
    this.#place(slot, 0);
    this.#size++;
  }

  remove(slot: number): void {
    if (!this.has(slot)) return;
    this.#unplace(slot);
    this.#sent[slot] = none;
    this.#size--;
  }

  /** Counts `copies` more of a rumor as sent; past `limit` it ends. */
  advance(slot: number, copies: number, limit: number): void {
    assert(this.has(slot) && copies > 0, "advances a rumor that is told");
    const held = this.#sent[slot] as number;
    const sent = Math.min((held & countBits) + copies, maxSent);
    this.#unplace(slot);
    if (sent >= limit) {
      this.#sent[slot] = none;
      this.#size--;
      return;
    }
    this.#sent[slot] = sent | (held & fullBit);
    this.#place(slot, sent);
  }

  /** Slots in the order in which they are to be told, appended to `into`, at most `max`. */
  pick(into: number[], max: number): void {
    for (const bucket of this.#buckets) {
      for (const slot of bucket) {
        if (into.length >= max) return;
        into.push(slot);
      }
    }
  }

  clear(): void {
    this.#sent.fill(none);
    for (const bucket of this.#buckets) bucket.length = 0;
    this.#size = 0;
  }

  #place(slot: number, sent: number): void {
    while (this.#buckets.length <= sent) this.#buckets.push([]);
    const bucket = this.#buckets[sent] as number[];
    this.#positions[slot] = bucket.length;
    bucket.push(slot);
  }

  #unplace(slot: number): void {
    const bucket = this.#buckets[(this.#sent[slot] as number) & countBits] as number[];
    const at = this.#positions[slot] as number;
    const last = bucket.pop() as number;
    if (last !== slot) {
      assert(bucket[at] === slot, "a rumor stands where it was put");
      bucket[at] = last;
      this.#positions[last] = at;
    }
  }

  #grow(atLeast: number): void {
    const capacity = Math.max(8, atLeast, Math.ceil(this.#sent.length * 1.5));
    const sent = new Uint8Array(capacity).fill(none);
    sent.set(this.#sent);
    this.#sent = sent;
    const positions = new Int32Array(capacity);
    positions.set(this.#positions);
    this.#positions = positions;
  }
}

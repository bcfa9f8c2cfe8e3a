/**
 * The suspicions that are open at one node, in flat arrays (Lifeguard, section IV-B). Each keeps
 * who accused: independent accusers shorten the timeout. A death heard of in a state exchange, or
 * about a member that was never suspected here, is one accuser called hearsay; alone it confirms
 * nothing, but together with one accuser at first hand it is as good as all confirmations, since a
 * whole side judged so before.
 */
import { assert } from "../base/assert.ts";

/** Accusers kept: the first and Lifeguard's k = 2 confirmations. */
export const maxAccusers = 3;

/** The accuser of hearsay; as a tag it would belong to one identity in four billion. */
export const hearsay = 0;

export class Suspicions {
  #slots = new Int32Array(0);
  #startedMs = new Float64Array(0);
  #deadlinesMs = new Float64Array(0);
  #counts = new Uint8Array(0);
  #accusers = new Uint32Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Tags of all accusers, `maxAccusers` a suspicion. */
  get accusers(): Uint32Array {
    return this.#accusers;
  }

  slotAt(index: number): number {
    return this.#slots[index] as number;
  }

  startedAt(index: number): number {
    return this.#startedMs[index] as number;
  }

  deadlineAt(index: number): number {
    return this.#deadlinesMs[index] as number;
  }

  setDeadline(index: number, deadlineMs: number): void {
    this.#deadlinesMs[index] = deadlineMs;
  }

  accusersAt(index: number): number {
    return this.#counts[index] as number;
  }

  accuserAt(index: number, which: number): number {
    return this.#accusers[index * maxAccusers + which] as number;
  }

  /** Returns its index, good until the next `close`. */
  open(slot: number, nowMs: number): number {
    if (this.#size === this.#slots.length) this.#grow();
    const index = this.#size++;
    this.#slots[index] = slot;
    this.#startedMs[index] = nowMs;
    this.#deadlinesMs[index] = Infinity;
    this.#counts[index] = 0;
    return index;
  }

  /** Returns the slot whose suspicion now has this index, or −1: the last takes the place of the one closed. */
  close(index: number): number {
    assert(index < this.#size, "closes an open suspicion");
    const last = --this.#size;
    if (index === last) return -1;
    this.#slots[index] = this.#slots[last] as number;
    this.#startedMs[index] = this.#startedMs[last] as number;
    this.#deadlinesMs[index] = this.#deadlinesMs[last] as number;
    this.#counts[index] = this.#counts[last] as number;
    for (let i = 0; i < maxAccusers; i++) {
      this.#accusers[index * maxAccusers + i] = this.#accusers[last * maxAccusers + i] as number;
    }
    return this.#slots[index] as number;
  }

  /** True when the accuser is new and there was room: news worth telling. */
  accuse(index: number, accuser: number): boolean {
    const count = this.#counts[index] as number;
    for (let i = 0; i < count; i++) {
      if (this.#accusers[index * maxAccusers + i] === accuser) return false;
    }
    if (count === maxAccusers) return false;
    this.#accusers[index * maxAccusers + count] = accuser;
    this.#counts[index] = count + 1;
    return true;
  }

  /** Independent confirmations, of `wanted`. */
  confirmations(index: number, wanted: number): number {
    const count = this.#counts[index] as number;
    for (let i = 0; i < count; i++) {
      if (this.accuserAt(index, i) === hearsay) return count > 1 ? wanted : 0;
    }
    return Math.max(0, count - 1);
  }

  /** Time in which this node could not listen does not count. */
  postpone(byMs: number): void {
    for (let i = 0; i < this.#size; i++) {
      this.#startedMs[i] = (this.#startedMs[i] as number) + byMs;
      this.#deadlinesMs[i] = (this.#deadlinesMs[i] as number) + byMs;
    }
  }

  /** Infinity without any. */
  nextDeadline(): number {
    let next = Infinity;
    for (let i = 0; i < this.#size; i++) {
      const deadline = this.#deadlinesMs[i] as number;
      if (deadline < next) next = deadline;
    }
    return next;
  }

  #grow(): void {
    const capacity = Math.max(8, this.#size * 2);
    const slots = new Int32Array(capacity);
    slots.set(this.#slots);
    this.#slots = slots;
    const started = new Float64Array(capacity);
    started.set(this.#startedMs);
    this.#startedMs = started;
    const deadlines = new Float64Array(capacity);
    deadlines.set(this.#deadlinesMs);
    this.#deadlinesMs = deadlines;
    const counts = new Uint8Array(capacity);
    counts.set(this.#counts);
    this.#counts = counts;
    const accusers = new Uint32Array(capacity * maxAccusers);
    accusers.set(this.#accusers);
    this.#accusers = accusers;
  }
}

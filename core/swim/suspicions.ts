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

// A suspicion's place in the array.
const words = 4 + maxAccusers;
const slotWord = 0;
const startedWord = 1;
const deadlineWord = 2;
const countWord = 3;
const accuserWord = 4;

export class Suspicions {
  #cells = new Float64Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  slotAt(index: number): number {
    return this.#cells[index * words + slotWord] as number;
  }

  startedAt(index: number): number {
    return this.#cells[index * words + startedWord] as number;
  }

  deadlineAt(index: number): number {
    return this.#cells[index * words + deadlineWord] as number;
  }

  setDeadline(index: number, deadlineMs: number): void {
    this.#cells[index * words + deadlineWord] = deadlineMs;
  }

  accusersAt(index: number): number {
    return this.#cells[index * words + countWord] as number;
  }

  accuserAt(index: number, which: number): number {
    return this.#cells[index * words + accuserWord + which] as number;
  }

  /** Returns its index, good until the next `close`. */
  open(slot: number, nowMs: number): number {
    if ((this.#size + 1) * words > this.#cells.length) this.#grow();
    const at = this.#size * words;
    this.#cells[at + slotWord] = slot;
    this.#cells[at + startedWord] = nowMs;
    this.#cells[at + deadlineWord] = Infinity;
    this.#cells[at + countWord] = 0;
    return this.#size++;
  }

  /** Returns the slot whose suspicion now has this index, or −1: the last takes the place of the one closed. */
  close(index: number): number {
    assert(index < this.#size, "closes an open suspicion");
    const last = --this.#size;
    if (index === last) return -1;
    this.#cells.copyWithin(index * words, last * words, (last + 1) * words);
    return this.slotAt(index);
  }

  /** True when the accuser is new and there was room: news worth telling. */
  accuse(index: number, accuser: number): boolean {
    const count = this.accusersAt(index);
    for (let i = 0; i < count; i++) if (this.accuserAt(index, i) === accuser) return false;
    if (count === maxAccusers) return false;
    this.#cells[index * words + accuserWord + count] = accuser;
    this.#cells[index * words + countWord] = count + 1;
    return true;
  }

  /** Independent confirmations, of `wanted`. */
  confirmations(index: number, wanted: number): number {
    const count = this.accusersAt(index);
    for (let i = 0; i < count; i++) {
      if (this.accuserAt(index, i) === hearsay) return count > 1 ? wanted : 0;
    }
    return Math.max(0, count - 1);
  }

  /** Time in which this node could not listen does not count. */
  postpone(byMs: number): void {
    for (let i = 0; i < this.#size; i++) {
      this.#cells[i * words + startedWord] = this.startedAt(i) + byMs;
      this.#cells[i * words + deadlineWord] = this.deadlineAt(i) + byMs;
    }
  }

  /** Infinity without any. */
  nextDeadline(): number {
    let next = Infinity;
    for (let i = 0; i < this.#size; i++) {
      const deadline = this.deadlineAt(i);
      if (deadline < next) next = deadline;
    }
    return next;
  }

  #grow(): void {
    const cells = new Float64Array(Math.max(8, this.#size * 2) * words);
    cells.set(this.#cells);
    this.#cells = cells;
  }
}

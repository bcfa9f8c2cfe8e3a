/**
 * A set of slots in a dense array, for uniform random picks and constant-time removal. Where each
 * slot stands is kept by the owner in one array for all its lists, since a slot is in one at most.
 */
import { assert } from "../base/assert.ts";

export class SlotList {
  #items: Int32Array;
  #length = 0;

  constructor(capacity: number) {
    this.#items = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#items[index] as number;
  }

  reserve(capacity: number): void {
    if (capacity <= this.#items.length) return;
    const items = new Int32Array(capacity);
    items.set(this.#items);
    this.#items = items;
  }

  push(slot: number, positions: Int32Array): void {
    if (this.#length === this.#items.length) this.reserve(Math.max(8, this.#length * 2));
    positions[slot] = this.#length;
    this.#items[this.#length++] = slot;
  }

  /** The last takes the place of the one removed. */
  remove(slot: number, positions: Int32Array): void {
    const at = positions[slot] as number;
    assert(this.#items[at] === slot, "removes what is in the list");
    const last = --this.#length;
    if (at !== last) {
      const moved = this.#items[last] as number;
      this.#items[at] = moved;
      positions[moved] = at;
    }
    positions[slot] = -1;
  }

  swap(i: number, j: number, positions: Int32Array): void {
    if (i === j) return;
    const a = this.#items[i] as number;
    const b = this.#items[j] as number;
    this.#items[i] = b;
    this.#items[j] = a;
    positions[a] = j;
    positions[b] = i;
  }
}

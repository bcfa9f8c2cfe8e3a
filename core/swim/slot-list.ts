/**
 * A dense array of slots, for uniform random picks and constant-time removal. Where each slot
 * stands is kept by the owner, with whatever else it keeps of a slot.
 */
import { assert } from "../base/assert.ts";

export class SlotList {
  #items = new Int32Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  at(index: number): number {
    return this.#items[index] as number;
  }

  /** Returns where it stands. */
  push(slot: number): number {
    if (this.#length === this.#items.length) this.reserve(Math.max(8, this.#length * 2));
    this.#items[this.#length] = slot;
    return this.#length++;
  }

  /** The last takes the place of the one removed; returns it, or −1 if it was the last itself. */
  removeAt(index: number): number {
    assert(index >= 0 && index < this.#length, "removes what is in the list");
    const last = this.#items[--this.#length] as number;
    if (index === this.#length) return -1;
    this.#items[index] = last;
    return last;
  }

  swap(i: number, j: number): void {
    assert(i < this.#length && j < this.#length, "swaps what is in the list");
    const held = this.#items[i] as number;
    this.#items[i] = this.#items[j] as number;
    this.#items[j] = held;
  }

  /** Takes the place of an empty list. @param slots not to be used by anybody else from now on. */
  adopt(slots: Int32Array<ArrayBuffer>): void {
    assert(this.#length === 0, "only an empty list is replaced");
    this.#items = slots;
    this.#length = slots.length;
  }

  /** Makes room for so many, so that a list of known length is as large as it must be. */
  reserve(capacity: number): void {
    if (capacity <= this.#items.length) return;
    const items = new Int32Array(capacity);
    items.set(this.#items);
    this.#items = items;
  }
}

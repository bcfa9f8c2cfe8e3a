/**
 * Binary heaps. `KeyedHeap` is for schedules: numeric keys in flat arrays, equal keys come out in
 * the order in which they went in, and neither push nor pop allocates. `Heap` takes a comparator.
 */
import { assert } from "./assert.ts";

export class KeyedHeap<T> {
  #keys: Float64Array;
  #seqs: Float64Array;
  readonly #values: (T | undefined)[] = [];
  #size = 0;
  #nextSeq = 0;

  /** @param capacity items to make room for at first; it doubles as needed. */
  constructor(capacity = 64) {
    assert(capacity > 0, "a heap has room");
    this.#keys = new Float64Array(capacity);
    this.#seqs = new Float64Array(capacity);
  }

  get size(): number {
    return this.#size;
  }

  /** Smallest key; Infinity when empty. */
  get minKey(): number {
    return this.#size === 0 ? Infinity : (this.#keys[0] as number);
  }

  /** The value that `pop` would give. */
  peek(): T | undefined {
    return this.#values[0];
  }

  /** @param key any number but NaN. */
  push(key: number, value: T): void {
    assert(key === key, "a key has an order");
    if (this.#size === this.#keys.length) this.#grow();
    const keys = this.#keys;
    const seqs = this.#seqs;
    const values = this.#values;
    const seq = this.#nextSeq++;
    let at = this.#size++;
    // A new item goes behind its equals, so only a strictly larger parent sinks.
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const parentKey = keys[parent] as number;
      if (parentKey <= key) break;
      keys[at] = parentKey;
      seqs[at] = seqs[parent] as number;
      values[at] = values[parent];
      at = parent;
    }
    keys[at] = key;
    seqs[at] = seq;
    values[at] = value;
  }

  /** The value with the smallest key, the oldest of equals; undefined when empty. */
  pop(): T | undefined {
    if (this.#size === 0) return undefined;
    const values = this.#values;
    const top = values[0];
    const last = --this.#size;
    const value = values[last];
    values[last] = undefined;
    if (last > 0) this.#sink(this.#keys[last] as number, this.#seqs[last] as number, value);
    return top;
  }

  clear(): void {
    this.#values.length = 0;
    this.#size = 0;
  }

  /** Puts an item down from the root. */
  #sink(key: number, seq: number, value: T | undefined): void {
    const keys = this.#keys;
    const seqs = this.#seqs;
    const values = this.#values;
    const size = this.#size;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      let childKey = keys[child] as number;
      const right = child + 1;
      if (right < size) {
        const rightKey = keys[right] as number;
        if (
          rightKey < childKey ||
          (rightKey === childKey && (seqs[right] as number) < (seqs[child] as number))
        ) {
          child = right;
          childKey = rightKey;
        }
      }
      if (key < childKey || (key === childKey && seq < (seqs[child] as number))) break;
      keys[at] = childKey;
      seqs[at] = seqs[child] as number;
      values[at] = values[child];
      at = child;
    }
    keys[at] = key;
    seqs[at] = seq;
    values[at] = value;
  }

  #grow(): void {
    const keys = new Float64Array(this.#keys.length * 2);
    const seqs = new Float64Array(this.#keys.length * 2);
    keys.set(this.#keys);
    seqs.set(this.#seqs);
    this.#keys = keys;
    this.#seqs = seqs;
  }
}

/** Items leave in the order of `compare`; for a stable order the comparator breaks ties itself. */
export class Heap<T> {
  readonly #items: T[] = [];
  readonly #compare: (a: T, b: T) => number;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    const items = this.#items;
    let at = items.length;
    items.push(item);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = items[parent] as T;
      if (this.#compare(above, item) <= 0) break;
      items[at] = above;
      at = parent;
    }
    items[at] = item;
  }

  pop(): T | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (items.length === 0 || last === undefined) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= items.length) break;
      const right = child + 1;
      if (right < items.length && this.#compare(items[right] as T, items[child] as T) < 0) {
        child = right;
      }
      const below = items[child] as T;
      if (this.#compare(last, below) <= 0) break;
      items[at] = below;
      at = child;
    }
    items[at] = last;
    return top;
  }

  clear(): void {
    this.#items.length = 0;
  }
}

/** Growable typed columns: amortised doubling, one buffer each, cut to size when the trace is finished. */

export type TypedArray =
  | Float64Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** Room for at least `needed` items, keeping what is there; the old array if it is large enough. */
export function grown<T extends TypedArray>(array: T, needed: number): T {
  if (needed <= array.length) return array;
  const size = Math.max(needed, Math.ceil(array.length * 1.5), 64);
  const Type = array.constructor as new (length: number) => T;
  const larger = new Type(size);
  (larger as Uint8Array).set(array as Uint8Array);
  return larger;
}

/** An append-only list of 32-bit integers. */
export class IntList {
  #items: Int32Array<ArrayBuffer>;
  #length = 0;

  constructor(capacity = 64) {
    this.#items = new Int32Array(capacity);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#items.length) this.#items = grown(this.#items, this.#length + 1);
    this.#items[this.#length++] = value;
  }

  at(index: number): number {
    return this.#items[index] as number;
  }

  set(index: number, value: number): void {
    this.#items[index] = value;
  }

  /** A copy of exactly the items pushed so far. */
  toArray(): Int32Array<ArrayBuffer> {
    return this.#items.slice(0, this.#length);
  }
}

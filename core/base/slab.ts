/**
 * Copies of short byte strings, carved out of shared buffers. A Uint8Array of more than 64 bytes
 * with a buffer of its own costs about a microsecond in V8, a view of a buffer that exists a
 * twentieth of that; at hundreds of thousands of messages a second this decides.
 *
 * A view keeps its whole slab alive. So what lives long and what is gone at once come from
 * different slabs, and whoever sends a view to another thread copies it first, since a
 * structured clone would take the whole slab along.
 */
import { assert } from "./assert.ts";

/** V8 keeps typed arrays up to this size inside its own heap: cheap, and sharing nothing. */
export const inHeapBytes = 64;

export class Slab {
  readonly #slabBytes: number;
  #slab: Uint8Array;
  #used = 0;

  /** @param slabBytes size of the shared buffers; what is longer than a quarter gets a buffer of its own. */
  constructor(slabBytes: number) {
    assert(slabBytes >= 4 * inHeapBytes, "a slab holds several pieces");
    this.#slabBytes = slabBytes;
    this.#slab = new Uint8Array(0);
  }

  /** A copy of `source[from, to)`. Nothing else writes to its bytes. */
  copy(source: Uint8Array, from: number, to: number): Uint8Array {
    const size = to - from;
    if (size <= inHeapBytes || size > this.#slabBytes >> 2) return source.slice(from, to);
    if (this.#used + size > this.#slab.length) {
      this.#slab = new Uint8Array(this.#slabBytes);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += size;
    const slab = this.#slab;
    if (size <= 128) for (let i = 0; i < size; i++) slab[start + i] = source[from + i] as number;
    else slab.set(source.subarray(from, to), start);
    return slab.subarray(start, start + size);
  }
}

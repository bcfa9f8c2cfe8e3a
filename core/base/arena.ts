/**
 * Integer arrays that are made by the thousand and live as long as one another, cut from large
 * buffers. Every buffer outside V8's heap brings its next garbage collection nearer by its size,
 * and a collection looks at all that lives: ten thousand lists of members made one by one are
 * half a hundred collections, and cut from a few buffers they are a dozen.
 */
import { assert } from "./assert.ts";

const firstWords = 1024;
/** 256 MB. What is left of a buffer when the next array does not fit is lost. */
const maxWords = 64 * 1024 * 1024;

export class Arena {
  #buffer = new Int32Array(0);
  #used = 0;
  #nextWords = firstWords;

  /** An array of zeros. */
  take(length: number): Int32Array<ArrayBuffer> {
    assert(length >= 0 && Number.isInteger(length), "an array has a whole length");
    if (this.#used + length > this.#buffer.length) {
      this.#buffer = new Int32Array(Math.max(length, this.#nextWords));
      this.#nextWords = Math.min(maxWords, this.#buffer.length * 2);
      this.#used = 0;
    }
    const start = this.#used;
    this.#used += length;
    return this.#buffer.subarray(start, start + length);
  }
}

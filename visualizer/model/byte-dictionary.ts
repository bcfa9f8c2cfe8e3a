import { grown } from "./grow.ts";

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/**
 * Numbers for byte strings: `intern` gives equal bytes the same id, without making a JavaScript
 * string of them. Open addressing with linear probing over 32-bit FNV-1a hashes.
 */
export class ByteDictionary {
  #pool = new Uint8Array(1024);
  #poolLength = 0;
  #starts = new Int32Array(256);
  #hashes = new Int32Array(256);
  #count = 0;
  /** Slot → id + 1, 0 for free. The size is a power of two and at least twice the count. */
  #slots = new Int32Array(512);

  get size(): number {
    return this.#count;
  }

  /** The id of `bytes[start, end)`, a new one if they were never seen. */
  intern(bytes: Uint8Array, start: number, end: number): number {
    let hash = 0x811c9dc5 | 0;
    for (let i = start; i < end; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193);
    const mask = this.#slots.length - 1;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const id = (this.#slots[slot] as number) - 1;
      if (id < 0) break;
      if (this.#hashes[id] === hash && this.#equals(id, bytes, start, end)) return id;
      slot = (slot + 1) & mask;
    }
    return this.#add(bytes, start, end, hash, slot);
  }

  internText(text: string): number {
    const bytes = encoder.encode(text);
    return this.intern(bytes, 0, bytes.length);
  }

  text(id: number): string {
    const [start, end] = this.#range(id);
    return decoder.decode(this.#pool.subarray(start, end));
  }

  #range(id: number): [number, number] {
    const end = id + 1 < this.#count ? (this.#starts[id + 1] as number) : this.#poolLength;
    return [this.#starts[id] as number, end];
  }

  #equals(id: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#starts[id] as number;
    const to = id + 1 < this.#count ? (this.#starts[id + 1] as number) : this.#poolLength;
    if (to - from !== end - start) return false;
    const pool = this.#pool;
    for (let i = start, j = from; i < end; i++, j++) if (pool[j] !== bytes[i]) return false;
    return true;
  }

  #add(bytes: Uint8Array, start: number, end: number, hash: number, slot: number): number {
    const id = this.#count++;
    const length = end - start;
    this.#pool = grown(this.#pool, this.#poolLength + length);
    this.#pool.set(bytes.subarray(start, end), this.#poolLength);
    this.#starts = grown(this.#starts, this.#count);
    this.#hashes = grown(this.#hashes, this.#count);
    this.#starts[id] = this.#poolLength;
    this.#hashes[id] = hash;
    this.#poolLength += length;
    this.#slots[slot] = id + 1;
    if (this.#count * 2 > this.#slots.length) this.#rehash();
    return id;
  }

  #rehash(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const mask = slots.length - 1;
    for (let id = 0; id < this.#count; id++) {
      const hash = this.#hashes[id] as number;
      let slot = (hash ^ (hash >>> 15)) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = id + 1;
    }
    this.#slots = slots;
  }
}

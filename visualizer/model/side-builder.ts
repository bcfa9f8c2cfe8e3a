import { grown, IntList } from "./grow.ts";
import type { SideLines } from "./trace.ts";

/** Keeps whole lines in one buffer. */
export class SideBuilder {
  #bytes = new Uint8Array(4096);
  #length = 0;
  #offsets = new IntList();

  constructor() {
    this.#offsets.push(0);
  }

  /** Index of the line added last; −1 before the first. */
  get last(): number {
    return this.#offsets.length - 2;
  }

  add(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    this.#bytes = grown(this.#bytes, this.#length + length);
    this.#bytes.set(bytes.subarray(start, end), this.#length);
    this.#length += length;
    this.#offsets.push(this.#length);
  }

  lines(): SideLines {
    return { bytes: this.#bytes.slice(0, this.#length), offsets: this.#offsets.toArray() };
  }
}

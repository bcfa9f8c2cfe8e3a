import { grown } from "./grow.ts";

/**
 * Non-negative integer → non-negative integer. An array where the keys are dense, which message
 * ids and version numbers nearly always are; a Map for what lies far outside.
 */
export class IndexMap {
  #dense = new Int32Array(1024).fill(-1);
  #sparse = new Map<number, number>();
  #entries = 0;

  /** −1 if there is no such key. */
  get(key: number): number {
    const value = key < this.#dense.length ? (this.#dense[key] as number) : -1;
    if (value >= 0 || this.#sparse.size === 0) return value;
    return this.#sparse.get(key) ?? -1;
  }

  set(key: number, value: number): void {
    this.#entries++;
    if (key >= this.#dense.length) {
      if (key > this.#entries * 4 + 4096) {
        this.#sparse.set(key, value);
        return;
      }
      const before = this.#dense.length;
      this.#dense = grown(this.#dense, key + 1);
      this.#dense.fill(-1, before);
    }
    this.#dense[key] = value;
  }
}

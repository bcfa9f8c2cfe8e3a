/**
 * Since when every live node has held the same state. Kept as states change, not by comparing all:
 * where all are equal the sum over the nodes is a multiple of each, so one addition tells nearly
 * always that they are not.
 */
import { hashOfSummary } from "../core/crdt/state-summary.ts";
import type { WireHash } from "../core/wire/wire-hash.ts";
import type { SimNode } from "./host/node.ts";
import type { Kernel } from "./kernel.ts";

export class Agreement {
  /** −1 while the live nodes differ. */
  sinceUs = 0;
  readonly #kernel: Kernel;
  /** By node; null: not live. */
  readonly #hashes: (WireHash | null)[] = [];
  /** What all of them have, while they agree. */
  #common: WireHash | null = null;
  #live = 0;
  #sumHi = 0;
  #sumLo = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** How many different states there are. */
  get states(): number {
    const seen = new Set<string>();
    for (const hash of this.#hashes) if (hash !== null) seen.add(`${hash.hi}/${hash.lo}`);
    return seen.size;
  }

  /** A live node's state, new or changed. */
  changed(node: SimNode): void {
    if (!node.live) return;
    this.#drop(node.n);
    const hash = hashOfSummary(node.summary);
    this.#hashes[node.n] = hash;
    this.#live++;
    this.#sumHi = (this.#sumHi + hash.hi) | 0;
    this.#sumLo = (this.#sumLo + hash.lo) | 0;
    this.#judge(hash);
  }

  /** A node is live no more. */
  gone(node: SimNode): void {
    this.#drop(node.n);
    this.#judge(this.#hashes.find((hash) => hash !== null) ?? null);
  }

  #drop(n: number): void {
    while (this.#hashes.length <= n) this.#hashes.push(null);
    const hash = this.#hashes[n] as WireHash | null;
    if (hash === null) return;
    this.#hashes[n] = null;
    this.#live--;
    this.#sumHi = (this.#sumHi - hash.hi) | 0;
    this.#sumLo = (this.#sumLo - hash.lo) | 0;
  }

  /** @param one the state of any live node: that of the one that changed. */
  #judge(one: WireHash | null): void {
    if (one !== null && !this.#allAre(one)) {
      this.sinceUs = -1;
      this.#common = null;
    } else {
      if (this.sinceUs < 0) this.sinceUs = this.#kernel.nowUs;
      this.#common = one;
    }
  }

  #allAre({ hi, lo }: WireHash): boolean {
    const common = this.#common;
    if (common !== null && common.hi === hi && common.lo === lo) return true;
    if (Math.imul(hi, this.#live) !== this.#sumHi || Math.imul(lo, this.#live) !== this.#sumLo) {
      return false;
    }
    return this.#hashes.every((hash) => hash === null || (hash.hi === hi && hash.lo === lo));
  }
}

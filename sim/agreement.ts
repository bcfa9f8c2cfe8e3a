/** Since when every live node has held the same state. Kept as states change, not by comparing all. */
import type { SimNode } from "./host/node.ts";
import type { Kernel } from "./kernel.ts";

export class Agreement {
  /** −1 while the live nodes differ. */
  sinceUs = 0;
  readonly #kernel: Kernel;
  /** How many live nodes hold each state. */
  readonly #counts = new Map<string, number>();
  readonly #hashes: (string | undefined)[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** How many different states there are. */
  get states(): number {
    return this.#counts.size;
  }

  /** A live node's state, new or changed. */
  changed(node: SimNode): void {
    if (!node.live) return;
    this.#drop(node.n);
    const { hash } = node.summary;
    this.#hashes[node.n] = hash;
    this.#counts.set(hash, (this.#counts.get(hash) ?? 0) + 1);
    this.#judge();
  }

  /** A node is live no more. */
  gone(node: SimNode): void {
    this.#drop(node.n);
    this.#hashes[node.n] = undefined;
    this.#judge();
  }

  #drop(n: number): void {
    const hash = this.#hashes[n];
    if (hash === undefined) return;
    const count = (this.#counts.get(hash) as number) - 1;
    if (count === 0) this.#counts.delete(hash);
    else this.#counts.set(hash, count);
  }

  #judge(): void {
    if (this.#counts.size > 1) this.sinceUs = -1;
    else if (this.sinceUs < 0) this.sinceUs = this.#kernel.nowUs;
  }
}

/**
 * On a machine that has more to do than it can, a wake-up of a program that has not run for a while
 * costs many times what it does once it runs, and every version wakes two programs on every node. So
 * where this node's timers are late, which tells that its cores are taken, what it commits waits a
 * little for more of the like, and goes out together: the others take it together too, with one
 * signature to check and one transaction. Where there is time, nothing waits.
 */
import type { Contention } from "../net/contention.ts";

/** On a busy machine. A batch has passed thirty nodes on two cores when the next one leaves. */
const maxWaitMs = 50;
/** So many go without more company: sending them takes a few milliseconds. */
const maxItems = 256;

export class Gathering<T> {
  readonly #contention: Contention;
  readonly #release: (item: T) => void;
  #items: T[] = [];
  #timer: NodeJS.Timeout | null = null;
  #dueMs = 0;

  /** @param release is handed what was put in, in its order. */
  constructor(contention: Contention, release: (item: T) => void) {
    this.#contention = contention;
    this.#release = release;
  }

  put(item: T): void {
    const waitMs = this.#timer === null ? this.#contention.busy * maxWaitMs : 0;
    if (this.#timer === null && waitMs < 1) {
      this.#release(item);
      return;
    }
    this.#items.push(item);
    if (this.#items.length >= maxItems) this.flush();
    else if (this.#timer === null) {
      this.#dueMs = performance.now() + waitMs;
      this.#timer = setTimeout(() => this.#due(), waitMs);
    }
  }

  /** Lets go of what waits. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const items = this.#items;
    this.#items = [];
    for (const item of items) this.#release(item);
  }

  #due(): void {
    this.#contention.late(Math.max(0, performance.now() - this.#dueMs));
    this.flush();
  }
}

/**
 * The protocol's timers: a heap and one timer of the event loop. What has arrived is handled before
 * what is due: after a standstill a node first hears what it missed and only then believes its
 * timers. The event loop runs timers first, so those that are due wait for its check phase.
 */
import { KeyedHeap } from "../../core/base/heap.ts";

export class DueTimers {
  readonly #fire: (token: number) => void;
  readonly #late: (ms: number) => void;
  readonly #heap = new KeyedHeap<number>();
  #timer: NodeJS.Timeout | null = null;
  #timerMs = Infinity;
  #stopped = false;

  /** @param late is told by how much each round of timers was late, in ms: the delay of the loop. */
  constructor(fire: (token: number) => void, late: (ms: number) => void) {
    this.#fire = fire;
    this.#late = late;
  }

  get size(): number {
    return this.#heap.size;
  }

  /** @param nowMs of `performance.now()` */
  add(nowMs: number, token: number, delayMs: number): void {
    this.#heap.push(nowMs + delayMs, token);
    this.#arm(nowMs);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#heap.clear();
  }

  #arm(nowMs: number): void {
    const dueMs = this.#heap.minKey;
    if (this.#stopped || dueMs >= this.#timerMs || dueMs === Infinity) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerMs = dueMs;
    // Node.js takes delays of a millisecond at least, and may fire a fraction early.
    const delayMs = Math.max(1, Math.ceil(dueMs - nowMs));
    this.#timer = setTimeout(() => setImmediate(() => this.#run()), delayMs);
  }

  #run(): void {
    const nowMs = performance.now();
    this.#late(Math.max(0, nowMs - this.#timerMs));
    this.#timer = null;
    this.#timerMs = Infinity;
    // Timers that these set are for the next round, however short.
    for (let left = this.#heap.size; left > 0 && this.#heap.minKey <= nowMs; left--) {
      const token = this.#heap.pop();
      if (this.#stopped || token === undefined) return;
      this.#fire(token);
    }
    this.#arm(performance.now());
  }
}

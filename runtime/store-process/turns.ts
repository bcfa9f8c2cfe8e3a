/**
 * Whose turn it is in the store process: transactions of clients go before what the node asks, but
 * that waits no longer than its bound. One piece of work is done after another, and between two of them
 * whatever has arrived is taken in.
 */
import { machineMs } from "../ipc/clock.ts";

/** What the node asks waits at most so long behind transactions of clients. */
const maxNodeWaitMs = 20;

export type Asker = "client" | "node";

interface Task {
  readonly sinceMs: number;
  run(): void;
}

type Schedule = (turn: () => void) => void;

export class Turns {
  readonly #clients: Task[] = [];
  readonly #node: Task[] = [];
  readonly #now: () => number;
  readonly #atOnce: Schedule;
  readonly #soon: Schedule;
  #scheduled = false;

  /** @param atOnce calls back when a piece of a connection was read. @param soon after all connections were. */
  constructor(
    now: () => number = machineMs,
    atOnce: Schedule = queueMicrotask,
    soon: Schedule = (turn) => void setImmediate(turn),
  ) {
    this.#now = now;
    this.#atOnce = atOnce;
    this.#soon = soon;
  }

  add(asker: Asker, run: () => void): void {
    (asker === "client" ? this.#clients : this.#node).push({ sinceMs: this.#now(), run });
    this.#schedule(this.#atOnce);
  }

  #schedule(when: Schedule): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    when(() => {
      this.#scheduled = false;
      const task = this.#next();
      if (this.#clients.length + this.#node.length > 0) this.#schedule(this.#soon);
      task?.run();
    });
  }

  #next(): Task | undefined {
    const [first] = this.#node;
    const overdue = first !== undefined && this.#now() - first.sinceMs > maxNodeWaitMs;
    return overdue || this.#clients.length === 0 ? this.#node.shift() : this.#clients.shift();
  }
}

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

export class Turns {
  readonly #clients: Task[] = [];
  readonly #node: Task[] = [];
  readonly #now: () => number;
  readonly #soon: (turn: () => void) => void;
  #scheduled = false;

  /** @param soon calls back after what has arrived was taken in. */
  constructor(
    now: () => number = machineMs,
    soon: (turn: () => void) => void = (turn) => void setImmediate(turn),
  ) {
    this.#now = now;
    this.#soon = soon;
  }

  add(asker: Asker, run: () => void): void {
    (asker === "client" ? this.#clients : this.#node).push({ sinceMs: this.#now(), run });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#soon(() => {
      this.#scheduled = false;
      const task = this.#next();
      if (this.#clients.length + this.#node.length > 0) this.#schedule();
      task?.run();
    });
  }

  #next(): Task | undefined {
    const [first] = this.#node;
    const overdue = first !== undefined && this.#now() - first.sinceMs > maxNodeWaitMs;
    return overdue || this.#clients.length === 0 ? this.#node.shift() : this.#clients.shift();
  }
}

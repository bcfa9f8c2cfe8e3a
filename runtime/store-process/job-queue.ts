/**
 * What the node itself asks of the store, in two lanes: what the protocol asks goes before upkeep, but
 * neither waits longer than its bound.
 */
import type { StoreAnswer, StoreCommand } from "./messages.ts";

export type Lane = "remote" | "upkeep";

export interface Job {
  readonly command: StoreCommand;
  readonly queuedMs: number;
  done(answer: StoreAnswer): void;
}

/** Whether it may leave the database other than it was. */
export function changes(command: StoreCommand): boolean {
  if (command.type === "migrate") return true;
  if (command.type !== "protocol") return false;
  return command.request.type === "receive" || command.request.type === "mergeRows";
}

/** Upkeep waits at most so long for its turn. */
const maxUpkeepWaitMs = 2000;

export class JobQueue {
  readonly #remote: Job[] = [];
  readonly #upkeep: Job[] = [];

  get remote(): number {
    return this.#remote.length;
  }

  add(lane: Lane, job: Job): void {
    (lane === "remote" ? this.#remote : this.#upkeep).push(job);
  }

  /** Puts back what a process that ended had not finished, in front and in its order. */
  putBack(jobs: readonly Job[]): void {
    this.#remote.unshift(...jobs);
  }

  /** @param idle nothing of these is with the store. */
  next(nowMs: number, idle: boolean): Job | null {
    const [upkeep] = this.#upkeep;
    if (upkeep !== undefined && nowMs - upkeep.queuedMs > maxUpkeepWaitMs) {
      return this.#upkeep.shift() ?? null;
    }
    const job = this.#remote.shift();
    if (job !== undefined) return job;
    return idle ? (this.#upkeep.shift() ?? null) : null;
  }
}

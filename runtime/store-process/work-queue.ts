/**
 * What waits for the store, in three lanes: transactions of clients, what the protocol asks, and
 * upkeep. Earlier lanes go first, but none waits longer than its bound for its turn.
 */
import type { StoreAnswer, StoreCommand } from "./messages.ts";
import { maxGroupMembers } from "./outcome-table.ts";

/** A client's transaction. */
export interface Waiting {
  readonly id: number;
  readonly body: Uint8Array;
  /** `machineMs`; null: it may take for ever. */
  readonly deadlineMs: number | null;
  readonly key: string | null;
  /** The process ended while this was under way: it runs by itself from now on. */
  crashes: number;
  answered: boolean;
}

export interface Job {
  readonly command: Exclude<StoreCommand, { type: "group" }>;
  readonly queuedMs: number;
  done(answer: StoreAnswer): void;
}

/** What is with the store: one command. */
export type Work =
  | { readonly type: "group"; readonly group: number; readonly members: readonly Waiting[] }
  | { readonly type: "job"; readonly lane: "remote" | "upkeep"; readonly job: Job };

/** Whether it may leave the database other than it was. */
export function changes(command: Job["command"]): boolean {
  if (command.type === "migrate") return true;
  if (command.type !== "protocol") return false;
  return command.request.type === "receive" || command.request.type === "mergeRows";
}

export function hasDeadline(members: readonly Waiting[]): boolean {
  return members.some(({ deadlineMs }) => deadlineMs !== null);
}

/** Transactions that wait, and their bytes; more are refused. */
export const maxWaiting = 10_000;
export const maxWaitingBytes = 256 * 1024 * 1024;
/** Statements of one group, in bytes: a large transaction is committed by itself. */
const maxGroupBytes = 1024 * 1024;
/** What peers sent waits at most so long behind transactions of clients… */
const maxRemoteWaitMs = 20;
/** …and upkeep behind both. */
const maxUpkeepWaitMs = 2000;

export class WorkQueue {
  #transactions: Waiting[] = [];
  #bytes = 0;
  readonly #remote: Job[] = [];
  readonly #upkeep: Job[] = [];
  #nextGroup: number;

  /** @param firstGroup above every number given before on this database. */
  constructor(firstGroup: number) {
    this.#nextGroup = firstGroup;
  }

  get transactions(): number {
    return this.#transactions.length;
  }

  get remote(): number {
    return this.#remote.length;
  }

  get isEmpty(): boolean {
    return this.#transactions.length + this.#remote.length + this.#upkeep.length === 0;
  }

  /** False when too much waits already. */
  addTransaction(waiting: Waiting): boolean {
    const full =
      this.#transactions.length >= maxWaiting ||
      this.#bytes + waiting.body.length > maxWaitingBytes;
    if (full && this.#transactions.length > 0) return false;
    this.#transactions.push(waiting);
    this.#bytes += waiting.body.length;
    return true;
  }

  addJob(lane: "remote" | "upkeep", job: Job): void {
    (lane === "remote" ? this.#remote : this.#upkeep).push(job);
  }

  /** Puts back what a process that ended had not finished, in front and in its order. */
  putBack(transactions: readonly Waiting[], jobs: readonly Job[]): void {
    this.#transactions = [...transactions, ...this.#transactions];
    for (const { body } of transactions) this.#bytes += body.length;
    this.#remote.unshift(...jobs);
  }

  /** @param idle nothing is with the store. */
  next(nowMs: number, idle: boolean): Work | null {
    const overdue = (lane: readonly Job[], boundMs: number): boolean =>
      lane[0] !== undefined && nowMs - lane[0].queuedMs > boundMs;
    if (overdue(this.#upkeep, maxUpkeepWaitMs)) return this.#job("upkeep");
    if (overdue(this.#remote, maxRemoteWaitMs)) return this.#job("remote");
    if (this.#transactions.length > 0) return this.#group();
    if (this.#remote.length > 0) return this.#job("remote");
    return idle && this.#upkeep.length > 0 ? this.#job("upkeep") : null;
  }

  #job(lane: "remote" | "upkeep"): Work {
    const job = (lane === "remote" ? this.#remote : this.#upkeep).shift() as Job;
    return { type: "job", lane, job };
  }

  #group(): Work {
    const members: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#transactions) {
      const alone = waiting.crashes > 0;
      const full = members.length >= maxGroupMembers || bytes + waiting.body.length > maxGroupBytes;
      if (members.length > 0 && (alone || full)) break;
      members.push(waiting);
      bytes += waiting.body.length;
      if (alone) break;
    }
    this.#transactions.splice(0, members.length);
    this.#bytes -= bytes;
    return { type: "group", group: this.#nextGroup++, members };
  }

  /** Takes out the transactions whose time is over. */
  takeOverdue(nowMs: number): Waiting[] {
    const late = (waiting: Waiting): boolean =>
      waiting.deadlineMs !== null && waiting.deadlineMs <= nowMs;
    const overdue = this.#transactions.filter(late);
    if (overdue.length === 0) return overdue;
    this.#transactions = this.#transactions.filter((waiting) => !late(waiting));
    for (const { body } of overdue) this.#bytes -= body.length;
    return overdue;
  }

  /** Takes out all transactions, for a store that is gone. */
  takeAll(): Waiting[] {
    const all = this.#transactions;
    this.#transactions = [];
    this.#bytes = 0;
    return all;
  }

  /** The earliest deadline of a transaction that waits. */
  earliestMs(): number {
    let earliest = Infinity;
    for (const { deadlineMs } of this.#transactions) {
      if (deadlineMs !== null && deadlineMs < earliest) earliest = deadlineMs;
    }
    return earliest;
  }
}

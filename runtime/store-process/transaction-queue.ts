/** Transactions of clients that wait for the store, and how they share commits. */
import { maxGroupMembers } from "./outcome-table.ts";
import type { PlainResult, PlainStatement } from "./result.ts";

/** A client's transaction. */
export interface Waiting {
  readonly statements: readonly PlainStatement[];
  /** About what the statements take. */
  readonly bytes: number;
  /** `machineMs`; null: it may take for ever. */
  readonly deadlineMs: number | null;
  readonly key: string | null;
  /** Told once. */
  readonly done: (result: PlainResult) => void;
  /** The process ended while this was under way: it runs by itself from now on. */
  crashes: number;
  answered: boolean;
}

/** Transactions that are committed together. */
export interface Group {
  readonly group: number;
  readonly members: readonly Waiting[];
}

/** Transactions that wait, and their bytes; more are refused. */
export const maxWaiting = 10_000;
export const maxWaitingBytes = 256 * 1024 * 1024;
/** Statements of one group, in bytes: a large transaction is committed by itself. */
const maxGroupBytes = 1024 * 1024;

export class TransactionQueue {
  #waiting: Waiting[] = [];
  #bytes = 0;
  #nextGroup: number;

  /** @param firstGroup above every number given before on this database. */
  constructor(firstGroup: number) {
    this.#nextGroup = firstGroup;
  }

  get size(): number {
    return this.#waiting.length;
  }

  /** False when too much waits already. */
  add(waiting: Waiting): boolean {
    const full =
      this.#waiting.length >= maxWaiting || this.#bytes + waiting.bytes > maxWaitingBytes;
    if (full && this.#waiting.length > 0) return false;
    this.#waiting.push(waiting);
    this.#bytes += waiting.bytes;
    return true;
  }

  /** Puts back what a process that ended had not finished, in front and in its order. */
  putBack(list: readonly Waiting[]): void {
    this.#waiting = [...list, ...this.#waiting];
    for (const { bytes } of list) this.#bytes += bytes;
  }

  next(): Group | null {
    if (this.#waiting.length === 0) return null;
    const members: Waiting[] = [];
    let bytes = 0;
    for (const waiting of this.#waiting) {
      const alone = waiting.crashes > 0;
      const full = members.length >= maxGroupMembers || bytes + waiting.bytes > maxGroupBytes;
      if (members.length > 0 && (alone || full)) break;
      members.push(waiting);
      bytes += waiting.bytes;
      if (alone) break;
    }
    this.#waiting.splice(0, members.length);
    this.#bytes -= bytes;
    return { group: this.#nextGroup++, members };
  }

  /** Takes out the transactions whose time is over. */
  takeOverdue(nowMs: number): Waiting[] {
    const late = (waiting: Waiting): boolean =>
      waiting.deadlineMs !== null && waiting.deadlineMs <= nowMs;
    const overdue = this.#waiting.filter(late);
    if (overdue.length === 0) return overdue;
    this.#waiting = this.#waiting.filter((waiting) => !late(waiting));
    for (const { bytes } of overdue) this.#bytes -= bytes;
    return overdue;
  }

  /** Takes out all of them, for a store that is gone. */
  takeAll(): Waiting[] {
    const all = this.#waiting;
    this.#waiting = [];
    this.#bytes = 0;
    return all;
  }

  /** The earliest deadline of one that waits. */
  earliestMs(): number {
    return earliestOf(this.#waiting);
  }
}

/** `machineMs`; Infinity where none has a deadline. */
export function earliestOf(list: readonly Waiting[]): number {
  let earliest = Infinity;
  for (const { deadlineMs, answered } of list) {
    if (!answered && deadlineMs !== null && deadlineMs < earliest) earliest = deadlineMs;
  }
  return earliest;
}

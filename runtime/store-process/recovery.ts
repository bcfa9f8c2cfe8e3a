/** What becomes of the transactions that a store process was at when it ended. */
import type { PlainError, PlainResult } from "./result.ts";
import type { CommittedGroup } from "./messages.ts";
import type { Group, Waiting } from "./transaction-queue.ts";

/** Why a transaction is not run, or not again. */
export type Refusal = Pick<PlainError, "code" | "message">;

export const refusals = {
  timedOut: {
    code: "timeout",
    message: "the transaction took longer than its timeout; nothing of it was kept",
  },
  overloaded: {
    code: "overloaded",
    message: "too many transactions wait for the store; try again later",
  },
  shuttingDown: { code: "shutting_down", message: "the node is stopping" },
  crashed: {
    code: "store_failed",
    message: "the store process ended while it ran this transaction; the node's log says more",
  },
} as const satisfies Record<string, Refusal>;

/** A transaction that ends the process so often is the reason for it. */
const maxCrashes = 2;

export interface Recovered {
  readonly replies: readonly (readonly [member: Waiting, result: PlainResult])[];
  readonly refused: readonly (readonly [member: Waiting, why: Refusal])[];
  /** To be run again, each transaction by itself. */
  readonly again: readonly Waiting[];
}

/**
 * Transactions that were committed are answered as they would have been; of the others those run
 * again that have time left.
 * @param committed the last groups, as the database has them
 * @param wasKilled the process did not end by itself
 */
export function recover(
  lost: readonly Group[],
  committed: readonly CommittedGroup[],
  wasKilled: boolean,
  nowMs: number,
): Recovered {
  const replies: (readonly [Waiting, PlainResult])[] = [];
  const refused: (readonly [Waiting, Refusal])[] = [];
  const again: Waiting[] = [];
  for (const work of lost) {
    const results = committed.find(({ group }) => group === work.group)?.results ?? [];
    work.members.forEach((member, i) => {
      if (member.answered) return;
      const result = results[i];
      member.crashes++;
      if (result !== undefined) replies.push([member, result]);
      else if (member.deadlineMs !== null && member.deadlineMs <= nowMs) {
        refused.push([member, refusals.timedOut]);
      } else if (!wasKilled && member.crashes > maxCrashes) {
        refused.push([member, refusals.crashed]);
      } else again.push(member);
    });
  }
  return { replies, refused, again };
}

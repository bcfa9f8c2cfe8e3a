/** What waits for the store process, and what becomes of it when the process ends. */
import { describe, expect, test } from "vitest";
import { type Job, JobQueue } from "../../../runtime/store-process/job-queue.ts";
import { recover } from "../../../runtime/store-process/recovery.ts";
import type { PlainResult, PlainStatement } from "../../../runtime/store-process/result.ts";
import {
  type Group,
  maxWaiting,
  TransactionQueue,
  type Waiting,
} from "../../../runtime/store-process/transaction-queue.ts";
import { Turns } from "../../../runtime/store-process/turns.ts";

/** Told apart by its parameter. */
function transaction(id: number, more: Partial<Waiting> = {}): Waiting {
  const statements = [["INSERT INTO t VALUES (?)", [id]]] as const;
  return {
    statements,
    bytes: 30,
    deadlineMs: null,
    key: null,
    done: () => {},
    crashes: 0,
    answered: false,
    ...more,
  };
}

function idOf({ statements }: Waiting): number {
  const [[, parameters]] = statements as [PlainStatement];
  return (parameters as [number])[0];
}
const ids = (group: Group | null): readonly number[] | null => group?.members.map(idOf) ?? null;

describe("transactions that wait", () => {
  test("those that wait together are one group; a large one and one that crashed go alone", () => {
    const queue = new TransactionQueue(1);
    for (const waiting of [
      transaction(1),
      transaction(2),
      transaction(3, { crashes: 1 }),
      transaction(4, { bytes: 2 * 1024 * 1024 }),
      transaction(5),
    ]) {
      expect(queue.add(waiting)).toBe(true);
    }
    const groups = Array.from({ length: 5 }, () => ids(queue.next()));
    expect(groups).toEqual([[1, 2], [3], [4], [5], null]);
  });

  test("there is a bound, and what is overdue leaves", () => {
    const queue = new TransactionQueue(1);
    for (let i = 0; i < maxWaiting; i++) queue.add(transaction(i, { deadlineMs: i }));
    expect(queue.add(transaction(0))).toBe(false);
    expect(queue.earliestMs()).toBe(0);
    expect(queue.takeOverdue(9).map(idOf)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(queue.size).toBe(maxWaiting - 10);
    expect(queue.add(transaction(0))).toBe(true);
  });

  test("what comes back goes in front, in its order", () => {
    const queue = new TransactionQueue(1);
    queue.add(transaction(3));
    queue.putBack([transaction(1, { crashes: 1 }), transaction(2, { crashes: 1 })]);
    const groups = [1, 2, 3].map(() => ids(queue.next()));
    expect(groups).toEqual([[1], [2], [3]]);
  });
});

describe("what the node asks", () => {
  const job = (queuedMs = 0): Job => ({ command: { type: "info" }, queuedMs, done: () => {} });

  test("peers go before upkeep, until that has waited for too long", () => {
    const queue = new JobQueue();
    const remote = job();
    const upkeep = job();
    const order = (nowMs: number): (Job | null)[] => {
      queue.add("upkeep", upkeep);
      queue.add("remote", remote);
      return [queue.next(nowMs, true), queue.next(nowMs, true)];
    };
    expect(order(10)).toEqual([remote, upkeep]);
    expect(order(5000)).toEqual([upkeep, remote]);
  });

  test("upkeep waits until nothing is with the store", () => {
    const queue = new JobQueue();
    const upkeep = job();
    queue.add("upkeep", upkeep);
    expect(queue.next(10, false)).toBeNull();
    expect(queue.next(10, true)).toBe(upkeep);
  });
});

test("in the store clients go before the node, until that has waited for too long", () => {
  let nowMs = 0;
  const due: (() => void)[] = [];
  const later = (turn: () => void): number => due.push(turn);
  const turns = new Turns(() => nowMs, later, later);
  const done: string[] = [];
  const add = (asker: "client" | "node", name: string): void =>
    turns.add(asker, () => done.push(name));
  add("node", "n1");
  add("client", "c1");
  add("client", "c2");
  due.shift()?.();
  nowMs = 30;
  while (due.length > 0) due.shift()?.();
  expect(done).toEqual(["c1", "n1", "c2"]);
});

describe("after the end of a process", () => {
  const result: PlainResult = { type: "committed", version: 7, results: [], seconds: 0 };
  const group = (members: readonly Waiting[]): Group => ({ group: 9, members });

  test("what was committed is answered, what was late is refused, the rest runs again alone", () => {
    const members = [transaction(0), transaction(1, { deadlineMs: 50 }), transaction(2)];
    const found = recover([group(members)], [{ group: 9, results: [result] }], true, 60);
    expect(found.replies).toEqual([[members[0], result]]);
    expect(found.refused.map(([member, { code }]) => [idOf(member), code])).toEqual([
      [1, "timeout"],
    ]);
    expect(found.again.map((member) => [idOf(member), member.crashes])).toEqual([[2, 1]]);
  });

  test("a transaction that ends the process again and again is the reason for it", () => {
    const member = transaction(0);
    for (const expected of [1, 1, 0]) {
      const found = recover([group([member])], [], false, 0);
      expect(found.again).toHaveLength(expected);
    }
    expect(recover([group([member])], [], false, 0).refused[0]?.[1].code).toBe("store_failed");
  });

  test("what was answered is left alone", () => {
    const found = recover([group([transaction(1, { answered: true })])], [], true, 0);
    expect([...found.again, ...found.replies, ...found.refused]).toEqual([]);
  });
});

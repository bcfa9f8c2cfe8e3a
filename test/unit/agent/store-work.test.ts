/** What waits for the store process, and what becomes of it when the process ends. */
import { describe, expect, test } from "vitest";
import { recover } from "../../../runtime/store-process/recovery.ts";
import {
  type Job,
  maxWaiting,
  type Waiting,
  type Work,
  WorkQueue,
} from "../../../runtime/store-process/work-queue.ts";

function transaction(id: number, more: Partial<Waiting> = {}): Waiting {
  const body = new Uint8Array(10);
  return { id, body, deadlineMs: null, key: null, crashes: 0, answered: false, ...more };
}

function job(queuedMs = 0): Job {
  return { command: { type: "info" }, queuedMs, done: () => {} };
}

const ids = (work: Work | null): readonly number[] | string | null =>
  work?.type === "group" ? work.members.map(({ id }) => id) : (work?.lane ?? null);

describe("the queue", () => {
  test("transactions that wait together are one group; a large one and one that crashed go alone", () => {
    const queue = new WorkQueue(1);
    const large = new Uint8Array(2 * 1024 * 1024);
    for (const waiting of [
      transaction(1),
      transaction(2),
      transaction(3, { crashes: 1 }),
      transaction(4, { body: large }),
      transaction(5),
    ]) {
      expect(queue.addTransaction(waiting)).toBe(true);
    }
    const groups = Array.from({ length: 5 }, () => ids(queue.next(0, true)));
    expect(groups).toEqual([[1, 2], [3], [4], [5], null]);
  });

  test("clients go before peers, peers before upkeep, until one has waited for too long", () => {
    const queue = new WorkQueue(1);
    const fill = (): void => {
      queue.addTransaction(transaction(1));
      queue.addJob("remote", job());
      queue.addJob("upkeep", job());
    };
    const order = (nowMs: number): unknown[] => [1, 2, 3].map(() => ids(queue.next(nowMs, true)));
    fill();
    expect(order(10)).toEqual([[1], "remote", "upkeep"]);
    fill();
    expect(order(100)).toEqual(["remote", [1], "upkeep"]);
    fill();
    expect(order(5000)).toEqual(["upkeep", "remote", [1]]);
  });

  test("upkeep waits until nothing is with the store", () => {
    const queue = new WorkQueue(1);
    queue.addJob("upkeep", job());
    expect(queue.next(10, false)).toBeNull();
    expect(ids(queue.next(10, true))).toBe("upkeep");
  });

  test("it has a bound, and what is overdue leaves it", () => {
    const queue = new WorkQueue(1);
    for (let i = 0; i < maxWaiting; i++) queue.addTransaction(transaction(i, { deadlineMs: i }));
    expect(queue.addTransaction(transaction(-1))).toBe(false);
    expect(queue.earliestMs()).toBe(0);
    expect(queue.takeOverdue(9).map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(queue.transactions).toBe(maxWaiting - 10);
    expect(queue.addTransaction(transaction(-1))).toBe(true);
  });

  test("what comes back goes in front, in its order", () => {
    const queue = new WorkQueue(1);
    queue.addTransaction(transaction(3));
    queue.putBack([transaction(1, { crashes: 1 }), transaction(2, { crashes: 1 })], []);
    const groups = [1, 2, 3].map(() => ids(queue.next(0, true)));
    expect(groups).toEqual([[1], [2], [3]]);
  });
});

describe("after the end of a process", () => {
  const result = Uint8Array.of(7);
  const group = (members: readonly Waiting[]): Work => ({ type: "group", group: 9, members });

  test("what was committed is answered, what was late is refused, the rest runs again alone", () => {
    const members = [transaction(0), transaction(1, { deadlineMs: 50 }), transaction(2)];
    const found = recover([group(members)], [{ group: 9, results: [result] }], true, 60);
    expect(found.replies).toEqual([[members[0], result]]);
    expect(found.refused.map(([{ id }, { code }]) => [id, code])).toEqual([[1, "timeout"]]);
    expect(found.again.map(({ id, crashes }) => [id, crashes])).toEqual([[2, 1]]);
  });

  test("a transaction that ends the process again and again is the reason for it", () => {
    const member = transaction(0);
    for (const expected of [1, 1, 0]) {
      const found = recover([group([member])], [], false, 0);
      expect(found.again).toHaveLength(expected);
    }
    expect(recover([group([member])], [], false, 0).refused[0]?.[1].code).toBe("store_failed");
  });

  test("what the protocol asked is asked again; what was answered is not", () => {
    const asked = job();
    const answered = transaction(1, { answered: true });
    const found = recover(
      [{ type: "job", lane: "remote", job: asked }, group([answered])],
      [],
      true,
      0,
    );
    expect(found.jobs).toEqual([asked]);
    expect([...found.again, ...found.replies, ...found.refused]).toEqual([]);
  });
});

import { beforeEach, describe, expect, test } from "vitest";
import { type ActorId, actorId, address } from "../../../core/base/ids.ts";
import { IntervalSet } from "../../../core/base/interval-set.ts";
import type { ActorLedger } from "../../../core/sync/actor-ledger.ts";
import { Ledger } from "../../../core/sync/ledger.ts";
import { MarkerPool, maxMarkerGroups, type Ranges } from "../../../core/sync/marker-pool.ts";

const alice = actorId("a1".repeat(16));
const bob = actorId("b2".repeat(16));
const [p, q, r] = [address("p"), address("q"), address("r")];

describe("markers that wait", () => {
  let ledger: Ledger;
  let pool: MarkerPool;

  beforeEach(() => {
    ledger = new Ledger([]);
    pool = new MarkerPool();
  });

  function books(actor: ActorId): ActorLedger {
    const opened = ledger.open(actor);
    if (opened === null) throw new Error("no room");
    return opened;
  }

  /** All that a peer holds of what is not held here. */
  function lacks(...ranges: [ActorId, number, number][]): Ranges {
    const all: Ranges = new Map();
    for (const [actor, from, to] of ranges) {
      const set = all.get(books(actor)) ?? new IntervalSet();
      for (const [low, high] of books(actor).lacking(from, to)) set.add(low, high);
      if (!set.isEmpty) all.set(books(actor), set);
    }
    return all;
  }

  function hold(actor: ActorId, from: number, to: number): void {
    ledger.hold(actor, from, to);
    pool.settle(0);
  }

  test("SY08: an open group is not released, whatever is held", () => {
    pool.add(0, p, books(alice), 1, 9);
    hold(alice, 10, 10);
    expect(pool.hasOpen(p)).toBe(true);
    expect(pool.release()).toEqual([]);
  });

  test("SY08: a closed group is released when all that the peer held is held or its own marker", () => {
    pool.add(0, p, books(alice), 1, 9);
    pool.close(0, p, lacks([alice, 1, 10], [bob, 1, 2]));
    expect(pool.hasOpen(p)).toBe(false);
    expect(pool.release()).toEqual([]);
    hold(alice, 10, 10);
    expect(pool.release()).toEqual([]);
    hold(bob, 1, 2);
    expect(pool.release()).toEqual([{ actor: alice, from: 1, to: 9 }]);
    expect(pool.groupCount).toBe(0);
    expect(books(alice).wanting(1, 9)).toEqual([[1, 9]]);
  });

  test("SY08: markers are on their way: nobody else is asked for them", () => {
    pool.add(0, p, books(alice), 1, 9);
    expect(books(alice).wanting(1, 12)).toEqual([[10, 12]]);
    expect(books(alice).lacking(1, 12)).toEqual([[1, 12]]);
  });

  test("SY08: what the peer serves after it told its holdings is another group", () => {
    pool.add(0, p, books(alice), 1, 3);
    pool.close(0, p, lacks([alice, 1, 4]));
    pool.add(0, p, books(alice), 5, 6);
    expect(pool.groupCount).toBe(2);
    hold(alice, 4, 4);
    expect(pool.release()).toEqual([{ actor: alice, from: 1, to: 3 }]);
    pool.close(0, p, lacks([alice, 1, 7]));
    expect(pool.release()).toEqual([]);
  });

  test("SY09: groups that wait for one another's markers are released together", () => {
    // p overwrote alice's 1 by her 2; q overwrote her 2 by her 3, which is held here.
    pool.add(0, p, books(alice), 1, 1);
    pool.close(0, p, lacks([alice, 1, 2]));
    expect(pool.release()).toEqual([]);
    pool.add(0, q, books(alice), 2, 2);
    hold(alice, 3, 3);
    pool.close(0, q, lacks([alice, 2, 3]));
    expect(pool.release()).toEqual([{ actor: alice, from: 1, to: 2 }]);
  });

  test("SY09: a group that lacks something else takes those with it that need its markers", () => {
    pool.add(0, p, books(alice), 1, 1);
    pool.close(0, p, lacks([alice, 1, 2]));
    pool.add(0, q, books(alice), 2, 2);
    pool.close(0, q, lacks([alice, 2, 2], [bob, 1, 1]));
    pool.add(0, r, books(bob), 5, 5);
    pool.close(0, r, lacks([bob, 5, 5]));
    expect(pool.release()).toEqual([{ actor: bob, from: 5, to: 5 }]);
    hold(bob, 1, 1);
    expect(pool.release()).toEqual([{ actor: alice, from: 1, to: 2 }]);
  });

  test("SY10: content that comes after all supersedes its marker", () => {
    pool.add(0, p, books(alice), 1, 3);
    hold(alice, 2, 2);
    pool.close(0, p, lacks([alice, 1, 3]));
    expect(pool.release()).toEqual([
      { actor: alice, from: 1, to: 1 },
      { actor: alice, from: 3, to: 3 },
    ]);
    pool.add(0, p, books(bob), 1, 1);
    hold(bob, 1, 1);
    expect(pool.groupCount).toBe(0);
  });

  test("SY10: the open group of a peer that is gone goes at once, and its versions are wanted again", () => {
    pool.add(0, p, books(alice), 1, 3);
    pool.add(0, q, books(alice), 4, 6);
    expect(pool.forgetOpen(p)).toBe(true);
    expect(pool.forgetOpen(p)).toBe(false);
    expect(books(alice).wanting(1, 6)).toEqual([[1, 3]]);
  });

  test("SY10: a closed group waits on, and expires when nothing changes", () => {
    pool.add(0, p, books(alice), 1, 3);
    pool.close(0, p, lacks([alice, 1, 9]));
    expect(pool.forgetOpen(p)).toBe(false);
    ledger.hold(alice, 8, 8);
    pool.settle(5000);
    expect(pool.expire(5000)).toBe(0);
    pool.hasten(p, 1000);
    expect(pool.expire(1001)).toBe(1);
    expect(books(alice).wanting(1, 3)).toEqual([[1, 3]]);
  });

  test("SY10: past its bound the pool drops the group that has not changed for the longest", () => {
    for (let i = 0; i <= maxMarkerGroups; i++) {
      pool.add(i, address(`p${i}`), books(alice), i + 1, i + 1);
    }
    expect(pool.trim()).toBe(1);
    expect(pool.groupCount).toBe(maxMarkerGroups);
    expect(books(alice).wanting(1, maxMarkerGroups + 1)).toEqual([[1, 1]]);
  });
});

/** Columns that merge by another rule than last-writer-wins: max, min, counter. */
import { describe, expect, test } from "vitest";
import type { ActorId } from "../../core/base/ids.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Op, Store } from "../../core/node/store.ts";
import { decodeChanges, type RowChange } from "../../core/wire/changes.ts";
import {
  alice,
  bob,
  carol,
  change,
  commit,
  commitFails,
  fullState,
  receive,
  rows,
  stamp,
  sync,
  t0,
  version,
} from "./authors.ts";
import { opener } from "./opened.ts";
import type { StoreUnderTest } from "./store-contract.ts";

const extremes = "CREATE TABLE x (k INTEGER PRIMARY KEY, hi INTEGER MAX, lo TEXT MIN)";
const counters =
  "CREATE TABLE c (k TEXT NOT NULL PRIMARY KEY, n INTEGER COUNTER NOT NULL DEFAULT 0, note TEXT)";

export function policyContract(tested: StoreUnderTest): void {
  describe("max and min", () => {
    const open = opener(tested);
    const openX = (actor: ActorId = alice) => open(actor, [extremes]);
    const set = (hi: Value, lo: Value): RowChange => change("x", [1], 1, { hi, lo });

    test("CR13: the largest and the smallest value win, whatever their stamps", () => {
      const versions = [
        version(bob, 1, stamp(1), [set(9, "a")]),
        version(carol, 1, stamp(2), [set(5, "b")]),
        version(carol, 2, stamp(3), [set(7, "\u{1f600}")]),
      ];
      const [one, two] = [openX(), openX()];
      for (const chunks of versions) receive(one, t0, ...chunks);
      for (const chunks of versions.toReversed()) receive(two, t0, ...chunks);
      expect(rows(one, "x")).toEqual([[1, 9, "a"]]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR13: of equal values the larger (stamp, actor) is remembered", () => {
      const b = version(bob, 1, stamp(1), [set(9, "a")]);
      const c = version(carol, 1, stamp(2), [set(9, "a")]);
      const [one, two] = [openX(), openX()];
      expect(receive(one, t0, ...b, ...c)).toMatchObject([{ won: 2 }, { won: 2 }]);
      expect(receive(two, t0, ...c, ...b)).toMatchObject([{ won: 2 }, { won: 0 }]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR13: NULL is no value yet and loses to any", () => {
      const [one, two] = [openX(), openX()];
      const none = version(bob, 1, stamp(9), [set(null, null)]);
      const some = version(carol, 1, stamp(1), [set(-5, "z")]);
      receive(one, t0, ...none, ...some);
      receive(two, t0, ...some, ...none);
      expect(rows(one, "x")).toEqual([[1, -5, "z"]]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR13: a local write that does not go further out changes nothing", () => {
      const store = openX();
      commit(store, t0, ["insert", "x", { k: 1, hi: 5, lo: "m" }]);
      expect(commit(store, t0, ["update", "x", { k: 1 }, { hi: 4, lo: "n" }])).toEqual([]);
      expect(commit(store, t0, ["update", "x", { k: 1 }, { hi: null, lo: null }])).toEqual([]);
      expect(rows(store, "x")).toEqual([[1, 5, "m"]]);
      const chunks = commit(store, t0, ["update", "x", { k: 1 }, { hi: 6, lo: "n" }]);
      expect(decodeChanges(chunks[0]?.payload ?? new Uint8Array(0))).toEqual([
        change("x", [1], 1, { hi: 6 }),
      ]);
      expect(rows(store, "x")).toEqual([[1, 6, "m"]]);
    });

    test("CR13: a new life begins anew", () => {
      const store = openX();
      commit(store, t0, ["insert", "x", { k: 1, hi: 5, lo: "a" }]);
      commit(store, t0, ["delete", "x", { k: 1 }], ["insert", "x", { k: 1, hi: 1, lo: "b" }]);
      expect(rows(store, "x")).toEqual([[1, 1, "b"]]);
    });
  });

  describe("counters", () => {
    const open = opener(tested);
    const openC = (actor: ActorId = alice) => open(actor, [counters]);
    const add = (store: Store, by: number): void => {
      const n = Number(rows(store, "c")[0]?.[1]);
      commit(store, t0, ["update", "c", { k: "a" }, { n: n + by }]);
    };
    const began = (n: Value): RowChange => change("c", ["a"], 1, { n, note: null });
    const added = (by: Value, total: Value, causalLength = 1): RowChange => ({
      table: "c",
      key: ["a"],
      causalLength,
      cells: [{ column: "n", add: by, total }],
    });

    test("CR14: a NULL that is written beside a counter goes to the others too", () => {
      const [one, two] = [openC(alice), openC(bob)];
      commit(one, t0, ["insert", "c", { k: "a", n: 1, note: "some" }]);
      commit(one, t0, ["update", "c", { k: "a" }, { note: null }]);
      sync(one, two, t0);
      expect(rows(two, "c")).toEqual([["a", 1, null]]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR14: concurrent increments all count", () => {
      const stores = [openC(alice), openC(bob), openC(carol)];
      const [one, two, three] = stores as [Store, Store, Store];
      commit(one, t0, ["insert", "c", { k: "a", n: 10 }]);
      sync(one, two, t0);
      sync(one, three, t0);
      add(one, 1);
      add(two, 5);
      add(two, -2);
      add(three, 100);
      for (const from of stores) for (const to of stores) if (from !== to) sync(from, to, t0);
      for (const store of stores) {
        expect(rows(store, "c")).toEqual([["a", 114, null]]);
        expect(fullState(store)).toEqual(fullState(one));
      }
    });

    test("CR14: an increment carries what it adds and the author's total in this life", () => {
      const store = openC();
      commit(store, t0, ["insert", "c", { k: "a", n: 10 }]);
      add(store, 5);
      const chunks = commit(store, t0, ["upsert", "c", { k: "a", n: 12 }]);
      expect(decodeChanges(chunks[0]?.payload ?? new Uint8Array(0))).toEqual([added(-3, 2)]);
    });

    test("CR14: a total replaces an older one of the same actor, in any order", () => {
      const versions = [
        version(bob, 1, stamp(1), [began(10)]),
        version(carol, 1, stamp(2), [added(1, 1)]),
        version(carol, 2, stamp(3), [added(1, 2)]),
        version(bob, 2, stamp(2), [added(20, 20)]),
      ];
      const [one, two] = [openC(), openC()];
      for (const chunks of versions) receive(one, t0, ...chunks);
      for (const chunks of versions.toReversed()) receive(two, t0, ...chunks);
      expect(rows(one, "c")).toEqual([["a", 32, null]]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR14: an increment that comes before the insert of its life adds to the default until then", () => {
      const store = openC();
      receive(store, t0, ...version(carol, 1, stamp(2), [added(7, 7)]));
      expect(rows(store, "c")).toEqual([["a", 7, null]]);
      receive(store, t0, ...version(bob, 1, stamp(1), [began(10)]));
      expect(rows(store, "c")).toEqual([["a", 17, null]]);
    });

    test("CR14: of two concurrent inserts one gives the beginning, and increments of both count", () => {
      const [one, two] = [openC(alice), openC(bob)];
      commit(one, t0, ["insert", "c", { k: "a", n: 100 }]);
      commit(two, t0, ["insert", "c", { k: "a", n: 200 }]);
      add(one, 1);
      add(two, 2);
      sync(one, two, t0);
      sync(two, one, t0);
      expect(rows(one, "c")).toEqual([["a", 203, null]]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR14: a new life forgets what was added to the old one", () => {
      const store = openC();
      commit(store, t0, ["insert", "c", { k: "a", n: 10 }]);
      add(store, 5);
      commit(store, t0, ["delete", "c", { k: "a" }]);
      commit(store, t0, ["insert", "c", { k: "a", n: 1 }]);
      receive(store, t0, ...version(bob, 1, stamp(9), [added(1000, 1000)]));
      expect(rows(store, "c")).toEqual([["a", 1, null]]);
      add(store, 1);
      receive(store, t0, ...version(bob, 2, stamp(10), [added(3, 3, 3)]));
      expect(rows(store, "c")).toEqual([["a", 5, null]]);
    });

    test("CR14: a counter holds integers", () => {
      const store = openC();
      commit(store, t0, ["insert", "c", { k: "a", n: 10 }]);
      for (const n of [1.5, "many", { real: 2 ** 63 }, new Uint8Array(1)] as Value[]) {
        expect(commitFails(store, t0, ["update", "c", { k: "a" }, { n }]).code).toBe(
          "SQLITE_MISMATCH",
        );
      }
      commit(store, t0, ["update", "c", { k: "a" }, { n: "11" }]);
      expect(rows(store, "c")).toEqual([["a", 11, null]]);
    });

    test("CR14: sums are exact past 2^53 and stop at 64 bits", () => {
      const store = openC();
      const most = 2n ** 63n - 1n;
      receive(
        store,
        t0,
        ...version(bob, 1, stamp(1), [began(2 ** 53 - 1)]),
        ...version(carol, 1, stamp(2), [added(2, 2)]),
      );
      expect(rows(store, "c")).toEqual([["a", 2n ** 53n + 1n, null]]);
      receive(store, t0, ...version(bob, 2, stamp(3), [added(most, most)]));
      expect(rows(store, "c")).toEqual([["a", most, null]]);
      const overflow: Op = ["update", "c", { k: "a" }, { n: -(2n ** 63n) }];
      expect(commitFails(store, t0, overflow).code).toBe("SQLITE_FULL");
    });
  });
}

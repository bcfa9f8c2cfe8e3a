/** The twelve cases that real systems of this kind got wrong. */
import { describe, expect, test } from "vitest";
import type { Value } from "../../core/crdt/value.ts";
import type { Chunk, Store } from "../../core/node/store.ts";
import {
  alice,
  bob,
  carol,
  commit,
  dora,
  fullState,
  kvChange,
  receive,
  rows,
  stamp,
  sync,
  t0,
  version,
} from "./authors.ts";
import { opener } from "./opened.ts";
import type { StoreUnderTest } from "./store-contract.ts";

function expectEqual(...stores: Store[]): void {
  for (const store of stores) expect(fullState(store)).toEqual(fullState(stores[0] as Store));
}

/** Each store hands all that it holds to each other, twice. */
function exchange(...stores: Store[]): void {
  for (let round = 0; round < 2; round++) {
    for (const from of stores) for (const to of stores) if (from !== to) sync(from, to, t0);
  }
}

export function casesContract(tested: StoreUnderTest): void {
  describe("cases", () => {
    const open = opener(tested);

    test("CR21 case 1: two nodes insert one key into a link table; all agree who wrote it, and a third gets it from either", () => {
      const [one, two, three] = [open(alice), open(bob), open(carol)];
      commit(one, t0, ["insert", "link", { a: 1, b: "x" }]);
      commit(two, t0, ["insert", "link", { a: 1, b: "x" }]);
      sync(one, two, t0);
      sync(two, one, t0);
      expectEqual(one, two);
      // The third asks each for the version of the other, after both have shrunk what they could.
      one.checkpoint();
      two.checkpoint();
      const fromOne = one.serve([{ actor: bob, from: 1, to: 1 }], 1e6);
      const fromTwo = two.serve([{ actor: alice, from: 1, to: 1 }], 1e6);
      three.receive(t0, fromOne.chunks, fromOne.overwritten);
      three.receive(t0, fromTwo.chunks, fromTwo.overwritten);
      expect(rows(three, "link")).toEqual([[1, "x"]]);
      expectEqual(one, two, three);
    });

    test("CR21 case 2: a re-insert is merged over a live older row, without one of its columns, the delete coming later", () => {
      const old = version(bob, 1, stamp(1), [kvChange("a", 1, { v: "old", n: 1 })]);
      const gone = version(bob, 2, stamp(2), [kvChange("a", 2)]);
      // The new life writes n alone: v must be the default and not "old".
      const again = version(bob, 3, stamp(3), [kvChange("a", 3, { n: 3 })]);
      const [one, two] = [open(), open()];
      receive(one, t0, ...old, ...gone, ...again);
      receive(two, t0, ...old);
      receive(two, t0, ...again);
      expect(rows(two)).toEqual([["a", "", 3]]);
      receive(two, t0, ...gone);
      expect(rows(two)).toEqual([["a", "", 3]]);
      expectEqual(one, two);
    });

    test("CR21 case 3: a key is changed of a row that a peer has in part", () => {
      const [one, two] = [open(alice), open(bob)];
      const insert = commit(one, t0, ["insert", "kv", { k: "a", v: "one", n: 1 }]);
      const update = commit(one, t0, ["update", "kv", { k: "a" }, { n: 2 }]);
      const moved = commit(one, t0, ["update", "kv", { k: "a" }, { k: "b" }]);
      receive(two, t0, ...update);
      receive(two, t0, ...moved);
      expect(rows(two)).toEqual([["b", "one", 2]]);
      receive(two, t0, ...insert);
      expect(rows(two)).toEqual([["b", "one", 2]]);
      expectEqual(one, two);
    });

    test("CR21 case 4: a failed transaction uses no version number, nor does what follows use one twice", () => {
      const store = open();
      const seen: number[] = [];
      for (let n = 0; n < 6; n++) {
        const good = commit(store, t0, ["upsert", "kv", { k: "a", n }]);
        seen.push(good[0]?.version ?? 0);
        const bad = store.commit(t0, [
          ["upsert", "kv", { k: "b", n }],
          ["insert", "kv", { k: "a" }],
        ]);
        expect(bad.type).toBe("failed");
      }
      expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
    });

    test("CR21 case 5: an integer column is written as 7.0 on one node and 5 on another", () => {
      const [one, two] = [open(alice), open(bob)];
      commit(one, t0, ["insert", "kv", { k: "a" }]);
      exchange(one, two);
      commit(one, t0 + 1, ["update", "kv", { k: "a" }, { n: { real: 7 } }]);
      commit(two, t0, ["update", "kv", { k: "a" }, { n: 5 }]);
      exchange(one, two);
      expect(rows(one)).toEqual([["a", "", 7]]);
      expectEqual(one, two);
    });

    test("CR21 case 6: −0.0 against 0.0 in a column without a type", () => {
      const schema = ["CREATE TABLE u (k INTEGER PRIMARY KEY, x)"];
      const [one, two, three] = [open(alice, schema), open(bob, schema), open(carol, schema)];
      const minus = commit(one, t0, ["insert", "u", { k: 1, x: { real: -0 } }]);
      commit(two, t0, ["insert", "u", { k: 1, x: { real: 0 } }]);
      const value = rows(one, "u")[0]?.[1] as { real: number };
      expect(Object.is(value.real, 0)).toBe(true);
      receive(three, t0, ...minus);
      expectEqual(one, three);
      exchange(one, two, three);
      expectEqual(one, two, three);
      expect(commit(one, t0, ["update", "u", { k: 1 }, { x: { real: -0 } }])).toEqual([]);
    });

    test.each([
      ["NUMERIC", 1, { real: 1 }],
      ["NUMERIC", 1, "1.0"],
      ["BLOB", 1, { real: 1 }],
      ["REAL", { real: 2 }, 2],
      ["TEXT", "1", 1],
    ] as [string, Value, Value][])(
      "CR21 case 7: keys that SQL calls equal are one row (%s)",
      (type, a, b) => {
        const schema = [`CREATE TABLE e (k ${type} NOT NULL PRIMARY KEY, v TEXT)`];
        const [one, two] = [open(alice, schema), open(bob, schema)];
        commit(one, t0, ["insert", "e", { k: a, v: "one" }]);
        commit(two, t0, ["insert", "e", { k: b, v: "two" }]);
        exchange(one, two);
        expect(rows(one, "e")).toHaveLength(1);
        expectEqual(one, two);
      },
    );

    test("CR21 case 7: keys that differ by case are two rows, and NOCASE is refused", () => {
      const store = open();
      commit(store, t0, ["insert", "kv", { k: "A" }], ["insert", "kv", { k: "a" }]);
      expect(rows(store)).toHaveLength(2);
      const nocase = "CREATE TABLE e (k TEXT NOT NULL COLLATE NOCASE PRIMARY KEY, v TEXT)";
      expect(() => open(alice, [nocase])).toThrow(/COLLATE NOCASE/);
    });

    test("CR21 case 8: CHECK (a + b <= 10) with concurrent a = 8 and b = 8 is merged and reported", () => {
      const [one, two] = [open.checked(alice), open.checked(bob)];
      commit(one.store, t0, ["insert", "budget", { id: 1 }]);
      exchange(one.store, two.store);
      commit(one.store, t0, ["update", "budget", { id: 1 }, { a: 8 }]);
      commit(two.store, t0, ["update", "budget", { id: 1 }, { b: 8 }]);
      exchange(one.store, two.store);
      for (const { store, broken } of [one, two]) {
        expect(rows(store, "budget")).toEqual([[1, 8, 8]]);
        expect(broken()).toEqual([[1]]);
      }
      expectEqual(one.store, two.store);
      const worse = one.store.commit(t0, [["update", "budget", { id: 1 }, { a: 9 }]]);
      expect(worse).toMatchObject({ type: "failed", code: "SQLITE_CONSTRAINT_CHECK" });
      commit(one.store, t0, ["update", "budget", { id: 1 }, { a: 2 }]);
      expect(one.broken()).toEqual([]);
      sync(one.store, two.store, t0);
      expect(two.broken()).toEqual([]);
    });

    test("CR21 case 9: a change for a column or table that the receiver lacks waits, whole, and is applied later", () => {
      const wide =
        "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER, w TEXT)";
      const more = "CREATE TABLE more (id INTEGER PRIMARY KEY)";
      const link = "CREATE TABLE link (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))";
      const [one, two] = [open(alice, [wide, more, link]), open(bob)];
      commit(
        one,
        t0,
        ["insert", "kv", { k: "a", w: "wide" }],
        ["insert", "link", { a: 1, b: "x" }],
      );
      commit(one, t0, ["insert", "more", { id: 1 }], ["insert", "link", { a: 2, b: "y" }]);
      commit(one, t0, ["insert", "link", { a: 3, b: "z" }]);
      expect(sync(one, two, t0).map(({ type }) => type)).toEqual([
        "applied",
        "quarantined",
        "quarantined",
      ]);
      expect(rows(two, "link")).toEqual([[3, "z"]]);
      two.migrate(t0, [wide, more, link]);
      expectEqual(one, two);
    });

    test("CR21 case 10: a re-insert delivered piece by piece shows no mixture of two lives", () => {
      const [one, two] = [open(alice), open(bob)];
      const first = commit(one, t0, ["insert", "kv", { k: "a", v: "old", n: 1 }]);
      receive(two, t0, ...first);
      const big = "x".repeat(40_000);
      const again = commit(
        one,
        t0,
        ["delete", "kv", { k: "a" }],
        ["insert", "kv", { k: "a", v: big, n: 3 }],
        ["insert", "kv", { k: "b", v: big, n: 4 }],
      );
      expect(again.length).toBeGreaterThan(1);
      const later = commit(one, t0, ["update", "kv", { k: "a" }, { n: 5 }]);
      for (const chunk of again.slice(1).toReversed()) {
        receive(two, t0, chunk);
        expect(rows(two)).toEqual([["a", "old", 1]]);
      }
      receive(two, t0, ...later);
      expect(rows(two)).toEqual([["a", "", 5]]);
      receive(two, t0, again[0] as Chunk);
      expect(rows(two)).toEqual([
        ["a", big, 5],
        ["b", big, 4],
      ]);
      expectEqual(one, two);
    });

    test("CR21 case 11: a row deleted after it was seen and one never seen alive are the same", () => {
      const [one, two, three] = [open(alice), open(bob), open(carol)];
      const insert = commit(one, t0, ["insert", "kv", { k: "a", v: "x", n: 1 }]);
      receive(two, t0, ...insert);
      const gone = commit(one, t0, ["delete", "kv", { k: "a" }]);
      receive(two, t0, ...gone);
      receive(three, t0, ...gone);
      expectEqual(one, two, three);
      receive(three, t0, ...insert);
      expectEqual(one, two, three);
    });

    test("CR21 case 12: equal values written by two nodes have one writer everywhere", () => {
      const [one, two, three] = [open(alice), open(bob), open(dora)];
      commit(one, t0, ["insert", "kv", { k: "a", v: "same", n: 1 }]);
      commit(two, t0, ["insert", "kv", { k: "a", v: "same", n: 1 }]);
      exchange(one, two, three);
      expectEqual(one, two, three);
      one.checkpoint();
      const { overwritten } = one.serve([{ actor: alice, from: 1, to: 1 }], 1e6);
      expect(overwritten).toEqual([{ actor: alice, from: 1, to: 1 }]);
    });
  });
}

/** Remote versions merged: causal length, stamps, lives. */
import { describe, expect, test } from "vitest";
import type { RowChange } from "../../core/wire/changes.ts";
import {
  alice,
  bob,
  carol,
  change,
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

export function mergeContract(tested: StoreUnderTest): void {
  describe("merge", () => {
    const open = opener(tested);
    const born = (v: string, n: number | null = null): RowChange => kvChange("a", 1, { v, n });

    test("CR02: a change of a life that is over is ignored", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(1), [kvChange("a", 3, { v: "new", n: 3 })]));
      const before = fullState(store);
      const [outcome] = receive(store, t0, ...version(carol, 1, stamp(99), [born("old", 1)]));
      expect(outcome).toMatchObject({ type: "applied", won: 0, lost: 2 });
      expect(fullState(store)).toEqual(before);
    });

    test("CR03: a later life begins with the defaults, whatever the row had", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(50), [born("old", 1)]));
      const [outcome] = receive(
        store,
        t0,
        ...version(carol, 1, stamp(2), [kvChange("a", 3, { n: 2 })]),
      );
      expect(outcome).toMatchObject({ type: "applied", won: 1, lost: 0 });
      expect(rows(store)).toEqual([["a", "", 2]]);
    });

    test("CR03: an earlier stamp in a later life beats a later stamp in an earlier one", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(5), [kvChange("a", 3, { v: "new", n: 3 })]));
      receive(store, t0, ...version(carol, 1, stamp(90), [born("old", 1)]));
      expect(rows(store)).toEqual([["a", "new", 3]]);
    });

    test("CR04: an insert arriving after an update of its life sets only what that left", () => {
      const store = open();
      receive(store, t0, ...version(carol, 1, stamp(9), [kvChange("a", 1, { n: 9 })]));
      expect(rows(store)).toEqual([["a", "", 9]]);
      const [outcome] = receive(store, t0, ...version(bob, 1, stamp(1), [born("one", 1)]));
      expect(outcome).toMatchObject({ won: 1, lost: 1 });
      expect(rows(store)).toEqual([["a", "one", 9]]);
    });

    test("CR05: a delete and a concurrent delete are one delete", () => {
      const [one, two] = [open(alice), open(bob)];
      const insert = version(carol, 1, stamp(1), [born("one", 1)]);
      const first = version(carol, 2, stamp(2), [kvChange("a", 2)]);
      const second = version(dora, 1, stamp(3), [kvChange("a", 2)]);
      expect(receive(one, t0, ...insert, ...first, ...second)).toMatchObject([
        { won: 2 },
        { won: 1 },
        { won: 1, lost: 0 },
      ]);
      expect(receive(two, t0, ...second, ...first, ...insert)).toMatchObject([
        { won: 1 },
        { won: 0, lost: 1 },
        { won: 0, lost: 2 },
      ]);
      expect(rows(one)).toEqual([]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR06: in one life the cell with the larger stamp wins, cell by cell", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(5), [born("five", 5)]));
      const later = version(carol, 1, stamp(9), [kvChange("a", 1, { n: 9 })]);
      const earlier = version(dora, 1, stamp(1), [kvChange("a", 1, { v: "one" })]);
      expect(receive(store, t0, ...later, ...earlier)).toMatchObject([
        { won: 1, lost: 0 },
        { won: 0, lost: 1 },
      ]);
      expect(rows(store)).toEqual([["a", "five", 9]]);
    });

    test("CR06: of equal stamps the larger actor wins", () => {
      const [one, two] = [open(alice), open(alice)];
      const b = version(bob, 1, stamp(5), [born("bob", 1)]);
      const c = version(carol, 1, stamp(5), [born("carol", 2)]);
      receive(one, t0, ...b, ...c);
      receive(two, t0, ...c, ...b);
      expect(rows(one)).toEqual([["a", "carol", 2]]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR06: the counter of a stamp decides within a millisecond", () => {
      const store = open();
      receive(
        store,
        t0,
        ...version(bob, 1, stamp(5, 2), [born("later", 1)]),
        ...version(carol, 1, stamp(5, 1), [born("earlier", 2)]),
      );
      expect(rows(store)).toEqual([["a", "later", 1]]);
    });

    test("CR06: of two concurrent transactions on the same cells one wins whole", () => {
      const [one, two] = [open(alice), open(bob)];
      const mine = commit(
        one,
        t0,
        ["insert", "kv", { k: "a", v: "a", n: 1 }],
        ["insert", "kv", { k: "b", v: "a", n: 1 }],
      );
      const theirs = commit(
        two,
        t0,
        ["insert", "kv", { k: "a", v: "b", n: 2 }],
        ["insert", "kv", { k: "b", v: "b", n: 2 }],
      );
      receive(one, t0, ...theirs);
      receive(two, t0, ...mine);
      expect(rows(one)).toEqual([
        ["a", "b", 2],
        ["b", "b", 2],
      ]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR07: a concurrent delete beats an update of the life it ended", () => {
      const update = version(bob, 1, stamp(90), [kvChange("a", 1, { v: "updated" })]);
      const gone = version(carol, 2, stamp(2), [kvChange("a", 2)]);
      const insert = version(carol, 1, stamp(1), [born("one", 1)]);
      const [one, two] = [open(), open()];
      receive(one, t0, ...insert, ...gone, ...update);
      receive(two, t0, ...update, ...gone, ...insert);
      expect(rows(one)).toEqual([]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR09: what is causally later wins though its author's clock is behind", () => {
      const [one, two] = [open(alice), open(bob)];
      receive(two, t0 - 5_000, ...commit(one, t0, ["insert", "kv", { k: "a", v: "first", n: 1 }]));
      const second = commit(two, t0 - 5_000, ["update", "kv", { k: "a" }, { v: "second" }]);
      expect(receive(one, t0, ...second)).toMatchObject([{ won: 1, lost: 0 }]);
      expect(rows(one)).toEqual([["a", "second", 1]]);
    });

    test("CR10: what is causally later wins over a cell from the far future", () => {
      const [one, two, three] = [open(alice), open(bob), open(carol)];
      const year = 365 * 86_400_000;
      receive(two, t0, ...commit(one, t0 + year, ["insert", "kv", { k: "a", v: "far", n: 1 }]));
      commit(two, t0, ["update", "kv", { k: "a" }, { v: "near" }]);
      sync(two, three, t0);
      sync(two, one, t0 + year);
      for (const store of [one, two, three]) expect(rows(store)).toEqual([["a", "near", 1]]);
      expect(fullState(one)).toEqual(fullState(two));
      expect(fullState(three)).toEqual(fullState(two));
    });

    test("CR12: a duplicate changes nothing", () => {
      const store = open();
      const chunks = version(bob, 1, stamp(5), [born("five", 5)]);
      receive(store, t0, ...chunks);
      const before = fullState(store);
      expect(receive(store, t0, ...chunks)).toEqual([{ type: "known", actor: bob, version: 1 }]);
      expect(fullState(store)).toEqual(before);
    });

    test("CR12: any order of the same versions gives the same state", () => {
      const all = [
        version(bob, 1, stamp(1), [born("one", 1), kvChange("b", 1, { v: "b", n: 1 })]),
        version(bob, 2, stamp(4), [kvChange("a", 2)]),
        version(carol, 1, stamp(3), [kvChange("a", 1, { n: 3 })]),
        version(carol, 2, stamp(6), [kvChange("a", 3, { v: "again", n: 6 })]),
        version(dora, 1, stamp(5), [kvChange("a", 3, { v: "also", n: 5 }), kvChange("b", 2)]),
      ];
      const reference = open();
      for (const chunks of all) receive(reference, t0, ...chunks);
      expect(rows(reference)).toEqual([["a", "again", 6]]);
      for (const order of permutations([0, 1, 2, 3, 4])) {
        const store = open();
        for (const i of order) receive(store, t0, ...(all[i] ?? []));
        expect(fullState(store)).toEqual(fullState(reference));
      }
    });

    test("CR16: values that an author did not normalise are normalised", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(1), [kvChange("a", 1, { v: 7, n: "12" })]));
      expect(rows(store)).toEqual([["a", "7", 12]]);
    });

    test("CR17: rows are listed in the order of SQLite's BINARY collation", () => {
      const store = open();
      const keys = ["b", "B", "a", "aa", "", "\u00e9", "\uffff", "\u{1f600}", "a\0", "a\0b", "Z"];
      for (const k of keys) commit(store, t0, ["insert", "kv", { k }]);
      expect(rows(store).map(([k]) => k)).toEqual([
        "",
        "B",
        "Z",
        "a",
        "a\0",
        "a\0b",
        "aa",
        "b",
        "\u00e9",
        "\uffff",
        "\u{1f600}",
      ]);
    });

    test("CR05: a row of a link table carries the stamp of its latest insert", () => {
      const [one, two] = [open(), open()];
      const b = version(bob, 1, stamp(1), [change("link", [1, "x"], 1)]);
      const c = version(carol, 1, stamp(2), [change("link", [1, "x"], 1)]);
      expect(receive(one, t0, ...b, ...c)).toMatchObject([{ won: 1 }, { won: 1 }]);
      expect(receive(two, t0, ...c, ...b)).toMatchObject([{ won: 1 }, { won: 0, lost: 1 }]);
      expect(fullState(one)).toEqual(fullState(two));
      expect(rows(one, "link")).toEqual([[1, "x"]]);
    });

    test("CR22: the summary counts living rows, and an empty store hashes to zero", () => {
      const store = open();
      expect(store.summary().hash).toBe("0".repeat(16));
      expect(store.summary().rows).toBe(0);
      commit(store, t0, ["insert", "kv", { k: "a" }], ["insert", "link", { a: 1, b: "x" }]);
      expect(store.summary().rows).toBe(2);
      commit(store, t0, ["delete", "kv", { k: "a" }], ["delete", "link", { a: 1, b: "x" }]);
      expect(store.summary().hash).toBe("0".repeat(16));
      expect(store.summary().rows).toBe(0);
    });

    test("CR22: the same values written by another actor or at another time hash otherwise", () => {
      const hashes = [
        version(bob, 1, stamp(1), [born("x", 1)]),
        version(carol, 1, stamp(1), [born("x", 1)]),
        version(bob, 1, stamp(2), [born("x", 1)]),
        version(bob, 1, stamp(1), [born("y", 1)]),
        version(bob, 1, stamp(1), [kvChange("a", 3, { v: "x", n: 1 })]),
        version(bob, 1, stamp(1), [kvChange("b", 1, { v: "x", n: 1 })]),
      ].map((chunks) => {
        const store = open();
        receive(store, t0, ...chunks);
        return store.summary().hash;
      });
      expect(new Set(hashes).size).toBe(hashes.length);
    });
  });
}

function permutations(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((first) =>
    permutations(items.filter((item) => item !== first)).map((rest) => [first, ...rest]),
  );
}

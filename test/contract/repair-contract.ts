/** Digests by table and by key range, and rows with their metadata. */
import { describe, expect, test } from "vitest";
import { encodeKey } from "../../core/crdt/key.ts";
import type { Store } from "../../core/node/store.ts";
import type { RowChange } from "../../core/wire/changes.ts";
import {
  alice,
  bob,
  carol,
  commit,
  fullState,
  hex,
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

const none = new Uint8Array(0);
const unlimited = Number.MAX_SAFE_INTEGER;
const zero = "0".repeat(16);
const counters =
  "CREATE TABLE c (k INTEGER PRIMARY KEY, n INTEGER COUNTER NOT NULL DEFAULT 0, hi INTEGER MAX)";

export function repairContract(tested: StoreUnderTest): void {
  describe("digests and repair", () => {
    const open = opener(tested);

    function filled(actor = alice, count = 20): Store {
      const store = open(actor);
      for (let i = 0; i < count; i++) {
        commit(store, t0 + i, ["insert", "kv", { k: `k${String(i).padStart(3, "0")}`, n: i }]);
      }
      return store;
    }

    test("CR22: a table's digest is of its living rows, and the summary's hash is the sum of them", () => {
      const store = filled();
      const [[name, before], link] = store.tableDigests() as [readonly [string, string], unknown];
      expect(name).toBe("kv");
      expect(link).toEqual(["link", zero]);
      expect(store.summary().hash).toBe(before);
      commit(store, t0, ["insert", "link", { a: 1, b: "x" }]);
      const digests = store.tableDigests();
      expect(digests[0]).toEqual(["kv", before]);
      expect(digests[1]?.[1]).not.toBe(zero);
      commit(store, t0, ["delete", "link", { a: 1, b: "x" }]);
      expect(store.tableDigests()).toEqual([
        ["kv", before],
        ["link", zero],
      ]);
    });

    test("CR22: hashes change by a change and come back with what it undid", () => {
      const [one, two] = [open(alice), open(bob)];
      receive(one, t0, ...version(carol, 1, stamp(1), [kvChange("a", 1, { v: "x", n: 1 })]));
      receive(two, t0, ...version(carol, 1, stamp(1), [kvChange("a", 1, { v: "x", n: 1 })]));
      commit(two, t0, ["insert", "kv", { k: "b" }]);
      expect(one.summary().hash).not.toBe(two.summary().hash);
      commit(two, t0, ["delete", "kv", { k: "b" }]);
      expect(one.summary().hash).toBe(two.summary().hash);
    });

    test("CR23: ranges cover the whole table and add up to it", () => {
      const store = filled();
      for (const parts of [1, 3, 7, 20, 50]) {
        const ranges = store.rangeDigests("kv", none, none, parts);
        expect(ranges.length).toBeLessThanOrEqual(parts);
        expect(ranges.length).toBeGreaterThanOrEqual(Math.min(parts, 5));
        expect(ranges[0]?.from).toEqual(none);
        expect(ranges.reduce((sum, range) => sum + range.rows, 0)).toBe(20);
        expect(addHex(ranges.map((range) => range.hash))).toBe(store.summary().hash);
      }
    });

    test("CR23: a range has its first key and not its last", () => {
      const store = filled();
      const [from, to] = [encodeKey(["k005"]), encodeKey(["k010"])];
      expect(store.rangeDigests("kv", from, to, 1)).toMatchObject([{ from, rows: 5 }]);
      const parts = store.rangeDigests("kv", from, to, 5);
      expect(parts.map((range) => hex(range.from))).toEqual(
        [5, 6, 7, 8, 9].map((i) => hex(encodeKey([`k00${i}`]))),
      );
      expect(store.rangeDigests("kv", encodeKey(["x"]), none, 4)).toEqual([
        { from: encodeKey(["x"]), rows: 0, hash: zero },
      ]);
      expect(store.rangeDigests("nope", none, none, 4)).toEqual([]);
    });

    test("CR23: equal rows give equal range digests on any store", () => {
      const one = filled();
      const two = open(bob);
      sync(one, two, t0);
      const ranges = one.rangeDigests("kv", none, none, 6);
      expect(two.rangeDigests("kv", none, none, 6)).toEqual(ranges);
    });

    test("CR23: rows are read in key order, tombstones included, within a bound", () => {
      const store = filled();
      commit(store, t0, ["delete", "kv", { k: "k003" }]);
      const { rows: all, next } = store.readRows("kv", none, none, unlimited);
      expect(next).toBe(null);
      expect(all).toHaveLength(20);
      expect(all.map((row) => row.causalLength)).toEqual(all.map((_, i) => (i === 3 ? 2 : 1)));
      let from: Uint8Array | null = none;
      const pieces: string[] = [];
      let reads = 0;
      while (from !== null) {
        const piece = store.readRows("kv", from, none, 200);
        expect(piece.rows.length).toBeGreaterThan(0);
        pieces.push(...piece.rows.map((row) => hex(row.key)));
        from = piece.next;
        reads++;
      }
      expect(reads).toBeGreaterThan(3);
      expect(pieces).toEqual(all.map((row) => hex(row.key)));
      const some = store.readRows("kv", encodeKey(["k018"]), encodeKey(["k019"]), unlimited);
      expect(some.rows.map((row) => row.key)).toEqual([encodeKey(["k018"])]);
      expect(store.readRows("nope", none, none, unlimited)).toEqual({ rows: [], next: null });
    });

    test("CR23: merging all rows of a store gives its state; merging them again changes nothing", () => {
      const schema = [counters];
      const [one, two, three] = [open(alice, schema), open(bob, schema), open(carol, schema)];
      commit(
        one,
        t0,
        ["insert", "c", { k: 1, n: 5, hi: 1 }],
        ["insert", "c", { k: 2 }],
        ["insert", "c", { k: 3 }],
      );
      sync(one, two, t0);
      commit(two, t0, ["update", "c", { k: 1 }, { n: 7, hi: 9 }]);
      commit(two, t0, ["delete", "c", { k: 2 }]);
      sync(two, one, t0);
      commit(one, t0, ["update", "c", { k: 1 }, { n: 8 }]);
      const { rows: states } = one.readRows("c", none, none, unlimited);
      expect(three.mergeRows(t0, states)).toMatchObject({ changed: 3, summary: one.summary() });
      expect(fullState(three)).toEqual(fullState(one));
      expect(three.mergeRows(t0, states)).toMatchObject({ changed: 0 });
      expect(rows(three, "c")).toEqual([
        [1, 8, 9],
        [3, 0, null],
      ]);
    });

    test("CR23: merged rows and versions commute", () => {
      const [one, two, three] = [open(alice), open(bob), open(carol)];
      const insert = commit(one, t0, ["insert", "kv", { k: "a", v: "x", n: 1 }]);
      const update = commit(one, t0, ["update", "kv", { k: "a" }, { v: "y" }]);
      const { rows: states } = one.readRows("kv", none, none, unlimited);
      two.mergeRows(t0, states);
      receive(two, t0, ...update, ...insert);
      receive(three, t0, ...insert);
      three.mergeRows(t0, states);
      receive(three, t0, ...update);
      expect(fullState(two)).toEqual(fullState(one));
      expect(fullState(three)).toEqual(fullState(one));
    });

    test("CR23: of two values of one write, which only damage brings about, the larger is kept", () => {
      const [one, two] = [open(alice), open(bob)];
      receive(one, t0, ...version(carol, 1, stamp(1), [kvChange("a", 1, { v: "sound", n: 7 })]));
      receive(two, t0, ...version(carol, 1, stamp(1), [kvChange("a", 1, { v: "rotten", n: 9 })]));
      expect(one.summary().hash).not.toBe(two.summary().hash);
      const [ones, twos] = [one, two].map((store) =>
        store.readRows("kv", none, none, unlimited),
      ) as [ReturnType<Store["readRows"]>, ReturnType<Store["readRows"]>];
      expect(one.mergeRows(t0, twos.rows)).toMatchObject({ changed: 1 });
      expect(two.mergeRows(t0, ones.rows)).toMatchObject({ changed: 1 });
      expect(rows(one, "kv")).toEqual([["a", "sound", 9]]);
      expect(fullState(two)).toEqual(fullState(one));
      expect(two.mergeRows(t0, ones.rows)).toMatchObject({ changed: 0 });
    });

    test("CR23: of two totals of one addition, which only damage brings about, the larger is kept", () => {
      const [one, two] = [open(alice, [counters]), open(bob, [counters])];
      const added = (total: number): RowChange => ({
        table: "c",
        key: [1],
        causalLength: 1,
        cells: [{ column: "n", add: total, total }],
      });
      receive(one, t0, ...version(carol, 1, stamp(1), [added(3)]));
      receive(two, t0, ...version(carol, 1, stamp(1), [added(4)]));
      const ones = one.readRows("c", none, none, unlimited).rows;
      const twos = two.readRows("c", none, none, unlimited).rows;
      expect(one.mergeRows(t0, twos)).toMatchObject({ changed: 1 });
      expect(two.mergeRows(t0, ones)).toMatchObject({ changed: 0 });
      expect(rows(one, "c")).toEqual([[1, 4, null]]);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR23: rows that are damaged or unknown here are passed over", () => {
      const one = filled(alice, 3);
      const two = open(bob);
      const { rows: states } = one.readRows("kv", none, none, unlimited);
      const [good, cells, key] = states as [
        (typeof states)[0],
        (typeof states)[0],
        (typeof states)[0],
      ];
      const { changed } = two.mergeRows(t0, [
        { ...good, table: "nope" },
        { ...cells, cells: cells.cells.subarray(0, 5) },
        { ...key, key: new Uint8Array([0x20, 0x61]) },
        { ...key, causalLength: 2 },
        good,
      ]);
      expect(changed).toBe(1);
      expect(rows(two)).toHaveLength(1);
    });

    test("CR10: a far-future stamp that comes with a row moves no clock", () => {
      const store = open(alice);
      const other = open(bob);
      receive(
        other,
        t0,
        ...version(carol, 1, stamp(86_400_000), [kvChange("z", 1, { v: "far", n: 1 })]),
      );
      store.mergeRows(t0, other.readRows("kv", none, none, unlimited).rows);
      const [chunk] = commit(store, t0, ["insert", "kv", { k: "a" }]);
      expect(chunk?.hlc.ms).toBeLessThan(t0 + 1000);
      const [above] = commit(store, t0, ["update", "kv", { k: "z" }, { n: 2 }]);
      expect(above?.hlc.ms).toBe(t0 + 86_400_000);
    });
  });
}

/** Adds digests lane by lane. */
function addHex(hashes: readonly string[]): string {
  const lanes = [0, 8].map((at) => {
    const sum = hashes.reduce(
      (total, hash) => total + Number.parseInt(hash.slice(at, at + 8), 16),
      0,
    );
    return (sum % 2 ** 32).toString(16).padStart(8, "0");
  });
  return lanes.join("");
}

/** Local transactions: operations, net effect, failure, stamps. */
import { describe, expect, test } from "vitest";
import { compareHlc } from "../../core/clock/hlc.ts";
import type { Chunk, Op } from "../../core/node/store.ts";
import { decodeChanges } from "../../core/wire/changes.ts";
import {
  alice,
  bob,
  commit,
  commitFails,
  kvChange,
  receive,
  rows,
  stamp,
  t0,
  version,
} from "./authors.ts";
import { opener } from "./opened.ts";
import type { StoreUnderTest } from "./store-contract.ts";

const day = 86_400_000;

function changesOf(chunks: readonly Chunk[]) {
  return chunks.flatMap((chunk) => decodeChanges(chunk.payload));
}

const insert = (k: string, v = "one", n: number | null = 1): Op => ["insert", "kv", { k, v, n }];

export function commitContract(tested: StoreUnderTest): void {
  describe("operations", () => {
    const open = opener(tested);

    test("CR20: an insert writes the columns given and defaults for the others", () => {
      const store = open();
      commit(store, t0, ["insert", "kv", { k: "a", n: 7 }]);
      expect(rows(store)).toEqual([["a", "", 7]]);
    });

    test("CR20: an insert over a living row fails", () => {
      const store = open();
      commit(store, t0, insert("a"));
      expect(commitFails(store, t0, insert("a", "two"))).toMatchObject({
        code: "SQLITE_CONSTRAINT_PRIMARYKEY",
        error: "UNIQUE constraint failed: kv.k",
      });
    });

    test("CR20: an insert over a deleted row begins a new life", () => {
      const store = open();
      commit(store, t0, insert("a"));
      commit(store, t0, ["delete", "kv", { k: "a" }]);
      const chunks = commit(store, t0, ["insert", "kv", { k: "a" }]);
      expect(changesOf(chunks)).toEqual([kvChange("a", 3, { v: "", n: null })]);
      expect(rows(store)).toEqual([["a", "", null]]);
    });

    test("CR20: an upsert of a living row sets only the columns given", () => {
      const store = open();
      commit(store, t0, insert("a", "one", 1));
      const chunks = commit(store, t0, ["upsert", "kv", { k: "a", n: 2 }]);
      expect(changesOf(chunks)).toEqual([kvChange("a", 1, { n: 2 })]);
      expect(rows(store)).toEqual([["a", "one", 2]]);
    });

    test("CR20: an upsert of a row that is not there inserts it with defaults", () => {
      const store = open();
      const chunks = commit(store, t0, ["upsert", "kv", { k: "a", n: 2 }]);
      expect(changesOf(chunks)).toEqual([kvChange("a", 1, { v: "", n: 2 })]);
    });

    test("CR20: an update of a row that is not there has no effect", () => {
      const store = open();
      const outcome = store.commit(t0, [["update", "kv", { k: "a" }, { n: 2 }]]);
      expect(outcome).toMatchObject({ type: "committed", chunks: [] });
      expect(store.holdings()).toEqual([]);
    });

    test("CR20: a delete of a row that is not there has no effect", () => {
      const store = open();
      expect(commit(store, t0, ["delete", "kv", { k: "a" }])).toEqual([]);
      commit(store, t0, insert("a"));
      commit(store, t0, ["delete", "kv", { k: "a" }]);
      expect(commit(store, t0, ["delete", "kv", { k: "a" }])).toEqual([]);
      expect(rows(store)).toEqual([]);
    });

    test("CR20: NULL in a NOT NULL column fails the transaction", () => {
      const store = open();
      commit(store, t0, insert("a"));
      const ops: Op[] = [
        ["insert", "kv", { k: "b", v: null }],
        ["upsert", "kv", { k: "a", v: null }],
        ["update", "kv", { k: "a" }, { v: null }],
      ];
      for (const op of ops) {
        expect(commitFails(store, t0, op)).toMatchObject({
          code: "SQLITE_CONSTRAINT_NOTNULL",
          error: "NOT NULL constraint failed: kv.v",
        });
      }
    });

    test("CR20: a NOT NULL column without a default must be given", () => {
      const store = open(alice, ["CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT NOT NULL)"]);
      for (const op of [
        ["insert", "t", { k: 1 }],
        ["upsert", "t", { k: 1 }],
      ] as Op[]) {
        expect(commitFails(store, t0, op).code).toBe("SQLITE_CONSTRAINT_NOTNULL");
      }
    });

    test("CR20: a NULL or missing key column fails the transaction", () => {
      const store = open();
      for (const op of [
        ["insert", "kv", { k: null, v: "x" }],
        ["insert", "kv", { v: "x" }],
        ["upsert", "kv", { v: "x" }],
        ["insert", "link", { a: 1 }],
      ] as Op[]) {
        expect(commitFails(store, t0, op).code).toBe("SQLITE_CONSTRAINT_NOTNULL");
      }
    });

    test("CR20: a key that is changed to NULL fails the transaction", () => {
      const store = open();
      commit(store, t0, ["insert", "kv", { k: "a", v: "x" }], ["insert", "link", { a: 1, b: "x" }]);
      for (const op of [
        ["update", "kv", { k: "a" }, { k: null }],
        ["update", "link", { a: 1, b: "x" }, { a: null, b: "y" }],
      ] as Op[]) {
        expect(commitFails(store, t0, op).code).toBe("SQLITE_CONSTRAINT_NOTNULL");
      }
    });

    test("CR20: a key that no row can have is that of no row", () => {
      const store = open();
      commit(store, t0, insert("a"));
      expect(commit(store, t0, ["delete", "kv", { k: null }])).toEqual([]);
      expect(commit(store, t0, ["update", "kv", { k: null }, { n: 1 }])).toEqual([]);
      expect(commit(store, t0, ["delete", "link", { a: "x", b: null }])).toEqual([]);
    });

    test("CR20: a key that lacks a column fails the transaction", () => {
      const store = open();
      for (const [op, error] of [
        [["update", "kv", {}, { n: 1 }], "key column k of kv is missing"],
        [["delete", "link", { a: 1 }], "key column b of link is missing"],
      ] as [Op, string][]) {
        expect(commitFails(store, t0, op)).toMatchObject({ code: "SQLITE_ERROR", error });
      }
    });

    test("CR20: unknown tables and columns fail the transaction", () => {
      const store = open();
      commit(store, t0, insert("a"));
      for (const [op, error] of [
        [["insert", "nope", { k: "a" }], "no such table: nope"],
        [["insert", "kv", { k: "b", z: 1 }], "table kv has no column named z"],
        [["upsert", "kv", { k: "a", z: 1 }], "table kv has no column named z"],
        [["update", "kv", { k: "a" }, { z: 1 }], "table kv has no column named z"],
        [["update", "kv", { v: "a" }, { n: 1 }], "column v is not of the primary key of kv"],
        [["delete", "kv", { k: "a", n: 1 }], "column n is not of the primary key of kv"],
      ] as [Op, string][]) {
        expect(commitFails(store, t0, op)).toMatchObject({ code: "SQLITE_ERROR", error });
      }
    });

    test("CR20: an integer past 64 bits fails the transaction", () => {
      const store = open();
      expect(commitFails(store, t0, ["insert", "kv", { k: "a", n: 2n ** 63n }]).code).toBe(
        "SQLITE_MISMATCH",
      );
    });

    test("CR20: a failing operation takes the whole transaction back", () => {
      const store = open();
      commit(store, t0, insert("a"));
      commitFails(
        store,
        t0,
        insert("b"),
        ["update", "kv", { k: "a" }, { v: "changed" }],
        ["delete", "kv", { k: "a" }],
        insert("b"),
      );
      expect(rows(store)).toEqual([["a", "one", 1]]);
      const chunks = commit(store, t0, insert("c"));
      expect(chunks[0]?.version).toBe(2);
    });

    test("CR20: later operations see what earlier ones did", () => {
      const store = open();
      commit(
        store,
        t0,
        insert("a"),
        ["update", "kv", { k: "a" }, { n: 2 }],
        ["upsert", "kv", { k: "a", v: "two" }],
      );
      expect(rows(store)).toEqual([["a", "two", 2]]);
    });

    test("CR08: changing a key deletes one row and inserts the other with all its columns", () => {
      const store = open();
      commit(store, t0, insert("a", "one", 1));
      const chunks = commit(store, t0, ["update", "kv", { k: "a" }, { k: "b", n: 2 }]);
      expect(changesOf(chunks)).toEqual([kvChange("a", 2), kvChange("b", 1, { v: "one", n: 2 })]);
      expect(rows(store)).toEqual([["b", "one", 2]]);
    });

    test("CR08: changing a key to that of a living row fails", () => {
      const store = open();
      commit(store, t0, insert("a"), insert("b"));
      expect(commitFails(store, t0, ["update", "kv", { k: "a" }, { k: "b" }]).code).toBe(
        "SQLITE_CONSTRAINT_PRIMARYKEY",
      );
    });

    test("CR08: changing a key to itself is no change of it", () => {
      const store = open();
      commit(store, t0, insert("a", "one", 1));
      const chunks = commit(store, t0, ["update", "kv", { k: "a" }, { k: "a", n: 2 }]);
      expect(changesOf(chunks)).toEqual([kvChange("a", 1, { n: 2 })]);
    });
  });

  describe("net effect", () => {
    const open = opener(tested);

    test("CR19: an update to the same values leaves no version", () => {
      const store = open();
      commit(store, t0, insert("a", "one", 1));
      const before = store.summary();
      expect(commit(store, t0, ["update", "kv", { k: "a" }, { v: "one", n: 1 }])).toEqual([]);
      expect(commit(store, t0, ["upsert", "kv", { k: "a", v: "one" }])).toEqual([]);
      expect(store.summary()).toEqual(before);
      expect(store.holdings()).toMatchObject([{ head: 1 }]);
    });

    test("CR19: a value that the column makes the same is the same", () => {
      const store = open();
      commit(store, t0, insert("a", "1", 1));
      expect(commit(store, t0, ["update", "kv", { k: "a" }, { v: 1, n: { real: 1 } }])).toEqual([]);
      expect(commit(store, t0, ["update", "kv", { k: "a" }, { n: "1" }])).toEqual([]);
    });

    test("CR19: a change and its undoing within a transaction leave no version", () => {
      const store = open();
      commit(store, t0, insert("a", "one", 1));
      const chunks = commit(
        store,
        t0,
        ["update", "kv", { k: "a" }, { n: 2 }],
        ["update", "kv", { k: "a" }, { n: 1 }],
      );
      expect(chunks).toEqual([]);
    });

    test("CR19: an insert and delete of one row within a transaction leave no version", () => {
      const store = open();
      expect(commit(store, t0, insert("a"), ["delete", "kv", { k: "a" }])).toEqual([]);
      expect(store.holdings()).toEqual([]);
    });

    test("CR19: a delete and re-insert of one key within a transaction is a new life, two higher", () => {
      const store = open();
      commit(store, t0, insert("a", "one", 1));
      const chunks = commit(store, t0, ["delete", "kv", { k: "a" }], insert("a", "one", 1));
      expect(changesOf(chunks)).toEqual([kvChange("a", 3, { v: "one", n: 1 })]);
    });

    test("CR19: insert, delete, insert of a new key is one insert; delete, insert, delete is one delete", () => {
      const store = open();
      const del: Op = ["delete", "kv", { k: "a" }];
      expect(changesOf(commit(store, t0, insert("a"), del, insert("a", "x", 2)))).toEqual([
        kvChange("a", 1, { v: "x", n: 2 }),
      ]);
      expect(changesOf(commit(store, t0, del, insert("a"), del))).toEqual([kvChange("a", 2)]);
    });

    test("CR19: only changed cells are written, in declared order", () => {
      const store = open(alice, [
        "CREATE TABLE w (d TEXT, c TEXT, k TEXT NOT NULL PRIMARY KEY, b TEXT, a TEXT)",
      ]);
      commit(store, t0, ["insert", "w", { k: "x", a: "1", b: "2", c: "3", d: "4" }]);
      const chunks = commit(store, t0, ["update", "w", { k: "x" }, { a: "9", c: "3", d: "9" }]);
      expect(changesOf(chunks)[0]?.cells.map((cell) => cell.column)).toEqual(["d", "a"]);
    });

    test("CR19: rows of a version are in order of table and key, whatever the order of writing", () => {
      const store = open();
      const chunks = commit(
        store,
        t0,
        ["insert", "link", { a: 2, b: "x" }],
        insert("b"),
        ["insert", "link", { a: -1, b: "z" }],
        insert("a"),
        ["insert", "link", { a: 2, b: "" }],
      );
      expect(changesOf(chunks).map(({ table, key }) => [table, ...key])).toEqual([
        ["kv", "a"],
        ["kv", "b"],
        ["link", -1, "z"],
        ["link", 2, ""],
        ["link", 2, "x"],
      ]);
    });

    test("CR19: a transaction of many operations leaves what they add up to", () => {
      const store = open();
      const ops: Op[] = [];
      for (let i = 0; i < 300; i++) ops.push(["upsert", "kv", { k: `k${i % 30}`, n: i }]);
      for (let i = 0; i < 30; i += 3) ops.push(["delete", "kv", { k: `k${i}` }]);
      const changes = changesOf(commit(store, t0, ...ops));
      expect(changes).toHaveLength(20);
      expect(rows(store)).toHaveLength(20);
      expect(rows(store)).toContainEqual(["k1", "", 271]);
    });

    test("BK21: a large transaction is cut into chunks that any store puts together again", () => {
      const [store, other] = [open(alice), open(bob)];
      const ops: Op[] = [];
      for (let i = 0; i < 40; i++) ops.push(insert(`k${i}`, "x".repeat(4000), i));
      const chunks = commit(store, t0, ...ops);
      expect(chunks.length).toBeGreaterThan(2);
      expect(chunks.map((chunk) => chunk.index)).toEqual(chunks.map((_, i) => i));
      expect(new Set(chunks.map((chunk) => chunk.count))).toEqual(new Set([chunks.length]));
      receive(other, t0, ...chunks);
      expect(rows(other)).toEqual(rows(store));
      expect(other.summary()).toEqual(store.summary());
    });
  });

  describe("stamps", () => {
    const open = opener(tested);
    const stampOf = (chunks: readonly Chunk[]) => chunks[0]?.hlc ?? stamp(0);

    test("CR09: stamps of one actor rise though its wall clock stands still or goes back", () => {
      const store = open();
      let last = stamp(-1);
      const walls = [t0, t0, t0 - day, t0 + 5, t0 + 4.7, t0];
      for (const [n, wall] of walls.entries()) {
        const next = stampOf(commit(store, wall, ["upsert", "kv", { k: "a", n }]));
        expect(compareHlc(next, last)).toBeGreaterThan(0);
        last = next;
      }
    });

    test("CR09: a stamp is later than each near stamp seen", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(9_000), [kvChange("z", 1, { v: "", n: 1 })]));
      const mine = stampOf(commit(store, t0, insert("a")));
      expect(compareHlc(mine, stamp(9_000))).toBeGreaterThan(0);
    });

    test("CR10: a far-future stamp is merged and reported, and moves no clock", () => {
      const store = open();
      const far = version(bob, 1, stamp(day), [kvChange("z", 1, { v: "far", n: 1 })]);
      const outcome = store.receive(t0, far, []);
      expect(outcome.farFuture).toBe(1);
      expect(outcome.versions).toMatchObject([{ type: "applied", won: 2, lost: 0 }]);
      expect(rows(store)).toEqual([["z", "far", 1]]);
      const mine = stampOf(commit(store, t0, insert("a")));
      expect(mine.ms).toBeLessThan(t0 + 1000);
    });

    test("CR10: a transaction that overwrites a far cell takes a stamp just above it, and moves no clock", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(day), [kvChange("z", 1, { v: "far", n: 1 })]));
      const above = stampOf(commit(store, t0, ["update", "kv", { k: "z" }, { v: "near" }]));
      expect(above.ms).toBe(t0 + day);
      expect(above.counter).toBeGreaterThanOrEqual(0x8000);
      expect(rows(store)).toEqual([["z", "near", 1]]);
      const next = stampOf(commit(store, t0, insert("a")));
      expect(next.ms).toBeLessThan(t0 + 1000);
    });

    test("CR10: a transaction that leaves the far cells of a row alone takes a normal stamp", () => {
      const store = open();
      receive(
        store,
        t0,
        ...version(bob, 1, stamp(0), [kvChange("z", 1, { v: "", n: 1 })]),
        ...version(bob, 2, stamp(day), [kvChange("z", 1, { v: "far" })]),
      );
      const mine = stampOf(commit(store, t0, ["update", "kv", { k: "z" }, { n: 2 }]));
      expect(mine.ms).toBeLessThan(t0 + 1000);
    });

    test("CR09: a delete and a re-insert are later than all that they overwrite", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(day), [kvChange("z", 1, { v: "far", n: 1 })]));
      const gone = stampOf(commit(store, t0, ["delete", "kv", { k: "z" }]));
      expect(compareHlc(gone, stamp(day))).toBeGreaterThan(0);
      const back = stampOf(commit(store, t0, insert("z")));
      expect(compareHlc(back, gone)).toBeGreaterThan(0);
    });

    test("CR11: no stamp is used twice, above far cells neither", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(day), [kvChange("z", 1, { v: "far", n: 1 })]));
      const seen = new Set<string>();
      for (let i = 0; i < 20; i++) {
        const wall = i < 10 ? t0 : t0 + day;
        const a = stampOf(commit(store, wall, ["update", "kv", { k: "z" }, { n: i + 100 }]));
        const b = stampOf(commit(store, wall, ["upsert", "kv", { k: "y", n: i + 100 }]));
        seen.add(`${a.ms} ${a.counter}`).add(`${b.ms} ${b.counter}`);
      }
      expect(seen.size).toBe(40);
    });

    test("CR10: a row with the last stamp there is cannot be written, and the rest can", () => {
      const store = open();
      const last = { ms: 2 ** 48 - 1, counter: 0xffff };
      receive(store, t0, ...version(bob, 1, last, [kvChange("z", 1, { v: "forged", n: 1 })]));
      expect(commitFails(store, t0, ["update", "kv", { k: "z" }, { v: "mine" }]).code).toBe(
        "SQLITE_FULL",
      );
      expect(commit(store, t0, insert("a"))).toHaveLength(1);
    });
  });
}

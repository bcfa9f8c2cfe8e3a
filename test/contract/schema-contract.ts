/** What a store does not know yet: quarantine, and schemas that grow. */
import { describe, expect, test } from "vitest";
import type { Chunk, Op } from "../../core/node/store.ts";
import {
  alice,
  bob,
  carol,
  change,
  commit,
  commitFails,
  fullState,
  kv,
  kvChange,
  link,
  receive,
  rows,
  stamp,
  sync,
  t0,
  version,
} from "./authors.ts";
import { opener } from "./opened.ts";
import type { StoreUnderTest } from "./store-contract.ts";

const wideKv =
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER, extra TEXT NOT NULL DEFAULT 'none')";
const other = "CREATE TABLE other (id INTEGER PRIMARY KEY, x TEXT)";

export function schemaContract(tested: StoreUnderTest): void {
  describe("quarantine", () => {
    const open = opener(tested);
    const unknown = () => [
      version(bob, 1, stamp(1), [
        kvChange("a", 1, { v: "one", n: 1, extra: "yes" }),
        kvChange("b", 1, { v: "b", n: 2 }),
      ]),
      version(bob, 2, stamp(2), [
        kvChange("c", 1, { v: "c", n: 3 }),
        change("other", [7], 1, { x: "seven" }),
      ]),
    ];

    test("BK29: a version with an unknown table or column is kept whole, counted as held, and applied in no part", () => {
      const store = open();
      const [first, second] = unknown() as [Chunk[], Chunk[]];
      expect(receive(store, t0, ...first, ...second)).toMatchObject([
        { type: "quarantined", actor: bob, version: 1, why: "no column extra in table kv here" },
        { type: "quarantined", actor: bob, version: 2, why: "no table other here" },
      ]);
      expect(rows(store)).toEqual([]);
      expect(store.summary().rows).toBe(0);
      expect(store.holdings()).toEqual([{ actor: bob, head: 2, gaps: [], partial: [] }]);
      expect(receive(store, t0, ...first)).toMatchObject([{ type: "known" }]);
    });

    test("BK29: it blocks nothing else", () => {
      const store = open();
      receive(store, t0, ...unknown().flat());
      receive(store, t0, ...version(bob, 3, stamp(3), [kvChange("d", 1, { v: "d", n: 4 })]));
      commit(store, t0, ["insert", "kv", { k: "mine" }]);
      expect(rows(store)).toHaveLength(2);
    });

    test("BK34: its seals are served with it while it waits, and after it was applied", () => {
      const store = open();
      const sealed = unknown()
        .flat()
        .map((chunk) => ({ ...chunk, seal: Uint8Array.of(chunk.version) }));
      receive(store, t0, ...sealed);
      const served = () => store.serve([{ actor: bob, from: 1, to: 9 }], 1e9).chunks;
      expect(served()).toEqual(sealed.toReversed());
      store.migrate(t0, [wideKv, link, other]);
      expect(served()).toEqual(sealed.toReversed());
    });

    test("BK29: it is served to others and does not shrink", () => {
      const [store, next] = [open(alice), open(carol, [wideKv, other])];
      receive(store, t0, ...unknown().flat());
      store.checkpoint();
      sync(store, next, t0);
      expect(rows(next)).toEqual([
        ["a", "one", 1, "yes"],
        ["b", "b", 2, "none"],
        ["c", "c", 3, "none"],
      ]);
      expect(rows(next, "other")).toEqual([[7, "seven"]]);
    });

    test("BK29: a version that comes in chunks is quarantined as a whole", () => {
      const store = open();
      const chunks = version(
        bob,
        1,
        stamp(1),
        [kvChange("a", 1, { v: "", n: 1 }), change("other", [1], 1, { x: "" })],
        1,
      );
      expect(receive(store, t0, chunks[0] as Chunk)).toMatchObject([{ type: "buffered" }]);
      expect(receive(store, t0, chunks[1] as Chunk)).toMatchObject([{ type: "quarantined" }]);
      expect(rows(store)).toEqual([]);
    });

    test("BK30: a schema that knows them applies them, by actor and version", () => {
      const [store, fresh] = [open(alice), open(alice, [wideKv, other, link])];
      const versions = unknown();
      receive(store, t0, ...(versions[1] as Chunk[]), ...(versions[0] as Chunk[]));
      const outcome = store.migrate(t0, [wideKv, link, other]);
      expect(outcome.versions).toEqual([
        { type: "applied", actor: bob, version: 1, won: 5, lost: 0 },
        { type: "applied", actor: bob, version: 2, won: 3, lost: 0 },
      ]);
      expect(outcome.summary).toEqual(store.summary());
      receive(fresh, t0, ...versions.flat());
      expect(fullState(store)).toEqual(fullState(fresh));
    });

    test("BK30: versions that are still unknown wait on", () => {
      const store = open();
      receive(store, t0, ...unknown().flat());
      expect(store.migrate(t0, [wideKv, link]).versions).toMatchObject([
        { type: "applied", version: 1 },
      ]);
      expect(store.migrate(t0, [wideKv, link, other]).versions).toMatchObject([
        { type: "applied", version: 2 },
      ]);
      expect(rows(store)).toHaveLength(3);
    });

    test("BK29: a value that the column cannot hold here waits for a schema too", () => {
      const store = open(alice, [kv.replace("n INTEGER", "n INTEGER NOT NULL DEFAULT 0")]);
      const [outcome] = receive(
        store,
        t0,
        ...version(bob, 1, stamp(1), [kvChange("a", 1, { v: "", n: null })]),
      );
      expect(outcome).toMatchObject({
        type: "quarantined",
        why: "column n of kv is NOT NULL here",
      });
    });
  });

  describe("constraints", () => {
    const open = opener(tested);

    test("CR15: what breaks a CHECK is merged and listed when it is remote, and fails when it is local", () => {
      const { store, broken } = open.checked(alice);
      const remote = change("budget", [1], 1, { a: 9, b: 9 });
      expect(receive(store, t0, ...version(bob, 1, stamp(1), [remote]))).toMatchObject([
        { type: "applied", won: 2 },
      ]);
      expect(rows(store, "budget")).toEqual([[1, 9, 9]]);
      expect(broken()).toEqual([[1]]);
      for (const op of [
        ["insert", "budget", { id: 2, a: 11 }],
        ["upsert", "budget", { id: 1, a: 5 }],
      ] as Op[]) {
        expect(commitFails(store, t0, op).code).toBe("SQLITE_CONSTRAINT_CHECK");
      }
      commit(store, t0, ["delete", "budget", { id: 1 }]);
      expect(broken()).toEqual([]);
    });
  });

  describe("schemas", () => {
    const open = opener(tested);

    test("BK30: new columns begin with their default, and existing rows and hashes stay", () => {
      const store = open();
      commit(
        store,
        t0,
        ["insert", "kv", { k: "a", v: "x", n: 1 }],
        ["insert", "kv", { k: "gone" }],
      );
      commit(store, t0, ["delete", "kv", { k: "gone" }]);
      const before = store.summary();
      store.migrate(t0, [wideKv, link, other]);
      expect(store.summary()).toEqual(before);
      expect(rows(store)).toEqual([["a", "x", 1, "none"]]);
      expect(rows(store, "other")).toEqual([]);
      expect(store.tables.map((table) => table.name)).toEqual(["kv", "link", "other"]);
      commit(
        store,
        t0,
        ["update", "kv", { k: "a" }, { extra: "some" }],
        ["insert", "other", { id: 1 }],
      );
      expect(rows(store)).toEqual([["a", "x", 1, "some"]]);
    });

    test("BK30: stores that grew before and after the data agree", () => {
      const [one, two] = [open(alice), open(bob, [wideKv, link])];
      commit(one, t0, ["insert", "kv", { k: "a", n: 1 }]);
      sync(one, two, t0);
      one.migrate(t0, [wideKv, link]);
      expect(fullState(one)).toEqual(fullState(two));
      commit(two, t0, ["update", "kv", { k: "a" }, { extra: "two" }]);
      sync(two, one, t0);
      expect(fullState(one)).toEqual(fullState(two));
    });

    test("CR18: a schema that loses something is refused, and nothing changes", () => {
      const store = open();
      commit(store, t0, ["insert", "kv", { k: "a", n: 1 }]);
      const before = fullState(store);
      for (const [schema, error] of [
        [[kv], /link/],
        [[link, "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, n INTEGER)"], /column v of kv/],
        [
          [
            link,
            "CREATE TABLE kv (k TEXT NOT NULL, v TEXT NOT NULL DEFAULT '', n INTEGER, PRIMARY KEY (k, v))",
          ],
          /primary key/,
        ],
        [[link, kv.replace("n INTEGER", "n TEXT")], /column n of kv/],
        [[link, kv.replace("n INTEGER", "n INTEGER MAX")], /column n of kv/],
        [[link, kv.replace("n INTEGER", "n INTEGER NOT NULL DEFAULT 0")], /column n of kv/],
        [[link, kv.replace("n INTEGER", "n INTEGER, w TEXT NOT NULL")], /w of kv .* write DEFAULT/],
        [["CREATE TABLE nokey (x)"], /nokey/],
      ] as [string[], RegExp][]) {
        expect(() => store.migrate(t0, schema)).toThrow(error);
      }
      expect(fullState(store)).toEqual(before);
    });

    test("CR18: a schema that cannot be replicated is refused when a store is opened", () => {
      expect(() => open(alice, ["CREATE TABLE nokey (x)"])).toThrow(
        /table nokey has no primary key/,
      );
    });
  });
}

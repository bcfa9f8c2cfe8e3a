/** Clocks of neighbours that stand in one row, and what becomes of them when single rows change. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { guardsOf } from "../../../runtime/store/capture.ts";
import { layoutVersion } from "../../../runtime/store/layout.ts";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { storeFiles } from "./files.ts";
import { toLayout4 } from "./old-layouts.ts";
import { fullState, hex, sql, storeMaker, sync } from "./stores.ts";

const schema = [
  "CREATE TABLE kv (k INTEGER NOT NULL PRIMARY KEY, v TEXT, w INTEGER)",
  "CREATE TABLE named (k TEXT NOT NULL PRIMARY KEY, v TEXT, w INTEGER)",
];

/** Keys `from` to `to` of `kv`. */
function keys(from: number, to: number): string {
  return `WITH RECURSIVE n(k) AS (SELECT ${from} UNION ALL SELECT k + 1 FROM n WHERE k < ${to})`;
}

function insert(store: SqliteStore, from: number, to: number): void {
  sql(store, `${keys(from, to)} INSERT INTO kv SELECT k, 'v', k FROM n`);
}

describe("clocks of neighbours", () => {
  const files = storeFiles(schema);

  const look = <T>(query: string): T[] => {
    const db = new Database(files.path("state.db"), { readonly: true });
    const rows = db.prepare(query).raw().all() as T[];
    db.close();
    return rows;
  };
  const spans = () => look("SELECT first, last, c, step FROM patina_span ORDER BY first");
  const singles = () => look("SELECT k0 FROM patina_clock_kv ORDER BY k0");

  test("CR1: rows that one version wrote take one row, also when there are thousands", () => {
    const store = files.open("a");
    insert(store, 1, 5000);
    expect(spans()).toEqual([[1, 5000, 1, 0]]);
    expect(singles()).toEqual([]);
    insert(store, 5001, 5020);
    store.checkpoint();
    expect(spans()).toEqual([
      [1, 5000, 1, 0],
      [5001, 5020, 2, 0],
    ]);
    expect(store.check()).toEqual([]);
  });

  test("CR1: rows that versions wrote one after the other take one row", () => {
    const store = files.open("a");
    for (let k = 1; k <= 40; k++) sql(store, ["INSERT INTO kv VALUES (?, 'v', 1)", k]);
    for (let k = 1; k <= 20; k++) sql(store, ["DELETE FROM kv WHERE k = ?", k]);
    store.checkpoint();
    expect(spans()).toEqual([
      [1, 20, -41, -1],
      [21, 40, 21, 1],
    ]);
    expect(singles()).toEqual([]);
    expect(store.check()).toEqual([]);
  });

  test("CR1: the change of one row splits nothing, and that of many cuts", () => {
    const store = files.open("a");
    insert(store, 1, 3000);
    sql(store, "UPDATE kv SET w = 0 WHERE k IN (7, 1500)");
    store.checkpoint();
    expect(spans()).toEqual([[1, 3000, 1, 0]]);
    expect(singles()).toEqual([[7], [1500]]);
    sql(store, "DELETE FROM kv WHERE k BETWEEN 1000 AND 2199");
    store.checkpoint();
    expect(spans()).toEqual([
      [1, 999, 1, 0],
      [1000, 2199, -3, 0],
      [2200, 3000, 1, 0],
    ]);
    expect(singles()).toEqual([[7]]);
    expect(store.check()).toEqual([]);
  });

  test("BK31: those of new rows wait in the log, are back after a kill, and what changes then hides them", () => {
    const first = files.open("a");
    insert(first, 1, 100);
    insert(first, 301, 340);
    insert(first, 201, 240);
    sql(first, "DELETE FROM kv WHERE k = 50", "UPDATE kv SET w = 0 WHERE k BETWEEN 60 AND 90");
    expect(spans()).toEqual([]);
    first.abandon();
    const store = files.open("a");
    sql(store, "DELETE FROM kv WHERE k BETWEEN 205 AND 225");
    store.checkpoint();
    expect(spans()).toEqual([
      [1, 100, 1, 0],
      [201, 204, 3, 0],
      [205, 225, -5, 0],
      [226, 240, 3, 0],
      [301, 340, 2, 0],
    ]);
    expect(singles().slice(0, 2)).toEqual([[50], [60]]);
    expect(store.check()).toEqual([]);
  });

  test.each([
    ["is gone", "DELETE FROM kv WHERE k = 30"],
    ["came back", "INSERT INTO kv VALUES (50, 'x', 0)"],
  ])("BK31: where a row of one that waits %s, the file is not opened after a kill", (_, change) => {
    const first = files.open("a");
    insert(first, 1, 100);
    sql(first, "DELETE FROM kv WHERE k = 50");
    first.abandon();
    const db = new Database(files.path("state.db"));
    const guards = db
      .prepare("SELECT name, sql FROM sqlite_schema WHERE name GLOB 'patina_guard_*_kv'")
      .raw()
      .all() as [name: string, text: string][];
    for (const [name] of guards) db.exec(`DROP TRIGGER ${name}`);
    db.exec(change);
    for (const [, text] of guards) db.exec(text);
    db.close();
    expect(() => files.open("a")).toThrow("does not fit together");
  });

  test("BK31: a database from before spans keeps what it has, and gets them", () => {
    const first = files.open("a");
    insert(first, 1, 100);
    sql(first, "DELETE FROM kv WHERE k BETWEEN 20 AND 60");
    const state = fullState(first);
    first.close();
    const old = new Database(files.path("state.db"));
    toLayout4(old);
    old.close();
    const store = files.open("a");
    expect(store.check()).toEqual([]);
    expect(fullState(store)).toEqual(state);
    insert(store, 101, 200);
    store.checkpoint();
    expect(spans()).toEqual([[101, 200, 3, 0]]);
    expect(store.check()).toEqual([]);
    expect(look("PRAGMA user_version")).toEqual([[layoutVersion]]);
    const guards = look<[string]>(
      "SELECT sql FROM sqlite_schema WHERE name GLOB 'patina_guard_*' ORDER BY name",
    );
    expect(guards.map(([text]) => text)).toEqual(
      ["kv", "named"].flatMap(guardsOf).sort((a, b) => (a < b ? -1 : 1)),
    );
  });

  test.each(["last = 9000000000000000", "last = first - 1", "step = 'x'", "c = NULL, first = 2.5"])(
    "BK31: a damaged one (%s) is told of, and nothing waits for it",
    (change) => {
      const first = files.open("a");
      insert(first, 1, 100);
      first.close();
      const db = new Database(files.path("state.db"));
      db.exec("CREATE TABLE copied AS SELECT * FROM patina_span");
      db.exec("DROP TABLE patina_span");
      db.exec("CREATE TABLE patina_span (n, first, last, c, step, PRIMARY KEY (n, first))");
      db.exec("INSERT INTO patina_span SELECT * FROM copied; DROP TABLE copied");
      db.exec(`UPDATE patina_span SET ${change}`);
      db.close();
      const store = files.open("a");
      expect(store.check().map(({ what }) => what)).toContain(
        'the clocks of table "kv" are damaged',
      );
    },
  );
});

/** What one transaction does to keys `from` to `from + count − 1` of both tables. */
interface Step {
  readonly verb: "insert" | "delete" | "update" | "each";
  readonly from: number;
  readonly count: number;
  readonly fold: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  verb: fc.constantFrom("insert", "delete", "update", "each"),
  from: fc.integer({ min: -30, max: 150 }),
  count: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 15, max: 90 })),
  fold: fc.boolean(),
});

/** The same is done to a table whose clocks stand in spans, and to one whose clocks cannot. */
function run(store: SqliteStore, { verb, from, count, fold }: Step): void {
  const range = keys(from, from + count - 1);
  // Names in the order of the numbers.
  const name = "printf('%04d', k + 1000)";
  if (verb === "insert") {
    sql(
      store,
      `${range} INSERT OR REPLACE INTO kv SELECT k, 'v', ${from} FROM n`,
      `${range} INSERT OR REPLACE INTO named SELECT ${name}, 'v', ${from} FROM n`,
    );
  } else if (verb === "each") {
    for (let k = from; k < from + count; k++) {
      sql(
        store,
        ["INSERT OR IGNORE INTO kv VALUES (?, 'e', 1)", k],
        ["INSERT OR IGNORE INTO named VALUES (?, 'e', 1)", String(k + 1000).padStart(4, "0")],
      );
    }
  } else {
    const what = verb === "delete" ? ["DELETE FROM", ""] : ["UPDATE", "SET w = w + 1"];
    sql(
      store,
      `${range} ${what[0]} kv ${what[1]} WHERE k IN (SELECT k FROM n)`,
      `${range} ${what[0]} named ${what[1]} WHERE k IN (SELECT ${name} FROM n)`,
    );
  }
  if (fold) store.checkpoint();
}

const everything = new Uint8Array(0);

function metadata(store: SqliteStore, table: string): unknown {
  const { rows } = store.readRows(table, everything, everything, Number.MAX_SAFE_INTEGER);
  return rows.map(({ causalLength, cells }) => [causalLength, hex(cells)]);
}

describe("clocks of neighbours in any history", () => {
  const open = storeMaker();

  test("CR1: are those that the rows would have by themselves, here and where it is merged", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), fc.boolean(), (steps, late) => {
        const store = open("a", schema);
        const other = open("b", schema);
        for (const one of steps) {
          run(store, one);
          if (!late) sync(store, other);
        }
        sync(store, other);
        expect(metadata(store, "kv")).toEqual(metadata(store, "named"));
        expect(fullState(other)).toEqual(fullState(store));
        expect(store.check()).toEqual([]);
        expect(other.check()).toEqual([]);
        // What one of them does to rows of the other's goes by their clocks.
        run(other, { verb: "delete", from: 0, count: 60, fold: true });
        sync(other, store);
        expect(fullState(store)).toEqual(fullState(other));
      }),
      { numRuns: 40 },
    );
  });
});

describe("clocks of neighbours that wait", () => {
  const files = storeFiles(schema);

  test("BK31: are those that the rows would have by themselves, wherever the store is killed", () => {
    const kill = fc.record({ step, kill: fc.boolean() });
    fc.assert(
      fc.property(fc.array(kill, { minLength: 1, maxLength: 10 }), (steps) => {
        for (const suffix of ["", "-wal", "-shm"]) files.remove(`state.db${suffix}`);
        let store = files.open("a");
        for (const { step: one, kill: isKilled } of steps) {
          run(store, one);
          if (!isKilled) continue;
          store.abandon();
          store = files.open("a");
        }
        expect(metadata(store, "kv")).toEqual(metadata(store, "named"));
        expect(store.check()).toEqual([]);
        store.abandon();
      }),
      { numRuns: 30 },
    );
  });
});

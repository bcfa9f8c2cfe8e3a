/** Clocks that stand under the rowids of their rows, and what becomes of them when rowids change hands. */
import { DatabaseSync } from "node:sqlite";
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { storeFiles } from "./files.ts";
import { toLayout6 } from "./old-layouts.ts";
import { fullState, rows, sql, storeMaker, sync, trySql } from "./stores.ts";

const schema = ["CREATE TABLE named (k TEXT NOT NULL PRIMARY KEY, v TEXT, w INTEGER)"];

/** Rows with keys k`from` to k`to`, whose order is not that of their numbers. */
function insert(store: SqliteStore, from: number, to: number, verb = "INSERT"): void {
  const numbers = `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to})`;
  sql(store, `${numbers} ${verb} INTO named SELECT 'k' || i, 'v', 0 FROM n`);
}

describe("clocks under rowids", () => {
  const files = storeFiles(schema);
  const make = storeMaker();

  const look = <T>(query: string): T[] => {
    const db = new Database(files.path("state.db"), { readonly: true });
    const found = db.prepare(query).raw().all() as T[];
    db.close();
    return found;
  };
  const spans = () => look("SELECT first, last, c, step FROM patina_span ORDER BY first");
  const singles = () => look("SELECT k0 FROM patina_rowid_named ORDER BY k0");
  const keyed = () => look("SELECT k0 FROM patina_clock_named ORDER BY k0");

  test("CR1: rows that one version inserted share one row, whatever the order of their keys", () => {
    const store = files.open("a");
    insert(store, 1, 3000);
    expect(spans()).toEqual([[1, 3000, 1, 0]]);
    insert(store, 3001, 3100);
    sql(store, "UPDATE named SET w = 1 WHERE k = 'k7'");
    sql(store, "DELETE FROM named WHERE k = 'k8'");
    store.checkpoint();
    expect(spans()).toEqual([
      [1, 3000, 1, 0],
      [3001, 3100, 2, 0],
    ]);
    expect(singles()).toEqual([[7]]);
    expect(keyed()).toEqual([["k8"]]);
    sql(store, "DELETE FROM named WHERE k = 'k7'");
    store.checkpoint();
    expect(singles()).toEqual([]);
    expect(store.check()).toEqual([]);
  });

  test("CR1: rows that a peer inserted share one row too", () => {
    const peer = make("b", schema);
    insert(peer, 1, 500);
    const store = files.open("a");
    sync(peer, store);
    store.checkpoint();
    expect(spans()).toEqual([[1, 500, 1, 0]]);
    expect(keyed()).toEqual([]);
    sql(peer, "DELETE FROM named WHERE k IN ('k1', 'k2')", "UPDATE named SET w = 1 WHERE k = 'k3'");
    sync(peer, store);
    store.checkpoint();
    expect(look("SELECT t.k FROM named AS t, patina_rowid_named WHERE k0 = t._rowid_")).toEqual([
      ["k3"],
    ]);
    expect(singles()).toHaveLength(1);
    expect(keyed()).toEqual([["k1"], ["k2"]]);
    expect(fullState(store)).toEqual(fullState(peer));
    expect(store.check()).toEqual([]);
  });

  test("CR1: a row that is put in place of itself keeps its clock under its new rowid", () => {
    const store = files.open("a");
    insert(store, 1, 40);
    for (let i = 0; i < 3; i++) {
      insert(store, 1, 1, "REPLACE");
      insert(store, 3, 30, "REPLACE");
      expect(store.check()).toEqual([]);
    }
    const state = fullState(store);
    store.checkpoint();
    expect(
      look("SELECT count(*) FROM named AS t, patina_rowid_named WHERE k0 = t._rowid_"),
    ).toEqual(look("SELECT count(*) FROM patina_rowid_named"));
    store.abandon();
    expect(fullState(files.open("a"))).toEqual(state);
  });

  test("CR1: a rowid that goes from row to row brings no clock along", () => {
    const store = files.open("a");
    insert(store, 1, 3);
    sql(store, "UPDATE named SET w = 1");
    store.checkpoint();
    // Row k3 leaves the greatest rowid, which the next row gets.
    sql(store, "DELETE FROM named WHERE k = 'k3'", "INSERT INTO named VALUES ('a', 'v', 0)");
    expect(store.check()).toEqual([]);
    sql(store, "DELETE FROM named WHERE k = 'a'");
    insert(store, 100, 140);
    expect(store.check()).toEqual([]);
    sql(store, "UPDATE named SET k = 'z' || k");
    expect(store.check()).toEqual([]);
    sql(store, "DELETE FROM named WHERE k = 'zk140'");
    sql(store, "INSERT INTO named VALUES ('k3', 'again', 0)");
    store.checkpoint();
    expect(store.check()).toEqual([]);
  });

  test("CR1: a rowid cannot be set by an UPDATE, but by an INSERT", () => {
    const store = files.open("a");
    insert(store, 1, 2);
    for (const name of ["rowid", "_rowid_", "oid", '"RowID"']) {
      expect(trySql(store, `UPDATE named SET ${name} = 77 WHERE k = 'k1'`)).toMatchObject({
        type: "failed",
        error: "the rowid of a row of named cannot be changed; leave it out",
      });
    }
    for (const [i, rowid] of ["-5", "0", "9007199254740993", "9223372036854775807"].entries()) {
      sql(store, `INSERT INTO named (_rowid_, k, v, w) VALUES (${rowid}, 'x${i}', 'v', ${i})`);
      sql(store, `UPDATE named SET w = 9 WHERE k = 'x${i}'`);
      expect(store.check()).toEqual([]);
    }
    // From here on SQLite gives out rowids in no order.
    const peer = make("b", schema);
    insert(peer, 200, 300);
    sync(peer, store);
    insert(store, 400, 500);
    sql(store, "DELETE FROM named WHERE w = 9");
    expect(store.check()).toEqual([]);
  });

  test("BK31: VACUUM of any SQLite leaves rowids as they are", () => {
    const store = files.open("a");
    insert(store, 1, 3000);
    sql(store, "DELETE FROM named WHERE k LIKE '%7%'");
    sql(store, "UPDATE named SET w = 1 WHERE k LIKE '%3%'");
    store.vacuum();
    expect(store.check()).toEqual([]);
    const state = fullState(store);
    store.close();
    const other = new DatabaseSync(files.path("state.db"));
    other.exec("VACUUM");
    other.close();
    const again = files.open("a");
    expect(again.check()).toEqual([]);
    expect(fullState(again)).toEqual(state);
    const copy = files.path("copy.db");
    again.backupTo(copy);
    expect(files.open("c", { path: copy }).check()).toEqual([]);
  });

  test("BK31: a database from before them keeps its clocks where they are", () => {
    const first = files.open("a");
    insert(first, 1, 100);
    sql(first, "UPDATE named SET w = 1 WHERE k = 'k5'", "DELETE FROM named WHERE k = 'k6'");
    const state = fullState(first);
    first.close();
    const old = new Database(files.path("state.db"));
    toLayout6(old);
    old.close();
    const store = files.open("a");
    expect(fullState(store)).toEqual(state);
    insert(store, 101, 200);
    expect(store.check()).toEqual([]);
    store.checkpoint();
    expect(keyed()).toHaveLength(200);
  });

  test("CR1: under a UNIQUE index clocks come to stand under keys", () => {
    const store = files.open("a");
    insert(store, 1, 50);
    sql(
      store,
      "UPDATE named SET w = CAST(substr(k, 2) AS INTEGER)",
      "DELETE FROM named WHERE w = 3",
    );
    const digest = store.tableDigests();
    store.migrate(1_780_000_000_000, [...schema, "CREATE UNIQUE INDEX one ON named (w)"]);
    expect(store.tableDigests()).toEqual(digest);
    expect(keyed()).toHaveLength(50);
    expect(spans()).toEqual([]);
    sql(store, "INSERT INTO named (k, w) VALUES ('n', -1)", "UPDATE named SET v = 'x' WHERE w < 9");
    expect(store.check()).toEqual([]);
  });

  test.each(["rowid", "_ROWID_", "oid"])(
    "CR1: a column named %s leaves clocks under keys",
    (name) => {
      const store = files.open("a", {
        schema: [
          `CREATE TABLE named (k TEXT NOT NULL PRIMARY KEY, v TEXT, w INTEGER, ${name} TEXT)`,
        ],
      });
      for (const k of ["a", "b"]) sql(store, ["INSERT INTO named (k, v) VALUES (?, 'v')", k]);
      store.checkpoint();
      expect(keyed()).toEqual([["a"], ["b"]]);
      expect(store.check()).toEqual([]);
    },
  );

  const key = fc.constantFrom("a", "b", "c", "d", "e");
  const step = fc.oneof(
    key.map((k) => `INSERT OR IGNORE INTO named VALUES ('${k}', 'i', 1)`),
    fc
      .tuple(key, fc.constantFrom("r", "s"))
      .map(([k, v]) => `REPLACE INTO named VALUES ('${k}', '${v}', 2)`),
    key.map((k) => `DELETE FROM named WHERE k = '${k}'`),
    key.map((k) => `UPDATE named SET w = w + 1 WHERE k >= '${k}'`),
    fc.tuple(key, key).map(([k, to]) => `UPDATE OR REPLACE named SET k = '${to}' WHERE k = '${k}'`),
    fc.constant(
      "INSERT INTO named SELECT 'm' || value, 'm', 3 FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]') WHERE true ON CONFLICT DO NOTHING",
    ),
    fc.constant(
      "REPLACE INTO named SELECT 'm' || (19 - value), 'm', 3 FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18]')",
    ),
    fc.constant("DELETE FROM named WHERE k LIKE 'm%'"),
    fc.constant(
      "UPDATE named SET k = 'n' || k WHERE k LIKE 'm%' AND NOT EXISTS (SELECT 1 FROM named WHERE k LIKE 'nm%')",
    ),
    fc.constant("DELETE FROM named WHERE k LIKE 'n%'"),
  );
  const act = fc.oneof(
    { weight: 8, arbitrary: fc.tuple(fc.nat(1), fc.array(step, { minLength: 1, maxLength: 4 })) },
    { weight: 2, arbitrary: fc.constantFrom("sync", "fold 0", "fold 1", "reopen") },
  );

  test("CR1: whatever is done to rows, each keeps its own clock", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 14 }), fc.boolean(), (acts, checksEach) => {
        let left = files.open("a");
        const right = make("b", schema);
        for (const what of acts) {
          if (what === "sync") {
            sync(left, right);
            sync(right, left);
          } else if (what === "fold 0") left.checkpoint();
          else if (what === "fold 1") right.checkpoint();
          else if (what === "reopen") {
            left.abandon();
            left = files.open("a");
          } else sql(what[0] === 0 ? left : right, ...what[1]);
          if (checksEach) expect(left.check()).toEqual([]);
        }
        sync(left, right);
        sync(right, left);
        expect(left.check()).toEqual([]);
        expect(right.check()).toEqual([]);
        expect(rows(left, "named")).toEqual(rows(right, "named"));
        expect(fullState(left)).toEqual(fullState(right));
        sql(left, "DELETE FROM named");
        left.checkpoint();
        expect(singles()).toEqual([]);
        left.close();
        for (const suffix of ["", "-wal", "-shm"]) files.remove(`state.db${suffix}`);
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});

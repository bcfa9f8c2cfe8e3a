/** What a running node does with its file: copies of it, its write-ahead log, its free pages, readers. */
import { copyFileSync, existsSync, statSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { backupDatabase, restoreBackup } from "../../../runtime/store/backup.ts";
import { checkRead, openReader } from "../../../runtime/store/reader.ts";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { storeFiles } from "./files.ts";
import { fullState, rows, sql, sync, t0 } from "./stores.ts";

const schema = [
  "CREATE TABLE kv (k INTEGER NOT NULL PRIMARY KEY, v TEXT UNIQUE, n INTEGER CHECK (n < 10))",
];

function fill(store: SqliteStore, from: number, to: number, size = 10): void {
  for (let k = from; k <= to; k++) {
    sql(store, ["INSERT INTO kv VALUES (?, ?, 0)", k, `${k} ${"x".repeat(size)}`]);
  }
}

const headOf = (store: SqliteStore, letter: string) =>
  store.holdings().find(({ actor }) => actor === letter.repeat(32))?.head ?? 0;

describe("a backup", () => {
  const files = storeFiles(schema);

  test("BK31: is the database at one moment, and goes on as another node under a fresh author", () => {
    const store = files.open("a");
    fill(store, 1, 30);
    const [state, holdings] = [fullState(store), store.holdings()];
    const { bytes } = store.backupTo(files.path("copy.db"));
    expect(bytes).toBe(statSync(files.path("copy.db")).size);
    fill(store, 31, 40);
    const copy = files.open("b", { path: files.path("copy.db") });
    expect(copy.renewal).toMatchObject({ why: "backup", what: "node" });
    expect([copy.actor, copy.nodeId, copy.epoch]).toEqual(["b".repeat(32), "b".repeat(32), 0]);
    expect(fullState(copy)).toEqual(state);
    expect(copy.holdings()).toEqual(holdings);
    expect(copy.check()).toEqual([]);
    // It goes on writing, and learns what the original wrote since under its old name.
    fill(copy, 41, 42);
    sync(store, copy);
    sync(copy, store);
    expect(fullState(copy)).toEqual(fullState(store));
    expect([headOf(store, "a"), headOf(store, "b")]).toEqual([40, 2]);
    expect(copy.check()).toEqual([]);
  });

  test("BK32: is the same node under a fresh author when it is put back in place", () => {
    const store = files.open("a");
    store.saveEpoch(7);
    fill(store, 1, 5);
    backupDatabase(files.path("state.db"), files.path("copy.db"));
    fill(store, 6, 9);
    store.close();
    restoreBackup(files.path("copy.db"), files.path("again.db"));
    const again = files.open("c", { path: files.path("again.db"), renew: "actor" });
    expect(again.renewal).toEqual({
      why: "backup",
      what: "actor",
      before: { actor: "a".repeat(32), node: "a".repeat(32) },
    });
    expect([again.actor, again.nodeId, again.epoch]).toEqual(["c".repeat(32), "a".repeat(32), 7]);
    fill(again, 6, 6);
    expect([headOf(again, "a"), headOf(again, "c")]).toEqual([5, 1]);
    again.close();
    // From now on the file is its own.
    const later = files.open("d", { path: files.path("again.db") });
    expect([later.actor, later.renewal]).toEqual(["c".repeat(32), null]);
  });

  test("BK32: never writes as its original: an id that was used is refused", () => {
    const store = files.open("a");
    fill(store, 1, 3);
    store.backupTo(files.path("copy.db"));
    const path = files.path("copy.db");
    expect(() => files.open("a", { path })).toThrow(/has been used already, so give it a new/);
    expect(() => files.open("b", { path, node: store.nodeId })).toThrow(/is the one that it was/);
    expect(files.open("b", { path }).actor).toBe("b".repeat(32));
  });

  test("BK31: overwrites nothing, and is restored only when it is whole", () => {
    const store = files.open("a");
    fill(store, 1, 20, 500);
    const [copy, there] = [files.path("copy.db"), files.path("there.db")];
    writeFileSync(there, "something");
    expect(() => store.backupTo(there)).toThrow(/exists already; name a file that does not/);
    expect(() => store.backupTo(files.path("none/copy.db"))).toThrow(/its folder is not there/);
    store.backupTo(copy);
    expect(() => restoreBackup(copy, there)).toThrow(/exists already/);
    expect(() => restoreBackup(files.path("no.db"), files.path("new.db"))).toThrow(/is not there/);
    const db = new Database(copy);
    db.unsafeMode();
    db.pragma("writable_schema = ON");
    db.exec("UPDATE sqlite_schema SET rootpage = 2 WHERE name = 'patina_log'");
    db.close();
    expect(() => restoreBackup(copy, files.path("new.db"))).toThrow(/damaged/);
    expect(existsSync(files.path("new.db"))).toBe(false);
    expect(existsSync(files.path("new.db.partial"))).toBe(false);
  });

  test("BK32: a copy made by other means is marked when it is restored", () => {
    const store = files.open("a");
    fill(store, 1, 3);
    store.close();
    copyFileSync(files.path("state.db"), files.path("cp.db"));
    restoreBackup(files.path("cp.db"), files.path("restored.db"));
    const restored = files.open("b", { path: files.path("restored.db") });
    expect(restored.renewal?.why).toBe("backup");
  });
});

describe("a power loss", () => {
  const files = storeFiles(schema);
  const boots = (bootId: string, letter: string, more = {}) =>
    files.open(letter, { bootId, ...more });

  test("BK32: takes a fresh author when commits may have been lost with it", () => {
    const store = boots("monday", "a");
    fill(store, 1, 3);
    store.abandon();
    const killed = boots("monday", "b");
    expect([killed.actor, killed.renewal]).toEqual(["a".repeat(32), null]);
    killed.abandon();
    const later = boots("tuesday", "b");
    expect(later.renewal).toMatchObject({ why: "lost commits", what: "actor" });
    expect([later.actor, later.nodeId]).toEqual(["b".repeat(32), "a".repeat(32)]);
    fill(later, 4, 4);
    expect([headOf(later, "a"), headOf(later, "b")]).toEqual([3, 1]);
    later.close();
    expect(boots("wednesday", "c").renewal).toBe(null);
  });

  test("BK32: costs no name where each commit was on the disk, or the stop was clean", () => {
    const store = boots("monday", "a", { synchronous: "full" });
    fill(store, 1, 3);
    store.abandon();
    const later = boots("tuesday", "b", { synchronous: "full" });
    expect(later.renewal).toBe(null);
    expect(rows(later, "kv")).toHaveLength(3);
    later.abandon();
    const unknown = boots("", "b");
    expect(unknown.renewal).toBe(null);
    unknown.abandon();
    // Where nobody can tell whether the machine has stopped, it may have.
    expect(boots("", "b").renewal).toMatchObject({ why: "lost commits" });
  });
});

describe("the file of a running node", () => {
  const files = storeFiles(schema);

  test("BK31: its write-ahead log stays bounded while readers come and go", () => {
    const store = files.open("a");
    const reader = openReader(files.path("state.db"));
    let largest = 0;
    for (let i = 0; i < 40; i++) {
      const rowsOpen = reader.prepare("SELECT k FROM kv").iterate();
      rowsOpen.next();
      fill(store, i * 20 + 1, i * 20 + 20, 2000);
      store.checkpointWal({ maxBytes: 256 * 1024, waitMs: 1 });
      largest = Math.max(largest, store.walBytes());
      rowsOpen.return?.();
      store.checkpointWal({ maxBytes: 256 * 1024 });
    }
    expect(largest).toBeGreaterThan(0);
    expect(largest).toBeLessThan(1024 * 1024);
    const open = reader.prepare("SELECT k FROM kv").iterate();
    open.next();
    fill(store, 2001, 2001);
    expect(store.checkpointWal({ maxBytes: 0, waitMs: 1 }).emptied).toBe(false);
    open.return?.();
    expect(store.checkpointWal({ maxBytes: 0 })).toMatchObject({ emptied: true, walBytes: 0 });
    reader.close();
  });

  test("BK27: gives back the room of what was deleted, some pages at a time", () => {
    const store = files.open("a");
    fill(store, 1, 300, 3000);
    const before = store.sizeBytes();
    sql(store, "DELETE FROM kv");
    store.checkpoint();
    expect(store.vacuumSome(5)).toBe(5);
    let given = 0;
    for (let pages = store.vacuumSome(50); pages > 0; pages = store.vacuumSome(50)) given += pages;
    expect(given).toBeGreaterThan(100);
    expect(store.sizeBytes()).toBeLessThan(before / 4);
    expect(store.check()).toEqual([]);
  });

  test("BK31: readers see every commit, wait for nobody and write nothing", () => {
    const store = files.open("a");
    fill(store, 1, 3);
    const reader = openReader(files.path("state.db"));
    store.transact(t0, (transaction) => {
      transaction.run("INSERT INTO kv VALUES (4, 'four', 0)");
      expect(reader.prepare("SELECT count(*) FROM kv").pluck().get()).toBe(3);
    });
    expect(reader.prepare("SELECT count(*) FROM kv").pluck().get()).toBe(4);
    expect(reader.prepare("SELECT count(*) FROM patina_conflicts").pluck().get()).toBe(0);
    for (const statement of ["DELETE FROM kv", "CREATE TABLE x (y)", "PRAGMA user_version = 9"]) {
      expect(() => reader.prepare(statement).run()).toThrow(/readonly|only_through_a_node/);
    }
    reader.close();
  });

  test("CR20: what reaches past the database is no query", () => {
    for (const query of [
      "SELECT 1",
      " -- why\n with x as (select 1) select * from x",
      "VALUES (1)",
    ])
      expect(() => checkRead(query)).not.toThrow();
    for (const statement of [
      "ATTACH 'x' AS y",
      "VACUUM INTO 'x'",
      "PRAGMA journal_mode = OFF",
      "",
      "BEGIN",
    ])
      expect(() => checkRead(statement)).toThrow(/is no query|is empty/);
  });

  test("CR15: counts what it holds, and what merges broke", () => {
    const [one, two] = [files.open("a"), files.open("b", { path: files.path("two.db") })];
    sql(one, "INSERT INTO kv VALUES (1, 'same', 1)");
    sql(two, "INSERT INTO kv VALUES (2, 'same', 1), (3, 'gone', 2)");
    sql(two, "DELETE FROM kv WHERE k = 3");
    sync(two, one);
    expect(one.counts()).toEqual({
      rows: 2,
      tombstones: 1,
      aside: 1,
      quarantined: 0,
      partial: 0,
      actors: 2,
    });
    expect(one.conflictCount()).toBe(1);
  });
});

/** A store that reads on between its transactions: what other processes write meanwhile, and upkeep of its file. */
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { storeFiles } from "./files.ts";
import { rows, sql, t0, trySql } from "./stores.ts";

const schema = [
  "CREATE TABLE kv (k INTEGER NOT NULL PRIMARY KEY, v TEXT); CREATE TABLE seen /* patina: local */ (n INTEGER PRIMARY KEY)",
];

function put(store: SqliteStore, k: number, v = `value ${k}`): void {
  sql(store, ["INSERT INTO kv VALUES (?, ?)", k, v]);
}

/** Holds the lock for a moment. */
const writing = `
const { workerData: { path, locked } } = require("node:worker_threads");
const db = require("better-sqlite3")(path);
db.exec("BEGIN IMMEDIATE; INSERT INTO seen VALUES (1)");
Atomics.store(locked, 0, 1);
Atomics.notify(locked, 0);
Atomics.wait(locked, 0, 1, 200);
db.exec("COMMIT");
db.close();
`;

function seenBy(store: SqliteStore): unknown {
  let seen: unknown = null;
  store.transact(t0, (transaction) => {
    seen = transaction.all("SELECT n FROM seen");
  });
  return seen;
}

describe("between its transactions a store", () => {
  const files = storeFiles(schema);

  test("sees what another process writes to a local table, and writes on", () => {
    const store = files.open("a");
    const shell = new Database(files.path("state.db"));
    for (let n = 1; n <= 5; n++) {
      put(store, n);
      shell.prepare("INSERT INTO seen VALUES (?)").run(n);
      expect(seenBy(store)).toHaveLength(n);
      put(store, -n);
    }
    shell.close();
    expect(rows(store, "kv")).toHaveLength(10);
    expect(store.check()).toEqual([]);
  });

  test("waits for another process that writes", async () => {
    const store = files.open("a");
    put(store, 1);
    const locked = new Int32Array(new SharedArrayBuffer(4));
    const shell = new Worker(writing, {
      eval: true,
      workerData: { path: files.path("state.db"), locked },
    });
    Atomics.wait(locked, 0, 0);
    put(store, 2);
    await shell.terminate();
    expect(seenBy(store)).toEqual([[1]]);
  });

  test("keeps nobody from emptying the write-ahead log for long", () => {
    const store = files.open("a");
    const shell = new Database(files.path("state.db"), { timeout: 0 });
    const emptied = () =>
      (shell.pragma("wal_checkpoint(TRUNCATE)") as { busy: number }[])[0]?.busy === 0;
    let times = 0;
    for (let k = 1; k <= 300; k++) {
      put(store, k);
      if (emptied()) times++;
    }
    // Once in so many small transactions.
    expect(times).toBeGreaterThanOrEqual(2);
    shell.close();
    put(store, 301, "x".repeat(1_000_000));
    put(store, 302);
    expect(store.checkpointWal({ maxBytes: 0 })).toMatchObject({ emptied: true, walBytes: 0 });
  });

  test("takes what others send, in breach of constraints that hold for its own writes", () => {
    const checked = ["CREATE TABLE c (k INTEGER NOT NULL PRIMARY KEY, v INTEGER CHECK (v < 100))"];
    const [store, other] = [
      files.open("a", { schema: checked }),
      files.open("b", {
        schema: ["CREATE TABLE c (k INTEGER NOT NULL PRIMARY KEY, v INTEGER)"],
        path: files.path("b.db"),
      }),
    ];
    for (let k = 1; k <= 200; k++) {
      sql(store, ["INSERT INTO c VALUES (?, 1)", -k]);
      const chunks = sql(other, ["INSERT INTO c VALUES (?, ?)", k, 100 + k]);
      store.receive(t0, chunks, []);
      expect(trySql(store, ["INSERT INTO c VALUES (0, 100)"])).toMatchObject({ type: "failed" });
    }
    expect(rows(store, "c")).toHaveLength(400);
    expect(store.conflictCount()).toBe(200);
    expect(store.check()).toEqual([]);
  });

  test("lets its file be copied, vacuumed and given other tables", () => {
    const store = files.open("a");
    put(store, 1);
    store.backupTo(files.path("copy.db"));
    put(store, 2);
    store.vacuum();
    put(store, 3);
    store.vacuumSome(10);
    put(store, 4);
    store.migrate(t0, [...schema, "CREATE TABLE more (k INTEGER NOT NULL PRIMARY KEY)"]);
    put(store, 5);
    store.checkpoint();
    put(store, 6);
    expect(store.sizeBytes()).toBeGreaterThan(0);
    expect(rows(store, "kv")).toHaveLength(6);
    expect(store.check()).toEqual([]);
  });
});

/** Reader processes: queries beside each other, slow ones, and readers of rows that take their time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { ActorId } from "../../core/base/ids.ts";
import type { ServiceError } from "../../runtime/agent/node-service.ts";
import { NearReader } from "../../runtime/readers/near-reader.ts";
import { ReaderPool, type ReaderPoolOptions } from "../../runtime/readers/reader-pool.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";

const endless =
  "SELECT max(x) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)";
const rowCount = 5000;

function pool(maxReaders: number): ReaderPool {
  return poolAt(maxReaders).readers;
}

function poolAt(
  maxReaders: number,
  more: Partial<ReaderPoolOptions> = {},
): { readonly path: string; readonly readers: ReaderPool } {
  const folder = mkdtempSync(join(tmpdir(), "patina-readers-"));
  const path = join(folder, "a.db");
  const store = new SqliteStore({
    path,
    actor: "ab".repeat(16) as ActorId,
    schema: ["CREATE TABLE t (k INTEGER PRIMARY KEY NOT NULL, v TEXT)"],
  });
  store.transact(Date.now(), (transaction) => {
    for (let i = 0; i < rowCount; i++) transaction.run("INSERT INTO t VALUES (?, 'v')", [i]);
  });
  store.close();
  const readers = new ReaderPool({ path, maxReaders, idleMs: 60_000, lastIdleMs: 60_000, ...more });
  onTestFinished(() => {
    readers.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { path, readers };
}

async function all(
  readers: ReaderPool,
  sql: string,
  timeoutMs: number | null = null,
): Promise<unknown> {
  try {
    const { batches } = await readers.query({ sql, parameters: [], timeoutMs });
    const rows: (readonly unknown[])[] = [];
    for await (const batch of batches) rows.push(...batch);
    return rows;
  } catch (error) {
    return (error as ServiceError).code;
  }
}

test("a query past its time is cut off, and those behind it are answered", async () => {
  const readers = pool(1);
  expect(await all(readers, "SELECT 1")).toEqual([[1]]);
  const slow = all(readers, endless, 300);
  const behind = Array.from({ length: 10 }, (_, i) => all(readers, `SELECT ${i}`));
  expect(await slow).toBe("timeout");
  expect(await Promise.all(behind)).toEqual(Array.from({ length: 10 }, (_, i) => [[i]]));
  expect(readers.kills).toBe(1);
});

test("short queries do not wait behind a long one while another reader may be started", async () => {
  const readers = pool(2);
  const slow = all(readers, endless);
  expect(await Promise.all([1, 2, 3].map((n) => all(readers, `SELECT ${n}`)))).toEqual([
    [[1]],
    [[2]],
    [[3]],
  ]);
  expect(readers.kills).toBe(0);
  readers.close();
  expect(await slow).toBe("shutting_down");
});

test("who takes rows slowly holds nobody up, and sees the rows of one moment", async () => {
  const readers = pool(1);
  const { batches } = await readers.query({
    sql: "SELECT k FROM t",
    parameters: [],
    timeoutMs: null,
  });
  const rows = batches[Symbol.asyncIterator]();
  const first = await rows.next();
  expect((first.value as unknown[]).length).toBeLessThan(rowCount);
  expect(await all(readers, "SELECT count(*) FROM t")).toEqual([[rowCount]]);
  let count = (first.value as unknown[]).length;
  for (let next = await rows.next(); next.done !== true; next = await rows.next()) {
    count += next.value.length;
    expect(await all(readers, "SELECT 7")).toEqual([[7]]);
  }
  expect(count).toBe(rowCount);
  const given = await readers.query({ sql: "SELECT k FROM t", parameters: [], timeoutMs: null });
  for await (const _ of given.batches) break;
  expect(await all(readers, "SELECT 8")).toEqual([[8]]);
});

test.each([
  ["INSERT INTO t VALUES (-1, 'x')", "not_readonly"],
  ["WITH x AS (SELECT 1) DELETE FROM t", "not_readonly"],
  ["ATTACH 'other.db' AS other", "refused"],
  ["PRAGMA journal_mode = DELETE", "refused"],
  ["VACUUM INTO 'copy.db'", "refused"],
  ["SELECT load_extension('x')", "sql"],
  ["SELECT nothing", "sql"],
])("%s is answered with %s", async (sql, code) => {
  expect(await all(pool(1), sql)).toBe(code);
});

test("what was found before a query fails midway is told before the failure", async () => {
  const readers = pool(1);
  const sql = "SELECT abs(v) FROM (SELECT 1 AS v UNION ALL SELECT -9223372036854775808)";
  const { columns, batches } = await readers.query({ sql, parameters: [], timeoutMs: null });
  const rows = batches[Symbol.asyncIterator]();
  expect([columns, (await rows.next()).value]).toEqual([["abs(v)"], [[1]]]);
  await expect(rows.next()).rejects.toMatchObject({ code: "sql", message: "integer overflow" });
  expect(await all(readers, "SELECT abs(-9223372036854775808)")).toBe("sql");
  expect(await all(readers, "SELECT 1")).toEqual([[1]]);
});

test("pragmas that only tell something are answered, again after the schema was read", async () => {
  const { path, readers } = poolAt(1);
  const near = new NearReader(path);
  onTestFinished(() => near.close());
  for (const sql of [
    "PRAGMA table_info(t)",
    "PRAGMA main.table_info = 't';",
    "pragma TABLE_INFO(t)",
  ]) {
    for (let i = 0; i < 2; i++) {
      expect(await all(readers, sql), sql).toMatchObject([
        [0, "k", "INTEGER", 1, null, 1],
        [1, "v", "TEXT", 0, null, 0],
      ]);
      const here = near.query({ sql, parameters: [] });
      if (here !== null) expect(here.rows).toHaveLength(2);
    }
  }
  for (const sql of ["PRAGMA user_version = 7", "PRAGMA query_only(0)", "PRAGMA 'table_info'"]) {
    expect(await all(readers, sql), sql).toMatch(/refused|sql/);
  }
});

test("a signal lets go of a query that nobody waits for any more", async () => {
  const readers = pool(1);
  const gone = new AbortController();
  const asked = readers.query({
    sql: endless,
    parameters: [],
    timeoutMs: 60_000,
    signal: gone.signal,
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  gone.abort();
  await expect(asked).rejects.toThrow();
  expect(await all(readers, "SELECT 1", 60_000)).toEqual([[1]]);
});

test("columns are called as the client wrote them, whatever the variables are called here", async () => {
  const { path, readers } = poolAt(1);
  const near = new NearReader(path);
  onTestFinished(() => near.close());
  const query = {
    sql: "SELECT :p1, :p4 + 1",
    original: "SELECT ?, ?4 + 1",
    parameters: { ":p1": 1, ":p4": 2 },
    timeoutMs: null,
  };
  expect(near.query(query)).toBeNull();
  const { columns, batches } = await readers.query(query);
  const rows: (readonly unknown[])[] = [];
  for await (const batch of batches) rows.push(...batch);
  expect([columns, rows]).toEqual([["?", "?4 + 1"], [[1, 3]]]);
});

test("short queries are answered at once, as a reader process answers them", async () => {
  const { path, readers } = poolAt(1);
  const near = new NearReader(path);
  onTestFinished(() => near.close());
  for (const [sql, parameters] of [
    ["SELECT k, v FROM t WHERE k = ?", [7]],
    ["SELECT k FROM t WHERE k >= :from AND k < :to", { from: 3, to: 9 }],
    ["SELECT 9007199254740993, -0.0, 2.0, NULL, x'00ff', 'é'", []],
  ] as const) {
    const { columns, batches } = await readers.query({ sql, parameters, timeoutMs: null });
    const rows: (readonly unknown[])[] = [];
    for await (const batch of batches) rows.push(...batch);
    expect(near.query({ sql, parameters }), sql).toEqual({ columns, rows });
  }
});

test("short queries of one turn read from one snapshot, and see what was committed before the next or before news", async () => {
  const { path } = poolAt(1);
  const near = new NearReader(path);
  const store = new SqliteStore({
    path,
    actor: "ab".repeat(16) as ActorId,
    schema: ["CREATE TABLE t (k INTEGER PRIMARY KEY NOT NULL, v TEXT)"],
  });
  onTestFinished(() => {
    near.close();
    store.close();
  });
  const read = (): unknown =>
    near.query({ sql: "SELECT v FROM t WHERE k = 1", parameters: [] })?.rows;
  const write = (v: string): void => {
    store.transact(Date.now(), (transaction) => {
      transaction.run("UPDATE t SET v = ? WHERE k = 1", [v]);
    });
  };
  expect(read()).toEqual([["v"]]);
  write("before news");
  expect(read()).toEqual([["v"]]);
  near.refresh();
  expect(read()).toEqual([["before news"]]);
  write("before the next turn");
  await setImmediate();
  expect(read()).toEqual([["before the next turn"]]);
  expect(near.query({ sql: "SELECT nothing FROM t", parameters: [] })).toBeNull();
  near.refresh();
  write("after an error");
  expect(read()).toEqual([["after an error"]]);
});

test("what may take long, is much, or is wrong is left to reader processes", () => {
  const near = new NearReader(poolAt(1).path);
  onTestFinished(() => near.close());
  const asks = (sql: string): unknown => near.query({ sql, parameters: [] });
  expect(asks("SELECT k FROM t WHERE k >= 4990")).not.toBeNull();
  for (const sql of [
    endless,
    "SELECT k FROM t",
    "SELECT k FROM t WHERE v = 'w'",
    "SELECT nothing FROM t",
    "SELECT k FROM t WHERE k = ?",
    "DELETE FROM t",
    "PRAGMA cache_size",
    "ATTACH 'other.db' AS o",
  ]) {
    expect(asks(sql), sql).toBeNull();
  }
  near.forget();
  expect(asks("SELECT count(*) FROM t")).toBeNull();
  expect(asks("SELECT k FROM t WHERE k = 1")).toEqual({ columns: ["k"], rows: [[1]] });
});

test("of readers with nothing to do all but one are ended soon, and the last one later", async () => {
  const { readers } = poolAt(3, { idleMs: 300, lastIdleMs: 6000 });
  const long =
    "SELECT max(x) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 2000000) SELECT x FROM c)";
  let most = 0;
  const asked = Promise.all([1, 2, 3, 4].map(() => all(readers, long)));
  await expect
    .poll(() => (most = Math.max(most, readers.size)), { timeout: 30_000, interval: 20 })
    .toBeGreaterThan(1);
  expect(await asked).toEqual([1, 2, 3, 4].map(() => [[2_000_000]]));
  const restSince = performance.now();
  await expect.poll(() => readers.size, { timeout: 5000 }).toBe(1);
  await expect.poll(() => readers.size, { timeout: 30_000 }).toBe(0);
  expect(performance.now() - restSince).toBeGreaterThan(2000);
});

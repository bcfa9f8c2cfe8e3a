/** SQL that nobody may send, and an API that asks nobody for a token. */
import { describe, expect, test } from "vitest";
import { ListenError, startApi } from "../../../runtime/api/server.ts";
import { createToken } from "../../../runtime/auth/token.ts";
import { silentLog } from "../../../runtime/observe/logger.ts";
import { NodeMetrics } from "../../../runtime/observe/metrics.ts";
import { defaultConfig, json, overHttp1, posted, server } from "./served.ts";
import { SmallNode } from "./small-node.ts";

const schema = [
  "CREATE TABLE public (id INTEGER PRIMARY KEY NOT NULL, v)",
  "CREATE TABLE secret (id INTEGER PRIMARY KEY NOT NULL, v)",
];

const tokens = [{ name: "boss", hash: createToken().hash, read: [], write: [], admin: true }];

describe("dangerous SQL", () => {
  const start = server({}, schema);

  test.each([
    "CREATE TABLE t (a)",
    "/* hello */ -- there\n create table t (a)",
    ";;CREATE TABLE t (a)",
    "CREATE TEMP TABLE t (a)",
    "DROP TABLE public",
    "ALTER TABLE public ADD COLUMN x",
    "ATTACH ':memory:' AS other",
    "DETACH other",
    "PRAGMA journal_mode = DELETE",
    "PRAGMA user_version = 7",
    "PRAGMA user_version",
    "PRAGMA writable_schema = ON",
    "VACUUM",
    "VACUUM INTO 'stolen.db'",
    "ANALYZE",
    "REINDEX",
    "BEGIN",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SELECT load_extension('x')",
    "CREATE VIRTUAL TABLE t USING fts5(a)",
  ])("%s is refused in a transaction", async (sql) => {
    const served = await start();
    const answer = await overHttp1(served, posted("/v1/transactions", [sql]));
    expect(answer.status).toBe(400);
    expect(json(answer)).toMatchObject({ results: [{ code: "refused" }], version: null });
    expect(served.node.transactions).toBe(0);
  });

  test.each([
    "ATTACH ':memory:' AS other",
    "BEGIN",
    "SAVEPOINT a",
    "VACUUM INTO 'stolen.db'",
    "PRAGMA query_only = OFF",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "SELECT load_extension('x')",
  ])("%s is refused as a query", async (sql) => {
    const answer = await overHttp1(await start(), posted("/v1/queries", sql));
    expect([answer.status, json(answer)["code"]]).toEqual([400, "refused"]);
  });

  const everywhere = [
    "SELECT * FROM pragma_optimize",
    "SELECT * FROM main.Pragma_Optimize(2)",
    "WITH a AS (SELECT * FROM pragma_optimize) SELECT count(*) FROM a",
    "SELECT id, (SELECT count(*) FROM pragma_optimize(65538)) FROM public",
    "EXPLAIN PRAGMA writable_schema = ON",
    "PRAGMA main.writable_schema(1)",
    "pragma/**/trusted_schema=1",
    "SELECT id, load_extension('x') FROM public",
  ];
  test.each(everywhere)("%s is refused by either", async (sql) => {
    const served = await start();
    const query = await overHttp1(served, posted("/v1/queries", sql));
    expect([query.status, json(query)["code"]]).toEqual([400, "refused"]);
    const written = await overHttp1(served, posted("/v1/transactions", [sql]));
    expect([written.status, json(written)["results"]]).toMatchObject([400, [{ code: "refused" }]]);
    expect(served.node.transactions).toBe(0);
  });

  test.each([
    "INSERT INTO public SELECT 1, count(*) FROM pragma_optimize",
    "DELETE FROM public WHERE id IN (SELECT 1 FROM pragma_optimize)",
    "INSERT INTO public VALUES (1, load_extension('x'))",
    "INSERT INTO sqlite_schema VALUES ('table', 't', 't', 0, 'CREATE TABLE t (a)')",
    "INSERT INTO patina_state (one) VALUES (2)",
    'DELETE FROM "patina_log"',
    "UPDATE main.[patina_clock_public] SET cells = x''",
    "CREATE TRIGGER t AFTER INSERT ON public BEGIN SELECT 1; END",
  ])("%s is refused, and nothing is done", async (sql) => {
    const served = await start();
    const answer = await overHttp1(served, posted("/v1/transactions", [sql]));
    expect([answer.status, json(answer)["results"]]).toMatchObject([400, [{ code: "refused" }]]);
    expect(served.node.transactions).toBe(0);
  });

  // What there is in no schema is an error like a name that is misspelt; it must not be carried out.
  test.each([
    "UPDATE sqlite_schema SET sql = 'x'",
    "UPDATE main.sqlite_master SET rootpage = 1",
    "DELETE FROM sqlite_master",
    "DELETE FROM sqlite_sequence",
    "DELETE FROM sqlite_stat1",
    "INSERT INTO sqlite_dbpage (pgno, data) VALUES (1, x'00')",
    "UPDATE dbstat SET name = 'x'",
    "INSERT INTO words_data VALUES (1, x'00')",
    "DELETE FROM words",
    "INSERT INTO words (words) VALUES ('rebuild')",
    "SELECT fts3_tokenizer('simple', x'0000000000000000')",
    "SELECT writefile('stolen', 'x')",
    "SELECT edit('x')",
  ])("%s comes to nothing", async (sql) => {
    const served = await start();
    const answer = await overHttp1(served, posted("/v1/transactions", [sql]));
    expect(answer.status).toBe(400);
  });

  test("pragmas that only tell are answered as queries", async () => {
    const served = await start();
    for (const sql of [
      "PRAGMA table_info(public)",
      "PRAGMA user_version",
      "PRAGMA integrity_check",
      "PRAGMA foreign_key_check(public)",
      "SELECT * FROM pragma_foreign_keys",
      "SELECT name FROM pragma_table_info('public')",
    ]) {
      expect((await overHttp1(served, posted("/v1/queries", sql))).status).toBe(200);
    }
  });

  test("two statements in one text are an error", async () => {
    const served = await start();
    const answer = await overHttp1(
      served,
      posted("/v1/transactions", ["INSERT INTO public VALUES (1, 1); DELETE FROM secret"]),
    );
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("more than one statement");
    expect(served.node.transactions).toBe(0);
  });

  test("the hint of a refused CREATE names schema files", async () => {
    const answer = await overHttp1(
      await start(),
      posted("/v1/transactions", ["CREATE TABLE t (a)"]),
    );
    expect(answer.text).toMatch(/"hint":"[^"]*schema files/);
  });

  test("common tables that double with each step are refused before they keep SQLite busy", async () => {
    const served = await start();
    let sql = "WITH c0 AS (SELECT * FROM public)";
    for (let i = 1; i <= 14; i++)
      sql += `, c${i} AS (SELECT x.id, y.v FROM c${i - 1} x, c${i - 1} y)`;
    const answer = await overHttp1(served, posted("/v1/queries", `${sql} SELECT * FROM c14`));
    expect([answer.status, json(answer)["code"]]).toEqual([400, "refused"]);
  });
});

describe("without tokens", () => {
  const start = server();

  test("the API is open on loopback, and its admin routes too", async () => {
    const served = await start();
    expect((await overHttp1(served, { path: "/v1/status" })).status).toBe(200);
    expect((await overHttp1(served, posted("/v1/reload", {}))).status).toBe(200);
  });

  test("it answers to its address and to localhost, not to a name that somebody else made", async () => {
    const served = await start();
    const as = async (host: string) =>
      (await overHttp1(served, { path: "/v1/status", headers: { host } })).status;
    expect(await as("localhost:8080")).toBe(200);
    expect(await as("127.0.0.1")).toBe(200);
    expect(await as("[::1]:8080")).toBe(200);
    expect(await as("rebound.example.org:8080")).toBe(421);
    expect(await as("localhost.example.org")).toBe(421);
  });

  test("it refuses to listen elsewhere, unless that is meant", async () => {
    const node = new SmallNode(schema);
    const metrics = new NodeMetrics();
    const options = { service: node, log: silentLog, metrics };
    try {
      const config = { ...defaultConfig, addrs: ["127.0.0.1:0", "0.0.0.0:0"] };
      const refused = startApi({ ...options, config });
      await expect(refused).rejects.toThrow(ListenError);
      await expect(refused).rejects.toThrow(/0\.0\.0\.0:0.*token.*open = true/);
      const open = await startApi({ ...options, config: { ...config, open: true } });
      expect(open.addresses).toHaveLength(2);
      await open.close(0);
      const guarded = await startApi({ ...options, config: { ...config, tokens } });
      await guarded.close(0);
    } finally {
      metrics.close();
      node.close();
    }
  });
});

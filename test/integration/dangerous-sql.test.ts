/**
 * What nobody may send to a node, whichever door it knocks at: a file in which somebody else has made a
 * virtual table is the hardest case, for SQLite's own protection of its shadow tables is off while the
 * node writes.
 */
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { plannedCluster } from "./node-process.ts";
import { patina } from "./patina-process.ts";

const dangerous = [
  "PRAGMA writable_schema = ON",
  "PRAGMA journal_mode = OFF",
  "SELECT * FROM pragma_optimize",
  "ATTACH 'other.db' AS other",
  "VACUUM INTO 'copy.db'",
  "SELECT load_extension('x')",
  "CREATE VIRTUAL TABLE more USING fts5(a)",
  "UPDATE sqlite_schema SET sql = ''",
  "DELETE FROM sqlite_schema WHERE name = 'kv'",
  "INSERT INTO sqlite_dbpage (pgno, data) VALUES (2, x'00')",
  "DELETE FROM words_data",
  "UPDATE words_content SET c0 = 'gone'",
  "INSERT INTO words (words) VALUES ('delete-all')",
  "DROP TABLE words",
  "DELETE FROM patina_log",
  "UPDATE patina_state SET actor = 'x'",
];

test("neither the API nor the command line lets dangerous SQL through, virtual tables of others included", async () => {
  const cluster = await plannedCluster({
    nodes: 1,
    schema: "CREATE TABLE kv (k TEXT PRIMARY KEY NOT NULL, v TEXT);",
  });
  const path = join(cluster.dir, "n0.db");
  const args = ["--set", `db.path=${path}`];
  await (await cluster.start(0, args)).end("SIGTERM");
  const outside = new Database(path);
  outside.exec("CREATE VIRTUAL TABLE words USING fts5(a); INSERT INTO words VALUES ('hello')");
  outside.close();

  const node = await cluster.start(0, args);
  await node.transact([["INSERT INTO kv VALUES ('a', '1')", []]]);
  for (const sql of dangerous) {
    for (const door of ["/v1/transactions", "/v1/queries"]) {
      const answer = await node.post(door, door === "/v1/queries" ? sql : [sql]);
      expect([door, sql, answer.status]).toEqual([door, sql, 400]);
    }
  }
  const address = node.api.replace("http://", "");
  for (const command of ["exec", "query"]) {
    const { status, stderr } = await patina([
      command,
      dangerous[0] as string,
      "--api-addr",
      address,
    ]);
    expect([status, stderr]).toEqual([1, expect.stringContaining("writable_schema")]);
  }
  expect(await node.rows("SELECT * FROM kv")).toEqual([["a", "1"]]);
  await node.end("SIGTERM");

  const after = new Database(path, { readonly: true });
  expect(after.pragma("integrity_check", { simple: true })).toBe("ok");
  expect(after.prepare("SELECT a FROM words WHERE words MATCH 'hello'").pluck().all()).toEqual([
    "hello",
  ]);
  expect(
    after.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_stat1'").pluck().get(),
  ).toBe(0);
  after.close();
});

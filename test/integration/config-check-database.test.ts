/** `config check` compares the schema files with the database that a node has: what it refuses, a start refuses. */
import { readFileSync, writeFileSync } from "node:fs";
import Database from "better-sqlite3";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActorId } from "../../core/base/ids.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { type Finished, patina, temporaryFolder } from "./patina-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const kept = `CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT);
CREATE INDEX by_v ON kv (v);
`;
const other = "CREATE TABLE other (k TEXT NOT NULL PRIMARY KEY);";

beforeAll(() => {
  const schema = [kept, other];
  const actor = "a".repeat(32) as ActorId;
  new SqliteStore({ path: folder.path("state.db"), actor, schema }).close();
  writeFileSync(folder.path("scrap.db"), "this is no database");
});

function run(command: readonly string[], schema: string, db = "state.db"): Promise<Finished> {
  writeFileSync(folder.path("schema.sql"), schema);
  writeFileSync(
    folder.path("node.toml"),
    `[db]
path = "${db}"
schema_paths = ["schema.sql"]
[gossip]
addr = "127.0.0.1:0"
plaintext = true
[api]
addr = "127.0.0.1:0"
`,
  );
  return patina([...command, "-c", folder.path("node.toml")], { cwd: folder.path(".") });
}

const check = ["config", "check"];

test("what can become of the database is right, and the database is left as it was", async () => {
  const before = readFileSync(folder.path("state.db"));
  const grown = kept.replace("v TEXT", "v TEXT, more INTEGER") + other;
  for (const schema of [kept + other, grown]) {
    const { status, stdout } = await run(check, schema);
    expect([status, stdout]).toEqual([0, expect.stringContaining("2 tables in the schema")]);
  }
  expect(readFileSync(folder.path("state.db")).equals(before)).toBe(true);
});

test.each([
  [
    "another primary key",
    kept.replace(
      "k TEXT NOT NULL PRIMARY KEY, v TEXT",
      "k TEXT NOT NULL, v TEXT NOT NULL, PRIMARY KEY (k, v)",
    ) + other,
  ],
  ["a column of another type", kept.replace("v TEXT", "v INTEGER") + other],
])("%s is refused by config check and by a start in the same words", async (_what, schema) => {
  const checked = await run(check, schema);
  const started = await run(["agent"], schema);
  expect([checked.status, started.status]).toEqual([7, 7]);
  expect(checked.stderr.trim().split("\n")).toHaveLength(1);
  expect(checked.stderr).toMatch(/schema\.sql:1: /);
  expect(started.stderr).toContain(checked.stderr.trim().replace(/^patina: /, ""));
});

test("a file that is no database is told", async () => {
  const { status, stderr } = await run(check, kept, "scrap.db");
  expect([status, stderr]).toEqual([1, expect.stringContaining("is not a SQLite database")]);
});

test("a trigger that an older program let a column break is mended by the files", async () => {
  const path = folder.path("broken.db");
  const fires = (body: string): string => `CREATE TRIGGER g AFTER INSERT ON kv BEGIN ${body}; END;`;
  const schema = [kept, other, fires("INSERT INTO other VALUES (new.k)")];
  new SqliteStore({ path, actor: "a".repeat(32) as ActorId, schema }).close();
  const db = new Database(path);
  const grown = other.replace("PRIMARY KEY", "PRIMARY KEY, n INTEGER");
  db.exec("ALTER TABLE other ADD COLUMN n INTEGER");
  const sql = grown.replace(/;$/, "");
  db.prepare("UPDATE patina_object SET sql = ? WHERE name = 'other'").run(sql);
  db.close();
  const still = await run(
    check,
    kept + grown + fires("INSERT INTO other VALUES (new.k)"),
    "broken.db",
  );
  expect([still.status, still.stderr]).toEqual([
    7,
    expect.stringContaining("table other has 2 columns"),
  ]);
  const mended = await run(
    check,
    kept + grown + fires("INSERT INTO other (k) VALUES (new.k)"),
    "broken.db",
  );
  expect([mended.status, mended.stderr]).toEqual([0, ""]);
});

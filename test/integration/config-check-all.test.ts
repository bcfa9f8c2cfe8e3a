/** `config check` tells everything that it finds wrong; a node that starts tells the first and how many more there are. */
import { writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ActorId } from "../../core/base/ids.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { type Finished, patina, temporaryFolder } from "./patina-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

beforeAll(() => {
  const schema = [
    "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT)",
    "CREATE TABLE other (k TEXT NOT NULL PRIMARY KEY)",
  ];
  const actor = "a".repeat(32) as ActorId;
  new SqliteStore({ path: folder.path("state.db"), actor, schema }).close();
});

function run(command: string, toml: string, schema: string): Promise<Finished> {
  writeFileSync(folder.path("schema.sql"), schema);
  writeFileSync(folder.path("node.toml"), toml);
  const args = [...command.split(" "), "-c", "node.toml"];
  return patina(args, { cwd: folder.path(".") });
}

const good = `[db]
path = "new.db"
schema_paths = ["schema.sql"]
[gossip]
addr = "127.0.0.1:0"
[api]
addr = "127.0.0.1:0"
`;

test("settings, files, what does not fit together, certificates and schema are all told", async () => {
  const toml = `nmae = "edge"
[db]
path = 5
synchronous = "maybe"
schema_paths = ["schema.sql"]
[gossip]
addr = "nowhere"
[gossip.tls]
ca_file = "ca.pem"
[api]
addr = "0.0.0.0:0"
[api.tls]
cert_file = "api.pem"
key_file = "api.key"
[log]
level = "loud"
`;
  const schema = `CREATE TABLE a (x INT);
CREATE INDEX a_x ON a (x);
CREATE TABLE b (k TEXT NOT NULL PRIMARY KEY);
INSERT INTO b VALUES (1);
CREATE TABLE c (k TEXT PRIMARY KEY);
`;
  const { status, stderr } = await run("config check", toml, schema);
  expect(status).toBe(3);
  expect(stderr.trim().split("\n")).toEqual([
    expect.stringMatching(/^patina: node\.toml:1: there is no setting nmae; did you mean name\?$/),
    expect.stringMatching(/^patina: node\.toml:3: db\.path is the path of a file, not 5$/),
    expect.stringMatching(/^patina: node\.toml:4: db\.synchronous is one of /),
    expect.stringMatching(/^patina: node\.toml:7: gossip\.addr is "host:port"/),
    expect.stringMatching(/^patina: node\.toml:16: log\.level is one of /),
    expect.stringMatching(/^patina: node\.toml:9: gossip\.tls\.ca_file is given but .* not/),
    expect.stringMatching(/^patina: the API would be open to everybody who reaches 0\.0\.0\.0:0/),
    expect.stringMatching(/^patina: api\.tls: .*there is no such file$/),
    expect.stringMatching(/^patina: schema\.sql:4: INSERT: /),
    expect.stringMatching(/^patina: schema\.sql:1: table a has no primary key/),
    expect.stringMatching(/^patina: schema\.sql:5: column k of c: /),
  ]);
  const json = await run("config check --json", toml, schema);
  const answer = JSON.parse(json.stdout) as { ok: boolean; refusals: string[] };
  expect([json.status, answer.ok, answer.refusals.length]).toEqual([3, false, 11]);

  const started = await run("agent", toml, schema);
  expect([started.status, started.stderr.trim()]).toEqual([
    3,
    expect.stringMatching(/^patina: node\.toml:1: .*\(5 more: patina config check tells all\)$/),
  ]);
});

test("all that the database forbids is told, each in the words of a start", async () => {
  const toml = good.replace("new.db", "state.db");
  const schema = `CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v INTEGER);
CREATE TABLE fresh (k TEXT NOT NULL PRIMARY KEY);
`;
  const { status, stderr } = await run("config check", toml, schema);
  expect([status, stderr.trim().split("\n")]).toEqual([
    7,
    [
      expect.stringMatching(/^patina: schema\.sql:1: table other is gone from the schema/),
      expect.stringMatching(/^patina: schema\.sql:1: .*kv/),
    ],
  ]);
});

test("a schema file that is not whole hides no other mistake before it", async () => {
  const schema = `CREATE TABLE a (x INT);
CREATE TABLE b (k TEXT NOT NULL PRIMARY KEY, v TEXT DEFAULT 'open);
`;
  const { status, stderr } = await run("config check", good, schema);
  expect([status, stderr.trim().split("\n")]).toEqual([
    7,
    [
      expect.stringMatching(/schema\.sql:2: ' is opened but never closed$/),
      expect.stringMatching(/schema\.sql:1: table a has no primary key/),
    ],
  ]);
});

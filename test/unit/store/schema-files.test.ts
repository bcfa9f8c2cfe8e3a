/** Schema files: what they may say, what is made of it, and how everything else is refused. */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { decodeChanges } from "../../../core/wire/changes.ts";
import { storeFiles } from "./files.ts";
import { fullState, rows, sql, storeMaker, sync, t0, trySql } from "./stores.ts";

const kv = "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT)";

describe("what a schema file cannot say", () => {
  const open = storeMaker();
  const refusal = (...texts: string[]): string => {
    const sources = texts.map((text, i) => ({ name: `${i + 1}.sql`, text }));
    try {
      open("a", sources);
    } catch (error) {
      expect((error as Error).name).toBe("SchemaRefusedError");
      return (error as Error).message;
    }
    return "";
  };

  test.each([
    [
      "INSERT INTO kv VALUES (1, 2)",
      /^1.sql:1: INSERT: a schema file writes no rows; insert them through a node$/,
    ],
    ["\n\nDROP TABLE kv", /^1.sql:3: DROP: leave the statement out/],
    ["ALTER TABLE kv ADD x", /^1.sql:1: ALTER: change the CREATE statement itself/],
    ["PRAGMA journal_mode = DELETE", /^1.sql:1: PRAGMA: .*node's configuration/],
    ["BEGIN; CREATE TABLE t (k INTEGER PRIMARY KEY); COMMIT", /^1.sql:1: BEGIN: .*leave it out/],
    [
      "ATTACH 'x' AS y",
      /^1.sql:1: ATTACH: a schema file holds CREATE TABLE, INDEX, VIEW and TRIGGER alone/,
    ],
    ["CREATE TEMP TABLE t (k INTEGER PRIMARY KEY)", /leave out TEMP/],
    ["CREATE VIRTUAL TABLE t USING fts5 (x)", /a virtual table cannot be replicated; leave it out/],
    ["CREATE TABLE main.t (k INTEGER PRIMARY KEY)", /leave out the schema name before the dot/],
    [
      "CREATE TABLE patina_log (k INTEGER PRIMARY KEY)",
      /names that begin with patina_ are Patina's own; take another/,
    ],
    [
      "-- first\nCREATE TABLE t (\n  a TEXT,\n  b TEXT\n)",
      /^1.sql:2: table t has no primary key: .*declare one$/,
    ],
    ["CREATE TABLE t (\n  k TEXT PRIMARY KEY\n)", /^1.sql:2: column k of t: .*NOT NULL/],
    ["CREATE TABLE t (\n\n  k NOT NULL PRIMARY KEY)", /^1.sql:3: column k of t: .*type/],
    [
      "CREATE TABLE t (k TEXT NOT NULL COLLATE NOCASE PRIMARY KEY)",
      /^1.sql:1: column k of t: COLLATE NOCASE .*leave it out/,
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY AUTOINCREMENT)",
      /AUTOINCREMENT counts on one node only; use a key/,
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY,\n at TEXT DEFAULT CURRENT_TIMESTAMP)",
      /^1.sql:2: column at of t: .*write a literal/,
    ],
    ["CREATE TABLE t (k INTEGER PRIMARY KEY,\n v TEXT UNIQUE ON CONFLICT REPLACE)", /ON CONFLICT/],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY, n TEXT COUNTER)",
      /write INTEGER COUNTER NOT NULL DEFAULT 0/,
    ],
    ["CREATE TABLE t AS SELECT 1", /^1.sql:1: /],
    [`${kv};\nCREATE INDEX i ON kv (none)`, /^1.sql:2: index i: no such column: none$/],
    [`${kv};\nCREATE VIEW w AS SELEKT 1`, /^1.sql:2: view w: near "SELEKT"/],
    [
      `${kv};\n\nCREATE TRIGGER g AFTER INSERT ON kv BEGIN\n SELECT RAISE(ROLLBACK, 'x'); END`,
      /^1.sql:4: trigger g: ROLLBACK would end more than the statement; write ABORT$/,
    ],
    [
      `${kv};\nCREATE TRIGGER g AFTER INSERT ON kv BEGIN DELETE FROM 'patina_log'; END`,
      /^1.sql:2: trigger g: patina_log is Patina's own/,
    ],
    [
      `${kv};\nCREATE VIEW w AS SELECT patina_capture_1_insert(1, 2)`,
      /^1.sql:2: view w: patina_capture_1_insert is Patina's own/,
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT DEFAULT 'a",
      /^1.sql:1: ' is opened but never closed/,
    ],
  ])("CR18: %j", (text, message) => {
    expect(refusal(text)).toMatch(message);
  });

  test("CR18: one name twice, in two files", () => {
    expect(refusal(kv, `\n${kv.replace("kv", "KV")}`)).toBe(
      "2.sql:2: table KV is there twice (also at 1.sql:1)",
    );
  });

  test("CR18: more columns than a change can carry", () => {
    const columns = Array.from({ length: 400 }, (_, i) => `c${i} TEXT`);
    expect(refusal(`CREATE TABLE t (k INTEGER PRIMARY KEY, ${columns.join(", ")})`)).toMatch(
      /has more than 400 columns; cut it into two/,
    );
  });

  test("BK30: what is there already cannot be lost, nor turned into something else", () => {
    const store = open("a", [kv, "CREATE TABLE note /* patina: local */ (x TEXT)"]);
    const note = "CREATE TABLE note /* patina: local */ (x TEXT)";
    const migrate =
      (...schema: string[]) =>
      () =>
        store.migrate(t0, schema);
    expect(migrate(note)).toThrow(/table kv is gone from the schema; put it back/);
    expect(migrate(kv, "CREATE TABLE note (x TEXT NOT NULL PRIMARY KEY)")).toThrow(
      /table note was local and stays so; take another name/,
    );
    expect(migrate(kv.replace("v TEXT", "v INTEGER"), note)).toThrow(/column v of kv/);
    expect(migrate(kv.replace(")", ", CHECK (v <> ''))"), note)).toThrow(
      /cannot be added in place; leave it out/,
    );
    expect(migrate(kv.replace(")", ", w TEXT NOT NULL)"), note)).toThrow(
      /^schema 1:1: column w of kv is new and NOT NULL, .*; write DEFAULT and a literal$/,
    );
    sql(store, "INSERT INTO kv VALUES ('a', 'b')");
  });
});

describe("what a schema file can say", () => {
  const open = storeMaker();

  test("CR17: names of every kind, in SQL, in versions and on other nodes", () => {
    const names = [
      "select",
      "with space",
      'quote"d',
      "it's",
      "a.b",
      "ünï 💾",
      "x;--",
      "ROWID",
      "patin",
      "[br]",
    ];
    const q = (name: string) => `"${name.replaceAll('"', '""')}"`;
    const schema = names.map(
      (name, i) =>
        `CREATE TABLE ${q(name)} (${q(names[(i + 1) % names.length] as string)} TEXT NOT NULL, ${q(`c ${name}`)} INTEGER, "order" ANY, PRIMARY KEY (${q(names[(i + 1) % names.length] as string)}))`,
    );
    const [one, two] = [open("a", schema), open("b", schema)];
    for (const name of names) {
      sql(one, `INSERT INTO ${q(name)} VALUES ('k', 1, x'00'), ('l', 2, NULL)`);
      sql(one, `UPDATE ${q(name)} SET ${q(`c ${name}`)} = 3, "order" = 'x'`);
      sql(
        one,
        `DELETE FROM ${q(name)} WHERE ${q(`c ${name}`)} = 3 AND "order" = 'x' AND rowid IN (SELECT max(rowid) FROM ${q(name)})`.replace(
          / AND rowid.*$/,
          " AND 0",
        ),
      );
    }
    sync(one, two);
    for (const name of names)
      expect(rows(two, name)).toEqual([
        ["k", 3, "x"],
        ["l", 3, "x"],
      ]);
    expect(fullState(two)).toEqual(fullState(one));
    expect(two.check()).toEqual([]);
  });

  test("CR17: composite keys, keys of bytes, link tables, WITHOUT ROWID and STRICT", () => {
    const schema = [
      "CREATE TABLE a (x INTEGER NOT NULL, y BLOB NOT NULL, z TEXT NOT NULL, v REAL, PRIMARY KEY (z, x, y)) WITHOUT ROWID",
      "CREATE TABLE b (x BLOB NOT NULL PRIMARY KEY, v ANY) STRICT",
      "CREATE TABLE c (x TEXT NOT NULL, y TEXT NOT NULL, PRIMARY KEY (x, y)) STRICT, WITHOUT ROWID",
    ];
    const [one, two] = [open("a", schema), open("b", schema)];
    const all = Uint8Array.from({ length: 256 }, (_, i) => i);
    sql(one, [
      "INSERT INTO a VALUES (?, ?, 'z', 1.5), (-9223372036854775807 - 1, x'', '', 2)",
      7n,
      all,
    ]);
    sql(one, ["INSERT INTO b VALUES (?, 1), (x'', 9007199254740993), (x'00', 'text')", all]);
    sql(one, "INSERT INTO c VALUES ('p', 'q'), ('', '')");
    sync(one, two);
    for (const table of ["a", "b", "c"]) expect(rows(two, table)).toEqual(rows(one, table));
    expect(rows(two, "a")).toEqual([
      [-(2n ** 63n), new Uint8Array(), "", { real: 2 }],
      [7, all, "z", 1.5],
    ]);
    expect(rows(two, "b")[0]).toEqual([new Uint8Array(), 9_007_199_254_740_993n]);
    expect(fullState(two)).toEqual(fullState(one));
    for (const table of ["a", "b", "c"]) sql(two, `DELETE FROM ${table}`);
    sync(two, one);
    expect(one.summary()).toEqual(two.summary());
    expect([one.check(), two.check()]).toEqual([[], []]);
  });

  test("CR19: generated columns are made by each node and never sent", () => {
    const schema = [
      "CREATE TABLE g (k INTEGER PRIMARY KEY, a INTEGER, twice INTEGER AS (a * 2), kept TEXT AS ('n' || a) STORED, b TEXT)",
      "CREATE INDEX g_twice ON g (twice)",
    ];
    const [one, two] = [open("a", schema), open("b", schema)];
    const chunks = [
      ...sql(one, "INSERT INTO g (k, a, b) VALUES (1, 3, 'x')"),
      ...sql(one, "UPDATE g SET a = 4 WHERE twice = 6"),
    ];
    const sent = chunks.flatMap(({ payload }) => decodeChanges(payload));
    expect(sent.map(({ cells }) => cells.map(({ column }) => column))).toEqual([["a", "b"], ["a"]]);
    sync(one, two);
    let seen: unknown;
    two.transact(t0, (transaction) => {
      seen = transaction.all("SELECT twice, kept FROM g");
    });
    expect(seen).toEqual([[8, "n4"]]);
  });

  test("CR19: a table with 100 columns", () => {
    const names = Array.from({ length: 100 }, (_, i) => `column_${i}`);
    const schema = [
      `CREATE TABLE wide (${names.map((name, i) => `${name} ${i % 3 === 0 ? "TEXT NOT NULL" : "INTEGER"}`).join(", ")}, PRIMARY KEY (column_0, column_99, column_3))`,
    ];
    const [one, two] = [open("a", schema), open("b", schema)];
    const values = names.map((_, i) => (i % 3 === 0 ? `text ${i}` : i));
    sql(one, [`INSERT INTO wide VALUES (${names.map(() => "?").join(", ")})`, ...values]);
    for (const i of [1, 50, 98]) sql(one, `UPDATE wide SET column_${i} = -${i}`);
    sync(one, two);
    expect(rows(two, "wide")).toEqual(rows(one, "wide"));
    expect(fullState(two)).toEqual(fullState(one));
    expect(two.check()).toEqual([]);
  });

  test("BK30: columns, tables, indexes, views and triggers come on reload, and no row is touched", () => {
    const store = open("a", [kv]);
    for (let i = 0; i < 50; i++) sql(store, `INSERT INTO kv VALUES ('k${i}', 'v')`);
    const before = fullState(store);
    const more = [
      kv.replace("v TEXT", "v TEXT, n INTEGER NOT NULL DEFAULT 7, at TEXT"),
      "CREATE TABLE more (id INTEGER PRIMARY KEY, seen TEXT)",
      "CREATE INDEX kv_n ON kv (n)",
      "CREATE VIEW sevens AS SELECT k FROM kv WHERE n = 7",
      "CREATE TRIGGER seen AFTER UPDATE OF n ON kv BEGIN INSERT OR REPLACE INTO more VALUES (NEW.n, NEW.k); END",
    ];
    store.migrate(t0, more);
    expect(store.summary()).toEqual((before as { summary: unknown }).summary);
    expect(store.holdings()[0]?.head).toBe(50);
    sql(store, "UPDATE kv SET n = 8 WHERE k = 'k3'");
    expect(rows(store, "more")).toEqual([[8, "k3"]]);
    store.migrate(t0, more.slice(0, 2));
    sql(store, "UPDATE kv SET n = 9 WHERE k = 'k3'");
    expect(rows(store, "more")).toEqual([[8, "k3"]]);
    expect(trySql(store, "SELECT * FROM sevens")).toMatchObject({ error: "no such table: sevens" });
    expect(store.check()).toEqual([]);
  });
});

describe("ordinary tools on the file", () => {
  const files = storeFiles([kv, "CREATE TABLE note /* patina: local */ (x TEXT)"]);

  test("CR20: read everything, are refused to write what is replicated, and may write what is local", () => {
    const store = files.open("a");
    sql(store, "INSERT INTO kv VALUES ('a', 'b')");
    const shell = new Database(files.path("state.db"));
    expect(shell.prepare("SELECT * FROM kv").all()).toEqual([{ k: "a", v: "b" }]);
    for (const statement of [
      "INSERT INTO kv VALUES ('x', 'y')",
      "REPLACE INTO kv VALUES ('a', 'y')",
      "INSERT INTO kv VALUES ('a', 'y') ON CONFLICT DO UPDATE SET v = 'z'",
      "UPDATE kv SET v = 'y' WHERE 0",
      "DELETE FROM kv",
      "PRAGMA recursive_triggers = OFF; DELETE FROM kv WHERE k = 'a'",
    ]) {
      expect(() => shell.exec(statement)).toThrow(
        "no such function: patina_writes_only_through_a_node",
      );
    }
    expect(shell.pragma("application_id", { simple: true })).toBe(0x50746e61);
    shell.exec("INSERT INTO note VALUES ('mine')");
    shell.close();
    expect(store.check()).toEqual([]);
  });
});

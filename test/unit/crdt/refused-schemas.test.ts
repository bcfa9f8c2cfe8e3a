/** Merge policies, constraints that are recorded, and schemas that are refused with a mend. */
import { describe, expect, test } from "vitest";
import { affinityOf } from "../../../core/crdt/affinity.ts";
import { parseSchema } from "../../../core/crdt/parse-schema.ts";
import { column, errorOf, only } from "./parsed.ts";

describe("merge policies", () => {
  test("CR18: the last word of a type declares one", () => {
    const table = only(
      "CREATE TABLE t (k INTEGER PRIMARY KEY, n INTEGER COUNTER NOT NULL DEFAULT 0, hi INTEGER MAX, lo TEXT min, d DECIMAL MAX (5), plain INTEGER)",
    );
    expect(table.columns.map((c) => c.policy)).toEqual([
      "lww",
      "counter",
      "max",
      "min",
      "max",
      "lww",
    ]);
    expect(table.columns.map((c) => c.affinity)).toEqual([
      "integer",
      "integer",
      "integer",
      "text",
      "numeric",
      "integer",
    ]);
  });

  test("CR18: a comment declares one, in STRICT tables too", () => {
    const table = only(
      "CREATE TABLE t (k INTEGER PRIMARY KEY, n INTEGER /* patina: counter */ NOT NULL, hi REAL -- patina: max\n, lo TEXT DEFAULT '' /*patina:min*/) STRICT",
    );
    expect(table.columns.map((c) => c.policy)).toEqual(["lww", "counter", "max", "min"]);
  });

  test.each([
    [
      "c INTEGER COUNTER",
      /^column c of t: a counter is NOT NULL and counts integers; write INTEGER COUNTER NOT NULL DEFAULT 0$/,
    ],
    ["c TEXT COUNTER NOT NULL", /counts integers/],
    ["c REAL COUNTER NOT NULL", /counts integers/],
    ["c INTEGER COUNTER NOT NULL DEFAULT 'x'", /column c of t counts integers: mend its DEFAULT/],
    [
      "c INTEGER /* patina: largest */",
      /^column c of t: "patina: largest" is no merge policy; there are counter, max, min and lww$/,
    ],
    [
      "c INTEGER MAX /* patina: min */",
      /^column c of t: its type says max and its comment says min$/,
    ],
  ])("CR18: refused: %s", (definition, error) => {
    expect(errorOf(`CREATE TABLE t (k INTEGER PRIMARY KEY, ${definition})`)).toMatch(error);
  });

  test("CR18: in a STRICT table the mend for a policy in the type is a comment", () => {
    expect(
      errorOf("CREATE TABLE t (k INTEGER PRIMARY KEY, n INTEGER COUNTER NOT NULL) STRICT"),
    ).toBe("column n of t: in a STRICT table write INTEGER /* patina: counter */");
  });
});

describe("constraints that only SQLite enforces", () => {
  test("CR18: they are recorded as written, and generated columns are left out", () => {
    const table = only(`CREATE TABLE t (
      k INTEGER PRIMARY KEY, a INT UNIQUE CHECK (a > 0), b INT CONSTRAINT positive CHECK (b <> ')'),
      p INT REFERENCES other (id) ON DELETE SET NULL ON UPDATE NO ACTION MATCH SIMPLE NOT DEFERRABLE INITIALLY DEFERRED NOT NULL,
      g INT GENERATED ALWAYS AS (a + 1) STORED, h TEXT AS (k || 'x'),
      UNIQUE (a, b), CONSTRAINT small CHECK (a + b <= 10) FOREIGN KEY (p) REFERENCES t (k) DEFERRABLE)`);
    expect(table.columns.map((c) => c.name)).toEqual(["k", "a", "b", "p"]);
    expect(column(table, "p").notNull).toBe(true);
    expect(table.constraints).toEqual([
      { kind: "unique", text: "a UNIQUE" },
      { kind: "check", text: "a CHECK (a > 0)" },
      { kind: "check", text: "b CHECK (b <> ')')" },
      {
        kind: "foreignKey",
        text: "p REFERENCES other (id) ON DELETE SET NULL ON UPDATE NO ACTION MATCH SIMPLE NOT DEFERRABLE INITIALLY DEFERRED",
      },
      { kind: "generated", text: "g GENERATED ALWAYS AS (a + 1) STORED" },
      { kind: "generated", text: "h AS (k || 'x')" },
      { kind: "unique", text: "UNIQUE (a, b)" },
      { kind: "check", text: "CHECK (a + b <= 10)" },
      { kind: "foreignKey", text: "FOREIGN KEY (p) REFERENCES t (k) DEFERRABLE" },
    ]);
  });
});

describe("tables that cannot be replicated", () => {
  test.each([
    [
      "CREATE TABLE t (a INT)",
      "table t has no primary key: rows are told apart by it on every node, so declare one",
    ],
    [
      "CREATE TABLE t (k TEXT PRIMARY KEY)",
      "column k of t: SQLite lets this primary key be NULL, many times over; add NOT NULL",
    ],
    [
      "CREATE TABLE t (a TEXT NOT NULL, b TEXT, PRIMARY KEY (a, b))",
      "column b of t: SQLite lets this primary key be NULL, many times over; add NOT NULL",
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY DESC)",
      "column k of t: SQLite lets this primary key be NULL, many times over; add NOT NULL",
    ],
    [
      "CREATE TABLE t (k NOT NULL PRIMARY KEY)",
      "column k of t: a primary key needs a type, or 1 and '1' would be two rows; write TEXT, INTEGER or BLOB",
    ],
    [
      "CREATE TABLE t (k ANY PRIMARY KEY) STRICT",
      "column k of t: a primary key needs a type, or 1 and '1' would be two rows; write TEXT, INTEGER or BLOB",
    ],
    [
      "CREATE TABLE t (k TEXT NOT NULL COLLATE NOCASE PRIMARY KEY)",
      "column k of t: COLLATE NOCASE would make keys of different bytes equal; leave it out of the primary key",
    ],
    [
      "CREATE TABLE t (k TEXT NOT NULL, PRIMARY KEY (k COLLATE RTRIM))",
      "column k of t: COLLATE RTRIM would make keys of different bytes equal; leave it out of the primary key",
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY AUTOINCREMENT)",
      "column k of t: AUTOINCREMENT counts on one node only; use a key that no two nodes choose, such as a UUID",
    ],
    [
      "CREATE TABLE t (k INTEGER COUNTER NOT NULL PRIMARY KEY)",
      "column k of t: a primary key does not merge; leave out COUNTER",
    ],
    [
      "CREATE TABLE t (a INT PRIMARY KEY, b INT PRIMARY KEY)",
      "table t has two primary keys: list the columns in one PRIMARY KEY (…)",
    ],
    [
      "CREATE TABLE t (a INT PRIMARY KEY, PRIMARY KEY (a))",
      "table t has two primary keys: list the columns in one PRIMARY KEY (…)",
    ],
    [
      "CREATE TABLE t (a INT, PRIMARY KEY (b))",
      "the primary key of t names b, which is no stored column",
    ],
    ["CREATE TABLE t (a INT NOT NULL, PRIMARY KEY (a, A))", "the primary key of t names A twice"],
    ["CREATE TABLE t (k INTEGER PRIMARY KEY, a INT, A INT)", "column A of t is there twice"],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY); CREATE TABLE T (k INTEGER PRIMARY KEY)",
      "table T is there twice",
    ],
    [
      "CREATE TABLE sqlite_t (k INTEGER PRIMARY KEY)",
      "table sqlite_t: names that begin with sqlite_ are SQLite's own",
    ],
    [
      "CREATE TEMP TABLE t (k INTEGER PRIMARY KEY)",
      "a temporary table cannot be replicated: leave out TEMP",
    ],
    ["CREATE VIRTUAL TABLE t USING fts5(x)", "a virtual table cannot be replicated"],
    ["CREATE TABLE t AS SELECT 1", "table t: list the columns instead of AS SELECT"],
    [
      "CREATE TABLE main.t (k INTEGER PRIMARY KEY)",
      "table main: leave out the schema name before the dot",
    ],
    [
      "CREATE TABLE t (k TEXT NOT NULL PRIMARY KEY ON CONFLICT REPLACE)",
      "k: leave out ON CONFLICT REPLACE; say OR REPLACE where you write",
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY, v VARCHAR(5)) STRICT",
      "column v of t: a STRICT table knows INT, INTEGER, REAL, TEXT, BLOB and ANY, not VARCHAR(5)",
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY, v) STRICT",
      "column v of t: a STRICT table knows INT, INTEGER, REAL, TEXT, BLOB and ANY, not a missing type",
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY, v INT DEFAULT 'x') STRICT",
      "column v of the STRICT table t holds integer, not text: mend its DEFAULT",
    ],
    ['CREATE TABLE "" (k INTEGER PRIMARY KEY)', "table : a name is not empty"],
    ["CREATE INDEX i ON t (a)", "expected CREATE TABLE, found INDEX"],
    ["SELECT 1", "expected CREATE TABLE, found SELECT"],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY",
      'expected a column, a constraint or ")" in table t, found the end',
    ],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY) nonsense",
      "expected the end of table t, found nonsense",
    ],
    ["CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT DEFAULT 'x", "' is opened but never closed"],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY, CHECK (k > 1)",
      'expected a column, a constraint or ")" in table t, found the end',
    ],
    ["CREATE TABLE t (k INTEGER PRIMARY KEY CHECK (k > (1)", '"(" is never closed'],
    [
      "CREATE TABLE t (k INTEGER PRIMARY KEY, v BLOB DEFAULT x'0')",
      "a blob literal has an odd number of digits",
    ],
  ])("CR18: refused: %s", (sql, error) => {
    expect(errorOf(sql)).toBe(error);
  });

  test("CR18: an error says in which statement and where", () => {
    const result = parseSchema([
      "CREATE TABLE a (k INTEGER PRIMARY KEY)",
      "CREATE TABLE b (x INT)",
    ]);
    expect(result).toMatchObject({ ok: false, statement: 1, at: 0 });
    const inside = parseSchema(["CREATE TABLE a (k TEXT NOT NULL PRIMARY KEY, n INT COUNTER)"]);
    expect(inside).toMatchObject({ ok: false, statement: 0, at: 45 });
  });

  test("CR18: STRICT types have the affinity of their names, ANY none", () => {
    const table = only("CREATE TABLE t (k INT PRIMARY KEY, a ANY, b BLOB, r REAL, x TEXT) STRICT");
    expect(table.columns.map((c) => c.affinity)).toEqual([
      "integer",
      "blob",
      "blob",
      "real",
      "text",
    ]);
    expect(affinityOf("ANY")).toBe("numeric");
  });
});

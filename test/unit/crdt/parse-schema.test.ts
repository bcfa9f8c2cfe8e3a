/** Schemas read by the project's own parser, checked against what SQLite makes of the same text. */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import { affinityOf } from "../../../core/crdt/affinity.ts";
import { parseSchema } from "../../../core/crdt/parse-schema.ts";
import type { ColumnSchema, TableSchema } from "../../../core/crdt/schema.ts";
import type { Value } from "../../../core/crdt/value.ts";
import { fromSqlite } from "../../property/sqlite-values.ts";

function parsed(...sql: string[]): readonly TableSchema[] {
  const result = parseSchema(sql);
  if (!result.ok) throw new Error(result.error);
  return result.tables;
}

function only(sql: string): TableSchema {
  const tables = parsed(sql);
  expect(tables).toHaveLength(1);
  return tables[0] as TableSchema;
}

function errorOf(...sql: string[]): string {
  const result = parseSchema(sql);
  return result.ok ? "no error" : result.error;
}

function column(table: TableSchema, name: string): ColumnSchema {
  return table.columns.find((other) => other.name === name) as ColumnSchema;
}

const names = (table: TableSchema, indexes: readonly number[]) =>
  indexes.map((i) => (table.columns[i] as ColumnSchema).name);

describe("tables that can be replicated", () => {
  test("CR18: the table of scenario files", () => {
    const table = only(
      "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
    );
    expect(table).toEqual({
      name: "kv",
      columns: [
        {
          name: "k",
          declaredType: "TEXT",
          affinity: "text",
          notNull: true,
          defaultValue: "",
          hasDefault: false,
          policy: "lww",
        },
        {
          name: "v",
          declaredType: "TEXT",
          affinity: "text",
          notNull: true,
          defaultValue: "",
          hasDefault: true,
          policy: "lww",
        },
        {
          name: "n",
          declaredType: "INTEGER",
          affinity: "integer",
          notNull: false,
          defaultValue: null,
          hasDefault: false,
          policy: "lww",
        },
      ],
      keyColumns: [0],
      dataColumns: [1, 2],
      strict: false,
      withoutRowid: false,
      rowidKey: false,
      constraints: [],
    });
  });

  test("CR18: tables are sorted by name in code-unit order, whatever text they came in", () => {
    const tables = parsed(
      "CREATE TABLE b (k INTEGER PRIMARY KEY); CREATE TABLE a (k INTEGER PRIMARY KEY);",
      ";; CREATE TABLE IF NOT EXISTS Z (k INTEGER PRIMARY KEY) ;",
    );
    expect(tables.map((table) => table.name)).toEqual(["Z", "a", "b"]);
    expect(parsed("", " -- nothing\n")).toEqual([]);
  });

  test("CR18: a key of several columns has the order of the PRIMARY KEY clause", () => {
    const table = only(
      'CREATE TABLE t (a TEXT NOT NULL, x, b INT NOT NULL, PRIMARY KEY (b DESC, "a" ASC)) WITHOUT ROWID',
    );
    expect(names(table, table.keyColumns)).toEqual(["b", "a"]);
    expect(names(table, table.dataColumns)).toEqual(["x"]);
  });

  test("CR18: a link table has key columns alone", () => {
    const table = only("CREATE TABLE l (a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (a, b))");
    expect(table.dataColumns).toEqual([]);
  });

  test.each([
    "INTEGER PRIMARY KEY",
    "integer primary key",
    '"integer" NOT NULL PRIMARY KEY',
    "[INTEGER] NOT NULL PRIMARY KEY",
    "INTEGER PRIMARY KEY ASC",
    "INTEGER NOT NULL PRIMARY KEY DESC",
    "INTEGER(4) NOT NULL PRIMARY KEY",
    "INT NOT NULL PRIMARY KEY",
    "BIGINT NOT NULL PRIMARY KEY",
  ])("CR18: whether k %s is the rowid is as in SQLite", (definition) => {
    const sql = `CREATE TABLE t (k ${definition}, v)`;
    const db = new Database(":memory:");
    db.exec(sql);
    db.exec("INSERT INTO t (rowid, k) VALUES (NULL, 7)");
    const { rowid } = db.prepare("SELECT rowid AS rowid FROM t").get() as { rowid: number };
    const table = only(sql);
    expect(table.rowidKey).toBe(rowid === 7);
    expect(column(table, "k").notNull).toBe(true);
  });

  test("CR18: an INTEGER PRIMARY KEY behind the columns is the rowid too, but not WITHOUT ROWID", () => {
    expect(only("CREATE TABLE t (k INTEGER, v, PRIMARY KEY (k DESC))").rowidKey).toBe(true);
    expect(only("CREATE TABLE t (k INTEGER PRIMARY KEY, v) WITHOUT ROWID").rowidKey).toBe(false);
  });

  test("CR18: WITHOUT ROWID and STRICT make keys NOT NULL", () => {
    for (const options of [
      "WITHOUT ROWID",
      "STRICT",
      "STRICT, WITHOUT ROWID",
      "without rowid , strict",
    ]) {
      const table = only(`CREATE TABLE t (k TEXT PRIMARY KEY) ${options}`);
      expect(column(table, "k").notNull).toBe(true);
      expect(table.strict).toBe(/strict/i.test(options));
      expect(table.withoutRowid).toBe(/rowid/i.test(options));
    }
  });

  test("CR18: names in every kind of quotes, with spaces, quotes, keywords and Unicode", () => {
    const sql = `CREATE TABLE "odd ""name""" (
      [select] TEXT NOT NULL, \`from\`\`x\` INT, 'string' REAL, "a b" BLOB, größe INT, "" "" TEXT, key INT, PRIMARY KEY ([select]))`;
    const table = only(sql.replace('"" "" TEXT', '"日本 語" TEXT'));
    expect(table.name).toBe('odd "name"');
    expect(table.columns.map((c) => c.name)).toEqual([
      "select",
      "from`x",
      "string",
      "a b",
      "größe",
      "日本 語",
      "key",
    ]);
  });

  test("CR18: comments stand anywhere", () => {
    const table = only(`-- before
      CREATE /* a */ TABLE -- b
      t /* c ( ; */ (k /* d */ INTEGER -- e, )
      PRIMARY KEY, /* unfinished: ' */ v TEXT DEFAULT 'it''s -- no comment' /* f */) -- end`);
    expect(column(table, "v").defaultValue).toBe("it's -- no comment");
  });

  test("CR18: types with parentheses and several words keep their text", () => {
    const table = only(
      'CREATE TABLE t (k VARCHAR ( 10 ) NOT NULL PRIMARY KEY, d DECIMAL(10, -5), u UNSIGNED BIG INT, x, "my type" "double precision")',
    );
    expect(table.columns.map((c) => [c.name, c.declaredType, c.affinity])).toEqual([
      ["k", "VARCHAR ( 10 )", "text"],
      ["d", "DECIMAL(10, -5)", "numeric"],
      ["u", "UNSIGNED BIG INT", "integer"],
      ["x", "", "blob"],
      ["my type", "double precision", "real"],
    ]);
  });

  test.each([
    '"integer"',
    "[my type]",
    "`a``b` c",
    "'x' y",
    'my "type"',
    "VARCHAR ( 10 )",
    "UNSIGNED BIG INT",
  ])("CR18: the type %s is what SQLite makes of it", (type) => {
    const sql = `CREATE TABLE t (k INTEGER PRIMARY KEY, c ${type})`;
    const db = new Database(":memory:");
    db.exec(sql);
    const [, c] = db.pragma("table_info(t)") as { type: string }[];
    expect(column(only(sql), "c").declaredType.toUpperCase()).toBe(c?.type.toUpperCase());
  });

  test("CR18: a hundred columns", () => {
    const list = Array.from({ length: 100 }, (_, i) => `c${i} INT DEFAULT ${i}`).join(", ");
    const table = only(`CREATE TABLE t (k INTEGER PRIMARY KEY, ${list})`);
    expect(table.dataColumns).toHaveLength(100);
    expect(column(table, "c99").defaultValue).toBe(99);
  });
});

describe("defaults", () => {
  const defaults = [
    "0",
    "-1",
    "+7",
    "- 5",
    "1.5",
    "-1.50",
    "1e3",
    ".5",
    "5.",
    "0x1F",
    "-0x10",
    "1_000",
    "9223372036854775807",
    "-9223372036854775808",
    "9223372036854775808",
    "0xFFFFFFFFFFFFFFFF",
    "'text'",
    "''",
    "'it''s'",
    "'12'",
    "'1.0'",
    "x'00ff'",
    "X''",
    "NULL",
    "TRUE",
    "false",
    '"double quoted"',
    "(5)",
    "((-5))",
    "('x')",
    "(NULL)",
    "(+1.25)",
  ];
  const types = ["TEXT", "INTEGER", "REAL", "NUMERIC", "BLOB", ""];

  test.each(defaults)("CR18: DEFAULT %s is what SQLite stores", (literal) => {
    const list = types.map((type, i) => `c${i} ${type} DEFAULT ${literal}`).join(", ");
    const sql = `CREATE TABLE t (k INTEGER PRIMARY KEY, ${list})`;
    const db = new Database(":memory:");
    db.exec(sql);
    db.exec("INSERT INTO t (k) VALUES (1)");
    const select = types.map((_, i) => `typeof(c${i}), c${i}`).join(", ");
    const row = db
      .prepare(`SELECT ${select} FROM t`)
      .safeIntegers(true)
      .raw(true)
      .get() as unknown[];
    const stored: Value[] = types.map((_, i) => fromSqlite(row[2 * i] as string, row[2 * i + 1]));
    const table = only(sql);
    expect(types.map((_, i) => column(table, `c${i}`).defaultValue)).toEqual(stored);
    expect(types.every((_, i) => column(table, `c${i}`).hasDefault)).toBe(true);
  });

  test.each<[string, Value]>([
    ["TEXT", ""],
    ["INTEGER", 0],
    ["NUMERIC", 0],
    ["REAL", { real: 0 }],
    ["BLOB", new Uint8Array(0)],
  ])("CR18: a NOT NULL %s column without a default begins a life with its zero", (type, zero) => {
    const c = column(only(`CREATE TABLE t (k INTEGER PRIMARY KEY, c ${type} NOT NULL)`), "c");
    expect(c).toMatchObject({ notNull: true, hasDefault: false, defaultValue: zero });
  });

  test("CR18: DEFAULT NULL in a NOT NULL column is no default", () => {
    const c = column(
      only("CREATE TABLE t (k INTEGER PRIMARY KEY, c TEXT NOT NULL DEFAULT NULL)"),
      "c",
    );
    expect(c).toMatchObject({ hasDefault: false, defaultValue: "" });
  });

  test.each([
    "CURRENT_TIMESTAMP",
    "current_date",
    "(random())",
    "(1 + 1)",
    "(strftime('%s'))",
    "(- 'x')",
    "(SELECT 1)",
    "(x'00' || 'a')",
    "abc",
  ])("CR18: DEFAULT %s is refused, since nodes would differ", (expression) => {
    expect(
      errorOf(`CREATE TABLE t (k INTEGER PRIMARY KEY, c TEXT DEFAULT ${expression}, d INT)`),
    ).toMatch(/^column c of t: DEFAULT .* is not a literal; .*write a literal$/);
  });
});

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

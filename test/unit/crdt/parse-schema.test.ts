/** Schemas read by the project's own parser, checked against what SQLite makes of the same text. */
import Database from "better-sqlite3";
import { describe, expect, test } from "vitest";
import type { ColumnSchema, TableSchema } from "../../../core/crdt/schema.ts";
import type { Value } from "../../../core/crdt/value.ts";
import { fromSqlite } from "../../property/sqlite-values.ts";
import { column, errorOf, only, parsed } from "./parsed.ts";

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

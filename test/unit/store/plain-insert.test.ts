/** Rows that a statement's parameters tell are taken as SQLite stores them, not as they were given. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { tokenize } from "../../../core/crdt/sql-tokens.ts";
import type { Value } from "../../../core/crdt/value.ts";
import { insertFormOf } from "../../../runtime/store/plain-insert.ts";
import { rows, storeMaker, t0 } from "./stores.ts";

const schema = [
  "CREATE TABLE whole (id INTEGER PRIMARY KEY, t TEXT, i INTEGER, n NUMERIC UNIQUE, r REAL, b BLOB, u)",
  "CREATE TABLE texts (t TEXT NOT NULL, i INT NOT NULL, x VARCHAR(9) COLLATE NOCASE, PRIMARY KEY (i, t))",
  "CREATE TABLE strict (b BLOB, r REAL NOT NULL, t TEXT PRIMARY KEY NOT NULL, i INT) STRICT, WITHOUT ROWID",
  "CREATE TABLE checked (id INTEGER PRIMARY KEY, n NUMERIC CHECK (typeof(n) = 'integer'), twice GENERATED ALWAYS AS (n * 2))",
];

/** Columns as the statements name them, and what goes into each: a whole number, a real, a word, nothing; at times something else. */
const targets = [
  ["whole", "nwnnrww"],
  ["WHOLE (u, b, r, n, i, T, id)", "wwrnnwn"],
  ['"whole" (id, t)', "nw"],
  ["texts", "wnw"],
  ["texts (x, t, i)", "wwn"],
  ["[strict]", "-rwn"],
  ["checked", "nn"],
] as const;

const value: fc.Arbitrary<Value> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -3, max: 3 }) },
  fc.constantFrom<Value>(0, -0, 1.5, -0.25, 1e300, Number.NaN, Infinity, { real: 2 }),
  fc.constantFrom<Value>(2 ** 53 - 1, 2 ** 53, 2n ** 62n, -(2n ** 63n), null),
  fc.constantFrom<Value>("", "a", "A", "7", " 7", "1.0", "é\u0000x", "\ud834\udd1e", "\ud834"),
  fc.constantFrom<Value>(new Uint8Array(0), Uint8Array.of(55), Uint8Array.of(0, 255)),
);

const mostly = (usual: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 9, arbitrary: usual }, { weight: 1, arbitrary: value });
const kindsOfValues: Readonly<Record<string, fc.Arbitrary<Value>>> = {
  n: mostly(fc.integer({ min: 1, max: 99 })),
  r: mostly(fc.constantFrom<Value>(-0, 2, 0.5, -1e300)),
  w: mostly(fc.constantFrom("a", "b", "c", "7")),
  "-": mostly(fc.constant(null)),
};

const insert = fc.constantFrom(...targets).chain(([target, kinds]) => {
  const values = Array.from(kinds, (kind) => kindsOfValues[kind] as fc.Arbitrary<Value>);
  return fc.tuple(...values).map((given) => ({ target, given }));
});

describe("a row that is inserted by its parameters", () => {
  const open = storeMaker();

  test("CR19: makes the version that it makes when SQLite tells the row", () => {
    const transactions = fc.array(fc.array(insert, { minLength: 1, maxLength: 4 }), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(transactions, (list) => {
        const [told, captured] = [open("a", schema), open("a", schema)];
        list.forEach((inserts, i) => {
          const [left, right] = (["INTO", "OR ABORT INTO"] as const).map((into) => {
            const store = into === "INTO" ? told : captured;
            const failures: boolean[] = [];
            const outcome = store.transact(t0 + i, (transaction) => {
              for (const { target, given } of inserts) {
                const places = given.map(() => "?").join(", ");
                const sql = `INSERT ${into} ${target} VALUES (${places})`;
                try {
                  transaction.run(sql, given);
                  failures.push(false);
                } catch {
                  failures.push(true);
                }
              }
            });
            return { failures, outcome };
          });
          expect(left).toEqual(right);
        });
        for (const { name } of told.tables) expect(rows(told, name)).toEqual(rows(captured, name));
        expect(told.check()).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test("CR19: is taken as it is when the statement is run, whatever becomes of the list", () => {
    const store = open("a", schema);
    const given: Value[] = ["t", 0, "x"];
    store.transact(t0, (transaction) => {
      for (given[1] = 1; given[1] <= 3; given[1]++) {
        transaction.run("INSERT INTO texts VALUES (?, ?, ?)", given);
      }
    });
    expect(rows(store, "texts")).toHaveLength(3);
    expect(store.check()).toEqual([]);
  });

  test("CR19: where triggers may insert too, SQLite tells every row", () => {
    const trigger =
      "CREATE TRIGGER more BEFORE INSERT ON whole WHEN NEW.id < 10 BEGIN INSERT INTO whole (id, t) VALUES (NEW.id + 10, 'more'); END";
    const store = open("a", [...schema, trigger]);
    store.transact(t0, (transaction) => {
      const row = [1, "one", null, null, null, null, null];
      transaction.run("INSERT INTO whole VALUES (?, ?, ?, ?, ?, ?, ?)", row);
    });
    expect(rows(store, "whole").map(([id, t]) => [id, t])).toEqual([
      [1, "one"],
      [11, "more"],
    ]);
    expect(store.check()).toEqual([]);
  });

  test.each([
    ["INSERT INTO t VALUES (?)", { table: "t", columns: null, count: 1 }],
    ['insert into "t t" (a, [b]) values (?, ?);', { table: "t t", columns: ["a", "b"], count: 2 }],
    ["INSERT OR IGNORE INTO t VALUES (?)", null],
    ["INSERT INTO main.t VALUES (?)", null],
    ["INSERT INTO t VALUES (?1)", null],
    ["INSERT INTO t VALUES (:a)", null],
    ["INSERT INTO t VALUES (?, 1)", null],
    ["INSERT INTO t VALUES (?), (?)", null],
    ["INSERT INTO t VALUES (?) ON CONFLICT DO NOTHING", null],
    ["INSERT INTO t VALUES (?) RETURNING a", null],
    ["INSERT INTO t AS u VALUES (?)", null],
    ["INSERT INTO t SELECT ?", null],
    ["INSERT INTO t DEFAULT VALUES", null],
    ["REPLACE INTO t VALUES (?)", null],
    ["INSERT INTO t (a", null],
    ["INSERT INTO t VALUES (?", null],
  ])("is told from other statements: %s", (sql, form) => {
    expect(insertFormOf(tokenize(sql))).toEqual(form);
  });
});

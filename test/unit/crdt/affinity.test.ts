/** What columns make of values, checked against the SQLite that the product ships. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { affinityOf, normalise } from "../../../core/crdt/affinity.ts";
import type { Affinity } from "../../../core/crdt/schema.ts";
import type { Value } from "../../../core/crdt/value.ts";
import { anyValue, numberLikeText } from "../../property/arbitraries.ts";
import { fromSqlite, toSqlite } from "../../property/sqlite-values.ts";

const types: readonly (readonly [Affinity, string])[] = [
  ["text", "TEXT"],
  ["numeric", "NUMERIC"],
  ["integer", "INTEGER"],
  ["real", "REAL"],
  ["blob", "BLOB"],
];

const db = new Database(":memory:");
db.exec(
  `CREATE TABLE t (id INTEGER PRIMARY KEY, ${types.map(([, t]) => `c_${t} ${t}`).join(", ")})`,
);
const insert = db.prepare("INSERT OR REPLACE INTO t VALUES (1, ?, ?, ?, ?, ?)");
const select = db
  .prepare(`SELECT ${types.map(([, t]) => `typeof(c_${t}), c_${t}`).join(", ")} FROM t`)
  .safeIntegers(true)
  .raw(true);

/** The value as each kind of column of a real database gives it back. */
function stored(value: Value): Value[] {
  const bound = toSqlite(value);
  insert.run(bound, bound, bound, bound, bound);
  const row = select.get() as unknown[];
  return types.map((_, i) => fromSqlite(row[2 * i] as string, row[2 * i + 1]));
}

function expectSame(value: Value): void {
  const ours = types.map(([affinity]) => normalise(value, affinity));
  expect(ours).toEqual(stored(value));
}

describe("affinity", () => {
  test("CR16: any value is stored as SQLite stores it", () => {
    fc.assert(fc.property(anyValue, expectSame), { numRuns: 3000 });
  });

  test("CR16: text that looks like a number is converted as SQLite converts it", () => {
    fc.assert(fc.property(numberLikeText, expectSame), { numRuns: 6000 });
  });

  test("CR16: every double becomes the text that SQLite makes of it", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (n) =>
        expectSame(Number.isInteger(n) || Math.abs(n) === Infinity ? { real: n } : n),
      ),
      { numRuns: 6000 },
    );
  });

  test.each([
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "9007199254740993",
    "-0",
    "-0.0",
    "1e3",
    " 12 ",
    "12\0x",
    "2251799813685248\0x",
    ".5",
    "5.",
    ".",
    "+",
    "",
    "1e",
    "1e+",
    "0x10",
    "Inf",
    "1e400",
    "-1e400",
    "1e-400",
    "4.9e-324",
    "1\u00a0",
    "00000000000000000000000000000001",
    "18446744073709551616",
    "0.1e1",
    "1.7976931348623157e308",
  ])("CR16: the text %j", (text) => {
    expectSame(text);
  });

  test.each<[string, Value]>([
    ["9223372036854775807n", 9223372036854775807n],
    ["-9223372036854775808n", -9223372036854775808n],
    ["9007199254740993n", 9007199254740993n],
    ["{ real: 9223372036854775807 }", { real: 2 ** 63 }],
    ["{ real: -9223372036854775808 }", { real: -(2 ** 63) }],
    ["{ real: 9.2e18 }", { real: 9.2e18 }],
    ["{ real: 1e15 }", { real: 1e15 }],
    ["{ real: 1e16 }", { real: 1e16 }],
    ["{ real: 1e17 }", { real: 1e17 }],
    ["{ real: Infinity }", { real: Infinity }],
    ["{ real: -Infinity }", { real: -Infinity }],
    ["2.5e-310", 2.5e-310],
    ["5e-324", 5e-324],
    ["49.47", 49.47],
    ["0.1 + 0.2", 0.1 + 0.2],
    ["123456.789e-10", 123456.789e-10],
    ["lone \\ud800 surrogate", "lone \ud800 surrogate"],
    ["new Uint8Array([0, 255])", new Uint8Array([0, 255])],
  ])("CR16: the value %s", (_, value) => {
    expectSame(value);
  });

  test("CR16: −0.0 is 0.0 in every column", () => {
    for (const [affinity] of types) {
      expect(normalise({ real: -0 }, affinity)).toEqual(normalise({ real: 0 }, affinity));
      expect(Object.is(normalise(-0, affinity), -0)).toBe(false);
    }
    const untyped = normalise({ real: -0 }, "blob") as { real: number };
    expect(Object.is(untyped.real, 0)).toBe(true);
  });

  test("CR16: NaN is NULL", () => {
    for (const [affinity] of types) expect(normalise(Number.NaN, affinity)).toBe(null);
  });

  test("CR16: an integer of more than 64 bits is refused", () => {
    for (const [affinity] of types) {
      expect(() => normalise(2n ** 63n, affinity)).toThrow(RangeError);
    }
  });
});

describe("affinity of a declared type", () => {
  test.each<[string, Affinity]>([
    ["INT", "integer"],
    ["BIGINT UNSIGNED", "integer"],
    ["CHARINT", "integer"],
    ["VARCHAR(255)", "text"],
    ["CLOB", "text"],
    ["TEXT MIN", "text"],
    ["INTEGER COUNTER", "integer"],
    ["REAL MAX", "real"],
    ["", "blob"],
    ["BLOB", "blob"],
    ["REALBLOB", "blob"],
    ["DOUBLE PRECISION", "real"],
    ["FLOAT", "real"],
    ["FLOATING POINT", "integer"],
    ["NUMERIC", "numeric"],
    ["DECIMAL(10,5)", "numeric"],
    ["BOOLEAN", "numeric"],
    ["STRING", "numeric"],
  ])("CR16: %s is %s", (type, affinity) => {
    expect(affinityOf(type)).toBe(affinity);
  });
});

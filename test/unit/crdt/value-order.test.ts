/** The order of values and of keys, checked against the SQLite that the product ships. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeKey,
  encodeKey,
  encodeKeyText,
  keyBytes,
  keyText,
  normaliseKey,
} from "../../../core/crdt/key.ts";
import type { Affinity } from "../../../core/crdt/schema.ts";
import { compareBytes, type Value } from "../../../core/crdt/value.ts";
import { compareText, compareValues } from "../../../core/crdt/value-order.ts";
import { normalise } from "../../../core/crdt/affinity.ts";
import { anyInteger, anyReal, anyText, anyValue } from "../../property/arbitraries.ts";
import { toSqlite } from "../../property/sqlite-values.ts";

const db = new Database(":memory:");
const compare = db.prepare("SELECT (? < ?) AS less, (? = ?) AS same").raw(true);

/** −1, 0, 1 by SQLite; neither may be NULL. */
function sqliteOrder(a: Value, b: Value): number {
  const [x, y] = [toSqlite(a), toSqlite(b)];
  const [less, same] = compare.get(x, y, x, y) as [number, number];
  return same ? 0 : less ? -1 : 1;
}

const present = anyValue.filter((value) => value !== null);
const number = fc.oneof(
  anyInteger,
  anyReal.filter((value) => value !== null),
);

describe("order of values", () => {
  test("CR13: values compare as in SQLite; where SQL calls two numbers equal the INTEGER comes first", () => {
    const check = (a: Value, b: Value) => {
      const order = sqliteOrder(a, b);
      const ours = Math.sign(compareValues(a, b));
      if (order !== 0) expect(ours).toBe(order);
      else expect(ours === 0).toBe(typeof a === typeof b);
      expect(Math.sign(compareValues(b, a)) + ours).toBe(0);
    };
    const [p, n] = [present.map((v) => normalise(v, "blob")), number];
    fc.assert(fc.property(p, p, check), { numRuns: 3000 });
    fc.assert(fc.property(n, n, check), { numRuns: 3000 });
  });

  test("CR13: NULL comes before everything and is equal to itself", () => {
    fc.assert(
      fc.property(present, (value) => {
        expect(compareValues(null, value)).toBeLessThan(0);
        expect(compareValues(value, null)).toBeGreaterThan(0);
      }),
    );
    expect(compareValues(null, null)).toBe(0);
  });

  test("CR17: text is ordered by its UTF-8 bytes, not by UTF-16", () => {
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, "utf8"));
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        const [x, y] = [a.toWellFormed(), b.toWellFormed()];
        expect(Math.sign(compareText(x, y))).toBe(Math.sign(compareBytes(bytes(x), bytes(y))));
      }),
      { numRuns: 3000 },
    );
    expect(compareText("\uffff", "\u{10000}")).toBeLessThan(0);
  });
});

describe("keys", () => {
  const types: readonly (readonly [Affinity, string])[] = [
    ["text", "TEXT"],
    ["numeric", "NUMERIC"],
    ["integer", "INT"],
    ["real", "REAL"],
    ["blob", "BLOB"],
  ];

  test.each(types)(
    "CR17: in a %s column bytes are equal and ordered as the keys are in SQLite",
    (affinity) => {
      const key = present.map((value) => normaliseKey(value, affinity));
      fc.assert(
        fc.property(key, key, (a, b) => {
          const order = Math.sign(compareBytes(encodeKey([a]), encodeKey([b])));
          expect(order).toBe(sqliteOrder(a, b));
        }),
        { numRuns: 2000 },
      );
      const near = number.map((value) => normaliseKey(value, affinity));
      fc.assert(
        fc.property(near, near, (a, b) => {
          const order = Math.sign(compareBytes(encodeKey([a]), encodeKey([b])));
          expect(order).toBe(sqliteOrder(a, b));
        }),
        { numRuns: 2000 },
      );
    },
  );

  test("CR17: ORDER BY over composite keys is the order of their bytes", () => {
    db.exec(
      "CREATE TABLE t (a TEXT NOT NULL, b NUMERIC NOT NULL, c BLOB NOT NULL, PRIMARY KEY (a, b, c)) WITHOUT ROWID",
    );
    const affinities: Affinity[] = ["text", "numeric", "blob"];
    const insert = db.prepare("INSERT OR IGNORE INTO t VALUES (?, ?, ?)");
    const part = fc.oneof(
      present,
      fc.constantFrom<Value>("", "a", "a\0", 0, 1, new Uint8Array([0])),
    );
    const keys = fc.array(fc.tuple(part, part, part), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(keys, (given) => {
        db.exec("DELETE FROM t");
        const byBytes = new Map<string, Value[]>();
        for (const values of given) {
          const key = values.map((value, i) => normaliseKey(value, affinities[i] as Affinity));
          byBytes.set(encodeKeyText(key), key);
          insert.run(...key.map(toSqlite));
        }
        const rows = db
          .prepare("SELECT quote(a), quote(b), quote(c) FROM t ORDER BY a, b, c")
          .raw(true)
          .all();
        const quote = db.prepare("SELECT quote(?), quote(?), quote(?)").raw(true);
        const sorted = [...byBytes].sort(([a], [b]) => (a < b ? -1 : 1));
        expect(sorted.map(([, key]) => quote.get(...key.map(toSqlite)))).toEqual(rows);
      }),
      { numRuns: 200 },
    );
  });

  test("CR17: a key is read back from its bytes", () => {
    const affinity = fc.constantFrom<Affinity>("text", "numeric", "integer", "real", "blob");
    const part = fc.tuple(affinity, present).map(([a, v]) => [a, normaliseKey(v, a)] as const);
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const values = parts.map(([, value]) => value);
        const bytes = encodeKey(values);
        expect(
          decodeKey(
            bytes,
            parts.map(([a]) => a),
          ),
        ).toEqual(values);
        expect(keyBytes(keyText(bytes))).toEqual(bytes);
      }),
      { numRuns: 3000 },
    );
  });

  test("CR17: bytes that are no key of the columns are told apart", () => {
    const good = encodeKey(["ab", 7]);
    const affinities: Affinity[] = ["text", "integer"];
    expect(decodeKey(good, affinities)).toEqual(["ab", 7]);
    for (let end = 0; end < good.length; end++) {
      expect(decodeKey(good.subarray(0, end), affinities)).toBe(null);
    }
    expect(decodeKey(new Uint8Array([...good, 0]), affinities)).toBe(null);
    expect(decodeKey(good, ["text"])).toBe(null);
    expect(decodeKey(new Uint8Array([0x40, 0]), ["text"])).toBe(null);
    expect(decodeKey(new Uint8Array([0x20, 0xff, 0]), ["text"])).toBe(null);
    const nan = encodeKey([0.5]).fill(0xff, 1, 9);
    expect(decodeKey(nan, ["real"])).toBe(null);
  });

  test.each<[string, Value, Affinity, Value]>([
    ["1.0 in a BLOB column is the key 1", { real: 1 }, "blob", 1],
    ["2^62 as REAL in a BLOB column is an integer", { real: 2 ** 62 }, "blob", 2n ** 62n],
    ["2^63 as REAL stays a REAL", { real: 2 ** 63 }, "blob", { real: 2 ** 63 }],
    ["infinity stays a REAL", { real: Infinity }, "blob", { real: Infinity }],
    ["1 in a REAL column is 1.0", 1, "real", { real: 1 }],
    ["'07' in a NUMERIC column is 7", "07", "numeric", 7],
    ["7 in a TEXT column is '7'", 7, "text", "7"],
    ["-0.0 is 0", { real: -0 }, "blob", 0],
  ])("CR17: %s", (_, value, affinity, expected) => {
    expect(normaliseKey(value, affinity)).toEqual(expected);
  });
});

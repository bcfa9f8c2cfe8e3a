/** Local transactions on the store in memory against plain SQLite: same rows, same failures. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actorId } from "../../core/base/ids.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Op } from "../../core/node/store.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { fromSqlite, toSqlite } from "./sqlite-values.ts";

const schema = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT 'none', n INTEGER DEFAULT -1)",
  "CREATE TABLE two (a NUMERIC NOT NULL, b BLOB NOT NULL, r REAL, u, x NUMERIC NOT NULL DEFAULT 1.5, PRIMARY KEY (b, a)) WITHOUT ROWID",
  "CREATE TABLE strict (id INTEGER PRIMARY KEY, i INT, r REAL NOT NULL DEFAULT 0, t TEXT, b BLOB, a ANY) STRICT",
];
const keys: Record<string, readonly string[]> = { kv: ["k"], two: ["a", "b"], strict: ["id"] };
const data: Record<string, readonly string[]> = {
  kv: ["v", "n"],
  two: ["r", "u", "x"],
  strict: ["i", "r", "t", "b", "a"],
};

const value: fc.Arbitrary<Value> = fc.constantFrom<Value[]>(
  null,
  0,
  1,
  -7,
  2 ** 53 - 1,
  2n ** 63n - 1n,
  { real: 1 },
  1.5,
  { real: 1e300 },
  "",
  "1",
  "1.0",
  " 2 ",
  "x",
  "a\0b",
  new Uint8Array([]),
  new Uint8Array([0, 255]),
);
const keyValue: fc.Arbitrary<Value> = fc.constantFrom<Value[]>(
  1,
  2,
  "1",
  "a",
  "b",
  "A",
  1.5,
  null,
  new Uint8Array([1]),
);

function record(columns: readonly string[], of: fc.Arbitrary<Value>, required: boolean) {
  const entries = Object.fromEntries(columns.map((column) => [column, of]));
  return fc.record(entries, { requiredKeys: required ? [...columns] : [] });
}

const op: fc.Arbitrary<Op> = fc.constantFrom("kv", "two", "strict").chain((table) => {
  const key = record(keys[table] ?? [], keyValue, true);
  const set = record(data[table] ?? [], value, false);
  const row = fc.tuple(key, set).map(([k, s]) => ({ ...k, ...s }));
  return fc.oneof(
    row.map((r): Op => ["insert", table, r]),
    { weight: 2, arbitrary: row.map((r): Op => ["upsert", table, r]) },
    { weight: 2, arbitrary: fc.tuple(key, set).map(([k, s]): Op => ["update", table, k, s]) },
    fc.tuple(key, key, set).map(([k, to, s]): Op => ["update", table, k, { ...s, ...to }]),
    key.map((k): Op => ["delete", table, k]),
  );
});

/** A plain database, to which operations are put as SQL. */
class Plain {
  readonly #db = new Database(":memory:");

  constructor() {
    for (const sql of schema) this.#db.exec(sql);
  }

  /** Whether the transaction succeeded. */
  commit(ops: readonly Op[]): boolean {
    try {
      this.#db.transaction(() => {
        for (const each of ops) this.#run(each);
      })();
      return true;
    } catch (error) {
      if (error instanceof Database.SqliteError) return false;
      throw error;
    }
  }

  #run(each: Op): void {
    const [kind, table, first] = each;
    if (kind === "insert") this.#insert(table, first);
    else if (kind === "upsert") {
      const key = Object.fromEntries((keys[table] ?? []).map((k) => [k, first[k] as Value]));
      const found = this.#db
        .prepare(`SELECT 1 FROM ${table} WHERE ${where(key)}`)
        .get(...bound(key));
      if (found === undefined) this.#insert(table, first);
      else this.#update(table, key, first, keys[table] ?? []);
    } else if (kind === "update") this.#update(table, first, each[3], []);
    else this.#db.prepare(`DELETE FROM ${table} WHERE ${where(first)}`).run(...bound(first));
  }

  #insert(table: string, row: Readonly<Record<string, Value>>): void {
    const names = Object.keys(row);
    const marks = names.map(() => "?").join(", ");
    this.#db
      .prepare(`INSERT INTO ${table} (${names.join(", ")}) VALUES (${marks})`)
      .run(...bound(row));
  }

  #update(
    table: string,
    key: Readonly<Record<string, Value>>,
    set: Readonly<Record<string, Value>>,
    except: readonly string[],
  ): void {
    const kept = Object.fromEntries(Object.entries(set).filter(([name]) => !except.includes(name)));
    const names = Object.keys(kept);
    if (names.length === 0) return;
    const sets = names.map((name) => `${name} = ?`).join(", ");
    this.#db
      .prepare(`UPDATE ${table} SET ${sets} WHERE ${where(key)}`)
      .run(...bound(kept), ...bound(key));
  }

  rows(table: string, columns: readonly string[]): Value[][] {
    const select = columns.map((column) => `typeof(${column}), ${column}`).join(", ");
    const order = table === "two" ? "b, a" : (keys[table] ?? []).join(", ");
    const rows = this.#db.prepare(`SELECT ${select} FROM ${table} ORDER BY ${order}`);
    return (rows.safeIntegers(true).raw(true).all() as unknown[][]).map((row) =>
      columns.map((_, i) => fromSqlite(row[2 * i] as string, row[2 * i + 1])),
    );
  }
}

const where = (key: object) =>
  Object.keys(key)
    .map((name) => `${name} = ?`)
    .join(" AND ");
const bound = (values: Readonly<Record<string, Value>>) => Object.values(values).map(toSqlite);

/** A NULL key that would be inserted: an INTEGER PRIMARY KEY makes one up, the store refuses it. */
function insertsNullKey([kind, table, first]: Op): boolean {
  const inserts = kind === "insert" || kind === "upsert";
  return inserts && (keys[table] ?? []).some((name) => first[name] === null);
}

describe("local transactions", () => {
  test("CR20: they leave the rows that they leave in plain SQLite, and fail where they fail there", () => {
    const legal = op.filter((each) => !insertsNullKey(each));
    const transactions = fc.array(fc.array(legal, { minLength: 1, maxLength: 5 }), {
      maxLength: 25,
    });
    fc.assert(
      fc.property(transactions, (list) => {
        const store = new MemoryStore({ actor: actorId("a".repeat(32)), schema });
        const plain = new Plain();
        for (const ops of list) {
          const outcome = store.commit(1_780_000_000_000, ops);
          const succeeded = plain.commit(ops);
          expect([outcome.type, outcome.type === "failed" && outcome.error, ops]).toEqual([
            succeeded ? "committed" : "failed",
            outcome.type === "failed" && outcome.error,
            ops,
          ]);
          for (const table of store.tables) {
            const columns = table.columns.map((column) => column.name);
            expect([...store.rows(table.name)]).toEqual(plain.rows(table.name, columns));
          }
        }
      }),
      { numRuns: 400 },
    );
  });
});

/** Random SQL programs on a store and on a plain SQLite database with the same tables: the same rows, the same failures. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actorId } from "../../core/base/ids.ts";
import type { LocalTransaction } from "../../runtime/store/local-transaction.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";

const schema = [
  `CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT 'none', n INTEGER CHECK (n < 50));
   CREATE INDEX kv_n ON kv (n, v);`,
  `CREATE TABLE "odd ""name" ("the key" INTEGER NOT NULL, b BLOB NOT NULL, r REAL, "select" NUMERIC UNIQUE, u, twice GENERATED ALWAYS AS (r * 2),
   PRIMARY KEY (b, "the key")) WITHOUT ROWID;`,
  "CREATE TABLE strict (id INTEGER PRIMARY KEY, i INT, t TEXT DEFAULT 'x', a ANY, s TEXT GENERATED ALWAYS AS (t || id) STORED) STRICT",
  "CREATE TABLE link (a INTEGER NOT NULL REFERENCES strict ON DELETE CASCADE ON UPDATE CASCADE, b TEXT NOT NULL, PRIMARY KEY (a, b))",
  "CREATE TABLE audit (n INTEGER PRIMARY KEY, what TEXT)",
  "CREATE TABLE note /* patina: local */ (what TEXT)",
  `CREATE TRIGGER kv_added AFTER INSERT ON kv WHEN NEW.n > 40 BEGIN
     UPDATE kv SET v = v || '!' WHERE k = NEW.k; INSERT OR REPLACE INTO audit VALUES (NEW.n, NEW.k); END;
   CREATE TRIGGER kv_gone BEFORE DELETE ON kv WHEN OLD.n = 7 BEGIN SELECT RAISE(IGNORE); END;
   CREATE TRIGGER kv_late AFTER UPDATE ON kv WHEN NEW.n = 8 BEGIN SELECT RAISE(IGNORE); END;
   CREATE TRIGGER kv_wrong AFTER UPDATE OF v ON kv WHEN NEW.v = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END;
   CREATE TRIGGER kv_half AFTER INSERT ON kv WHEN NEW.v = 'half' BEGIN SELECT RAISE(FAIL, 'half'); END;
   CREATE TRIGGER strict_gone AFTER DELETE ON strict BEGIN INSERT INTO note VALUES (OLD.id); DELETE FROM audit WHERE n = OLD.id; END;
   CREATE VIEW evens AS SELECT k, n FROM kv WHERE n % 2 = 0;
   CREATE TRIGGER evens_add INSTEAD OF INSERT ON evens BEGIN INSERT INTO kv (k, n) VALUES (NEW.k, NEW.n * 2); END;`,
];
/** FAIL is carried out as ABORT: a statement that fails leaves nothing behind. */
const asAbort = (text: string) => text.replace(/\bFAIL\b/g, "ABORT");
const plainSchema = schema.map((text) => asAbort(text.replace("/* patina: local */", "")));

const keys: Record<string, string> = {
  kv: "k",
  '"odd ""name"': 'b, "the key"',
  strict: "id",
  link: "a, b",
  audit: "n",
  note: "what, rowid",
};

const pick = (...list: string[]) => fc.constantFrom(...list);
const or = pick("", "", "", "OR REPLACE", "OR IGNORE", "OR FAIL", "OR ABORT", "OR ROLLBACK");
const key = pick("'a'", "'b'", "'c'", "'d'");
const number = pick("NULL", "0", "1", "7", "8", "41", "60", "2.0", "1.5", "'3'", "x'00'");
const word = pick("'x'", "'bad'", "'half'", "NULL", "3", "'it''s'", "x'6162'", "'𝄞'");
const id = pick("1", "2", "3", "4");
const bytes = pick("x''", "x'01'", "x'0100'", "'a'", "1");

const sql = (
  parts: TemplateStringsArray,
  ...values: fc.Arbitrary<string>[]
): fc.Arbitrary<string> =>
  fc.tuple(...values).map((chosen) => parts.map((part, i) => part + (chosen[i] ?? "")).join(""));

const statement = fc.oneof(
  { weight: 3, arbitrary: sql`INSERT ${or} INTO kv VALUES (${key}, ${word}, ${number})` },
  sql`INSERT ${or} INTO kv (k, n) VALUES (${key}, ${number}), (${key}, ${number}), (${key}, ${number})`,
  sql`INSERT INTO kv (k, n) VALUES (${key}, ${number}) ON CONFLICT (k) DO UPDATE SET n = excluded.n, v = v || '+'`,
  sql`INSERT INTO kv (k, v) VALUES (${key}, ${word}) ON CONFLICT DO NOTHING`,
  sql`REPLACE INTO kv (k, n) VALUES (${key}, ${number})`,
  sql`UPDATE ${or} kv SET v = ${word}, n = ${number} WHERE k = ${key}`,
  sql`UPDATE ${or} kv SET k = ${key} WHERE k = ${key}`,
  sql`UPDATE ${or} kv SET k = k || 'x', n = n + 1 WHERE k < ${key}`,
  sql`UPDATE kv SET n = n + 1`,
  sql`UPDATE kv SET v = s.t FROM strict AS s WHERE s.id = kv.n AND k <> ${key}`,
  sql`DELETE FROM kv WHERE k >= ${key}`,
  sql`DELETE FROM kv WHERE n = ${number} RETURNING k, n`,
  sql`INSERT ${or} INTO evens VALUES (${key}, ${number})`,
  {
    weight: 2,
    arbitrary: sql`INSERT ${or} INTO "odd ""name" ("the key", b, r, "select", u) VALUES (${id}, ${bytes}, ${number}, ${number}, ${word})`,
  },
  sql`UPDATE ${or} "odd ""name" SET "select" = ${number}, u = ${number} WHERE b >= ${bytes}`,
  sql`UPDATE ${or} "odd ""name" SET "the key" = ${id}, b = ${bytes} WHERE "the key" = ${id}`,
  sql`DELETE FROM "odd ""name" WHERE twice > ${number} OR "the key" = ${id}`,
  {
    weight: 2,
    arbitrary: sql`INSERT ${or} INTO strict (id, i, t, a) VALUES (${id}, ${number}, ${word}, ${number})`,
  },
  sql`UPDATE ${or} strict SET id = ${id}, a = ${word} WHERE id = ${id}`,
  sql`DELETE FROM strict WHERE id = ${id}`,
  sql`INSERT ${or} INTO link VALUES (${id}, ${key})`,
  sql`INSERT OR IGNORE INTO link SELECT s.id, k FROM strict AS s, kv`,
  sql`DELETE FROM link WHERE b = ${key}`,
  sql`INSERT ${or} INTO audit VALUES (${id}, ${word})`,
  sql`INSERT INTO note VALUES (${word})`,
  { weight: 2, arbitrary: sql`SAVEPOINT ${pick("one", "two")}` },
  { weight: 2, arbitrary: sql`ROLLBACK TO ${pick("one", "ONE", "two")}` },
  sql`RELEASE ${pick("one", "two")}`,
);

const program = fc.array(
  fc.record({
    statements: fc.array(statement, { minLength: 1, maxLength: 8 }),
    /** A program that stops at the first error, or goes on. */
    stops: fc.boolean(),
  }),
  { minLength: 1, maxLength: 14 },
);

/** @returns for each statement whether it succeeded; ends early where the transaction did. */
function runAll(
  statements: readonly string[],
  stops: boolean,
  run: (text: string) => void,
  isOver: () => boolean,
): boolean[] {
  const done: boolean[] = [];
  for (const text of statements) {
    try {
      run(text);
      done.push(true);
    } catch (error) {
      done.push(false);
      if (stops) throw Object.assign(error as Error, { done });
    }
    if (isOver()) break;
  }
  return done;
}

class Plain {
  readonly #db = new Database(":memory:");

  constructor() {
    this.#db.pragma("recursive_triggers = ON");
    for (const text of plainSchema) this.#db.exec(text);
  }

  transact(statements: readonly string[], stops: boolean): boolean[] | null {
    this.#db.exec("BEGIN");
    try {
      const done = runAll(
        statements,
        stops,
        (text) => this.#db.exec(asAbort(text)),
        () => !this.#db.inTransaction,
      );
      if (!this.#db.inTransaction) return null;
      this.#db.exec("COMMIT");
      return done;
    } catch {
      if (this.#db.inTransaction) this.#db.exec("ROLLBACK");
      return null;
    }
  }

  all(text: string): unknown {
    return this.#db.prepare(text).raw().safeIntegers().all();
  }
}

function transact(
  store: SqliteStore,
  statements: readonly string[],
  stops: boolean,
): boolean[] | null {
  let done: boolean[] = [];
  const outcome = store.transact(1_780_000_000_000, (transaction: LocalTransaction) => {
    done = runAll(
      statements,
      stops,
      (text) => transaction.run(text),
      () => false,
    );
  });
  return outcome.type === "committed" ? done : null;
}

function tableOf(name: string): string {
  const columns = `*, ${name === "kv" ? "typeof(n), typeof(v)" : "1"}`;
  return `SELECT ${columns} FROM ${name} ORDER BY ${keys[name] as string}`;
}

describe("random SQL programs", () => {
  test("CR20: leave the rows that they leave in plain SQLite and fail where they fail there; peers get the same rows", () => {
    fc.assert(
      fc.property(program, (transactions) => {
        const options = { path: ":memory:", schema, actor: actorId("a".repeat(32)) };
        const store = new SqliteStore(options);
        const plain = new Plain();
        const peer = new SqliteStore({ ...options, actor: actorId("b".repeat(32)) });
        try {
          for (const { statements, stops } of transactions) {
            const told = transact(store, statements, stops);
            expect([statements, told]).toEqual([statements, plain.transact(statements, stops)]);
            for (const name of Object.keys(keys)) {
              expect(read(store, tableOf(name)), statements.join("; ")).toEqual(
                plain.all(tableOf(name)),
              );
            }
          }
          expect(store.check()).toEqual([]);
          const { chunks } = store.serve([{ actor: store.actor, from: 1, to: 1e6 }], 1e9);
          for (const chunk of chunks) peer.receive(1_780_000_000_000, [chunk], []);
          for (const name of Object.keys(keys)) {
            if (name !== "note")
              expect(read(peer, tableOf(name))).toEqual(plain.all(tableOf(name)));
          }
          expect(peer.tableDigests()).toEqual(store.tableDigests());
          expect(peer.conflicts()).toEqual([]);
          expect(peer.check()).toEqual([]);
        } finally {
          store.close();
          peer.close();
        }
      }),
      { numRuns: Number(process.env["PATINA_SQL_RUNS"] ?? 150) },
    );
  });
});

function read(store: SqliteStore, text: string): unknown {
  let rows: unknown = null;
  store.transact(0, (transaction) => {
    rows = transaction.all(text).map((row) => row.map(plainValue));
  });
  return rows;
}

/** As better-sqlite3 gives it with safe integers. */
function plainValue(value: unknown): unknown {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === "object" && value !== null && "real" in value) return value.real;
  return value instanceof Uint8Array ? Buffer.from(value) : value;
}

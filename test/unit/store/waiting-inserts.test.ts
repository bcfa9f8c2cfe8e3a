/** Rows that wait to be inserted together: nobody who inserts them one by one can tell. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Value } from "../../../core/crdt/value.ts";
import type { LocalTransaction } from "../../../runtime/store/local-transaction.ts";
import { fullState, rows, storeMaker, sync, t0 } from "./stores.ts";

const schema = [
  "CREATE TABLE plain (id INTEGER PRIMARY KEY, t TEXT NOT NULL, i INTEGER, r REAL); CREATE INDEX plain_t ON plain (t, i)",
  "CREATE TABLE strict (t TEXT, id INTEGER NOT NULL PRIMARY KEY) STRICT",
  "CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES plain)",
  "CREATE TABLE alone (id INTEGER PRIMARY KEY)",
  "CREATE TABLE sums (id INTEGER PRIMARY KEY, n INTEGER COUNTER NOT NULL DEFAULT 0)",
  "CREATE TABLE worked (id INTEGER PRIMARY KEY, j TEXT); CREATE INDEX worked_j ON worked (json_extract(j, '$.a'))",
  "CREATE TABLE some (id INTEGER PRIMARY KEY, t TEXT); CREATE UNIQUE INDEX some_t ON some (t)",
];

type Step = (run: Run, from: number) => void;

interface Run {
  readonly insert: (into: string, ...given: Value[]) => void;
  /** Any other statement. */
  readonly sql: (text: string) => void;
  /** What was changed last, and by the transaction so far. */
  readonly changes: () => void;
}

const word = fc.constantFrom<Value>("", "é\u0000x", "{", "x".repeat(2000), "\ud834", null, null);
const number = fc.constantFrom<Value>(0, -0, 7, 1.5, { real: 2 }, 2n ** 60n, null);

/** Rows one after the other, with keys `gap` apart, of which some are odd; `from` is above most of what there is. */
const series = fc
  .record({
    into: fc.constantFrom(
      "plain",
      "plain",
      "strict (id, t)",
      "alone",
      "child",
      "worked",
      "some",
      "sums",
    ),
    count: fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(2, 33, 34, 65)),
    gap: fc.oneof({ weight: 4, arbitrary: fc.constant(1) }, fc.constantFrom(3, 0, -1)),
    odd: fc.option(word, { nil: "odd" }),
    number,
    /** Whether somebody asks what was changed last. */
    asks: fc.boolean(),
  })
  .map(({ into, count, gap, odd, number, asks }): Step => {
    return ({ insert, changes }, from) => {
      for (let k = 0; k < count; k++) {
        const id = from + k * gap;
        if (into === "plain") {
          insert(into, id, k % 20 === 9 ? odd : `t${k}`, k % 9 === 8 ? number : k, number);
        } else if (into === "alone") insert(into, id);
        else if (into === "sums") insert(into, id, k);
        else if (into === "child") insert(into, id, k % 30 === 29 ? -5 : null);
        else if (into === "some") insert(into, id, k % 30 === 29 ? "t0" : `t${id}`);
        else insert(into, id, k % 20 === 9 ? odd : "{}");
      }
      if (asks) changes();
    };
  });

const other = fc
  .constantFrom(
    "SELECT count(*), max(id), sum(i) FROM plain",
    "SELECT count(*) FROM alone, strict",
    "UPDATE plain SET i = i + 1 WHERE id % 3 = 0",
    "DELETE FROM plain WHERE id % 7 = 0",
    "INSERT INTO plain SELECT id + 1000000, 'x', 1, 1 FROM alone WHERE id < 3",
    "INSERT INTO plain (id, t) VALUES (9007199254740993, 'far')",
    "SAVEPOINT one",
    "ROLLBACK TO one",
    "RELEASE one",
    "no statement",
  )
  .map(
    (text): Step =>
      ({ sql }) =>
        sql(text),
  );

/** A transaction: its steps, and whether it stops in the middle. */
const transaction = fc.record({
  steps: fc.array(fc.oneof({ weight: 3, arbitrary: series }, { weight: 2, arbitrary: other }), {
    minLength: 1,
    maxLength: 7,
  }),
  throws: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

/** What whoever runs the steps is told. @param into "OR ABORT INTO" lets no row wait. */
function told(transaction: LocalTransaction, steps: readonly Step[], from: number, into: string) {
  const answers: unknown[] = [];
  const tell = (work: () => unknown) => {
    try {
      answers.push(work());
    } catch (error) {
      answers.push((error as { code?: string }).code ?? "none");
    }
  };
  const counted = transaction.all("SELECT total_changes()")[0]?.[0] as number;
  const asked = `SELECT changes(), last_insert_rowid(), total_changes() - ${counted}`;
  const run: Run = {
    insert(target, ...given) {
      const places = given.map(() => "?").join(", ");
      tell(() => transaction.run(`INSERT ${into} ${target} VALUES (${places})`, given));
    },
    sql: (text) => tell(() => transaction.all(text)),
    changes: () => tell(() => transaction.all(asked)),
  };
  steps.forEach((step, i) => step(run, from + 100 * i));
  return answers;
}

describe("rows that wait to be inserted together", () => {
  const open = storeMaker();

  test("CR19: are seen, counted, refused and replicated as if each had been inserted alone", () => {
    const programs = fc.array(transaction, { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(programs, (program) => {
        const [waiting, alone] = [open("a", schema), open("a", schema)];
        program.forEach(({ steps, throws }, n) => {
          const [left, right] = ([waiting, alone] as const).map((store) => {
            const into = store === waiting ? "INTO" : "OR ABORT INTO";
            let answers: unknown[] = [];
            const [outcome] = store.commitGroup(t0 + n, [
              (transaction) => {
                // Every other one comes back to keys that are there, or were.
                answers = told(transaction, steps, 1 + 500 * (n % 2), into);
                if (throws) throw new Error("stop");
              },
              (transaction) => transaction.run(`INSERT ${into} alone VALUES (?)`, [-1 - n]),
            ]);
            return { answers, outcome };
          });
          expect(left).toEqual(right);
        });
        for (const { name } of waiting.tables) {
          expect(rows(waiting, name)).toEqual(rows(alone, name));
        }
        expect(fullState(waiting)).toEqual(fullState(alone));
        expect(waiting.check()).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });

  test("CR19: are in one version, in the order of their keys", () => {
    const store = open("a", schema);
    const outcome = store.transact(t0, (transaction) => {
      for (let id = 1; id <= 100; id++) {
        expect(transaction.run("INSERT INTO alone VALUES (?)", [id])).toBe(1);
      }
    });
    expect(outcome).toMatchObject({ type: "committed", chunks: [{ version: 1 }] });
    expect(rows(store, "alone")).toEqual(Array.from({ length: 100 }, (_, i) => [i + 1]));
  });

  test("CR19: keep their keys, whatever comes between one transaction and the next", () => {
    const between = fc.constantFrom(
      "nothing",
      "merge",
      "ops",
      "delete",
      "group",
      "throw",
      "upkeep",
    );
    const step = fc.record({ count: fc.integer({ min: 1, max: 3 }), between });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const [store, peer] = [open("a", schema), open("b", schema)];
        const expected = new Map<number, string>();
        let next = 1;
        const insert = (transaction: LocalTransaction, keep = true) => {
          transaction.run("INSERT INTO plain VALUES (?, ?, ?, ?)", [next, `t${next}`, 1, 1]);
          if (keep) expected.set(next, `t${next++}`);
        };
        const kinds: Readonly<Record<string, () => void>> = {
          nothing: () => {},
          merge: () => {
            const id = next + 1;
            sync(store, peer);
            peer.transact(t0, (transaction) => {
              transaction.run("INSERT INTO plain VALUES (?, ?, ?, ?)", [id, "peer", 1, 1]);
            });
            expected.set(id, "peer");
            sync(peer, store);
            insertAll(1);
            next = id + 1;
          },
          ops: () => {
            store.commit(t0, [["insert", "plain", { id: next, t: "op" }]]);
            expected.set(next++, "op");
          },
          delete: () => {
            store.transact(t0, (transaction) => {
              transaction.run("DELETE FROM plain WHERE id >= ?", [next - 2]);
            });
            for (const id of expected.keys()) if (id >= next - 2) expected.delete(id);
          },
          group: () => {
            const failing = (transaction: LocalTransaction) => {
              insert(transaction, false);
              throw new RangeError("stop");
            };
            store.commitGroup(t0, [(one) => insert(one), failing, (one) => insert(one)]);
          },
          throw: () => {
            const failing = (transaction: LocalTransaction) => {
              insert(transaction, false);
              throw new RangeError("stop");
            };
            expect(() => store.transact(t0, failing)).toThrow("stop");
          },
          upkeep: () => store.checkpoint(),
        };
        const insertAll = (count: number) => {
          const outcome = store.transact(t0, (transaction) => {
            for (let i = 0; i < count; i++) insert(transaction);
          });
          expect(outcome.type).toBe("committed");
        };
        for (const { count, between: what } of steps) {
          insertAll(count);
          kinds[what]?.();
        }
        insertAll(2);
        const found = rows(store, "plain").map(([id, t]) => [id, t]);
        expect(found).toEqual([...expected].sort(([a], [b]) => a - b));
        expect(store.check()).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test.each(["strict (id, t)", "sums (id, n)"])(
    "CR19: make the version that they make alone, also where they come back or count: %s",
    (target) => {
      const [together, alone] = ["INTO", "OR ABORT INTO"].map((into) => {
        const store = open("a", schema);
        const insert = (transaction: LocalTransaction) => {
          for (let id = 1; id <= 40; id++) {
            const value = target.startsWith("sums") ? id : "t";
            transaction.run(`INSERT ${into} ${target} VALUES (?, ?)`, [id, value]);
          }
        };
        const remove = (transaction: LocalTransaction) => {
          transaction.run(`DELETE FROM ${target.split(" ")[0]}`);
        };
        const outcomes = [insert, remove, insert].map((body, i) => store.transact(t0 + i, body));
        return { outcomes, state: fullState(store), problems: store.check() };
      });
      expect(together).toEqual(alone);
    },
  );

  test("CR19: fail their transaction where the disk is full, and nothing is run after that", () => {
    const store = open("a", schema, { maxBytes: 400 * 1024 });
    const insert = (count: number) => {
      const errors = new Set<string>();
      const outcome = store.transact(t0, (transaction) => {
        for (let id = 1; id <= count; id++) {
          const given = [id, "t".repeat(900), 1, 1];
          try {
            transaction.run("INSERT INTO plain VALUES (?, ?, ?, ?)", given);
            expect(errors.size).toBe(0);
          } catch (error) {
            errors.add((error as { code?: string }).code ?? "none");
          }
        }
      });
      return { outcome, errors: [...errors] };
    };
    expect(insert(1000)).toMatchObject({
      outcome: { type: "failed", code: "SQLITE_FULL" },
      errors: ["SQLITE_FULL", "SQLITE_ABORT"],
    });
    expect(rows(store, "plain")).toEqual([]);
    expect(insert(20)).toMatchObject({ outcome: { type: "committed" }, errors: [] });
    expect(rows(store, "plain")).toHaveLength(20);
    expect(store.check()).toEqual([]);
  });
});

/** Rows are captured whoever inserts them, also while the trigger that tells of them is away. */
import fc from "fast-check";
import { expect, describe, test } from "vitest";
import type { LocalTransaction } from "../../../runtime/store/local-transaction.ts";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { rows, storeMaker, sync, t0 } from "./stores.ts";

const schema = [
  "CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, n INTEGER, t TEXT)",
  "CREATE TABLE named (k TEXT NOT NULL PRIMARY KEY, n INTEGER)",
];
const tables = ["item", "named"] as const;

/** Rows after which a trigger goes. */
const many = 1024;

function triggers(store: SqliteStore): number {
  let found: readonly (readonly unknown[])[] = [];
  store.transact(t0, (transaction) => {
    found = transaction.all(
      "SELECT name FROM sqlite_temp_schema WHERE name LIKE 'patina_capture_%_insert'",
    );
  });
  return found.length;
}

function plain(transaction: LocalTransaction, table: string, id: number): void {
  if (table === "item") transaction.run("INSERT INTO item VALUES (?, ?, ?)", [id, id, "plain"]);
  else transaction.run("INSERT INTO named VALUES (?, ?)", [`k${id}`, id]);
}

/** Until the table's trigger is gone, and one transaction more. */
function insertMany(store: SqliteStore, table: string): void {
  for (let from = 1; from <= many + 200; from += 100) {
    store.transact(t0, (transaction) => {
      for (let id = from; id < from + 100; id++) plain(transaction, table, id);
    });
  }
}

type Work = (transaction: LocalTransaction, id: number, table: string) => void;

const keyOf = (table: string, id: number) => (table === "item" ? `${id}` : `'k${id}'`);
const columns = (table: string) => (table === "item" ? "id, n" : "k, n");

const works: Readonly<Record<string, Work>> = {
  plain: (transaction, id, table) => plain(transaction, table, id),
  "with a literal": (transaction, id, table) => {
    transaction.run(`INSERT INTO ${table} (${columns(table)}) VALUES (${keyOf(table, id)}, 7)`);
  },
  upsert: (transaction, id, table) => {
    const key = keyOf(table, 1 + (id % 90));
    const sql = `INSERT INTO ${table} (${columns(table)}) VALUES (${key}, 1), (${keyOf(table, id)}, 2)`;
    transaction.run(`${sql} ON CONFLICT DO UPDATE SET n = n + 1`);
  },
  replace: (transaction, id, table) => {
    const key = keyOf(table, 1 + (id % 90));
    transaction.run(`REPLACE INTO ${table} (${columns(table)}) VALUES (${key}, 9)`);
  },
  returning: (transaction, id, table) => {
    transaction.all(
      `INSERT INTO ${table} (${columns(table)}) VALUES (${keyOf(table, id)}, 3) RETURNING n`,
    );
  },
  with: (transaction, id, table) => {
    const sql = `INSERT INTO ${table} (${columns(table)}) SELECT ${keyOf(table, id)}, n FROM x`;
    transaction.run(`WITH x(n) AS (VALUES (4)) ${sql}`);
  },
  refused: (transaction, _, table) => {
    expect(() => plain(transaction, table, 5)).toThrow("UNIQUE");
  },
  update: (transaction, id, table) => {
    transaction.run(`UPDATE ${table} SET n = ${id} WHERE n BETWEEN 10 AND 12`);
  },
  delete: (transaction, id, table) => {
    transaction.run(`DELETE FROM ${table} WHERE n = ${20 + (id % 50)}`);
  },
  "there after going back": (transaction, id, table) => {
    works["upsert"]?.(transaction, id, table);
    transaction.run("SAVEPOINT s");
    transaction.run("ROLLBACK TO s");
    plain(transaction, table, id + 70_000);
    transaction.run("RELEASE s");
  },
  "taken back": (transaction, id, table) => {
    transaction.run("SAVEPOINT s");
    works["upsert"]?.(transaction, id, table);
    plain(transaction, table, id + 50_000);
    transaction.run("ROLLBACK TO s");
    plain(transaction, table, id + 60_000);
    works["with a literal"]?.(transaction, id, table);
    transaction.run("RELEASE s");
  },
};

describe("rows inserted while no trigger tells of them", () => {
  const open = storeMaker();

  const expectWhole = (store: SqliteStore) => {
    const peer = open("b", schema);
    sync(store, peer);
    for (const name of tables) expect(rows(peer, name)).toEqual(rows(store, name));
    expect(store.check()).toEqual([]);
  };

  test.each(tables)(
    "CR19: %s: the trigger goes after many plain rows, and is back for what needs it",
    (table) => {
      const store = open("a", schema);
      expect(triggers(store)).toBe(2);
      insertMany(store, table);
      expect(triggers(store)).toBe(1);
      store.transact(t0, (transaction) => {
        plain(transaction, table, 5000);
        works["upsert"]?.(transaction, 5001, table);
        plain(transaction, table, 5002);
      });
      expect(triggers(store)).toBe(2);
      expectWhole(store);
    },
  );

  test.each(tables)("CR19: %s: a row is told once where going back leaves the trigger", (table) => {
    const [away, there] = [open("a", schema), open("a", schema)];
    insertMany(away, table);
    // Other statements keep the trigger there.
    for (let from = 1; from <= many + 200; from += 100) {
      there.transact(t0, (transaction) => {
        for (let id = from; id < from + 100; id++) plain(transaction, table, id);
        transaction.run(`DELETE FROM ${table} WHERE n < 0`);
        transaction.run(`INSERT INTO ${table} SELECT * FROM ${table} WHERE n < 0`);
      });
    }
    expect([triggers(away), triggers(there)]).toEqual([1, 2]);
    const [left, right] = [away, there].map((store) =>
      store.transact(t0, (transaction) => {
        works["there after going back"]?.(transaction, 3000, table);
      }),
    );
    expect(left).toEqual(right);
    expectWhole(away);
  });

  test("CR19: it is back for operations, and where a changed schema brings triggers", () => {
    const store = open("a", schema);
    insertMany(store, "item");
    store.commit(t0, [["insert", "item", { id: 7000, n: 1 }]]);
    expect(triggers(store)).toBe(2);
    insertMany(store, "named");
    store.migrate(t0, [
      ...schema,
      "CREATE TRIGGER more AFTER UPDATE ON item BEGIN INSERT INTO named VALUES ('t' || NEW.id, 1); END",
    ]);
    store.transact(t0, (transaction) => transaction.run("UPDATE item SET n = 0 WHERE id = 1"));
    expect(rows(store, "named").some(([k]) => k === "t1")).toBe(true);
    expectWhole(store);
  });

  test("CR19: whatever comes then, none of them is missed", () => {
    const step = fc.record({
      what: fc.array(fc.constantFrom(...Object.keys(works)), { minLength: 1, maxLength: 4 }),
      ends: fc.constantFrom("committed", "failed", "threw"),
      grouped: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.constantFrom(...tables), fc.array(step, { maxLength: 8 }), (table, steps) => {
        const store = open("a", schema);
        insertMany(store, table);
        let id = 2000;
        for (const { what, ends, grouped } of steps) {
          const body = (transaction: LocalTransaction) => {
            for (const name of what) works[name]?.(transaction, id++, table);
            if (ends === "failed") transaction.run(`INSERT INTO ${table} SELECT * FROM ${table}`);
            if (ends === "threw") throw new RangeError("of the program's own");
          };
          const after = (transaction: LocalTransaction) => plain(transaction, table, id++);
          if (grouped) {
            const outcomes = store.commitGroup(t0, [after, body, after]);
            expect(outcomes.map(({ type }) => type)).toEqual(["committed", ends, "committed"]);
            continue;
          }
          if (ends === "threw") expect(() => store.transact(t0, body)).toThrow(RangeError);
          else expect(store.transact(t0, body).type).toBe(ends);
          expect(store.transact(t0, after).type).toBe("committed");
        }
        expectWhole(store);
      }),
      { numRuns: 25 },
    );
  });
});

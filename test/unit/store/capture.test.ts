/** What local statements of every kind leave in a version: the net effect, and nothing else. */
import { afterEach, describe, expect, test } from "vitest";
import type { Chunk } from "../../../core/node/store.ts";
import { decodeChanges } from "../../../core/wire/changes.ts";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { rows, sql, storeMaker, sync, t0, trySql } from "./stores.ts";

const schema = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT, n INTEGER DEFAULT 0)",
  "CREATE TABLE log (id INTEGER NOT NULL PRIMARY KEY, what TEXT)",
  "CREATE TABLE s (k INTEGER NOT NULL PRIMARY KEY, n INT) STRICT",
  "CREATE TABLE child (id INTEGER NOT NULL PRIMARY KEY, kv TEXT REFERENCES kv ON DELETE CASCADE ON UPDATE CASCADE)",
  `CREATE TRIGGER logged AFTER UPDATE OF n ON kv WHEN NEW.n > 9 BEGIN
     INSERT INTO log VALUES (NEW.n, OLD.v || '>' || NEW.v) ON CONFLICT DO UPDATE SET what = 'again';
   END`,
];

/** Each change as `table key causal-length {cells}`. */
function told(chunks: readonly Chunk[]): string[] {
  return chunks
    .flatMap(({ payload }) => decodeChanges(payload))
    .map(({ table, key, causalLength, cells }) => {
      const set = cells.map(
        (cell) => `${cell.column}=${JSON.stringify("value" in cell ? cell.value : cell)}`,
      );
      return `${table} ${key.map(String).join()} ${causalLength} {${set.join(" ")}}`;
    });
}

describe("a version tells", () => {
  const open = storeMaker();
  let store: SqliteStore;
  const given = () => {
    store = open("a", schema);
    sql(
      store,
      "INSERT INTO kv VALUES ('a', 'one', 1), ('b', 'two', 2)",
      "INSERT INTO child VALUES (1, 'a')",
    );
    return store;
  };
  afterEach(() => {
    const peer = open("b", schema);
    sync(store, peer);
    for (const { name } of store.tables) expect(rows(peer, name)).toEqual(rows(store, name));
    expect(store.check()).toEqual([]);
  });

  test.each([
    [
      "INSERT, defaults included",
      ["INSERT INTO kv (k, v) VALUES ('c', 'x')"],
      ['kv c 1 {v="x" n=0}'],
    ],
    ["UPDATE of one column", ["UPDATE kv SET n = 5 WHERE k = 'a'"], ["kv a 1 {n=5}"]],
    ["UPDATE to what is there", ["UPDATE kv SET n = 1, v = 'one' WHERE k = 'a'"], []],
    [
      "there and back",
      [
        "UPDATE kv SET n = 5",
        "UPDATE kv SET n = 1 WHERE k = 'a'",
        "UPDATE kv SET n = 2 WHERE k = 'b'",
      ],
      [],
    ],
    ["DELETE", ["DELETE FROM kv WHERE k = 'b'"], ["kv b 2 {}"]],
    [
      "DELETE with what hangs on it",
      ["DELETE FROM kv WHERE k = 'a'"],
      ["child 1 2 {}", "kv a 2 {}"],
    ],
    ["come and gone", ["INSERT INTO kv VALUES ('c', 'x', 1)", "DELETE FROM kv WHERE k = 'c'"], []],
    [
      "OR REPLACE, a new life",
      ["INSERT OR REPLACE INTO kv VALUES ('b', 'x', 2)"],
      ['kv b 3 {v="x" n=2}'],
    ],
    [
      "gone and come, a new life",
      ["DELETE FROM kv WHERE k = 'b'", "INSERT INTO kv VALUES ('b', 'two', 2)"],
      ['kv b 3 {v="two" n=2}'],
    ],
    [
      "UPSERT over a row",
      ["INSERT INTO kv VALUES ('a', 'x', 1) ON CONFLICT DO UPDATE SET v = excluded.v"],
      ['kv a 1 {v="x"}'],
    ],
    [
      "UPSERT of a new row",
      ["INSERT INTO kv VALUES ('c', 'x', 1) ON CONFLICT DO UPDATE SET v = 'y'"],
      ['kv c 1 {v="x" n=1}'],
    ],
    ["DO NOTHING", ["INSERT INTO kv VALUES ('a', 'x', 1) ON CONFLICT DO NOTHING"], []],
    [
      "UPDATE of a key, and of what points to it",
      ["UPDATE kv SET k = 'z' WHERE k = 'a'"],
      ['child 1 1 {kv="z"}', "kv a 2 {}", 'kv z 1 {v="one" n=1}'],
    ],
    [
      "keys that change places",
      ["UPDATE kv SET k = 'c' WHERE k = 'b'", "INSERT INTO kv VALUES ('b', 'new', 0)"],
      ['kv b 3 {v="new" n=0}', 'kv c 1 {v="two" n=2}'],
    ],
    [
      "a trigger's work",
      ["UPDATE kv SET n = 10 WHERE k = 'b'"],
      ["kv b 1 {n=10}", 'log 10 1 {what="two>two"}'],
    ],
    [
      "many rows of one statement",
      ["UPDATE kv SET n = n + 1, v = v || '!'"],
      ['kv a 1 {v="one!" n=2}', 'kv b 1 {v="two!" n=3}'],
    ],
    ["RETURNING", ["DELETE FROM kv WHERE k = 'b' RETURNING *"], ["kv b 2 {}"]],
    [
      "what a savepoint leaves",
      [
        "SAVEPOINT s",
        "DELETE FROM kv",
        "ROLLBACK TO s",
        "UPDATE kv SET n = 7 WHERE k = 'b'",
        "RELEASE s",
      ],
      ["kv b 1 {n=7}"],
    ],
    ["nothing of a local query", ["SELECT * FROM kv"], []],
  ])("CR19: %s", (_, statements, changes) => {
    expect(told(sql(given(), ...statements))).toEqual(changes);
  });

  test("CR19: what a statement that failed did is not told, when the transaction goes on", () => {
    const outcome = given().transact(t0, (transaction) => {
      transaction.run("UPDATE kv SET n = 3 WHERE k = 'a'");
      for (const statement of [
        "INSERT INTO kv VALUES ('c', 'x', 1), ('a', 'x', 1)",
        "INSERT OR FAIL INTO kv VALUES ('c', 'x', 1), ('a', 'x', 1)",
        "UPDATE kv SET k = 'same'",
      ]) {
        expect(() => transaction.run(statement)).toThrow(/UNIQUE constraint failed/);
      }
    });
    expect(outcome.type === "committed" && told(outcome.chunks)).toEqual(["kv a 1 {n=3}"]);
  });

  test.each([
    ["COMMIT", /leave COMMIT out/],
    ["BEGIN", /leave BEGIN out/],
    ["ROLLBACK", /rolled back by failing it/],
    ["CREATE TABLE x (y)", /made by schema files/],
    ["DROP TABLE kv", /left out of the schema files/],
    ["PRAGMA foreign_keys = OFF", /node's configuration/],
    ["ATTACH 'x' AS y", /cannot be attached/],
    ["VACUUM", /while the node stands still/],
    ["UPDATE patina_state SET epoch = 9", /the node's own/],
    ["INSERT INTO 'patina_log' VALUES (1)", /the node's own/],
    ["SELECT patina_capture_1_insert(1)", /the node's own/],
    ["/* nothing */ -- at all", /is empty/],
  ])("CR20: %j is no statement of a transaction", (statement, message) => {
    const outcome = trySql(given(), statement);
    expect(outcome).toMatchObject({ type: "failed", code: "SQLITE_AUTH" });
    expect(outcome.type === "failed" && outcome.error).toMatch(message);
  });

  test("CR19: a statement that a value of the wrong type ends halfway leaves nothing behind", () => {
    given();
    sql(store, "INSERT INTO s VALUES (1, 1), (2, 2), (3, 3)");
    const outcome = store.transact(t0 + 5, (transaction) => {
      const half = "UPDATE s SET n = CASE k WHEN 1 THEN 10 ELSE 'x' END";
      expect(() => transaction.run(half)).toThrow("cannot store TEXT value");
      transaction.run("DELETE FROM s WHERE k = 3");
    });
    expect(outcome.type === "committed" ? told(outcome.chunks) : outcome).toEqual(["s 3 2 {}"]);
    expect(rows(store, "s")).toEqual([
      [1, 1],
      [2, 2],
    ]);
  });

  test.each([
    ["an update", "UPDATE kv SET n = (SELECT value FROM json_each(kv.v))"],
    ["a delete", "DELETE FROM kv WHERE (SELECT value FROM json_each(kv.v)) > 0"],
    [
      "what an upsert does",
      "INSERT INTO kv (k) SELECT k FROM kv ORDER BY k ON CONFLICT DO UPDATE SET n = (SELECT value FROM json_each(kv.v))",
    ],
  ])(
    "CR19: %s that malformed JSON ends halfway ends the transaction: SQLite may have left the half",
    (_, half) => {
      given();
      sql(
        store,
        "INSERT OR REPLACE INTO kv VALUES ('a', '[9]', 1), ('b', 'no JSON', 2), ('c', '[7]', 3)",
      );
      const before = rows(store, "kv");
      const outcome = store.transact(t0 + 5, (transaction) => {
        expect(() => transaction.run(half)).toThrow("malformed JSON");
        expect(() => transaction.run("DELETE FROM kv WHERE k = 'c'")).toThrow(
          "rolled the transaction back",
        );
      });
      expect(outcome).toMatchObject({ type: "failed", error: "malformed JSON" });
      expect(rows(store, "kv")).toEqual(before);
    },
  );

  test("CR20: names that begin as the store's are values like any other", () => {
    sql(given(), "INSERT INTO kv VALUES ('patina_log', 'patina_state', 1)");
    expect(rows(store, "kv")).toHaveLength(3);
  });

  test("CR20: nothing changes for a transaction whose program throws", () => {
    given();
    const before = store.summary();
    const broken = () =>
      store.transact(t0, (transaction) => {
        transaction.run("DELETE FROM kv");
        throw new TypeError("of the program's own");
      });
    expect(broken).toThrow("of the program's own");
    expect(store.summary()).toEqual(before);
    expect(told(sql(store, "UPDATE kv SET n = 3 WHERE k = 'a'"))).toEqual(["kv a 1 {n=3}"]);
  });

  test("CR15: the view of conflicts lists what merges broke, for any SQLite tool", () => {
    const checked = [
      "CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT UNIQUE, a INTEGER DEFAULT 0, b INTEGER DEFAULT 0, CHECK (a + b <= 10))",
      "CREATE TABLE part (id INTEGER PRIMARY KEY, item INTEGER REFERENCES item)",
    ];
    const [one, two] = [open("a", checked), open("b", checked)];
    store = given();
    sql(one, "INSERT INTO item VALUES (1, 'x', 0, 0), (2, 'y', 0, 0)");
    sync(one, two);
    sql(
      one,
      "UPDATE item SET a = 8 WHERE id = 1",
      "DELETE FROM item WHERE id = 2",
      "INSERT INTO item VALUES (3, 'z', 0, 0)",
    );
    sql(
      two,
      "UPDATE item SET b = 8 WHERE id = 1",
      "INSERT INTO part VALUES (1, 2)",
      "INSERT INTO item VALUES (4, 'z', 0, 0)",
    );
    sync(one, two);
    sync(two, one);
    for (const each of [one, two]) {
      let seen: unknown;
      each.transact(t0, (transaction) => {
        seen = transaction.all('SELECT * FROM patina_conflicts ORDER BY kind, "table"');
      });
      expect(seen).toEqual([
        ["check", "item", "1", "CHECK (a + b <= 10)"],
        ["foreign key", "part", "1", "(item) REFERENCES item"],
        ["unique", "item", "4", "UNIQUE"],
      ]);
      let aside: unknown;
      each.transact(t0, (transaction) => {
        aside = transaction.all("SELECT * FROM patina_aside_item");
      });
      expect(aside).toEqual([[4, "z", 0, 0]]);
      expect(each.conflictCount()).toBe(3);
      expect(trySql(each, "UPDATE item SET a = 9 WHERE id = 1")).toMatchObject({
        code: "SQLITE_CONSTRAINT_CHECK",
      });
    }
  });

  test("BK26: a version of any size is served in bounded memory", () => {
    store = given();
    const big = open("c", schema, { chunkBytes: 16_384 });
    big.transact(t0, (transaction) => {
      for (let i = 0; i < 20_000; i++) {
        transaction.run("INSERT INTO kv VALUES (?, ?, 0)", [`key ${i}`, `${i} `.repeat(100)]);
      }
    });
    let wants: readonly { actor: string; from: number; to: number }[] = [
      { actor: big.actor, from: 1, to: 1 },
    ];
    let [bytes, largest] = [0, 0];
    while (wants.length > 0) {
      const { chunks, rest } = big.serve(wants as Parameters<SqliteStore["serve"]>[0], 65_536);
      const size = chunks.reduce((sum, { payload }) => sum + payload.length, 0);
      [bytes, largest] = [bytes + size, Math.max(largest, size)];
      wants = rest;
    }
    expect(bytes).toBeGreaterThan(8_000_000);
    expect(largest).toBeLessThanOrEqual(65_536);
  });
});

describe("an integer key", () => {
  const open = storeMaker();

  test.each(["rowid", "_rowid_", "oid", "id"])(
    "CR08: may be changed by any of its names: %s",
    (name) => {
      const store = open("a", ["CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, v TEXT)"]);
      sql(store, "INSERT INTO item VALUES (1, 'one')");
      expect(told(sql(store, `UPDATE item SET ${name} = 2, v = 'two'`))).toEqual([
        "item 1 2 {}",
        'item 2 1 {v="two"}',
      ]);
      expect(store.check()).toEqual([]);
    },
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Chunk } from "../../../core/node/store.ts";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { fullState, rows, sql, storeMaker, sync, t0, trySql } from "./stores.ts";

const people =
  "CREATE TABLE person (id INTEGER NOT NULL PRIMARY KEY, name TEXT UNIQUE, mail TEXT COLLATE NOCASE, age INTEGER)";
const byMail = "CREATE UNIQUE INDEX person_mail ON person (mail)";

describe("rows that break UNIQUE together", () => {
  const open = storeMaker();
  const conflicts = (store: SqliteStore) =>
    store.conflicts().map(({ kind, table, key }) => [kind, table, ...key]);

  test("CR15: who had a value first shows it on every node, the other is listed and kept", () => {
    const [a, b] = [open("a", [people, byMail]), open("b", [people, byMail])];
    sql(a, "INSERT INTO person VALUES (1, 'ann', NULL, 30)");
    sql(b, "INSERT INTO person VALUES (2, 'ann', NULL, 40)");
    sync(a, b);
    sync(b, a);
    for (const store of [a, b]) {
      expect(rows(store, "person")).toEqual([[1, "ann", null, 30]]);
      expect(conflicts(store)).toEqual([["unique", "person", 2]]);
      expect(store.summary().rows).toBe(2);
    }
    expect(fullState(a)).toEqual(fullState(b));
  });

  test("CR15: it comes forward when the one before it gives way, by a merge or here", () => {
    const [a, b] = [open("a", [people, byMail]), open("b", [people, byMail])];
    sql(a, "INSERT INTO person VALUES (1, 'ann', 'a@x', 30)");
    sql(b, "INSERT INTO person VALUES (2, 'bob', 'A@X', 40)");
    sync(a, b);
    sync(b, a);
    expect(conflicts(b)).toEqual([["unique", "person", 2]]);
    sql(b, "UPDATE person SET mail = NULL WHERE id = 1");
    expect(rows(b, "person")).toEqual([
      [1, "ann", null, 30],
      [2, "bob", "A@X", 40],
    ]);
    sync(b, a);
    expect(rows(a, "person")).toEqual(rows(b, "person"));
    expect(conflicts(a)).toEqual([]);
  });

  test("CR15: what changes meanwhile on the one that stands aside is not lost", () => {
    const [a, b, c] = ["a", "b", "c"].map((letter) => open(letter, [people, byMail])) as [
      SqliteStore,
      SqliteStore,
      SqliteStore,
    ];
    sql(b, "INSERT INTO person VALUES (2, 'ann', NULL, 40)");
    sync(b, c);
    sql(a, "INSERT INTO person VALUES (1, 'bob', NULL, 30)");
    sql(c, "UPDATE person SET age = 41 WHERE id = 2");
    sql(a, "UPDATE person SET name = 'ann' WHERE id = 1");
    for (const [from, to] of [
      [b, a],
      [c, a],
      [a, b],
      [c, b],
      [a, c],
    ] as const)
      sync(from, to);
    for (const store of [a, b, c]) {
      expect(rows(store, "person")).toEqual([[2, "ann", null, 41]]);
      expect(conflicts(store)).toEqual([["unique", "person", 1]]);
    }
    sql(a, "DELETE FROM person WHERE id = 2");
    expect(rows(a, "person")).toEqual([[1, "ann", null, 30]]);
  });

  test("CR20: a local transaction is held to UNIQUE as SQLite holds it", () => {
    const a = open("a", [people, byMail]);
    sql(a, "INSERT INTO person VALUES (1, 'ann', 'a@x', 30)");
    expect(trySql(a, "INSERT INTO person VALUES (2, 'ann', NULL, 1)")).toMatchObject({
      type: "failed",
      code: "SQLITE_CONSTRAINT_UNIQUE",
    });
    expect(trySql(a, "INSERT INTO person VALUES (2, 'bob', 'A@x', 1)")).toMatchObject({
      code: "SQLITE_CONSTRAINT_UNIQUE",
    });
  });

  test("CR19: inserting over a row that stands aside begins its next life", () => {
    const [a, b] = [open("a", [people, byMail]), open("b", [people, byMail])];
    sql(a, "INSERT INTO person VALUES (1, 'ann', NULL, 30)");
    sql(b, "INSERT INTO person VALUES (2, 'ann', NULL, 40)");
    sync(a, b);
    sync(b, a);
    sql(a, "INSERT INTO person VALUES (2, 'two', NULL, 50)");
    sync(a, b);
    for (const store of [a, b]) {
      expect(rows(store, "person")).toEqual([
        [1, "ann", null, 30],
        [2, "two", null, 50],
      ]);
      expect(conflicts(store)).toEqual([]);
    }
    expect(fullState(a)).toEqual(fullState(b));
  });

  test("BK30: a UNIQUE index that comes later puts aside what breaks it already, and leaves it when it goes", () => {
    const plain = people.replace(" UNIQUE", "");
    const a = open("a", [plain]);
    sql(
      a,
      "INSERT INTO person VALUES (1, 'ann', NULL, 1), (2, 'ann', NULL, 2), (3, 'bob', NULL, 3)",
    );
    const hash = a.summary().hash;
    a.migrate(t0, [plain, "CREATE UNIQUE INDEX person_name ON person (name)"]);
    expect(rows(a, "person").map(([id]) => id)).toEqual([1, 3]);
    expect(conflicts(a)).toEqual([["unique", "person", 2]]);
    expect(a.summary().hash).toBe(hash);
    a.migrate(t0, [plain]);
    expect(rows(a, "person").map(([id]) => id)).toEqual([1, 2, 3]);
    expect(conflicts(a)).toEqual([]);
  });

  test("BK30: a row that stands aside gets new columns too", () => {
    const [a, b] = [open("a", [people, byMail]), open("b", [people, byMail])];
    sql(a, "INSERT INTO person VALUES (1, 'ann', NULL, 30)");
    sql(b, "INSERT INTO person VALUES (2, 'ann', NULL, 40)");
    sync(a, b);
    const grown = people.replace("age INTEGER", "age INTEGER, town TEXT NOT NULL DEFAULT 'here'");
    b.migrate(t0, [grown, byMail]);
    sql(b, "DELETE FROM person WHERE id = 1");
    expect(rows(b, "person")).toEqual([[2, "ann", null, 40, "here"]]);
  });

  test("CR18: UNIQUE on an expression or on some rows is refused, with what to do", () => {
    for (const index of [
      "CREATE UNIQUE INDEX i ON person (lower(name))",
      "CREATE UNIQUE INDEX i ON person (name) WHERE age > 3",
    ]) {
      expect(() => open("a", [people, index])).toThrow(
        /schema 2:1: a UNIQUE constraint .* leave out/,
      );
    }
  });

  /** Each step: on one of three nodes, a statement, or a delivery of everything from one to another. */
  const name = fc.constantFrom("x", "y", "z", null);
  const step = fc.oneof(
    fc.record({
      at: fc.nat(2),
      id: fc.nat(4),
      name,
      mail: name,
      kind: fc.constantFrom("put", "put", "name", "mail", "age", "drop"),
    }),
    fc.record({ from: fc.nat(2), to: fc.nat(2) }),
  );

  test("CR12: any history and any delivery show the same rows and put the same aside", () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.nat(1000)),
        (steps, orders) => {
          const stores = ["a", "b", "c"].map((letter) => open(letter, [people, byMail]));
          const all: Chunk[] = [];
          for (const given of steps) {
            if ("from" in given) {
              sync(stores[given.from] as SqliteStore, stores[given.to] as SqliteStore);
              continue;
            }
            const { at, id, name: who, mail, kind } = given;
            const statement: Record<string, [string, ...(string | number | null)[]]> = {
              put: ["INSERT OR REPLACE INTO person VALUES (?, ?, ?, 0)", id, who, mail],
              name: ["UPDATE OR IGNORE person SET name = ? WHERE id = ?", who, id],
              mail: ["UPDATE OR IGNORE person SET mail = ? WHERE id = ?", mail, id],
              age: ["UPDATE person SET age = age + 1 WHERE id = ?", id],
              drop: ["DELETE FROM person WHERE id = ?", id],
            };
            all.push(...sql(stores[at] as SqliteStore, statement[kind] as [string, string]));
          }
          const [a, b, c] = stores as [SqliteStore, SqliteStore, SqliteStore];
          for (const [from, to] of [
            [a, b],
            [b, c],
            [c, a],
            [a, b],
          ] as const)
            sync(from, to);
          const late = open("d", [people, byMail]);
          const order = orders.take(all.length);
          const mixed = all.map((chunk) => ({ chunk, at: order.next().value ?? 0 }));
          for (const { chunk } of mixed.sort((x, y) => x.at - y.at)) late.receive(t0, [chunk], []);
          for (const store of [b, c, late]) {
            expect(fullState(store)).toEqual(fullState(a));
            expect(rows(store, "person")).toEqual(rows(a, "person"));
            expect(conflicts(store)).toEqual(conflicts(a));
          }
        },
      ),
      { numRuns: 80 },
    );
  });
});

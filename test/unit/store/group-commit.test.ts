import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OpError } from "../../../core/crdt/op-values.ts";
import type { LocalTransaction } from "../../../runtime/store/local-transaction.ts";
import type { SqliteStore } from "../../../runtime/store/sqlite-store.ts";
import { fullState, rows, storeMaker, sync, t0 } from "./stores.ts";

const kv = "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT, n INTEGER NOT NULL DEFAULT 0)";

type Body = (transaction: LocalTransaction) => void;

const put =
  (k: string, n = 0): Body =>
  (transaction) => {
    transaction.run("INSERT OR REPLACE INTO kv VALUES (?, 'v', ?)", [k, n]);
  };

const versionsOf = (store: SqliteStore) => store.holdings()[0]?.head ?? 0;

describe("transactions committed together", () => {
  const open = storeMaker();

  test("CR19: each has its own version and its own outcome", () => {
    const store = open("a", [kv]);
    const outcomes = store.commitGroup(t0, [put("a"), put("b"), () => {}, put("c")]);
    const versions = outcomes.map((outcome) =>
      outcome.type === "committed" ? outcome.chunks.map(({ version }) => version) : outcome.type,
    );
    expect(versions).toEqual([[1], [2], [], [3]]);
    expect(outcomes.at(-1)).toMatchObject({ summary: store.summary() });
    const stamps = store.serve([{ actor: store.actor, from: 1, to: 3 }], 1e6).chunks;
    expect(new Set(stamps.map(({ hlc }) => `${hlc.ms} ${hlc.counter}`)).size).toBe(3);
    expect(store.check()).toEqual([]);
  });

  test("CR20: one that fails touches no other, and uses no version number", () => {
    const store = open("a", [kv]);
    const outcomes = store.commitGroup(t0, [
      put("a"),
      (transaction) => {
        put("b")(transaction);
        transaction.run("INSERT INTO kv VALUES ('a', 'again', 1)");
      },
      (transaction) => {
        put("c")(transaction);
        throw new Error("no affair of SQL");
      },
      (transaction) => {
        put("d")(transaction);
        throw new OpError("SQLITE_AUTH", "not allowed");
      },
      put("e"),
    ]);
    expect(outcomes).toMatchObject([
      { type: "committed" },
      { type: "failed", code: "SQLITE_CONSTRAINT_PRIMARYKEY" },
      { type: "threw", error: { message: "no affair of SQL" } },
      { type: "failed", code: "SQLITE_AUTH", error: "not allowed" },
      { type: "committed", chunks: [{ version: 2 }] },
    ]);
    expect(rows(store, "kv").map(([k]) => k)).toEqual(["a", "e"]);
    expect(store.check()).toEqual([]);
  });

  test("CR20: one that cannot be encoded leaves the others as they are", () => {
    const store = open("a", [kv]);
    const outcomes = store.commitGroup(t0, [
      put("a", 1),
      (transaction) => {
        put("a", 2)(transaction);
        transaction.run("INSERT INTO kv VALUES (CAST(x'ff' AS TEXT), 'v', 0)");
      },
      put("a", 3),
      put("b"),
    ]);
    expect(outcomes.map(({ type }) => type)).toEqual([
      "committed",
      "failed",
      "committed",
      "committed",
    ]);
    expect(versionsOf(store)).toBe(3);
    expect(rows(store, "kv")).toEqual([
      ["a", "v", 3],
      ["b", "v", 0],
    ]);
    expect(store.check()).toEqual([]);
  });

  test("CR20: OR ROLLBACK ends its own transaction and no other, whatever is done after it", () => {
    const store = open("a", [kv]);
    const rollback: Body = (transaction) => {
      put("b")(transaction);
      try {
        transaction.run("INSERT OR ROLLBACK INTO kv VALUES ('a', 'again', 1)");
      } catch {
        // As a program might that goes on regardless.
      }
      expect(() => put("c")(transaction)).toThrow(/rolled the transaction back/);
    };
    const failed = { type: "failed", code: "SQLITE_CONSTRAINT_PRIMARYKEY" };
    expect(store.commitGroup(t0, [put("a"), rollback, put("d")])).toMatchObject([
      { type: "committed" },
      failed,
      { type: "committed" },
    ]);
    expect(store.transact(t0, rollback)).toMatchObject(failed);
    expect(rows(store, "kv").map(([k]) => k)).toEqual(["a", "d"]);
    expect(store.check()).toEqual([]);
  });

  test("CR20: savepoints are their own; those of the store are nobody's", () => {
    const store = open("a", [kv]);
    const outcomes = store.commitGroup(t0, [
      (transaction) => {
        transaction.run("SAVEPOINT s");
        put("a")(transaction);
      },
      (transaction) => {
        put("b")(transaction);
        transaction.run("ROLLBACK TO s");
      },
      (transaction) => {
        transaction.run("ROLLBACK TO patina_member");
      },
      (transaction) => {
        put("c")(transaction);
        transaction.run("SAVEPOINT s");
        put("d")(transaction);
        transaction.run("ROLLBACK TO s");
      },
    ]);
    expect(outcomes).toMatchObject([
      { type: "committed" },
      { type: "failed", error: "no such savepoint: s" },
      { type: "failed", code: "SQLITE_AUTH" },
      { type: "committed" },
    ]);
    expect(rows(store, "kv").map(([k]) => k)).toEqual(["a", "c"]);
  });

  test("CR15: foreign keys that wait for the commit are each transaction's own", () => {
    const store = open("a", [
      "CREATE TABLE parent (id INTEGER NOT NULL PRIMARY KEY)",
      "CREATE TABLE child (id INTEGER NOT NULL PRIMARY KEY, p INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)",
    ]);
    const child =
      (id: number): Body =>
      (transaction) => {
        transaction.run("INSERT INTO child VALUES (?, ?)", [id, id]);
      };
    const outcomes = store.commitGroup(t0, [
      child(1),
      (transaction) => {
        child(2)(transaction);
        transaction.run("INSERT INTO parent VALUES (2)");
      },
      (transaction) => {
        transaction.run("INSERT INTO parent VALUES (1)");
      },
    ]);
    expect(outcomes).toMatchObject([
      { type: "failed", code: "SQLITE_CONSTRAINT_FOREIGNKEY" },
      { type: "committed" },
      { type: "committed" },
    ]);
    expect(rows(store, "child")).toEqual([[2, 2]]);
    expect(store.check()).toEqual([]);
  });

  test("CR20: when there is no room for their commit all of them fail, and later ones go on", () => {
    const store = open("a", [kv], { maxBytes: 160 * 1024 });
    const large = (k: string): Body => {
      return (transaction) => {
        transaction.run("INSERT INTO kv VALUES (?, ?, 0)", [k, "x".repeat(30_000)]);
      };
    };
    let n = 0;
    let failed: readonly unknown[] = [];
    while (failed.length === 0 && n < 100) {
      const before = fullState(store);
      const outcomes = store.commitGroup(t0 + n, [large(`a${n}`), large(`b${n}`)]);
      n++;
      if (outcomes.every(({ type }) => type === "committed")) continue;
      failed = outcomes.filter(({ type }) => type === "failed");
      expect(failed).toContainEqual(expect.objectContaining({ code: "SQLITE_FULL" }));
      if (failed.length === 2) expect(fullState(store)).toEqual(before);
    }
    expect(failed.length).toBeGreaterThan(0);
    expect(store.check()).toEqual([]);
  });

  const step = fc.record({
    k: fc.constantFrom("a", "b", "c", "d"),
    n: fc.nat(3),
    kind: fc.constantFrom("put", "put", "put", "drop", "fail", "throw", "bad key", "nothing"),
    more: fc.nat(40),
  });

  function bodyOf({
    k,
    n,
    kind,
    more,
  }: {
    k: string;
    n: number;
    kind: string;
    more: number;
  }): Body {
    return (transaction) => {
      if (kind === "nothing") return;
      if (kind === "drop") transaction.run("DELETE FROM kv WHERE k = ?", [k]);
      else put(k, n)(transaction);
      for (let i = 0; i < more; i++) put(`${k}${i}`, n)(transaction);
      if (kind === "fail") transaction.run("INSERT INTO kv VALUES ('z', 'v', NULL)");
      if (kind === "throw") throw new Error("of the program's own");
      if (kind === "bad key") transaction.run("INSERT INTO kv VALUES (CAST(x'fe' AS TEXT), '', 0)");
    };
  }

  test("CR19: a group leaves what its transactions leave one by one, down to every byte", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(step, { minLength: 1, maxLength: 8 }), { maxLength: 8 }),
        (groups) => {
          const [grouped, alone] = [open("a", [kv]), open("a", [kv])];
          groups.forEach((group, i) => {
            const bodies = group.map(bodyOf);
            const together = grouped.commitGroup(t0 + i, bodies);
            const apart = bodies.map((body) => alone.commitGroup(t0 + i, [body])[0]);
            expect(together).toEqual(apart);
          });
          expect(fullState(grouped)).toEqual(fullState(alone));
          expect(grouped.holdings()).toEqual(alone.holdings());
          expect(grouped.check()).toEqual([]);
          const other = open("b", [kv]);
          sync(grouped, other);
          expect(fullState(other)).toEqual(fullState(alone));
        },
      ),
      { numRuns: 60 },
    );
  });
});

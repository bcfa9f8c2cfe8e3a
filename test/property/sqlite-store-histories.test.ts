/** Random histories of SQLite stores: they converge, and agree with the store in memory down to the stamps. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Store, StoreSummary } from "../../core/node/store.ts";
import { SqliteStore } from "../../runtime/store/sqlite-store.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { anyHistory, History, type HistoryStep, type MakeStore, stateOf } from "./histories.ts";

const withStores = <T>(work: (make: MakeStore) => T): T => {
  const stores: SqliteStore[] = [];
  try {
    // Every row is a chunk of its own, so that versions come in parts.
    return work((actor, schema) => {
      const store = new SqliteStore({
        path: ":memory:",
        actor,
        schema,
        chunkBytes: 1,
        versionsPerPack: 2,
      });
      stores.push(store);
      return store;
    });
  } finally {
    for (const store of stores) store.close();
  }
};

function expectChecked(store: Store): void {
  expect((store as SqliteStore).check()).toEqual([]);
}

describe("random histories of SQLite stores", () => {
  test("CR12: stores that hold the same versions hold the same state, tombstones and hashes", () => {
    fc.assert(
      fc.property(anyHistory(3, 40), (steps) =>
        withStores((make) => {
          const history = new History(make, 3);
          history.run(steps);
          history.converge();
          const [first, ...others] = history.stores as [Store, ...Store[]];
          for (const other of others) {
            expect(other.holdings()).toEqual(first.holdings());
            expect(stateOf(other)).toEqual(stateOf(first));
          }
          for (const store of history.stores) expectChecked(store);
        }),
      ),
      { numRuns: 60 },
    );
  });

  test("CR12: at every moment a store's state is that of a store in memory with the versions that it holds", () => {
    fc.assert(
      fc.property(anyHistory(3, 40), (steps) =>
        withStores((make) => {
          const history = new History(make, 3);
          for (let at = 0; at < steps.length; at += 5) {
            history.run(steps.slice(at, at + 5));
            for (const store of history.stores) {
              expect(stateOf(store)).toEqual(stateOf(history.model(store)));
            }
          }
        }),
      ),
      { numRuns: 50 },
    );
  });

  /** What every call of a history answers. */
  function answersOf(make: MakeStore, steps: readonly HistoryStep[]): unknown[] {
    const answers: unknown[] = [];
    const history = new History((actor, schema) => told(make(actor, schema), answers), 3);
    history.run(steps);
    history.converge();
    return answers;
  }

  test("CR12: versions of two authors in turn lose their content at once, their runs gone after the first", () => {
    const wallMs = 1_780_000_000_000;
    const steps: HistoryStep[] = [
      { type: "commit", node: 1, wallMs, ops: [["upsert", "kv", { k: "c" }]] },
      {
        type: "commit",
        node: 2,
        wallMs,
        ops: [
          ["upsert", "mix", { k: 1 }],
          ["update", "mix", { k: 1 }, {}],
        ],
      },
      {
        type: "commit",
        node: 2,
        wallMs,
        ops: [
          ["upsert", "kv", { k: "c" }],
          ["upsert", "mix", { k: 1, x: -1 }],
          ["update", "kv", { k: "a" }, {}],
        ],
      },
      { type: "deliver", from: 1, to: 2, wallMs, picks: [0] },
      {
        type: "commit",
        node: 2,
        wallMs,
        ops: [
          ["delete", "kv", { k: "c" }],
          ["delete", "mix", { k: 1 }],
        ],
      },
      { type: "checkpoint", node: 2 },
    ];
    withStores((make) => {
      expect(() => answersOf(make, steps)).not.toThrow();
    });
  });

  test("CR12: every call answers what a store in memory answers, chunk for chunk and byte for byte", () => {
    fc.assert(
      fc.property(anyHistory(3, 40), (steps) =>
        withStores((make) => {
          const inMemory: MakeStore = (actor, schema) =>
            new MemoryStore({ actor, schema, chunkBytes: 1 });
          expect(answersOf(make, steps)).toEqual(answersOf(inMemory, steps));
        }),
      ),
      { numRuns: 60 },
    );
  });
});

const asked = ["commit", "receive", "serve", "holdings", "mergeRows"];

/** Notes what the store answers; texts of errors are each store's own. */
function told(store: Store, answers: unknown[]): Store {
  return new Proxy(store, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        const answer = Reflect.apply(member, target, args) as unknown;
        if (!asked.includes(String(name))) return answer;
        const { type, summary } = answer as { type?: string; summary?: StoreSummary };
        if (type === "failed") answers.push([name, type]);
        else if (summary === undefined) answers.push([name, answer]);
        else answers.push([name, { ...(answer as object), summary: summary.hash }, summary.rows]);
        return answer;
      };
    },
  });
}

/** The laws of the merge over random histories of stores in memory. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Chunk, Store } from "../../core/node/store.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";
import { anyHistory, History, historySchema, type MakeStore, stateOf } from "./histories.ts";

/** Every row is a chunk of its own, so that versions come in parts. */
const make: MakeStore = (actor, schema) => new MemoryStore({ actor, schema, chunkBytes: 1 });

describe("random histories", () => {
  test("CR12: stores that hold the same versions hold the same state, tombstones and hashes", () => {
    fc.assert(
      fc.property(anyHistory(3, 40), (steps) => {
        const history = new History(make, 3);
        history.run(steps);
        history.converge();
        const [first, ...others] = history.stores as [Store, ...Store[]];
        for (const other of others) {
          expect(other.holdings()).toEqual(first.holdings());
          expect(stateOf(other)).toEqual(stateOf(first));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("CR12: at every moment a store's state is the merge of the full contents of what it holds", () => {
    fc.assert(
      fc.property(anyHistory(3, 40), (steps) => {
        const history = new History(make, 3);
        for (let at = 0; at < steps.length; at += 5) {
          history.run(steps.slice(at, at + 5));
          for (const store of history.stores) {
            expect(stateOf(store)).toEqual(stateOf(history.model(store)));
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("CR22: a table's digest kept change by change is that of its rows counted anew", () => {
    fc.assert(
      fc.property(anyHistory(2, 40), (steps) => {
        const history = new History(make, 2);
        history.run(steps);
        const none = new Uint8Array(0);
        for (const store of history.stores) {
          const anew = store.tables.map(({ name }) => {
            const [range] = store.rangeDigests(name, none, none, 1);
            return [name, range?.hash, range?.rows];
          });
          const kept = store
            .tableDigests()
            .map(([name, hash]) => [name, hash, [...store.rows(name)].length]);
          expect(anew).toEqual(kept);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("CR12: any order and grouping of the same chunks gives the same state", () => {
    const orders = fc.array(fc.nat({ max: 1_000_000 }), {
      minLength: 200,
      maxLength: 200,
      size: "max",
    });
    fc.assert(
      fc.property(
        anyHistory(3, 30),
        orders,
        fc.integer({ min: 1, max: 7 }),
        (steps, order, group) => {
          const history = new History(make, 3);
          history.run(steps.filter((step) => step.type !== "checkpoint"));
          history.converge();
          const [source] = history.stores as [Store];
          const wants = source.holdings().map(({ actor, head }) => ({ actor, from: 1, to: head }));
          const chunks: Chunk[] = [...source.serve(wants, Number.MAX_SAFE_INTEGER).chunks];
          for (let i = chunks.length - 1; i > 0; i--) {
            const j = (order[i % order.length] as number) % (i + 1);
            [chunks[i], chunks[j]] = [chunks[j] as Chunk, chunks[i] as Chunk];
          }
          const other = make(source.actor, historySchema);
          for (let at = 0; at < chunks.length; at += group) {
            other.receive(0, chunks.slice(at, at + group), []);
          }
          expect(other.holdings()).toEqual(source.holdings());
          expect(stateOf(other)).toEqual(stateOf(source));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("CR23: merging rows of one store into another agrees with merging its versions", () => {
    fc.assert(
      fc.property(anyHistory(2, 40), (steps) => {
        const history = new History(make, 2);
        history.run(steps);
        const [one, two] = history.stores as [Store, Store];
        const none = new Uint8Array(0);
        for (const { name } of one.tables) {
          const { rows } = one.readRows(name, none, none, Number.MAX_SAFE_INTEGER);
          two.mergeRows(0, rows);
          expect(two.mergeRows(0, rows).changed).toBe(0);
        }
        const merged = stateOf(two);
        history.converge();
        expect(stateOf(one)).toEqual(stateOf(two));
        for (const { name } of two.tables) {
          const { rows } = two.readRows(name, none, none, Number.MAX_SAFE_INTEGER);
          one.mergeRows(0, rows);
        }
        expect(stateOf(one)).toEqual(stateOf(two));
        expect(merged).toBeDefined();
      }),
      { numRuns: 200 },
    );
  });
});

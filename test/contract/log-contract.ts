/** Bookkeeping: versions held, buffered, served, shrunk, marked. */
import { describe, expect, test } from "vitest";
import type { Chunk, Store, Want } from "../../core/node/store.ts";
import {
  alice,
  bob,
  carol,
  commit,
  dora,
  fullState,
  kvChange,
  receive,
  rows,
  stamp,
  sync,
  t0,
  version,
} from "./authors.ts";
import { opener } from "./opened.ts";
import type { StoreUnderTest } from "./store-contract.ts";

const unlimited = Number.MAX_SAFE_INTEGER;

function numbers(chunks: readonly Chunk[]): string[] {
  return chunks.map((chunk) => `${chunk.actor[0]}${chunk.version}.${chunk.index}`);
}

export function logContract(tested: StoreUnderTest): void {
  const born = (key: string, n: number) => kvChange(key, 1, { v: "", n });

  describe("versions", () => {
    const open = opener(tested);

    test("BK20: versions are dense from 1, and a failed or empty transaction uses none", () => {
      const store = open();
      expect(store.actor).toBe(alice);
      expect(store.holdings()).toEqual([]);
      for (let n = 1; n <= 3; n++) {
        expect(commit(store, t0, ["upsert", "kv", { k: "a", n }])[0]).toMatchObject({
          actor: alice,
          version: n,
          index: 0,
          count: 1,
        });
        store.commit(t0, [
          ["insert", "kv", { k: "b" }],
          ["insert", "kv", { k: "a" }],
        ]);
        store.commit(t0, [["update", "kv", { k: "a" }, { n }]]);
      }
      expect(store.holdings()).toEqual([{ actor: alice, head: 3, gaps: [], partial: [] }]);
    });

    test("BK22: gaps are what is missing below the head", () => {
      const store = open();
      for (const n of [2, 3, 7]) receive(store, t0, ...version(bob, n, stamp(n), [born("a", n)]));
      receive(store, t0, ...version(dora, 1, stamp(1), [born("b", 1)]));
      expect(store.holdings()).toEqual([
        {
          actor: bob,
          head: 7,
          gaps: [
            [1, 1],
            [4, 6],
          ],
          partial: [],
        },
        { actor: dora, head: 1, gaps: [], partial: [] },
      ]);
    });

    test("BK23: parts are buffered in any order and applied when the last is there", () => {
      const store = open();
      const chunks = version(bob, 4, stamp(1), [born("a", 1), born("b", 2), born("c", 3)], 1);
      expect(chunks).toHaveLength(3);
      const [first, second, third] = chunks as [Chunk, Chunk, Chunk];
      expect(receive(store, t0, third)).toEqual([
        { type: "buffered", actor: bob, version: 4, have: 1, of: 3 },
      ]);
      expect(receive(store, t0, third, first)).toEqual([
        { type: "buffered", actor: bob, version: 4, have: 2, of: 3 },
      ]);
      expect(rows(store)).toEqual([]);
      expect(store.summary().rows).toBe(0);
      expect(store.holdings()).toEqual([
        {
          actor: bob,
          head: 4,
          gaps: [[1, 3]],
          partial: [
            {
              version: 4,
              count: 3,
              have: [
                [0, 0],
                [2, 2],
              ],
            },
          ],
        },
      ]);
      expect(receive(store, t0, second)).toEqual([
        { type: "applied", actor: bob, version: 4, won: 6, lost: 0 },
      ]);
      expect(rows(store)).toHaveLength(3);
      expect(store.holdings()).toEqual([{ actor: bob, head: 4, gaps: [[1, 3]], partial: [] }]);
      expect(receive(store, t0, second)).toMatchObject([{ type: "known" }]);
    });

    test("BK23: parts that contradict each other are dropped, and right ones are taken afterwards", () => {
      const store = open();
      const right = version(bob, 1, stamp(1), [born("a", 1), born("b", 2)], 1);
      const wrong = { ...(right[0] as Chunk), count: 3 };
      expect(receive(store, t0, wrong)).toMatchObject([{ type: "buffered" }]);
      expect(receive(store, t0, ...right)).toMatchObject([
        { type: "rejected", actor: bob, version: 1 },
        { type: "buffered", have: 1, of: 2 },
      ]);
      expect(receive(store, t0, ...right)).toMatchObject([{ type: "applied", won: 4 }]);
      const alone = version(bob, 3, stamp(3), [born("e", 1)])[0] as Chunk;
      receive(store, t0, { ...alone, count: 2 });
      expect(receive(store, t0, alone)).toMatchObject([{ type: "rejected", version: 3 }]);
      expect(receive(store, t0, alone)).toMatchObject([{ type: "applied", version: 3 }]);
      const stamped = version(bob, 2, stamp(2), [born("c", 1), born("d", 2)], 1);
      receive(store, t0, { ...(stamped[0] as Chunk), hlc: stamp(3) });
      expect(receive(store, t0, stamped[1] as Chunk)).toMatchObject([{ type: "rejected" }]);
      expect(store.holdings()).toEqual([{ actor: bob, head: 3, gaps: [[2, 2]], partial: [] }]);
    });

    test("BK24: bytes that are no version are rejected and leave nothing behind", () => {
      const store = open();
      const before = fullState(store);
      const [good] = version(bob, 1, stamp(1), [born("a", 1)]) as [Chunk];
      const bad: Chunk[] = [
        { ...good, payload: good.payload.subarray(0, good.payload.length - 1) },
        { ...good, payload: new Uint8Array([9, 9, 9]) },
        { ...good, index: 1 },
        {
          ...good,
          payload: version(bob, 1, stamp(1), [{ ...born("a", 1), key: [null] }])[0]
            ?.payload as Uint8Array,
        },
        {
          ...good,
          payload: version(bob, 1, stamp(1), [born("a", 1), kvChange("b", 2 ** 50, {})])[0]
            ?.payload as Uint8Array,
        },
      ];
      for (const chunk of bad) {
        expect(receive(store, t0, chunk)).toMatchObject([
          { type: "rejected", actor: bob, version: 1 },
        ]);
      }
      expect(fullState(store)).toEqual(before);
      expect(store.holdings()).toEqual([]);
      expect(receive(store, t0, good)).toMatchObject([{ type: "applied" }]);
    });

    test("BK25: what happened is told in order; versions still in parts come last", () => {
      const store = open();
      const parts = version(carol, 1, stamp(1), [born("a", 1), born("b", 2)], 1);
      const later = version(carol, 2, stamp(2), [born("a", 1), born("b", 2)], 1);
      const outcomes = receive(
        store,
        t0,
        later[1] as Chunk,
        parts[0] as Chunk,
        ...version(bob, 2, stamp(1), [born("c", 1)]),
        parts[1] as Chunk,
        ...version(bob, 1, stamp(1, 1), [born("c", 1)]),
        ...version(bob, 1, stamp(1, 1), [born("c", 1)]),
        ...version(bob, 2, stamp(1), [born("c", 1)]),
      );
      expect(outcomes.map((o) => `${o.type} ${o.actor[0]}${o.version}`)).toEqual([
        "applied b2",
        "applied c1",
        "applied b1",
        "known b2",
        "buffered c2",
      ]);
    });
  });

  describe("serving", () => {
    const open = opener(tested);

    /** Bob's versions 1 to 5, version 3 in four chunks. */
    function filled(): Store {
      const store = open();
      for (const n of [1, 2, 4, 5])
        receive(store, t0, ...version(bob, n, stamp(n), [born(`k${n}`, n)]));
      const four = ["w", "x", "y", "z"].map((key) => born(key, 3));
      receive(store, t0, ...version(bob, 3, stamp(3), four, 1));
      return store;
    }
    const all: Want = { actor: bob, from: 1, to: 5 };

    test("BK26: newest version first, chunks of a version in order, bytes as their author made them", () => {
      const store = filled();
      const made = version(bob, 4, stamp(4), [born("k4", 4)]);
      const { chunks, overwritten, rest } = store.serve([all], unlimited);
      expect(numbers(chunks)).toEqual([
        "b5.0",
        "b4.0",
        "b3.0",
        "b3.1",
        "b3.2",
        "b3.3",
        "b2.0",
        "b1.0",
      ]);
      expect(chunks[1]).toEqual(made[0]);
      expect({ overwritten, rest }).toEqual({ overwritten: [], rest: [] });
    });

    test("BK26: what does not fit is the rest, from which the next answer goes on", () => {
      const store = filled();
      const seen: string[] = [];
      let wants: readonly Want[] = [all];
      let answers = 0;
      while (wants.length > 0) {
        const { chunks, rest } = store.serve(wants, 120);
        expect(chunks.length).toBeGreaterThan(0);
        seen.push(...numbers(chunks));
        wants = rest;
        expect(++answers).toBeLessThan(20);
      }
      expect(answers).toBeGreaterThan(2);
      expect(seen).toEqual(["b5.0", "b4.0", "b3.0", "b3.1", "b3.2", "b3.3", "b2.0", "b1.0"]);
    });

    test("BK26: at least one chunk comes, however small the bound", () => {
      const store = filled();
      const { chunks, rest } = store.serve([all], 0);
      expect(numbers(chunks)).toEqual(["b5.0"]);
      expect(rest).toEqual([{ actor: bob, from: 1, to: 4 }]);
      const inVersion = store.serve([{ actor: bob, from: 2, to: 3 }], 1);
      expect(inVersion.rest).toEqual([
        { actor: bob, from: 3, to: 3, chunks: [[1, 3]] },
        { actor: bob, from: 2, to: 2 },
      ]);
    });

    test("BK26: chunk ranges narrow a version", () => {
      const store = filled();
      const want: Want = {
        actor: bob,
        from: 3,
        to: 3,
        chunks: [
          [0, 0],
          [2, 3],
        ],
      };
      expect(numbers(store.serve([want], unlimited).chunks)).toEqual(["b3.0", "b3.2", "b3.3"]);
      const { chunks, rest } = store.serve([want], 1);
      expect(numbers(chunks)).toEqual(["b3.0"]);
      expect(rest).toEqual([{ actor: bob, from: 3, to: 3, chunks: [[2, 3]] }]);
    });

    test("BK26: what is not held is passed over", () => {
      const store = filled();
      const wants: Want[] = [
        { actor: dora, from: 1, to: 9 },
        { actor: bob, from: 5, to: 2 ** 52 },
        { actor: bob, from: 7, to: 9 },
      ];
      expect(store.serve(wants, unlimited)).toMatchObject({ overwritten: [], rest: [] });
      expect(numbers(store.serve(wants, unlimited).chunks)).toEqual(["b5.0"]);
    });

    test("BK26: the parts held of a version that is not whole are served", () => {
      const store = open();
      const parts = version(bob, 6, stamp(6), [born("x", 1), born("y", 1), born("z", 1)], 1);
      receive(store, t0, parts[2] as Chunk, parts[0] as Chunk);
      receive(store, t0, ...version(bob, 2, stamp(2), [born("a", 1)]));
      const { chunks } = store.serve([{ actor: bob, from: 1, to: 9 }], unlimited);
      expect(numbers(chunks)).toEqual(["b6.0", "b6.2", "b2.0"]);
    });

    test("BK26: several wants are served one after the other", () => {
      const store = filled();
      commit(store, t0, ["insert", "kv", { k: "mine" }]);
      const wants: Want[] = [
        { actor: alice, from: 1, to: 1 },
        { actor: bob, from: 1, to: 1 },
      ];
      expect(numbers(store.serve(wants, unlimited).chunks)).toEqual(["a1.0", "b1.0"]);
      expect(store.serve(wants, 1).rest).toEqual([{ actor: bob, from: 1, to: 1 }]);
    });
  });

  describe("shrinking", () => {
    const open = opener(tested);
    const heads = (store: Store) => store.serve([{ actor: alice, from: 1, to: 99 }], unlimited);

    test("BK27: a fully overwritten version shrinks to a marker at the next checkpoint", () => {
      const store = open();
      for (let n = 1; n <= 4; n++) commit(store, t0, ["upsert", "kv", { k: "a", v: `v${n}`, n }]);
      expect(numbers(heads(store).chunks)).toEqual(["a4.0", "a3.0", "a2.0", "a1.0"]);
      store.checkpoint();
      const { chunks, overwritten } = heads(store);
      expect(numbers(chunks)).toEqual(["a4.0"]);
      expect(overwritten).toEqual([{ actor: alice, from: 1, to: 3 }]);
      expect(store.holdings()).toEqual([{ actor: alice, head: 4, gaps: [], partial: [] }]);
    });

    test("BK27: a version of which one cell lives keeps all its content", () => {
      const store = open();
      commit(store, t0, ["insert", "kv", { k: "a", v: "x", n: 1 }]);
      commit(store, t0, ["update", "kv", { k: "a" }, { v: "y" }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a2.0", "a1.0"]);
      commit(store, t0, ["update", "kv", { k: "a" }, { n: 2 }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a3.0", "a2.0"]);
    });

    test("BK27: a tombstone keeps its version alive, until a new life begins", () => {
      const store = open();
      commit(store, t0, ["insert", "kv", { k: "a" }]);
      commit(store, t0, ["delete", "kv", { k: "a" }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a2.0"]);
      commit(store, t0, ["insert", "kv", { k: "a" }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a3.0"]);
    });

    test("BK27: a row of a link table keeps its version alive", () => {
      const store = open();
      commit(store, t0, ["insert", "link", { a: 1, b: "x" }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a1.0"]);
      commit(store, t0, ["delete", "link", { a: 1, b: "x" }], ["insert", "link", { a: 1, b: "x" }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a2.0"]);
    });

    test("BK27: a remote version that lost altogether shrinks as well", () => {
      const store = open();
      receive(store, t0, ...version(bob, 1, stamp(9), [born("a", 9)]));
      receive(store, t0, ...version(carol, 1, stamp(1), [born("a", 1)]));
      store.checkpoint();
      const { chunks, overwritten } = store.serve(
        [
          { actor: bob, from: 1, to: 1 },
          { actor: carol, from: 1, to: 1 },
        ],
        unlimited,
      );
      expect(numbers(chunks)).toEqual(["b1.0"]);
      expect(overwritten).toEqual([{ actor: carol, from: 1, to: 1 }]);
    });

    test("BK27: a counter's version lives until its author adds again", () => {
      const schema = [
        "CREATE TABLE c (k INTEGER PRIMARY KEY, n INTEGER COUNTER NOT NULL DEFAULT 0)",
      ];
      const store = open(alice, schema);
      commit(store, t0, ["insert", "c", { k: 1 }]);
      commit(store, t0, ["update", "c", { k: 1 }, { n: 1 }]);
      commit(store, t0, ["update", "c", { k: 1 }, { n: 2 }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a3.0", "a1.0"]);
      commit(store, t0, ["delete", "c", { k: 1 }]);
      store.checkpoint();
      expect(numbers(heads(store).chunks)).toEqual(["a4.0"]);
    });

    test("BK28: a marker counts as held, without content", () => {
      const store = open();
      receive(store, t0, ...version(bob, 3, stamp(3), [born("a", 3)]));
      const parts = version(bob, 5, stamp(5), [born("b", 5), born("c", 5)], 1);
      receive(store, t0, parts[0] as Chunk);
      const before = store.summary();
      store.receive(t0, [], [{ actor: bob, from: 1, to: 5 }]);
      expect(store.holdings()).toEqual([{ actor: bob, head: 5, gaps: [], partial: [] }]);
      expect(store.summary()).toEqual(before);
      const { chunks, overwritten } = store.serve([{ actor: bob, from: 1, to: 9 }], unlimited);
      expect(numbers(chunks)).toEqual(["b3.0"]);
      expect(overwritten).toEqual([
        { actor: bob, from: 4, to: 5 },
        { actor: bob, from: 1, to: 2 },
      ]);
      expect(receive(store, t0, parts[1] as Chunk)).toMatchObject([{ type: "known" }]);
    });

    test("BK28: content beats a marker that comes with it", () => {
      const store = open();
      const chunks = version(bob, 1, stamp(1), [born("a", 1)]);
      store.receive(t0, chunks, [{ actor: bob, from: 1, to: 2 }]);
      expect(rows(store)).toEqual([["a", "", 1]]);
      expect(numbers(store.serve([{ actor: bob, from: 1, to: 2 }], unlimited).chunks)).toEqual([
        "b1.0",
      ]);
    });

    test("BK28: a peer that takes contents and markers together reaches the same state", () => {
      const [one, two] = [open(alice), open(bob)];
      for (let n = 0; n < 30; n++) commit(one, t0 + n, ["upsert", "kv", { k: `k${n % 4}`, n }]);
      commit(one, t0 + 99, ["delete", "kv", { k: "k1" }]);
      one.checkpoint();
      sync(one, two, t0);
      expect(fullState(two)).toEqual(fullState(one));
      expect(two.holdings()).toEqual(one.holdings());
    });

    test("BK26: a long run of markers is one range, and counts against the bound", () => {
      const store = open();
      for (let n = 0; n < 50; n++) commit(store, t0, ["upsert", "kv", { k: "a", v: `v${n}`, n }]);
      commit(store, t0, ["upsert", "kv", { k: "b" }]);
      store.checkpoint();
      const want: Want = { actor: alice, from: 1, to: 51 };
      const first = store.serve([want], 1);
      expect(numbers(first.chunks)).toEqual(["a51.0"]);
      expect(first.rest).toEqual([{ actor: alice, from: 1, to: 50 }]);
      expect(store.serve([{ actor: alice, from: 3, to: 20 }], 1)).toEqual({
        chunks: [],
        overwritten: [{ actor: alice, from: 3, to: 20 }],
        rest: [],
      });
    });
  });
}

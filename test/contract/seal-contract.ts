/** Seals: a store keeps and serves them and never asks what they say. */
import { describe, expect, test } from "vitest";
import { chunkSize } from "../../core/wire/chunk.ts";
import type { Chunk, Want } from "../../core/node/store.ts";
import { bob, carol, fullState, kvChange, receive, stamp, t0, version } from "./authors.ts";
import { opener } from "./opened.ts";
import type { StoreUnderTest } from "./store-contract.ts";

const unlimited = Number.MAX_SAFE_INTEGER;

export function sealContract(tested: StoreUnderTest): void {
  const born = (key: string, n: number) => kvChange(key, 1, { v: "", n });

  describe("seals", () => {
    const open = opener(tested);
    const sealed = (chunks: readonly Chunk[]): Chunk[] =>
      chunks.map((chunk) => ({ ...chunk, seal: Uint8Array.of(chunk.version, chunk.index, 7) }));
    const all: Want = { actor: bob, from: 1, to: 9 };

    test("BK34: a seal is served with its chunk; what has none gets none", () => {
      const store = open();
      const one = sealed(version(bob, 1, stamp(1), [born("a", 1)]));
      const three = sealed(version(bob, 2, stamp(2), [born("x", 1), born("y", 2)], 1));
      const bare = version(bob, 3, stamp(3), [born("b", 1)]);
      receive(store, t0, ...one, ...three, ...bare);
      expect(store.serve([all], unlimited).chunks).toEqual([...bare, ...three, ...one]);
      expect(store.serve([all], unlimited).chunks[0]).not.toHaveProperty("seal");
    });

    test("BK34: a version in parts keeps the seals of its parts, and has them when it is whole", () => {
      const store = open();
      const parts = sealed(version(bob, 1, stamp(1), [born("x", 1), born("y", 2)], 1));
      receive(store, t0, parts[1] as Chunk);
      expect(store.serve([all], unlimited).chunks).toEqual([parts[1]]);
      receive(store, t0, parts[0] as Chunk);
      expect(store.serve([all], unlimited).chunks).toEqual(parts);
    });

    test("BK34: seals do not tell one content from another", () => {
      const store = open();
      const chunks = version(bob, 1, stamp(1), [born("a", 1)]);
      receive(store, t0, ...sealed(chunks));
      expect(receive(store, t0, ...chunks)).toMatchObject([{ type: "known" }]);
      const plain = open(carol);
      receive(plain, t0, ...chunks);
      expect(fullState(store)).toEqual(fullState(plain));
    });

    test("BK34: seals count against the bound of an answer", () => {
      const store = open();
      for (const n of [1, 2, 3]) {
        receive(store, t0, ...sealed(version(bob, n, stamp(n), [born(`k${n}`, n)])));
      }
      const size = chunkSize(store.serve([all], unlimited).chunks[0] as Chunk);
      expect(store.serve([all], size * 2).chunks).toHaveLength(2);
      expect(store.serve([all], size * 2 - 1).chunks).toHaveLength(1);
    });
  });
}

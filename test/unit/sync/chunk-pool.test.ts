/** Replicas that share a process share equal chunks, and nothing else. */
import { expect, test } from "vitest";
import type { ActorId } from "../../../core/base/ids.ts";
import type { Chunk } from "../../../core/node/store.ts";
import { ChunkPool } from "../../../core/sync/chunk-pool.ts";

function chunk(more: Partial<Chunk> = {}): Chunk {
  return {
    actor: "0a".repeat(16) as ActorId,
    version: 7,
    index: 0,
    count: 1,
    hlc: { ms: 1000, counter: 1 },
    payload: Uint8Array.of(1, 2, 3),
    ...more,
  };
}

test("BK21: an equal chunk is the one that was met first", () => {
  const pool = new ChunkPool();
  const first = chunk();
  expect(pool.share(first)).toBe(first);
  expect(pool.share(chunk())).toBe(first);
});

test.each<[string, Partial<Chunk>]>([
  ["of another author", { actor: "0b".repeat(16) as ActorId }],
  ["of another version", { version: 8 }],
  ["of another place", { index: 1, count: 2 }],
  ["of another count", { count: 2 }],
  ["with another stamp", { hlc: { ms: 1000, counter: 2 } }],
  ["with another payload", { payload: Uint8Array.of(1, 2, 4) }],
  ["with a longer payload", { payload: Uint8Array.of(1, 2, 3, 4) }],
  ["with a seal", { seal: Uint8Array.of(9) }],
])("BK21: one %s is another chunk", (_, more) => {
  const pool = new ChunkPool();
  pool.share(chunk());
  const other = chunk(more);
  expect(pool.share(other)).toBe(other);
});

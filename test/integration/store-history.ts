/**
 * A history that a store can be led through step by step, the same every time: local transactions
 * and versions from another node in turns, small and large, with checkpoints in between. How far a
 * store has come can be told from what it holds, and what it should hold then from a store in
 * memory that was led as far.
 */
import { actorId } from "../../core/base/ids.ts";
import type { Chunk, Op, Store } from "../../core/node/store.ts";
import { MemoryStore } from "../../sim/store/memory-store.ts";

export const schema = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
  "CREATE TABLE item (id INTEGER NOT NULL PRIMARY KEY, body BLOB, hits INTEGER COUNTER NOT NULL DEFAULT 0)",
  "CREATE TABLE link (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b))",
];

export const here = actorId("a".repeat(32));
const there = actorId("b".repeat(32));
const t0 = 1_780_000_000_000;

/** Small, so that many versions come in several chunks. */
export const chunkBytes = 2048;

export class History {
  /** The other node; its version n is made when it is first asked for. */
  readonly #other = new MemoryStore({ actor: there, schema, chunkBytes });
  readonly #versions: (readonly Chunk[])[] = [];

  /** Takes `store`, which has taken `step` steps, one further. */
  take(store: Store, step: number): void {
    if (step % 2 === 0) {
      const outcome = store.commit(t0 + step, opsOf(step));
      if (outcome.type === "failed") throw new Error(`${outcome.code}: ${outcome.error}`);
      if (outcome.chunks.length === 0) throw new Error("each local step makes a version");
    } else {
      store.receive(t0 + step, this.#version((step + 1) / 2), []);
    }
    if (step % 37 === 36) store.checkpoint();
  }

  #version(n: number): readonly Chunk[] {
    while (this.#versions.length < n) {
      const step = this.#versions.length * 2 + 1;
      const outcome = this.#other.commit(t0 + step, opsOf(step));
      if (outcome.type === "failed") throw new Error(outcome.error);
      this.#versions.push(outcome.chunks);
    }
    return this.#versions[n - 1] as readonly Chunk[];
  }
}

/** Steps that a store has taken whole. */
export function stepsOf(store: Store): number {
  const head = (actor: string) => {
    const holdings = store.holdings().find((held) => held.actor === actor);
    if (holdings === undefined) return 0;
    if (holdings.gaps.length > 0 || holdings.partial.length > 0)
      throw new Error("a version is held in part");
    return holdings.head;
  };
  const [local, remote] = [head(here), head(there)];
  if (local !== remote && local !== remote + 1)
    throw new Error(`${local} and ${remote} steps do not go together`);
  return local + remote;
}

/** Many small rows, some large ones, deletes and new lives; every step changes something. */
function opsOf(step: number): Op[] {
  const row = (i: number) => (Math.imul(step * 31 + i, 0x9e3779b1) >>> 8) % 50;
  const ops: Op[] = [["upsert", "kv", { k: `k${row(0)}`, v: `v${step}`, n: step }]];
  if (step % 3 === 0) ops.push(["delete", "kv", { k: `k${row(1)}` }]);
  if (step % 5 === 0)
    ops.push(["upsert", "item", { id: row(2), body: new Uint8Array(step % 900).fill(step % 256) }]);
  if (step % 7 === 0) ops.push(["upsert", "link", { a: row(3), b: `l${step % 11}` }]);
  if (step % 11 === 0) ops.push(["delete", "link", { a: row(3), b: `l${step % 11}` }]);
  if (step % 41 === 0) {
    for (let i = 0; i < 200; i++)
      ops.push(["upsert", "kv", { k: `big${i}`, v: `step ${step} row ${i}` }]);
  }
  if (step % 13 === 0) ops.push(["upsert", "item", { id: row(4), hits: step }]);
  return ops;
}

/**
 * Chunks met lately in a process where many replicas share it, as in a simulation: each that is
 * fetched is one that another replica holds already, equal to the last byte. They keep one object
 * between them, so that it takes its memory once, and whoever reads its payload may know it again.
 * A pure memo: it changes no result, since chunks are never written to.
 */
import { bytesEqual } from "../crdt/value.ts";
import type { Chunk } from "../node/store.ts";

/** Direct-mapped; the newer chunk takes the place. Half a minute of a hundred commits a second. */
const slots = 4096;

export class ChunkPool {
  /** Made with the first chunk. */
  #chunks: (Chunk | null)[] = [];

  /** The chunk itself, or one that was met before and is its equal. */
  share(chunk: Chunk): Chunk {
    if (this.#chunks.length === 0) {
      this.#chunks.length = slots;
      this.#chunks.fill(null);
    }
    const slot = slotOf(chunk);
    const met = this.#chunks[slot] as Chunk | null;
    if (met !== null && isSame(met, chunk)) return met;
    this.#chunks[slot] = chunk;
    return chunk;
  }
}

function slotOf({ actor, version, index }: Chunk): number {
  const author = (actor.charCodeAt(0) << 8) ^ (actor.charCodeAt(1) << 4) ^ actor.charCodeAt(2);
  return (Math.imul(version, 0x9e3779b1) ^ Math.imul(author + index, 0x85ebca6b)) >>> 20;
}

function isSame(a: Chunk, b: Chunk): boolean {
  if (a === b) return true;
  if (a.version !== b.version || a.actor !== b.actor) return false;
  if (a.index !== b.index || a.count !== b.count) return false;
  if (a.hlc.ms !== b.hlc.ms || a.hlc.counter !== b.hlc.counter) return false;
  // Seals are not looked into: simulated nodes do not sign.
  return a.seal === b.seal && bytesEqual(a.payload, b.payload);
}

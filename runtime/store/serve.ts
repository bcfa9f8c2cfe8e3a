/**
 * Picks the chunks that a peer asks for, newest version first, within a bound of bytes. Chunks are
 * read one by one, so memory is bounded by the answer, whatever the size of a version.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId } from "../../core/base/ids.ts";
import type { Chunk, Served, VersionRange, Want } from "../../core/node/store.ts";
import { chunkSize } from "../../core/wire/chunk.ts";
import type { ActorLog, PartialVersion } from "./actor-table.ts";
import type { Engine } from "./engine.ts";
import { loadPayload } from "./payload.ts";
import { type LoggedVersion, withSeal } from "./version-log.ts";

/** What a marker counts for against the bound. */
const markerBytes = 32;

type ChunkRanges = readonly (readonly [from: number, to: number])[];

const allChunks: ChunkRanges = [[0, Number.MAX_SAFE_INTEGER]];

export function serveVersions(engine: Engine, wants: readonly Want[], maxBytes: number): Served {
  const answer = new Answer(engine, maxBytes);
  for (let i = 0; i < wants.length; i++) {
    const want = wants[i] as Want;
    const log = engine.actors.find(want.actor);
    const rest = log === undefined ? [] : answer.serve(log, want);
    if (rest.length > 0) return answer.finish([...rest, ...wants.slice(i + 1)]);
  }
  return answer.finish([]);
}

class Answer {
  readonly #engine: Engine;
  readonly #chunks: Chunk[] = [];
  readonly #overwritten: VersionRange[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(engine: Engine, maxBytes: number) {
    this.#engine = engine;
    this.#maxBytes = maxBytes;
  }

  finish(rest: readonly Want[]): Served {
    return { chunks: this.#chunks, overwritten: this.#overwritten, rest };
  }

  /** Takes what fits of `want`, and returns what did not. */
  serve(log: ActorLog, want: Want): Want[] {
    const { actor, from } = want;
    const ranges = want.chunks ?? allChunks;
    let next = Math.min(want.to, log.head);
    while (next >= from) {
      const logged = this.#engine.log.highest(log.n, from, next);
      const partial = highestPartial(log, from, next);
      const version = Math.max(logged?.version ?? 0, partial?.version ?? 0);
      // What is held between here and there has no content any more.
      const marked = this.#markers(log, Math.max(from, version + 1), next);
      if (marked !== null) return [{ actor, from, to: marked }];
      if (version < from) return [];
      const before = this.#chunks.length;
      const left =
        logged?.version === version
          ? this.#logged(log, logged, ranges)
          : this.#partial(log, partial as PartialVersion, ranges);
      if (left !== null) {
        const begun = this.#chunks.length > before;
        return begun ? restOf(actor, from, version, left) : [{ ...want, to: version }];
      }
      next = version - 1;
    }
    return [];
  }

  /** The version at which the answer was full; null when all markers fitted. */
  #markers(log: ActorLog, from: number, to: number): number | null {
    if (to < from) return null;
    const held = log.held.within(from, to);
    for (let i = held.length - 1; i >= 0; i--) {
      const [low, high] = held[i] as readonly [number, number];
      if (this.#isFull(markerBytes)) return high;
      this.#bytes += markerBytes;
      this.#overwritten.push({ actor: log.actor, from: low, to: high });
    }
    return null;
  }

  /** The chunk ranges that did not fit; null when all did. */
  #logged(log: ActorLog, logged: LoggedVersion, ranges: ChunkRanges): ChunkRanges | null {
    for (const [low, high] of mergedRanges(ranges, logged.count)) {
      for (let index = low; index <= high; index++) {
        const chunk = this.#engine.log.chunk(log, logged, index);
        if (!this.#take(chunk)) return rangesFrom(ranges, chunk);
      }
    }
    return null;
  }

  #partial(log: ActorLog, partial: PartialVersion, ranges: ChunkRanges): ChunkRanges | null {
    const { version, count, hlc } = partial;
    const payloads = this.#engine.statements
      .get("SELECT sum, payload, seal FROM patina_part WHERE actor = ? AND version = ? AND idx = ?")
      .raw();
    for (const [low, high] of mergedRanges(ranges, count)) {
      for (const [first, last] of partial.have.within(low, high)) {
        for (let index = first; index <= last; index++) {
          const row = payloads.get(log.n, version, index);
          const [sum, bytes, seal] = row as [number, Uint8Array, Uint8Array | null];
          const what = `part ${index} of version ${version} of ${log.actor}`;
          const head = { author: log.n, version, index, count, ...hlc, seal };
          const payload = loadPayload(sum, bytes, head, what);
          const plain = { actor: log.actor, version, index, count, hlc, payload };
          const chunk = withSeal(plain, seal);
          if (!this.#take(chunk)) return rangesFrom(ranges, chunk);
        }
      }
    }
    return null;
  }

  /** False when the answer is full. */
  #take(chunk: Chunk): boolean {
    const size = chunkSize(chunk);
    if (this.#isFull(size)) return false;
    this.#bytes += size;
    this.#chunks.push(chunk);
    return true;
  }

  /** The first piece always fits, or an answer might never come. */
  #isFull(more: number): boolean {
    const empty = this.#chunks.length === 0 && this.#overwritten.length === 0;
    return !empty && this.#bytes + more > this.#maxBytes;
  }
}

function highestPartial(log: ActorLog, from: number, to: number): PartialVersion | null {
  let highest: PartialVersion | null = null;
  for (const partial of log.partials.values()) {
    if (partial.version < from || partial.version > to) continue;
    if (highest === null || partial.version > highest.version) highest = partial;
  }
  return highest;
}

/** Each index below `count` that some range has, once, ascending. */
function mergedRanges(ranges: ChunkRanges, count: number): [number, number][] {
  const merged: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    const low = Math.max(0, from, (last?.[1] ?? -1) + 1);
    const high = Math.min(to, count - 1);
    if (high >= low) merged.push([low, high]);
  }
  return merged;
}

function restOf(actor: ActorId, from: number, version: number, left: ChunkRanges): Want[] {
  const rest: Want[] = [{ actor, from: version, to: version, chunks: left }];
  if (version > from) rest.push({ actor, from, to: version - 1 });
  return rest;
}

function rangesFrom(ranges: ChunkRanges, { index, count }: Chunk): ChunkRanges {
  assert(index < count, "a chunk is one of its version's");
  const rest: [number, number][] = [];
  for (const [low, high] of ranges) {
    const last = Math.min(high, count - 1);
    if (last >= index) rest.push([Math.max(low, index), last]);
  }
  return rest;
}

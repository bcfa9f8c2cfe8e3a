/** Picks the chunks that a peer asks for, newest version first, within a bound of bytes. */
import { assert } from "../../core/base/assert.ts";
import type { ActorId } from "../../core/base/ids.ts";
import type { Chunk, Served, VersionRange, Want } from "../../core/node/store.ts";
import { chunkSize } from "../../core/wire/chunk.ts";
import type { VersionLog } from "./version-log.ts";

/** What a marker counts for against the bound. */
const markerBytes = 32;

type ChunkRanges = readonly (readonly [from: number, to: number])[];

const allChunks: ChunkRanges = [[0, Number.MAX_SAFE_INTEGER]];

export function serveVersions(
  logs: ReadonlyMap<ActorId, VersionLog>,
  wants: readonly Want[],
  maxBytes: number,
): Served {
  const answer = new Answer(maxBytes);
  for (let i = 0; i < wants.length; i++) {
    const want = wants[i] as Want;
    const log = logs.get(want.actor);
    const rest = log === undefined ? [] : answer.serve(log, want);
    if (rest.length > 0) return answer.finish([...rest, ...wants.slice(i + 1)]);
  }
  return answer.finish([]);
}

class Answer {
  readonly #chunks: Chunk[] = [];
  readonly #overwritten: VersionRange[] = [];
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  finish(rest: readonly Want[]): Served {
    return { chunks: this.#chunks, overwritten: this.#overwritten, rest };
  }

  /** Takes what fits of `want`, and returns what did not. */
  serve(log: VersionLog, want: Want): Want[] {
    const { actor, from } = want;
    let next = Math.min(want.to, log.head);
    while (next >= from) {
      const stored = log.versions.get(next) ?? log.partials.get(next);
      if (stored !== undefined) {
        const before = this.#chunks.length;
        const left = this.#version(stored.chunks, want.chunks ?? allChunks);
        if (left !== null) {
          const begun = this.#chunks.length > before;
          return begun ? restOf(actor, from, next, left) : [{ ...want, to: next }];
        }
        next--;
        continue;
      }
      const marker = log.overwritten.within(from, next).at(-1);
      if (marker !== undefined && marker[1] === next) {
        if (this.#isFull(markerBytes)) return [{ actor, from, to: next }];
        this.#bytes += markerBytes;
        this.#overwritten.push({ actor, from: marker[0], to: next });
        next = marker[0] - 1;
      } else {
        next = previousHeld(log, from, next);
      }
    }
    return [];
  }

  /** The chunk ranges that did not fit; null when all did. */
  #version(
    chunks: readonly Chunk[] | ReadonlyMap<number, Chunk>,
    ranges: ChunkRanges,
  ): ChunkRanges | null {
    const list = Array.isArray(chunks)
      ? (chunks as readonly Chunk[])
      : [...(chunks as ReadonlyMap<number, Chunk>).values()].sort((a, b) => a.index - b.index);
    for (const chunk of list) {
      if (!ranges.some(([low, high]) => chunk.index >= low && chunk.index <= high)) continue;
      const size = chunkSize(chunk);
      if (this.#isFull(size)) return rangesFrom(ranges, chunk);
      this.#bytes += size;
      this.#chunks.push(chunk);
    }
    return null;
  }

  /** The first piece always fits, or an answer might never come. */
  #isFull(more: number): boolean {
    const empty = this.#chunks.length === 0 && this.#overwritten.length === 0;
    return !empty && this.#bytes + more > this.#maxBytes;
  }
}

/** The highest version at or above `from` and below `next` of which anything is held; `from` − 1 if none. */
function previousHeld(log: VersionLog, from: number, next: number): number {
  let previous = log.held.within(from, next).at(-1)?.[1] ?? from - 1;
  for (const version of log.partials.keys()) {
    if (version < next && version > previous) previous = version;
  }
  assert(previous < next, "the search for versions goes down");
  return previous;
}

function restOf(actor: ActorId, from: number, version: number, left: ChunkRanges): Want[] {
  const rest: Want[] = [{ actor, from: version, to: version, chunks: left }];
  if (version > from) rest.push({ actor, from, to: version - 1 });
  return rest;
}

function rangesFrom(ranges: ChunkRanges, { index, count }: Chunk): ChunkRanges {
  const rest: [number, number][] = [];
  for (const [low, high] of ranges) {
    const last = Math.min(high, count - 1);
    if (last >= index) rest.push([Math.max(low, index), last]);
  }
  return rest;
}

/**
 * Messages that were announced but have not come: each is asked for (Graft) when it is late, from
 * one who announced it after the other, and given up to sync when none of them gave it.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import { ChunkMap } from "./chunk-map.ts";
import type { ChunkRef } from "../wire/gossip-messages.ts";

/** Overflow policy: announcements beyond it are passed over; sync finds what they were about. */
export const maxMissing = 4096;
/** Who announced one message. */
const maxSources = 4;

export interface Missing {
  readonly ref: ChunkRef;
  /** Not asked yet, in order of announcement. */
  readonly sources: Address[];
  /** Monotonic time of the first announcement. */
  readonly announcedMs: number;
  dueMs: number;
  /** Who was asked last; null while nobody was. */
  asked: Address | null;
}

export class MissingMessages {
  readonly #byChunk = new ChunkMap<Missing>();

  get size(): number {
    return this.#byChunk.size;
  }

  /** Notes that `from` has it. False: no room for one more message. */
  announced(monoMs: number, ref: ChunkRef, from: Address, dueMs: number): boolean {
    const known = this.#byChunk.get(ref.actor, ref.version, ref.index);
    if (known !== undefined) {
      if (known.sources.length < maxSources && !known.sources.includes(from)) {
        known.sources.push(from);
      }
      return true;
    }
    if (this.#byChunk.size >= maxMissing) return false;
    return this.#byChunk.add(ref, {
      ref,
      sources: [from],
      announcedMs: monoMs,
      dueMs,
      asked: null,
    });
  }

  /** It came: what was waited for; undefined when it had not been announced. */
  arrived(ref: ChunkRef): Missing | undefined {
    if (this.#byChunk.size === 0) return undefined;
    const missing = this.#byChunk.get(ref.actor, ref.version, ref.index);
    if (missing !== undefined) this.#byChunk.delete(ref);
    return missing;
  }

  drop(missing: Missing): void {
    const had = this.#byChunk.delete(missing.ref);
    assert(had, "drops what is missing");
  }

  /** Those that are due. */
  due(monoMs: number): Missing[] {
    const due: Missing[] = [];
    this.#byChunk.forEach((missing) => {
      if (missing.dueMs <= monoMs) due.push(missing);
    });
    return due;
  }

  nextDueMs(): number {
    let next = Infinity;
    this.#byChunk.forEach(({ dueMs }) => {
      if (dueMs < next) next = dueMs;
    });
    return next;
  }

  forgetSource(peer: Address): void {
    this.#byChunk.forEach(({ sources }) => {
      const at = sources.indexOf(peer);
      if (at >= 0) sources.splice(at, 1);
    });
  }
}

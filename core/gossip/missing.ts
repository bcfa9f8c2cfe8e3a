/**
 * Messages that were announced but have not come: each is asked for (Graft) when it is late, from
 * one who announced it after the other, and given up to sync when none of them gave it.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
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
  readonly #byKey = new Map<string, Missing>();

  get size(): number {
    return this.#byKey.size;
  }

  /** Notes that `from` has it. False: no room for one more message. */
  announced(monoMs: number, ref: ChunkRef, from: Address, dueMs: number): boolean {
    const key = keyOf(ref);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      if (known.sources.length < maxSources && !known.sources.includes(from)) {
        known.sources.push(from);
      }
      return true;
    }
    if (this.#byKey.size >= maxMissing) return false;
    this.#byKey.set(key, { ref, sources: [from], announcedMs: monoMs, dueMs, asked: null });
    return true;
  }

  /** It came: what was waited for; undefined when it had not been announced. */
  arrived(ref: ChunkRef): Missing | undefined {
    if (this.#byKey.size === 0) return undefined;
    const key = keyOf(ref);
    const missing = this.#byKey.get(key);
    if (missing !== undefined) this.#byKey.delete(key);
    return missing;
  }

  drop(missing: Missing): void {
    const had = this.#byKey.delete(keyOf(missing.ref));
    assert(had, "drops what is missing");
  }

  /** Those that are due. */
  due(monoMs: number): Missing[] {
    const due: Missing[] = [];
    for (const missing of this.#byKey.values()) if (missing.dueMs <= monoMs) due.push(missing);
    return due;
  }

  nextDueMs(): number {
    let next = Infinity;
    for (const { dueMs } of this.#byKey.values()) if (dueMs < next) next = dueMs;
    return next;
  }

  forgetSource(peer: Address): void {
    for (const { sources } of this.#byKey.values()) {
      const at = sources.indexOf(peer);
      if (at >= 0) sources.splice(at, 1);
    }
  }
}

function keyOf({ actor, version, index }: ChunkRef): string {
  return `${actor}/${version}/${index}`;
}

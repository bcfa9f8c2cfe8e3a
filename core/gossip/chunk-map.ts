/**
 * A map keyed by chunk: per author by version and index in one number, so that looking up builds
 * no string. Versions from 2^33 on do not fit beside an index and are not kept; nobody has as many.
 */
import type { ActorId } from "../base/ids.ts";

export const versionBound = 2 ** 33;

/** What names a chunk. */
export interface ChunkKey {
  readonly actor: ActorId;
  readonly version: number;
  readonly index: number;
}

export class ChunkMap<T> {
  readonly #byActor = new Map<ActorId, Map<number, T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(actor: ActorId, version: number, index: number): T | undefined {
    const inner = this.#byActor.get(actor);
    return inner === undefined ? undefined : inner.get(index * versionBound + version);
  }

  /** False when the key is there already, or cannot be kept. */
  add(key: ChunkKey, value: T): boolean {
    const { actor, version, index } = key;
    if (version >= versionBound) return false;
    let inner = this.#byActor.get(actor);
    if (inner === undefined) {
      inner = new Map();
      this.#byActor.set(actor, inner);
    }
    const number = index * versionBound + version;
    if (inner.has(number)) return false;
    inner.set(number, value);
    this.#size++;
    return true;
  }

  delete(key: ChunkKey): boolean {
    const { actor, version, index } = key;
    const inner = this.#byActor.get(actor);
    if (inner === undefined || !inner.delete(index * versionBound + version)) return false;
    this.#size--;
    if (inner.size === 0) this.#byActor.delete(actor);
    return true;
  }

  /** By author, then in order of addition. Nothing may be added or taken out meanwhile. */
  forEach(visit: (value: T) => void): void {
    for (const inner of this.#byActor.values()) for (const value of inner.values()) visit(value);
  }
}

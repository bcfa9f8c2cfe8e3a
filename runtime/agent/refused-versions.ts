/**
 * Versions that the store could not take. The protocol forgets them until a peer is asked anew, so that
 * the books alone do not know of them.
 */
import type { ActorId } from "../../core/base/ids.ts";
import type { Chunk } from "../../core/node/store.ts";

export class RefusedVersions {
  /** The highest of each author: an author's numbers have no holes, so all below it are there too. */
  readonly #heads = new Map<ActorId, number>();

  refused(chunks: readonly Chunk[]): void {
    for (const { actor, version } of chunks) {
      if (version > (this.#heads.get(actor) ?? 0)) this.#heads.set(actor, version);
    }
  }

  /** The store takes versions again. */
  clear(): void {
    this.#heads.clear();
  }

  /** How many lie above what is held. @param headOf the highest version held of an author, or 0. */
  above(headOf: (actor: ActorId) => number): number {
    let count = 0;
    for (const [actor, head] of this.#heads) count += Math.max(0, head - headOf(actor));
    return count;
  }
}

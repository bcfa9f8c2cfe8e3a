/**
 * Versions that the store could not take. The protocol forgets them until a peer is asked anew, so that
 * the books alone do not know of them.
 */
import type { ActorId } from "../../core/base/ids.ts";
import type { Chunk } from "../../core/node/store.ts";

/**
 * A version that nobody has sent again for so long, though whoever has it is asked every few seconds, has
 * nobody left who has it.
 */
const forgottenMs = 120_000;

interface Refused {
  /** The highest: an author's numbers have no holes, so all below it are there too. */
  head: number;
  sinceMs: number;
}

export class RefusedVersions {
  readonly #refused = new Map<ActorId, Refused>();

  refused(nowMs: number, chunks: readonly Chunk[]): void {
    for (const { actor, version } of chunks) {
      const known = this.#refused.get(actor);
      this.#refused.set(actor, { head: Math.max(version, known?.head ?? 0), sinceMs: nowMs });
    }
  }

  /**
   * How many lie above what is held. That the store takes some versions again says nothing of the
   * others: a small one fits where a large one did not.
   * @param headOf the highest version held of an author, or 0
   */
  above(nowMs: number, headOf: (actor: ActorId) => number): number {
    let count = 0;
    for (const [actor, { head, sinceMs }] of this.#refused) {
      const lacking = head - headOf(actor);
      if (lacking <= 0 || nowMs - sinceMs >= forgottenMs) this.#refused.delete(actor);
      else count += lacking;
    }
    return count;
  }
}

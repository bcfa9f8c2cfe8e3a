/** Whether a node can store what its peers send, or what clients write, for those who send it requests. */

/**
 * What peers send is tried again every few seconds, as long as one has something. Who has heard of no
 * failure for so long has no such peer left, and nothing that waits for the disk. A client that is
 * kept away by the failure of another's transaction is let in again after it, to try.
 */
const forgottenMs = 120_000;

export class Storing {
  #why: string | null = null;
  #toldMs = 0;

  /** @param why the store took nothing, this time; null: it did. */
  note(nowMs: number, why: string | null): void {
    this.#why = why;
    this.#toldMs = nowMs;
  }

  /** Why it cannot; null: it can. */
  whyNot(nowMs: number): string | null {
    return nowMs - this.#toldMs < forgottenMs ? this.#why : null;
  }
}

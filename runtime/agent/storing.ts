/** Whether a node can store what its peers send, for those who send it requests. */

/**
 * The store is tried again every few seconds, as long as a peer has something for it. Who has heard of
 * no failure for so long has no such peer left, and nothing that waits for the disk.
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

/**
 * That the store cannot take what peers sent, as with a full disk: said when it begins, when the
 * reason is another, every minute while it lasts, and when it is over.
 */

const againMs = 60_000;

export class StoreFailures {
  readonly #log: (level: "error" | "info", message: string, fields: object) => void;
  #why: string | null = null;
  #toldMs = 0;

  constructor(log: (level: "error" | "info", message: string, fields: object) => void) {
    this.#log = log;
  }

  /** @param why null: it was taken. */
  note(nowMs: number, why: string | null): void {
    if (why === null) {
      if (this.#why !== null) this.#log("info", "what peers send can be stored again", {});
    } else if (this.#why !== why || nowMs - this.#toldMs >= againMs) {
      this.#log("error", "what peers sent cannot be stored; it is tried again", { why });
      this.#toldMs = nowMs;
    }
    this.#why = why;
  }
}

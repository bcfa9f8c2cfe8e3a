/**
 * That the store cannot take what peers sent, as with a full disk: logged when it begins, when the
 * reason is another, every minute while it lasts, and when it is over.
 */

const againMs = 60_000;

export class StoreFailures {
  readonly #log: (level: "error" | "info", message: string, fields: object) => void;
  readonly #state: (why: string | null) => void;
  #why: string | null = null;
  #toldMs = 0;

  /** @param state is told of each failure and, with null, when it is over. */
  constructor(
    log: (level: "error" | "info", message: string, fields: object) => void,
    state: (why: string | null) => void,
  ) {
    this.#log = log;
    this.#state = state;
  }

  /** @param why null: it was taken. */
  note(nowMs: number, why: string | null): void {
    if (why === null) {
      if (this.#why !== null) this.#log("info", "what peers send can be stored again", {});
    } else if (this.#why !== why || nowMs - this.#toldMs >= againMs) {
      this.#log("error", "what peers sent cannot be stored; it is tried again", { why });
      this.#toldMs = nowMs;
    }
    if (this.#why === null && why === null) return;
    this.#why = why;
    this.#state(why);
  }
}

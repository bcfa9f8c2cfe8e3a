/**
 * That the store cannot take what peers sent or clients wrote, as with a full disk: logged when it
 * begins, when the reason is another, every minute while it lasts, and when it is over.
 */

const againMs = 60_000;

export interface FailureWords {
  readonly failing: string;
  readonly over: string;
}

export const ofPeers: FailureWords = {
  failing: "what peers sent cannot be stored; it is tried again",
  over: "what peers send can be stored again",
};

export const ofClients: FailureWords = {
  failing: "a transaction of a client could not be stored",
  over: "transactions of clients can be stored again",
};

export class StoreFailures {
  readonly #log: (level: "error" | "info", message: string, fields: object) => void;
  readonly #state: (why: string | null) => void;
  readonly #words: FailureWords;
  #why: string | null = null;
  #toldMs = 0;

  /** @param state is told of each failure and, with null, when it is over. */
  constructor(
    log: (level: "error" | "info", message: string, fields: object) => void,
    state: (why: string | null) => void,
    words: FailureWords,
  ) {
    this.#log = log;
    this.#state = state;
    this.#words = words;
  }

  /** @param why null: it was taken. */
  note(nowMs: number, why: string | null): void {
    if (why === null) {
      if (this.#why !== null) this.#log("info", this.#words.over, {});
    } else if (this.#why !== why || nowMs - this.#toldMs >= againMs) {
      this.#log("error", this.#words.failing, { why });
      this.#toldMs = nowMs;
    }
    if (this.#why === null && why === null) return;
    this.#why = why;
    this.#state(why);
  }
}

/** Has the store do its upkeep, in slices: at once while there is more to do, and seldom where nothing is written. */
import type { StoreClient } from "../store-process/store-client.ts";

const everyMs = 1000;
/** Slices follow one another after this long, while there is more to do. */
const pauseMs = 20;
/** Where nothing is written the store is asked all the same so often: it may have something to do by itself. */
const idleMs = 60_000;

export interface StoreUpkeepOptions {
  store(): StoreClient | null;
  /** Each time it looks, whether the store has anything to do or not. */
  readonly look: () => void;
  /** The store found damage: a line each. */
  readonly damaged: (what: string) => void;
}

export class StoreUpkeep {
  readonly #options: StoreUpkeepOptions;
  #timer: NodeJS.Timeout | null = null;
  #left: "now" | "later" | "no" = "later";
  #askedMs = 0;
  #stopped = false;

  constructor(options: StoreUpkeepOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(everyMs);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  #schedule(delayMs: number): void {
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#round(), delayMs);
    this.#timer.unref();
  }

  async #round(): Promise<void> {
    this.#options.look();
    const store = this.#options.store();
    const dirty = store?.takeDirty() === true;
    const nowMs = performance.now();
    if (dirty || this.#left !== "no" || nowMs - this.#askedMs >= idleMs) {
      this.#askedMs = nowMs;
      const answer = await store?.call({ type: "upkeep", dirty }, "upkeep");
      this.#left = answer?.type === "upkeep" ? answer.more : "no";
      if (answer?.type === "upkeep") for (const what of answer.damage) this.#options.damaged(what);
    }
    this.#schedule(this.#left === "now" ? pauseMs : everyMs);
  }
}

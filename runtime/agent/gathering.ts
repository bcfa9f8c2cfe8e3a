/**
 * On a machine that has more to do than it can, a wake-up of a program that has not run for a while
 * costs many times what it does once it runs, and every version wakes two programs on every node. So
 * where this node's timers are late, which tells that its cores are taken, what it commits waits a
 * little for more of the like, and goes out together: the others take it together too, with one
 * signature to check and one transaction. Where there is time, nothing waits.
 */

/** Timers of an idle machine are as late as this: they are whole milliseconds. */
const calmMs = 3;
/** For each millisecond beyond it so many are waited… */
const waitsPerMs = 6;
/** …up to this. */
const maxWaitMs = 50;
/** So many go without more company: sending them takes a few milliseconds. */
const maxItems = 256;
/** One that is later than this says no more than that. */
const maxLateMs = 50;
/** Without news of late timers half is forgotten in this time: a quiet node has few timers that say so. */
const halfLifeMs = 2000;

/** How long what is committed may wait, by how late timers were lately. */
export class Pace {
  readonly #now: () => number;
  #lateMs = 0;
  #atMs = 0;

  /** @param now in ms, of a clock that never goes back. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  late(ms: number): void {
    this.#forget();
    // As TCP smooths round trips (RFC 6298, section 2): one late timer changes little.
    this.#lateMs += (Math.min(ms, maxLateMs) - this.#lateMs) / 8;
  }

  /** 0: it goes at once. */
  get waitMs(): number {
    this.#forget();
    return Math.min(maxWaitMs, Math.max(0, this.#lateMs - calmMs) * waitsPerMs);
  }

  #forget(): void {
    const nowMs = this.#now();
    this.#lateMs *= 2 ** ((this.#atMs - nowMs) / halfLifeMs);
    this.#atMs = nowMs;
  }
}

export class Gathering<T> {
  readonly pace = new Pace();
  readonly #release: (item: T) => void;
  #items: T[] = [];
  #timer: NodeJS.Timeout | null = null;

  /** @param release is handed what was put in, in its order. */
  constructor(release: (item: T) => void) {
    this.#release = release;
  }

  put(item: T): void {
    const { waitMs } = this.pace;
    if (this.#timer === null && waitMs < 1) {
      this.#release(item);
      return;
    }
    this.#items.push(item);
    if (this.#items.length >= maxItems) {
      this.flush();
      return;
    }
    this.#timer ??= setTimeout(() => this.flush(), waitMs);
  }

  /** Lets go of what waits. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const items = this.#items;
    this.#items = [];
    for (const item of items) this.#release(item);
  }
}

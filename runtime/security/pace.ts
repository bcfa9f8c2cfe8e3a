/**
 * Splits checking into pieces, between which the event loop has its turn: pings are answered there. All
 * peers and channels share one bound, so that many who send at once make many turns, not a long one.
 */

/** In bytes that are hashed, with what unpacking and handing them on takes: two milliseconds. */
export const turnCost = 128 * 1024;
/** What a chunk costs beside its bytes. */
export const chunkCost = 512;

export class Pace {
  #left = turnCost;
  #waiting = 0;
  #resting = 0;
  #next: Promise<void> | null = null;

  /** What may be spent before the next turn; at least one piece is always taken while it is positive. */
  get left(): number {
    return this.#left;
  }

  /** Somebody waits for the next turn: more than one brings has arrived. */
  get behind(): boolean {
    return this.#waiting > 0 || this.#resting > 0;
  }

  /** Ends when something may be spent. */
  async turn(): Promise<void> {
    this.#waiting++;
    while (this.#left <= 0) await this.#nextTurn();
    this.#waiting--;
  }

  /** For what takes many turns: all of this one is spent, and the next belongs to who waits for it. */
  async rest(): Promise<void> {
    this.#left = 0;
    this.#resting++;
    await this.#nextTurn();
    if (this.#waiting > 0) await this.#nextTurn();
    await this.turn();
    this.#resting--;
  }

  spend(cost: number): void {
    this.#left -= cost;
  }

  #nextTurn(): Promise<void> {
    this.#next ??= new Promise((resolve) => {
      setImmediate(() => {
        this.#next = null;
        this.#left = turnCost;
        resolve();
      });
    });
    return this.#next;
  }
}

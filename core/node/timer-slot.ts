/**
 * One purpose's timer. There is no cancelling an effect: arming anew or disarming changes the
 * token, so that a stale one falls through.
 */
import { assert } from "../base/assert.ts";
import type { Effect } from "./event.ts";
import type { IdSource } from "./ids.ts";

export class TimerSlot {
  readonly #ids: IdSource;
  #token = 0;
  #dueMs = Infinity;

  constructor(ids: IdSource) {
    this.#ids = ids;
  }

  get armed(): boolean {
    return this.#token !== 0;
  }

  /** Monotonic time at which it fires; Infinity when disarmed. */
  get dueMs(): number {
    return this.#dueMs;
  }

  /** Fires once, `delayMs` from `monoMs`; what was armed before falls through. */
  arm(monoMs: number, delayMs: number, out: Effect[]): void {
    assert(delayMs >= 0, "a timer is not in the past");
    this.#token = this.#ids.next();
    this.#dueMs = monoMs + delayMs;
    out.push({ type: "timer", token: this.#token, delayMs });
  }

  /** Arms unless it is armed for that moment or earlier. */
  armBy(monoMs: number, delayMs: number, out: Effect[]): void {
    if (monoMs + delayMs < this.#dueMs) this.arm(monoMs, delayMs, out);
  }

  /** True when `token` is the armed one; it is disarmed then. */
  take(token: number): boolean {
    if (token !== this.#token) return false;
    this.disarm();
    return true;
  }

  disarm(): void {
    this.#token = 0;
    this.#dueMs = Infinity;
  }
}

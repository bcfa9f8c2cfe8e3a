/** A session's signs of life: since when an answer is due, and how long the other side takes for one. */
import { lateRttFactor, lateRttMs, lateRttPings } from "./limits.ts";

export class Pulse {
  /** Since when an answer is owed to us; 0: none is. */
  #waitingSinceMs = 0;
  /** When a ping that was not answered yet was sent; 0: there is none. */
  #pingedMs = 0;
  /** Answered pings in a row that were far faster than the carrier believes. */
  #latePings = 0;

  /** The carrier's idea of a round trip, by which it finds what is lost, is absurd and stays so. */
  get late(): boolean {
    return this.#latePings >= lateRttPings;
  }

  /** Something was sent that the other side acknowledges. */
  spoke(nowMs: number, heardMs: number): void {
    if (this.#waitingSinceMs === 0 || heardMs >= this.#waitingSinceMs) this.#waitingSinceMs = nowMs;
  }

  /** For how long an answer is due. @param slackMs how long this program itself stood still. */
  silentMs(nowMs: number, heardMs: number, slackMs: number): number {
    if (this.#waitingSinceMs === 0) return 0;
    if (slackMs > 0) this.#waitingSinceMs += slackMs;
    if (heardMs >= this.#waitingSinceMs) this.#waitingSinceMs = 0;
    return this.#waitingSinceMs === 0 ? 0 : nowMs - this.#waitingSinceMs;
  }

  /** @returns whether a ping is to be sent: one at a time. */
  ping(nowMs: number): boolean {
    if (this.#pingedMs > 0) return false;
    this.#pingedMs = nowMs;
    return true;
  }

  /** @returns how long the ping took; null: none was sent. */
  pong(nowMs: number, carrierMs: number | null): number | null {
    if (this.#pingedMs === 0) return null;
    const ms = nowMs - this.#pingedMs;
    this.#pingedMs = 0;
    const late = carrierMs !== null && carrierMs > lateRttMs && carrierMs > ms * lateRttFactor;
    this.#latePings = late ? this.#latePings + 1 : 0;
    return ms;
  }
}

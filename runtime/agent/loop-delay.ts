/**
 * How late the network thread's timers were lately: what a peer waits for an answer on top of the
 * network. Taken from the protocol's own timers, so that measuring wakes nobody.
 */
import { quantile } from "./lag-window.ts";

const windowMs = 60_000;
const samplesKept = 512;

export class LoopDelay {
  readonly #delays = new Float64Array(samplesKept);
  readonly #times = new Float64Array(samplesKept);
  #count = 0;
  /** Since the start. */
  max = 0;

  add(nowMs: number, delayMs: number): void {
    const at = this.#count++ % samplesKept;
    this.#delays[at] = delayMs;
    this.#times[at] = nowMs;
    if (delayMs > this.max) this.max = delayMs;
  }

  /** Of the last minute. */
  recent(nowMs: number): { readonly p99: number; readonly max: number } {
    const delays: number[] = [];
    for (let i = 0; i < Math.min(this.#count, samplesKept); i++) {
      if (nowMs - (this.#times[i] as number) <= windowMs) delays.push(this.#delays[i] as number);
    }
    delays.sort((a, b) => a - b);
    return { p99: quantile(delays, 0.99), max: delays.at(-1) ?? 0 };
  }
}

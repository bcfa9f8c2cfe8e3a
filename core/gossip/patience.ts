/**
 * How long to wait for a message that was announced before asking for it: half as long again as
 * the latest of late ones took that came by themselves. A mean, as of a retransmission timeout
 * (RFC 6298), does not do: how late a message is depends on where in the tree its source is, so
 * most are never late, and a few always are.
 */
import { assert } from "../base/assert.ts";

/** However slow the tree, sync is faster than waiting longer than this. */
const maxDelayMs = 2000;
/** The memory of the latest one fades to a third over a thousand messages. */
const fading = 1 / 1024;

export class Patience {
  readonly #minMs: number;
  #latestMs = 0;

  /** @param minMs to begin with, and the least. */
  constructor(minMs: number) {
    assert(minMs > 0, "an announced message has some time to come");
    this.#minMs = minMs;
  }

  get delayMs(): number {
    return Math.min(maxDelayMs, Math.max(this.#minMs, this.#latestMs * 1.5));
  }

  /** A message came by itself `ms` after it was announced; 0 when it came before. */
  observe(ms: number): void {
    assert(ms >= 0, "time does not run backwards");
    if (ms > this.#latestMs) this.#latestMs = ms;
    else this.#latestMs -= this.#latestMs * fading;
  }
}

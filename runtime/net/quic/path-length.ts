/**
 * How long the packets of one connection are: as long as its handshake agreed, and the base when
 * those get lost (a black hole, RFC 8899, section 4.3). After a while the longer ones are tried
 * again, each time later: the peer may only have stood still.
 */
import { basePacketBytes } from "./packets.ts";

/** Timeouts in a row, with nothing heard, after which the length is suspected. quiche doubles its wait with each. */
const suspiciousTimeouts = 3;
/** Lost packets that are no accident when they are half of all bytes. */
const suspiciousLosses = 3;
const firstRetryMs = 5000;
const lastRetryMs = 600_000;

export interface PathCounts {
  readonly sentBytes: number;
  readonly lost: number;
  readonly lostBytes: number;
}

export class PathLength {
  packetBytes = basePacketBytes;
  #agreed = basePacketBytes;
  #timeouts = 0;
  #retryMs = firstRetryMs;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #before: PathCounts = { sentBytes: 0, lost: 0, lostBytes: 0 };

  /** Longer packets are to be tried again. */
  get waits(): boolean {
    return this.#retryAtMs < Number.POSITIVE_INFINITY;
  }

  begin(agreed: number): void {
    this.#agreed = agreed;
    this.packetBytes = agreed;
  }

  heard(): void {
    this.#timeouts = 0;
  }

  /** @returns whether it is time to shrink. */
  timedOut(): boolean {
    this.#timeouts++;
    return this.#timeouts >= suspiciousTimeouts && this.packetBytes > basePacketBytes;
  }

  /** @returns whether it did. */
  shrink(nowMs: number): boolean {
    if (this.packetBytes <= basePacketBytes) return false;
    this.packetBytes = basePacketBytes;
    this.#retryAtMs = nowMs + this.#retryMs;
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    return true;
  }

  /** Looks at what became of the packets since the last look. @returns whether the length has changed. */
  look(counts: PathCounts, nowMs: number): boolean {
    const before = this.#before;
    // The caller's object may hold more, and live long.
    this.#before = { sentBytes: counts.sentBytes, lost: counts.lost, lostBytes: counts.lostBytes };
    const lost = counts.lost - before.lost;
    const lostBytes = counts.lostBytes - before.lostBytes;
    const sentBytes = counts.sentBytes - before.sentBytes;
    const long = lostBytes > lost * basePacketBytes;
    if (lost >= suspiciousLosses && long && lostBytes * 2 >= sentBytes) return this.shrink(nowMs);
    if (nowMs < this.#retryAtMs) return false;
    this.#retryAtMs = Number.POSITIVE_INFINITY;
    this.packetBytes = this.#agreed;
    return true;
  }
}

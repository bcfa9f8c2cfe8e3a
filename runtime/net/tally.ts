/** What happened on the network, counted; and the turning away of strangers, told without flooding the log. */
import { maxToldPerSecond } from "./limits.ts";
import type { TransportEvents } from "./transport.ts";

export class Tally {
  handshakes = 0;
  handshakesRefused = 0;
  #rejected = 0;
  #datagramsSent = 0;
  #datagramsDropped = 0;
  readonly #events: TransportEvents;
  /** Those told of since `#sinceMs`. */
  readonly #told = new Set<string>();
  #sinceMs = 0;

  constructor(events: TransportEvents) {
    this.#events = events;
  }

  datagram(taken: boolean): void {
    if (taken) this.#datagramsSent++;
    else this.#datagramsDropped++;
  }

  stray(): void {
    this.#rejected++;
  }

  /** Each kind of thing from each source is told once a second at the most, and not too many of them. */
  rejected(from: string, why: string, nowMs: number): void {
    this.#rejected++;
    if (nowMs - this.#sinceMs > 1000) {
      this.#sinceMs = nowMs;
      this.#told.clear();
    }
    // Strangers choose their port freely: one of them is one machine.
    const key = `${from.slice(0, from.lastIndexOf(":"))} ${why}`;
    if (this.#told.has(key) || this.#told.size >= maxToldPerSecond) return;
    this.#told.add(key);
    this.#events.rejected(from, why);
  }

  counts(): {
    readonly handshakes: number;
    readonly handshakesRefused: number;
    readonly datagramsSent: number;
    readonly datagramsDropped: number;
    readonly rejected: number;
  } {
    return {
      handshakes: this.handshakes,
      handshakesRefused: this.handshakesRefused,
      datagramsSent: this.#datagramsSent,
      datagramsDropped: this.#datagramsDropped,
      rejected: this.#rejected,
    };
  }
}

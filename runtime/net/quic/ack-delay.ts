/**
 * When what was received is acknowledged (RFC 9000, section 13.2.1). quiche acknowledges in the next
 * packet that it is asked for. Short packets wait a moment for that, so that one answers several, or
 * goes with something that is said anyway: a packet costs more than the bytes in it.
 */
import type { Contention } from "../contention.ts";
import { basePacketBytes } from "./packets.ts";

/** At the latest after this long where the machine has time, and this long where it has none… */
const delayMs = 30;
const busyDelayMs = 100;
/** …and at once when so many packets have come, or so many bytes as one has: a bulk transfer must not wait. */
const maxPackets = 2;
const busyMaxPackets = 8;

export class AckDelay {
  readonly #contention: Contention;
  #packets = 0;
  #bytes = 0;
  /** Something of ours is to be sent. */
  #wrote = false;
  /** When what was received is acknowledged, by `performance.now()`; Infinity: nothing waits for that. */
  dueMs = Number.POSITIVE_INFINITY;

  constructor(contention: Contention) {
    this.#contention = contention;
  }

  received(bytes: number): void {
    this.#packets++;
    this.#bytes += bytes;
  }

  /** There is something to be sent that does not wait. */
  wrote(): void {
    this.#wrote = true;
  }

  /** Packets are made of all that there is. */
  sent(): void {
    this.#packets = 0;
    this.#bytes = 0;
    this.#wrote = false;
    this.dueMs = Number.POSITIVE_INFINITY;
  }

  /** Whether all that could be sent has time. @param read something has just come. */
  mayWait(read: boolean): boolean {
    if (!read || this.#wrote) return false;
    const { busy } = this.#contention;
    const most = maxPackets + busy * (busyMaxPackets - maxPackets);
    if (this.#packets >= most || this.#bytes >= basePacketBytes) return false;
    if (this.dueMs === Number.POSITIVE_INFINITY) {
      this.dueMs = performance.now() + delayMs + busy * (busyDelayMs - delayMs);
    }
    return true;
  }
}

/**
 * How many bytes of messages are read in one turn of the event loop, of all connections together. What
 * is read is unpacked, checked and handed on, which takes several times as long as taking a packet in;
 * between two turns pings are answered. The socket is a queue: a ping waits behind the packets that
 * came before it. So while it has more packets than one turn takes in, messages are not read at all.
 */

import { turnBytes } from "../limits.ts";

/** libuv takes so many packets in one turn at the most (`uv__udp_recvmsg` in its source). */
const turnPackets = 32;
/** In this many turns a full socket buffer is taken in, if its packets are long; messages wait no longer. */
export const maxPausedTurns = 8;

export class ReadBudget {
  #packets = 0;
  #paused = 0;

  /** A packet was taken in. */
  packet(): void {
    this.#packets++;
  }

  /**
   * A turn begins. @param behind what was read before is not dealt with yet.
   * @returns bytes of messages that are read in it.
   */
  turn(behind: boolean): number {
    const more = this.#packets >= turnPackets;
    this.#packets = 0;
    if (behind) return 0;
    this.#paused = more && this.#paused < maxPausedTurns ? this.#paused + 1 : 0;
    return this.#paused > 0 ? 0 : turnBytes;
  }
}

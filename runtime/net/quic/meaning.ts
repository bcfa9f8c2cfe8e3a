/**
 * How much of what a peer sends on a connection has a meaning here. quiche 0.18 keeps some frames for
 * as long as it has no use for them, without a bound: pieces of a handshake out of order, of which a
 * stranger may send any number (CVE-2024-1765), and path challenges and retired ids of a member
 * (CVE-2023-6193, CVE-2024-1410). It does not tell how many; the bytes that none of our lanes and
 * datagrams account for tell enough.
 */

/** A handshake with its certificates takes less than 10 KiB, and some of it comes twice. */
export const maxHandshakeBytes = 256 * 1024;
/** Headers, seals, acknowledgements of one packet: what is sent about others, not for itself. */
const packetBytes = 100;
/** More than lanes and datagrams that are still to be read, several times… */
export const maxIdleBytes = 64 * 1024 * 1024;
/** …and more than a network doubles, or a busy node drops of the datagrams that come: this part of all. */
const maxIdlePart = 2;

export class Meaning {
  /** Bytes that came less the headers, and all. */
  #came = 0;
  #all = 0;
  #read = 0;

  /** A packet came. @param opened the handshake is complete. @returns why it is one too many; null: it is not. */
  packet(bytes: number, opened: boolean): string | null {
    this.#all += bytes;
    if (!opened) {
      return this.#all > maxHandshakeBytes ? "it sends more than a handshake takes" : null;
    }
    this.#came += Math.max(0, bytes - packetBytes);
    const idle = this.#came - this.#read;
    const much = idle > maxIdleBytes && idle * maxIdlePart > this.#all;
    return much ? "it sends too much that has no meaning" : null;
  }

  /** Bytes of a lane, or of a datagram. */
  read(bytes: number): void {
    this.#read += bytes;
  }
}

/**
 * How a node that has restarted tells its peers so (compare RFC 9000, section 10.3). Peers go on
 * sending on connections of which it knows nothing any more. It answers such a packet with noise
 * that ends in a token, derived from its key and the connection id in the packet; the peer was told
 * the token when the connection was made. QUIC itself tells tokens in one direction only: a server
 * to its client. Here both tell theirs in their introductions.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { connectionIdBytes } from "./packets.ts";

export const resetTokenBytes = 16;
/** The least that looks like any other short packet. */
const resetBytes = 24;
/** Answers a second, whoever asks: they are a help, not a service. */
const maxPerSecond = 100;

export class StatelessResets {
  #key: Uint8Array;
  #second = 0;
  #count = 0;

  /** `secret`: the same after a restart. */
  constructor(secret: string) {
    this.#key = derive(secret);
  }

  tokenOf(connectionId: Uint8Array): Uint8Array {
    return createHmac("sha256", this.#key)
      .update(connectionId)
      .digest()
      .subarray(0, resetTokenBytes);
  }

  /** The answer to a short packet of an unknown connection, or null: it is shorter, so that two nodes cannot answer each other for ever. */
  answer(packet: Uint8Array, nowMs: number): Buffer | null {
    if (packet.length <= resetBytes) return null;
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#count = 0;
    }
    if (++this.#count > maxPerSecond) return null;
    const reset = randomBytes(resetBytes);
    reset[0] = ((reset[0] as number) & 0x3f) | 0x40;
    reset.set(
      this.tokenOf(packet.subarray(1, 1 + connectionIdBytes)),
      resetBytes - resetTokenBytes,
    );
    return reset;
  }
}

export function endsInToken(packet: Uint8Array, token: Uint8Array): boolean {
  return (
    token.length === resetTokenBytes &&
    packet.length >= resetBytes &&
    timingSafeEqual(packet.subarray(packet.length - resetTokenBytes), token)
  );
}

function derive(secret: string): Uint8Array {
  return createHmac("sha256", "patina stateless reset").update(Buffer.from(secret)).digest();
}

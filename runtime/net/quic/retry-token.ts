/**
 * Tokens by which a stranger proves, under load, that it receives what is sent to its address
 * (RFC 9000, section 8.1.2): the time, the connection id that it chose first, and a MAC over both
 * and its address. Nothing is kept for it until it comes back with one.
 */
import { Buffer } from "node:buffer";
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";

const validMs = 10_000;
const macBytes = 16;
const timeBytes = 8;

export class RetryTokens {
  readonly #secret = randomBytes(32);

  make(source: string, firstId: Uint8Array, nowMs: number): Uint8Array {
    const head = Buffer.alloc(timeBytes + firstId.length);
    head.writeDoubleBE(nowMs, 0);
    head.set(firstId, timeBytes);
    return Buffer.concat([this.#mac(source, head), head]);
  }

  /** The connection id chosen first, or null when the token is not one of ours for this source and time. */
  check(source: string, token: Uint8Array, nowMs: number): Uint8Array | null {
    if (token.length <= macBytes + timeBytes) return null;
    const head = Buffer.from(token.subarray(macBytes));
    if (!timingSafeEqual(this.#mac(source, head), token.subarray(0, macBytes))) return null;
    const ageMs = nowMs - head.readDoubleBE(0);
    return ageMs >= 0 && ageMs <= validMs ? Uint8Array.from(head.subarray(timeBytes)) : null;
  }

  #mac(source: string, head: Uint8Array): Uint8Array {
    return createHmac("sha256", this.#secret)
      .update(`${source}\n`)
      .update(head)
      .digest()
      .subarray(0, macBytes);
  }
}

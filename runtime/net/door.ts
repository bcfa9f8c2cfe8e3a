/** How many handshakes one source address may begin: a bucket of tokens each. */
import { handshakeBurst, handshakesPerSecond } from "./limits.ts";

/** Sources remembered; past it all are forgotten, which costs an attacker more addresses than it gains. */
const maxSources = 4096;

export class Door {
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();

  /** @returns false when this source has had its share. */
  admit(ip: string, nowMs: number): boolean {
    let bucket = this.#buckets.get(ip);
    if (bucket === undefined) {
      if (this.#buckets.size >= maxSources) this.#buckets.clear();
      bucket = { tokens: handshakeBurst, atMs: nowMs };
      this.#buckets.set(ip, bucket);
    }
    const gained = ((nowMs - bucket.atMs) * handshakesPerSecond) / 1000;
    bucket.tokens = Math.min(handshakeBurst, bucket.tokens + gained);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}

/** How many handshakes one source address may begin, and have unfinished: a bucket of tokens each, and a count. */
import { handshakeBurst, handshakesPerSecond, maxHandshakesPerAddress } from "./limits.ts";

/** Sources remembered; past it all are forgotten, which costs an attacker more addresses than it gains. */
const maxSources = 4096;

export class Door {
  readonly #buckets = new Map<string, { tokens: number; atMs: number }>();
  readonly #inside = new Map<string, number>();

  /** @returns why this source has had its share; null: it is let in. */
  refusal(ip: string, nowMs: number): string | null {
    if ((this.#inside.get(ip) ?? 0) >= maxHandshakesPerAddress) {
      return "too many unfinished handshakes from one address";
    }
    return this.#admit(ip, nowMs) ? null : "too many handshakes from one address";
  }

  /** A handshake of this source has begun; `end` is owed for it. */
  begin(ip: string): void {
    this.#inside.set(ip, (this.#inside.get(ip) ?? 0) + 1);
  }

  end(ip: string): void {
    const left = (this.#inside.get(ip) ?? 0) - 1;
    if (left > 0) this.#inside.set(ip, left);
    else this.#inside.delete(ip);
  }

  #admit(ip: string, nowMs: number): boolean {
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

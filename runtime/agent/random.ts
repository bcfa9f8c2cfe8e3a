/** Randomness of a real node: the operating system's, so forks need not be kept apart. */
import { randomBytes } from "node:crypto";
import type { Rng } from "../../core/base/rng.ts";

const drawnAtOnce = 4096;

export class SystemRng implements Rng {
  #drawn = Buffer.alloc(0);
  #at = 0;

  fork(): Rng {
    return this;
  }

  uint32(): number {
    if (this.#at >= this.#drawn.length) {
      this.#drawn = randomBytes(drawnAtOnce);
      this.#at = 0;
    }
    const n = this.#drawn.readUInt32LE(this.#at);
    this.#at += 4;
    return n;
  }

  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }
}

/** 16 random bytes as 32 hex digits, as identities and actors are written. */
export function randomHexId(): string {
  return randomBytes(16).toString("hex");
}

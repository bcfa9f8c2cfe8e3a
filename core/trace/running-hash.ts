/**
 * A running 64-bit hash over small integers and text: what tells whether two runs were the same,
 * whether or not anybody wrote their traces down. Two lanes of multiply and shift (the constants
 * are xxHash's primes); not meant to withstand an enemy.
 */
export class RunningHash {
  #a = 0x27d4eb2f;
  #b = 0x165667b1;

  /** Any number; its 32 low bits count. */
  word(x: number): void {
    const a = Math.imul(this.#a ^ x, 0x9e3779b1);
    this.#a = a ^ (a >>> 15);
    const b = Math.imul((this.#b + x) | 0, 0x85ebca77);
    this.#b = b ^ (b >>> 13);
  }

  /** A non-negative integer of up to 53 bits. */
  integer(n: number): void {
    this.word(n | 0);
    this.word((n / 0x1_0000_0000) | 0);
  }

  text(text: string): void {
    this.word(text.length);
    for (let i = 0; i < text.length; i++) this.word(text.charCodeAt(i));
  }

  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    for (let i = 0; i < bytes.length; i++) this.word(bytes[i] as number);
  }

  /** 16 hex digits of all that went in so far. */
  digest(): string {
    return hex(finish(this.#a, this.#b)) + hex(finish(this.#b, this.#a));
  }
}

function finish(a: number, b: number): number {
  let x = a ^ Math.imul(b, 0xc2b2ae3d);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

function hex(x: number): string {
  return x.toString(16).padStart(8, "0");
}

/**
 * The 64-bit digest of replicated state: the sum (two lanes, each modulo 2^32) of one hash for
 * each living row and one for each of its stamped cells, so that it can be kept up to date change
 * by change and does not depend on order. It covers table, key, causal length, and column name,
 * value, stamp and actor of each cell: equal digests hold equal data and would merge alike. Not
 * proof against somebody who looks for collisions.
 */
import { assert } from "../base/assert.ts";
import type { Value } from "./value.ts";

const float = new DataView(new ArrayBuffer(8));

/** Mixes 32-bit words into 64 bits of state; each step is a bijection of the state. */
export class Hasher {
  a = 0;
  b = 0;

  begin(a: number, b: number): void {
    this.a = a;
    this.b = b;
  }

  word(w: number): void {
    let a = Math.imul(this.a ^ w, 0x85ebca6b);
    a = (a << 13) | (a >>> 19);
    const b = Math.imul((this.b + w) | 0, 0xc2b2ae35) ^ a;
    this.a = a;
    this.b = (b << 17) | (b >>> 15);
  }

  /** Makes every bit of the result depend on every bit of the state. */
  finish(): void {
    const a = avalanche(this.a ^ Math.imul(this.b, 0x27d4eb2f));
    this.b = avalanche(this.b ^ a);
    this.a = avalanche((a + this.b) | 0);
  }

  text(text: string): void {
    const units = text.length;
    let i = 0;
    for (; i + 2 <= units; i += 2) this.word(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16));
    if (i < units) this.word(text.charCodeAt(i));
    this.word(units);
  }

  bytes(bytes: Uint8Array): void {
    const n = bytes.length;
    let i = 0;
    for (; i + 4 <= n; i += 4) {
      this.word(
        (bytes[i] as number) |
          ((bytes[i + 1] as number) << 8) |
          ((bytes[i + 2] as number) << 16) |
          ((bytes[i + 3] as number) << 24),
      );
    }
    for (; i < n; i++) this.word(bytes[i] as number);
    this.word(n);
  }

  /** The storage class, then the value in full. */
  value(value: Value): void {
    switch (typeof value) {
      case "number":
        if (Number.isInteger(value)) this.#integer(value | 0, Math.floor(value / 0x1_0000_0000));
        else this.#real(value);
        return;
      case "bigint":
        this.#integer(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
        return;
      case "string":
        this.word(3);
        this.text(value);
        return;
      default:
        if (value === null) this.word(0);
        else if (value instanceof Uint8Array) {
          this.word(4);
          this.bytes(value);
        } else this.#real(value.real);
    }
  }

  #integer(low: number, high: number): void {
    this.word(1);
    this.word(low);
    this.word(high | 0);
  }

  #real(n: number): void {
    float.setFloat64(0, n);
    this.word(2);
    this.word(float.getInt32(0));
    this.word(float.getInt32(4));
  }
}

/** The finaliser of MurmurHash3 (Appleby, public domain). */
function avalanche(n: number): number {
  let h = n;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** A running sum of hashes and the number of living rows that it covers. */
export class StateSum {
  a = 0;
  b = 0;
  rows = 0;

  clear(): void {
    this.a = 0;
    this.b = 0;
    this.rows = 0;
  }

  add(hasher: Hasher): void {
    this.a = (this.a + hasher.a) | 0;
    this.b = (this.b + hasher.b) | 0;
  }

  remove(hasher: Hasher): void {
    this.a = (this.a - hasher.a) | 0;
    this.b = (this.b - hasher.b) | 0;
  }

  addSum(other: StateSum): void {
    this.a = (this.a + other.a) | 0;
    this.b = (this.b + other.b) | 0;
    this.rows += other.rows;
    assert(this.rows >= 0, "a sum covers no fewer than no rows");
  }

  /** 16 hex digits; 0 for no rows. */
  hex(): string {
    return hexOfLanes(this.a, this.b);
  }
}

/** 16 hex digits. */
export function hexOfLanes(a: number, b: number): string {
  return hex32(a) + hex32(b);
}

const hexDigits = "0123456789abcdef";
const hexOfByte: string[] = Array.from(
  { length: 256 },
  (_, byte) => hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15),
);

function hex32(n: number): string {
  return (
    (hexOfByte[n >>> 24] as string) +
    (hexOfByte[(n >>> 16) & 0xff] as string) +
    (hexOfByte[(n >>> 8) & 0xff] as string) +
    (hexOfByte[n & 0xff] as string)
  );
}

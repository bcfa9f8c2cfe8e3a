/** A 64-bit hash on the wire: two lanes of 32 bits. */
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

/** Lanes as signed 32-bit integers. */
export interface WireHash {
  readonly hi: number;
  readonly lo: number;
}

export function writeHash(w: Writer, hash: WireHash): void {
  w.u32(hash.hi >>> 0);
  w.u32(hash.lo >>> 0);
}

/** @throws WireError */
export function readHash(r: Reader): WireHash {
  const hi = r.u32() | 0;
  return { hi, lo: r.u32() | 0 };
}

export function equalHashes(a: WireHash, b: WireHash): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}

/** @param hex 16 hex digits. */
export function hashOfHex(hex: string): WireHash {
  return { hi: parseInt(hex.slice(0, 8), 16) | 0, lo: parseInt(hex.slice(8, 16), 16) | 0 };
}

/** 16 hex digits. */
export function hexOfHash(hash: WireHash): string {
  const hi = (hash.hi >>> 0).toString(16).padStart(8, "0");
  return hi + (hash.lo >>> 0).toString(16).padStart(8, "0");
}

/**
 * The values of SQLite, exactly. The storage class is told by the JavaScript type:
 * - INTEGER: a `number` that is a safe integer, or a `bigint` outside ±(2^53−1) and inside 64 bits;
 * - REAL: a `number` with a fraction, or `{ real }` for one without a fraction or infinite
 *   (so that 1 and 1.0 stay apart); NaN does not exist in SQLite (it is NULL), −0.0 is stored as 0.0;
 * - TEXT: a `string` without lone surrogates; BLOB: a `Uint8Array`; NULL: `null`.
 */
export type Value = null | number | bigint | string | Real | Uint8Array;

/** A REAL whose value is integral or infinite. Never NaN, never −0. */
export interface Real {
  readonly real: number;
}

export type StorageClass = "null" | "integer" | "real" | "text" | "blob";

const minInt64 = -(2n ** 63n);
const maxInt64 = 2n ** 63n - 1n;

export function isReal(value: Value): value is Real {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

export function storageClassOf(value: Value): StorageClass {
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "integer" : "real";
    case "bigint":
      return "integer";
    case "string":
      return "text";
    default:
      if (value === null) return "null";
      return value instanceof Uint8Array ? "blob" : "real";
  }
}

/** An INTEGER in its one representation. @param n inside 64 bits. */
export function integerValue(n: bigint): Value {
  const small = Number(n);
  return Number.isSafeInteger(small) ? small : n;
}

export function isInt64(n: bigint): boolean {
  return n >= minInt64 && n <= maxInt64;
}

/** A REAL in its one representation; NaN is NULL and −0.0 is 0.0, as SQLite stores them. */
export function realValue(n: number): Value {
  if (n !== n) return null;
  if (!Number.isInteger(n) && n !== Infinity && n !== -Infinity) return n;
  return { real: n === 0 ? 0 : n };
}

/** Same storage class and same value: what a write must differ by to count as a change. */
export function valuesEqual(a: Value, b: Value): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (a instanceof Uint8Array) return b instanceof Uint8Array && bytesEqual(a, b);
  return !(b instanceof Uint8Array) && a.real === b.real;
}

export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Unsigned, byte by byte; a prefix comes before what it begins. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

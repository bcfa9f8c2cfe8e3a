/**
 * The order of values as SQLite compares them without a collation (sqlite.org/datatype3.html,
 * section 4.1): NULL, then numbers by size whatever their class, then text by its UTF-8 bytes,
 * then blobs. Where numbers are equal an INTEGER comes before a REAL, so that equal by this order
 * is equal in everything.
 */
import { compareBytes, type Value } from "./value.ts";

export function compareValues(a: Value, b: Value): number {
  if (typeof a === "number" && typeof b === "number") {
    if (a !== b) return a < b ? -1 : 1;
    return 0;
  }
  const rankA = rank(a);
  const rankB = rank(b);
  if (rankA !== rankB) return rankA - rankB;
  switch (rankA) {
    case 0:
      return 0;
    case 1:
      return compareNumbers(a as NumericValue, b as NumericValue);
    case 2:
      return compareText(a as string, b as string);
    default:
      return compareBytes(a as Uint8Array, b as Uint8Array);
  }
}

type NumericValue = number | bigint | { readonly real: number };

function rank(value: Value): number {
  switch (typeof value) {
    case "number":
    case "bigint":
      return 1;
    case "string":
      return 2;
    default:
      if (value === null) return 0;
      return value instanceof Uint8Array ? 3 : 1;
  }
}

/** JavaScript compares a bigint with a number by their exact values. */
function compareNumbers(a: NumericValue, b: NumericValue): number {
  const x = typeof a === "object" ? a.real : a;
  const y = typeof b === "object" ? b.real : b;
  if (x < y) return -1;
  if (x > y) return 1;
  return Number(typeof a === "object") - Number(typeof b === "object");
}

/**
 * The order of UTF-8 bytes, which is that of code points, told from UTF-16: a surrogate stands for
 * a code point above every other unit, so units from U+E000 on must come before it.
 */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rotated(x) - rotated(y);
  }
  return a.length - b.length;
}

function rotated(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/**
 * The values of SQLite on the wire: a tag byte, then the content. Each value has exactly one
 * encoding, and anything else is refused, so that equal values are equal bytes.
 */
import { assert, unreachable } from "../base/assert.ts";
import type { Value } from "../crdt/value.ts";
import { maxPayloadBytes } from "./limits.ts";
import type { Reader } from "./reader.ts";
import { WireError } from "./wire-error.ts";
import type { Writer } from "./writer.ts";

export const valueTags = {
  null: 0,
  /** A safe integer from 0 up: varint. */
  integer: 1,
  /** A safe integer below 0: varint of −1 − n. */
  negative: 2,
  /** An integer past ±(2^53 − 1): 8 bytes. */
  long: 3,
  /** 8 bytes, IEEE 754. */
  real: 4,
  text: 5,
  blob: 6,
} as const;

export function writeValue(w: Writer, value: Value): void {
  switch (typeof value) {
    case "number":
      writeNumber(w, value);
      return;
    case "string":
      w.u8(valueTags.text);
      w.string(value);
      return;
    case "bigint":
      assert(!isSafe(value), "an integer that is safe is a number");
      w.u8(valueTags.long);
      w.i64(value);
      return;
    case "object":
      if (value === null) {
        w.u8(valueTags.null);
      } else if (value instanceof Uint8Array) {
        w.u8(valueTags.blob);
        w.bytes(value);
      } else {
        assert(isIntegral(value.real), "a boxed real is integral or infinite, never -0");
        w.u8(valueTags.real);
        w.f64(value.real);
      }
      return;
    default:
      unreachable(value);
  }
}

function writeNumber(w: Writer, n: number): void {
  if (Number.isSafeInteger(n)) {
    if (n >= 0) {
      assert(!Object.is(n, -0), "minus zero is no integer");
      w.u8(valueTags.integer);
      w.varint(n);
    } else {
      w.u8(valueTags.negative);
      w.varint(-1 - n);
    }
    return;
  }
  assert(n === n && !isIntegral(n), "a bare real has a fraction");
  w.u8(valueTags.real);
  w.f64(n);
}

/** @throws WireError */
export function readValue(r: Reader): Value {
  return readTagged(r, r.u8());
}

/** The value whose tag has been read. @throws WireError */
export function readTagged(r: Reader, tag: number): Value {
  switch (tag) {
    case valueTags.null:
      return null;
    case valueTags.integer:
      return r.varint();
    case valueTags.negative: {
      const n = r.varint();
      if (n === Number.MAX_SAFE_INTEGER) throw new WireError("integer is not in its shortest form");
      return -1 - n;
    }
    case valueTags.long: {
      const n = r.i64();
      if (isSafe(n)) throw new WireError("integer is not in its shortest form");
      return n;
    }
    case valueTags.real: {
      const n = r.f64();
      if (n !== n || Object.is(n, -0)) throw new WireError("real is NaN or -0");
      return isIntegral(n) ? { real: n } : n;
    }
    case valueTags.text:
      return r.string(maxPayloadBytes);
    case valueTags.blob:
      return r.bytes(maxPayloadBytes);
    default:
      throw new WireError(`unknown value tag ${tag}`);
  }
}

function isIntegral(n: number): boolean {
  return (Number.isInteger(n) && !Object.is(n, -0)) || n === Infinity || n === -Infinity;
}

function isSafe(n: bigint): boolean {
  return n >= BigInt(Number.MIN_SAFE_INTEGER) && n <= BigInt(Number.MAX_SAFE_INTEGER);
}

/**
 * Canonical bytes of a primary key: keys that SQL calls equal have equal bytes, and the order of
 * the bytes is SQLite's BINARY order of the key columns. Each value is a tag (numbers, text, blobs,
 * in SQL's order of classes) and then
 * - a number: the greatest double that is not above it, 8 bytes made to sort as unsigned, and what
 *   the number has above that double, 2 bytes (0 but for integers beyond 2^53): 1 and 1.0 agree,
 *   and each 64-bit integer has bytes of its own;
 * - text (UTF-8) and blobs: the bytes, each 00 followed by FF, and a final 00.
 * A byte string is held as text of which each code unit is one byte: such text compares as the
 * bytes do and is a key of a Map.
 */
import { assert } from "../base/assert.ts";
import { decodeUtf8, encodeUtf8 } from "../base/utf8.ts";
import type { Affinity } from "./schema.ts";
import { normalise } from "./affinity.ts";
import { integerValue, isInt64, isReal, realValue, type Value } from "./value.ts";

const numberTag = 0x10;
const textTag = 0x20;
const blobTag = 0x30;

const scratch = new DataView(new ArrayBuffer(8));

/**
 * A key value as its column stores it; where the affinity lets a REAL stand beside an equal INTEGER
 * (BLOB any, the numeric ones −2^63), the INTEGER is taken, since SQL holds the two for one key.
 */
export function normaliseKey(value: Value, affinity: Affinity): Value {
  const stored = normalise(value, affinity);
  if (affinity === "real" || !isReal(stored) || !Number.isFinite(stored.real)) return stored;
  const integer = BigInt(stored.real);
  return isInt64(integer) ? integerValue(integer) : stored;
}

/** The key's bytes, one in each code unit. @param values normalised, none NULL. */
export function encodeKeyText(values: readonly Value[]): string {
  if (values.length === 1) return encodeOne(values[0] as Value);
  let text = "";
  for (const value of values) text += encodeOne(value);
  return text;
}

/**
 * Short texts encoded lately, in a direct-mapped cache: a pure memo. It spares building the key and,
 * more, hashing it: the same string is looked up again, not an equal one.
 */
const slots = 1024;
const maxKnownUnits = 24;
const knownTexts: string[] = Array.from({ length: slots }, () => "");
const knownKeys: string[] = Array.from({ length: slots }, () => "");

function knownText(value: string): string {
  const units = value.length;
  let hash = units;
  for (let i = 0; i < units; i++) hash = Math.imul(hash, 31) + value.charCodeAt(i);
  const slot = (hash ^ (hash >>> 10)) & (slots - 1);
  // The empty string marks a free slot.
  if (knownTexts[slot] === value && units > 0) return knownKeys[slot] as string;
  const key = encodeText(value);
  knownTexts[slot] = value;
  knownKeys[slot] = key;
  return key;
}

export function encodeKey(values: readonly Value[]): Uint8Array {
  return keyBytes(encodeKeyText(values));
}

export function keyBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

export function keyText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** Null when `bytes` are not a key of columns with these affinities. */
export function decodeKey(bytes: Uint8Array, affinities: readonly Affinity[]): Value[] | null {
  const values: Value[] = [];
  let at = 0;
  for (const affinity of affinities) {
    if (at >= bytes.length) return null;
    const tag = bytes[at++] as number;
    if (tag === numberTag) {
      if (at + 10 > bytes.length) return null;
      const number = decodeNumber(bytes, at, affinity);
      if (number === null) return null;
      values.push(number);
      at += 10;
      continue;
    }
    if (tag !== textTag && tag !== blobTag) return null;
    const end = endOfEscaped(bytes, at);
    if (end < 0) return null;
    const plain = unescape(bytes, at, end);
    const value = tag === textTag ? decodeUtf8(plain) : plain;
    if (value === null) return null;
    values.push(value);
    at = end + 1;
  }
  return at === bytes.length ? values : null;
}

function encodeOne(value: Value): string {
  switch (typeof value) {
    case "string":
      return value.length <= maxKnownUnits ? knownText(value) : encodeText(value);
    case "number":
      return encodeNumber(value, 0);
    case "bigint":
      return encodeBigint(value);
    default:
      assert(value !== null, "no key column is NULL");
      if (!(value instanceof Uint8Array)) return encodeNumber(value.real, 0);
      return String.fromCharCode(blobTag) + escape(keyText(value)) + "\0";
  }
}

function encodeText(value: string): string {
  let ascii = true;
  for (let i = 0; i < value.length && ascii; i++) {
    const unit = value.charCodeAt(i);
    ascii = unit < 0x80 && unit !== 0;
  }
  return " " + (ascii ? value : escape(keyText(encodeUtf8(value)))) + "\0";
}

function escape(text: string): string {
  return text.includes("\0") ? text.replaceAll("\0", "\0\xff") : text;
}

/** @param above what the key has above the double `floor`, below 2^16. */
function encodeNumber(floor: number, above: number): string {
  scratch.setFloat64(0, floor === 0 ? 0 : floor);
  let high = scratch.getInt32(0);
  let low = scratch.getInt32(4);
  // Sign set: flip all bits; clear: flip the sign alone. Then the bits sort as the numbers do.
  if (high < 0) {
    high = ~high;
    low = ~low;
  } else {
    high ^= 0x8000_0000;
  }
  return String.fromCharCode(
    numberTag,
    high >>> 24,
    (high >>> 16) & 0xff,
    (high >>> 8) & 0xff,
    high & 0xff,
    low >>> 24,
    (low >>> 16) & 0xff,
    (low >>> 8) & 0xff,
    low & 0xff,
    above >>> 8,
    above & 0xff,
  );
}

function encodeBigint(value: bigint): string {
  let floor = Number(value);
  if (BigInt(floor) > value) floor = below(floor);
  const above = Number(value - BigInt(floor));
  assert(above >= 0 && above < 2048, "doubles inside 64 bits lie less than 2^11 apart");
  return encodeNumber(floor, above);
}

/** The next double down. @param n finite and not 0. */
function below(n: number): number {
  scratch.setFloat64(0, n);
  const bits = scratch.getBigInt64(0);
  scratch.setBigInt64(0, n > 0 ? bits - 1n : bits + 1n);
  return scratch.getFloat64(0);
}

function decodeNumber(bytes: Uint8Array, at: number, affinity: Affinity): Value {
  for (let i = 0; i < 8; i++) scratch.setUint8(i, bytes[at + i] as number);
  let high = scratch.getInt32(0);
  let low = scratch.getInt32(4);
  if (high >= 0) {
    high = ~high;
    low = ~low;
  } else {
    high ^= 0x8000_0000;
  }
  scratch.setInt32(0, high);
  scratch.setInt32(4, low);
  const floor = scratch.getFloat64(0);
  const above = ((bytes[at + 8] as number) << 8) | (bytes[at + 9] as number);
  if (affinity === "real" || !Number.isInteger(floor)) return realValue(floor);
  const integer = BigInt(floor) + BigInt(above);
  return isInt64(integer) ? integerValue(integer) : realValue(floor);
}

/** Where the 00 is that is not followed by FF; −1 when there is none. */
function endOfEscaped(bytes: Uint8Array, from: number): number {
  for (let i = from; i < bytes.length; i++) {
    if (bytes[i] !== 0) continue;
    if (bytes[i + 1] !== 0xff) return i;
    i++;
  }
  return -1;
}

function unescape(bytes: Uint8Array, from: number, to: number): Uint8Array {
  const plain = new Uint8Array(to - from);
  let n = 0;
  for (let i = from; i < to; i++) {
    plain[n++] = bytes[i] as number;
    if (bytes[i] === 0) i++;
  }
  return plain.slice(0, n);
}

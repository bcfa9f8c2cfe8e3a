/**
 * The same few short strings (table and column names, addresses, ids) arrive over and over. A
 * direct-mapped cache of fixed size gives back the string made before, which spares its
 * allocation and lets later map lookups reuse its hash. A pure memo: it changes no result.
 */
import { decodeUtf8 } from "../base/utf8.ts";

/** Longest text looked up; longer ones are seldom names. */
export const maxCachedTextBytes = 24;
const textSlots = 2048;
const idSlots = 8192;

const texts: string[] = Array.from({ length: textSlots }, () => "");

/** The text in `bytes[from, to)` with `to − from` ≤ `maxCachedTextBytes`; null when it is not UTF-8. */
export function cachedText(bytes: Uint8Array, from: number, to: number): string | null {
  let hash = to - from;
  for (let i = from; i < to; i++) hash = Math.imul(hash, 31) + (bytes[i] as number);
  const slot = (hash ^ (hash >>> 11)) & (textSlots - 1);
  const known = texts[slot] as string;
  if (known.length === to - from) {
    let i = 0;
    while (i < known.length && known.charCodeAt(i) === (bytes[from + i] as number)) i++;
    if (i === known.length) return known;
  }
  const text = decodeUtf8(bytes, from, to);
  // As many units as bytes: all ASCII, so that comparing units with bytes above is right.
  if (text !== null && text.length === to - from) texts[slot] = text;
  return text;
}

const hexDigits = "0123456789abcdef";
const hexOfByte: string[] = Array.from(
  { length: 256 },
  (_, byte) => hexDigits.charAt(byte >> 4) + hexDigits.charAt(byte & 15),
);
const nibble = new Int8Array(128).fill(-1);
for (let digit = 0; digit < 16; digit++) nibble[hexDigits.charCodeAt(digit)] = digit;

/** Ids seen by the reader, with their bytes as four words each to compare by. */
const readIds: string[] = Array.from({ length: idSlots }, () => "");
const readWords = new Int32Array(idSlots * 4);

/** The 16 bytes at `at` as 32 lower-case hex digits. */
export function cachedId(b: Uint8Array, at: number): string {
  const w0 = word(b, at);
  const w1 = word(b, at + 4);
  const w2 = word(b, at + 8);
  const w3 = word(b, at + 12);
  const hash = Math.imul(w0 ^ (w1 >>> 7) ^ w2, 0x9e3779b1) ^ w3;
  const slot = (hash ^ (hash >>> 15)) & (idSlots - 1);
  const base = slot * 4;
  const known = readIds[slot] as string;
  if (
    readWords[base] === w0 &&
    readWords[base + 1] === w1 &&
    readWords[base + 2] === w2 &&
    readWords[base + 3] === w3 &&
    known !== ""
  ) {
    return known;
  }
  let id = "";
  for (let i = 0; i < 16; i++) id += hexOfByte[b[at + i] as number] as string;
  readIds[slot] = id;
  readWords[base] = w0;
  readWords[base + 1] = w1;
  readWords[base + 2] = w2;
  readWords[base + 3] = w3;
  return id;
}

function word(b: Uint8Array, at: number): number {
  return (
    ((b[at] as number) << 24) |
    ((b[at + 1] as number) << 16) |
    ((b[at + 2] as number) << 8) |
    (b[at + 3] as number)
  );
}

const writtenIds: string[] = Array.from({ length: idSlots }, () => "");
const writtenBytes = new Uint8Array(idSlots * 16);

/**
 * Writes the 16 bytes of `id` at `at`; false when it is not 32 lower-case hex digits. The caller
 * owes the room.
 */
export function writeCachedId(id: string, target: Uint8Array, at: number): boolean {
  // The last digits of an id are as random as the first and tell made-up test ids apart.
  const hash = Math.imul(
    (id.charCodeAt(31) << 16) ^ (id.charCodeAt(30) << 8) ^ id.charCodeAt(29),
    0x9e3779b1,
  );
  const mixed = hash ^ Math.imul((id.charCodeAt(0) << 8) ^ id.charCodeAt(5), 0x85ebca6b);
  const slot = (mixed ^ (mixed >>> 15)) & (idSlots - 1);
  const base = slot * 16;
  // The empty string marks a free slot.
  if (writtenIds[slot] !== id || id === "") {
    if (!parseId(id, base)) {
      writtenIds[slot] = "";
      return false;
    }
    writtenIds[slot] = id;
  }
  for (let i = 0; i < 16; i++) target[at + i] = writtenBytes[base + i] as number;
  return true;
}

function parseId(id: string, base: number): boolean {
  if (id.length !== 32) return false;
  for (let i = 0; i < 16; i++) {
    const high = nibble[id.charCodeAt(2 * i)] ?? -1;
    const low = nibble[id.charCodeAt(2 * i + 1)] ?? -1;
    if (high < 0 || low < 0) return false;
    writtenBytes[base + i] = (high << 4) | low;
  }
  return true;
}

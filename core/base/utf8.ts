/**
 * UTF-8 (RFC 3629) of our own, because the core may not reach for a host's TextEncoder. Encoding
 * replaces a lone surrogate by U+FFFD, as SQLite's bindings do; decoding refuses every byte
 * sequence that a right encoder never makes: overlong forms, surrogates, values past U+10FFFF.
 */

const replacement = 0xfffd;

/** Bytes that `text` takes in UTF-8. */
export function utf8Length(text: string): number {
  const units = text.length;
  let bytes = units;
  for (let i = 0; i < units; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (isPairAt(text, i, unit)) {
      bytes += 2;
      i++;
    } else bytes += 2;
  }
  return bytes;
}

/**
 * Writes `text` into `target` from `at` on and returns the offset after it. The caller owes the
 * room: three bytes a UTF-16 code unit always suffice.
 */
export function writeUtf8(text: string, target: Uint8Array, at: number): number {
  const units = text.length;
  let end = at;
  for (let i = 0; i < units; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      target[end++] = code;
      continue;
    }
    if (code < 0x800) {
      target[end++] = 0xc0 | (code >> 6);
      target[end++] = 0x80 | (code & 0x3f);
      continue;
    }
    if (isPairAt(text, i, code)) {
      code = 0x10000 + ((code - 0xd800) << 10) + (text.charCodeAt(++i) - 0xdc00);
      target[end++] = 0xf0 | (code >> 18);
      target[end++] = 0x80 | ((code >> 12) & 0x3f);
    } else {
      if (code >= 0xd800 && code <= 0xdfff) code = replacement;
      target[end++] = 0xe0 | (code >> 12);
    }
    target[end++] = 0x80 | ((code >> 6) & 0x3f);
    target[end++] = 0x80 | (code & 0x3f);
  }
  return end;
}

export function encodeUtf8(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  writeUtf8(text, bytes, 0);
  return bytes;
}

/** The text in `bytes[from, to)`, or null when these bytes are not well-formed UTF-8. */
export function decodeUtf8(
  bytes: Uint8Array,
  from: number = 0,
  to: number = bytes.length,
): string | null {
  let ascii = from;
  while (ascii < to && (bytes[ascii] as number) < 0x80) ascii++;
  if (ascii === to) return decodeAscii(bytes, from, to);
  return decodeMixed(bytes, from, to);
}

/** True when code unit `unit` at `i` and the one after it are a surrogate pair. */
function isPairAt(text: string, i: number, unit: number): boolean {
  if (unit < 0xd800 || unit > 0xdbff) return false;
  // Past the end charCodeAt gives NaN, whose bits are 0.
  return (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00;
}

/** Code units handed to String.fromCharCode at once: more would crowd the stack. */
const unitsAtOnce = 4096;

function decodeAscii(bytes: Uint8Array, from: number, to: number): string {
  if (to - from <= 16) return shortAscii(bytes, from, to);
  if (to - from <= unitsAtOnce) return fromUnits(bytes.subarray(from, to));
  let text = "";
  for (let at = from; at < to; at += unitsAtOnce) {
    text += fromUnits(bytes.subarray(at, Math.min(at + unitsAtOnce, to)));
  }
  return text;
}

/** A typed array is an array-like of numbers to `apply`, whatever its type says. */
function fromUnits(units: Uint8Array | Uint16Array): string {
  return String.fromCharCode.apply(null, units as unknown as number[]);
}

/** Four at a time: String.fromCharCode with few arguments is compiled to a plain allocation. */
function shortAscii(b: Uint8Array, from: number, to: number): string {
  let text = "";
  let i = from;
  for (; i + 4 <= to; i += 4) {
    text += String.fromCharCode(
      b[i] as number,
      b[i + 1] as number,
      b[i + 2] as number,
      b[i + 3] as number,
    );
  }
  for (; i < to; i++) text += String.fromCharCode(b[i] as number);
  return text;
}

function decodeMixed(bytes: Uint8Array, from: number, to: number): string | null {
  const units = new Uint16Array(Math.min(to - from, unitsAtOnce));
  let text = "";
  let n = 0;
  let i = from;
  while (i < to) {
    if (n + 2 > units.length && n > 0) {
      text += fromUnits(units.subarray(0, n));
      n = 0;
    }
    const lead = bytes[i++] as number;
    if (lead < 0x80) {
      units[n++] = lead;
      continue;
    }
    const extra = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
    if (extra === 0 || i + extra > to) return null;
    let code = lead & (0x3f >> extra);
    for (let k = 0; k < extra; k++) {
      const next = bytes[i++] as number;
      if ((next & 0xc0) !== 0x80) return null;
      code = (code << 6) | (next & 0x3f);
    }
    if (extra === 1) {
      units[n++] = code;
    } else if (extra === 2) {
      if (code < 0x800 || (code >= 0xd800 && code <= 0xdfff)) return null;
      units[n++] = code;
    } else {
      if (code < 0x10000 || code > 0x10ffff) return null;
      units[n++] = 0xd800 + ((code - 0x10000) >> 10);
      units[n++] = 0xdc00 + ((code - 0x10000) & 0x3ff);
    }
  }
  return text + fromUnits(units.subarray(0, n));
}

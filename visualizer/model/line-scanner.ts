/**
 * Reads one flat JSON object from bytes without making strings or objects: what nearly every line
 * of a trace is. Whatever is not flat, plain and short is left to `JSON.parse` by the caller
 * (`scan` answers false), whose result is put into the same slots by `fill`.
 */
import type { ByteDictionary } from "./byte-dictionary.ts";
import { IntList } from "./grow.ts";

const fieldNames = [
  "t",
  "k",
  "n",
  "m",
  "to",
  "from",
  "plane",
  "msg",
  "bytes",
  "why",
  "about",
  "state",
  "inc",
  "epoch",
  "actor",
  "version",
  "via",
  "won",
  "lost",
  "have",
  "of",
  "hash",
  "gaps",
  "rows",
  "heads",
] as const;

export type FieldName = (typeof fieldNames)[number];

export const Field = Object.fromEntries(fieldNames.map((name, i) => [name, i])) as {
  readonly [Name in FieldName]: number;
};

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** Digits that a double carries exactly, whatever they are. */
const maxExactDigits = 15;

export class LineScanner {
  /** Numeric value of a field; meaningful only where `isNumber` says so. */
  readonly numbers = new Float64Array(fieldNames.length);
  /** Id in the dictionary of a text field; meaningful only where `isText` says so. */
  readonly texts = new Int32Array(fieldNames.length);
  /** `heads` of a state line: actor ids (dictionary) and versions, pairwise. */
  readonly headActors = new IntList();
  readonly headVersions = new IntList();
  headCount = 0;

  readonly #dictionary: ByteDictionary;
  /** Dictionary id of a key → field, −1 for keys of no interest. */
  readonly #fieldOfKey = new Map<number, number>();
  /** 0 absent, 1 number, 2 text, 3 heads. */
  readonly #types = new Uint8Array(fieldNames.length);

  constructor(dictionary: ByteDictionary) {
    this.#dictionary = dictionary;
    for (const [i, name] of fieldNames.entries())
      this.#fieldOfKey.set(dictionary.internText(name), i);
  }

  isNumber(field: number): boolean {
    return this.#types[field] === 1;
  }

  isText(field: number): boolean {
    return this.#types[field] === 2;
  }

  hasHeads(): boolean {
    return this.#types[Field.heads] === 3;
  }

  /** Takes the fields of an object that `JSON.parse` gave. Values of other types count as absent. */
  fill(object: Readonly<Record<string, unknown>>): void {
    this.#types.fill(0);
    this.headCount = 0;
    for (const [i, name] of fieldNames.entries()) {
      const value = object[name];
      if (name === "heads") this.#fillHeads(value);
      else if (typeof value === "number") this.#setNumber(i, value);
      else if (typeof value === "string") this.#setText(i, this.#dictionary.internText(value));
    }
  }

  /** False: not the plain kind of line; use `JSON.parse` and `fill`. */
  scan(bytes: Uint8Array, start: number, end: number): boolean {
    this.#types.fill(0);
    this.headCount = 0;
    if (end - start < 2 || bytes[start] !== OPEN || bytes[end - 1] !== CLOSE) return false;
    let at = start + 1;
    for (;;) {
      if (bytes[at] !== QUOTE) return false;
      const keyEnd = plainEnd(bytes, at + 1, end);
      if (keyEnd < 0 || bytes[keyEnd + 1] !== COLON) return false;
      const field = this.#fieldOfKey.get(this.#dictionary.intern(bytes, at + 1, keyEnd)) ?? -1;
      at = this.#value(bytes, keyEnd + 2, end, field);
      if (at < 0) return false;
      const after = bytes[at];
      if (after === CLOSE) return at === end - 1;
      if (after !== COMMA) return false;
      at++;
    }
  }

  /** Reads a value; the place after it, or −1. */
  #value(bytes: Uint8Array, at: number, end: number, field: number): number {
    const first = bytes[at];
    if (first === QUOTE) {
      const close = plainEnd(bytes, at + 1, end);
      if (close < 0) return -1;
      if (field >= 0) this.#setText(field, this.#dictionary.intern(bytes, at + 1, close));
      return close + 1;
    }
    if (first === OPEN) return field === Field.heads ? this.#heads(bytes, at, end) : -1;
    const after = numberEnd(bytes, at);
    if (after < 0) return -1;
    if (field >= 0) this.#setNumber(field, numberOf(bytes, at, after));
    return after;
  }

  #heads(bytes: Uint8Array, open: number, end: number): number {
    this.#types[Field.heads] = 3;
    let at = open + 1;
    if (bytes[at] === CLOSE) return at + 1;
    for (;;) {
      if (bytes[at] !== QUOTE) return -1;
      const keyEnd = plainEnd(bytes, at + 1, end);
      if (keyEnd < 0 || bytes[keyEnd + 1] !== COLON) return -1;
      const after = numberEnd(bytes, keyEnd + 2);
      if (after < 0) return -1;
      this.#addHead(
        this.#dictionary.intern(bytes, at + 1, keyEnd),
        numberOf(bytes, keyEnd + 2, after),
      );
      if (bytes[after] === CLOSE) return after + 1;
      if (bytes[after] !== COMMA) return -1;
      at = after + 1;
    }
  }

  #fillHeads(value: unknown): void {
    if (typeof value !== "object" || value === null) return;
    this.#types[Field.heads] = 3;
    for (const [actor, version] of Object.entries(value))
      if (typeof version === "number") this.#addHead(this.#dictionary.internText(actor), version);
  }

  #addHead(actor: number, version: number): void {
    const at = this.headCount++;
    if (at === this.headActors.length) {
      this.headActors.push(actor);
      this.headVersions.push(version);
    } else {
      this.headActors.set(at, actor);
      this.headVersions.set(at, version);
    }
  }

  #setNumber(field: number, value: number): void {
    this.#types[field] = 1;
    this.numbers[field] = value;
  }

  #setText(field: number, id: number): void {
    this.#types[field] = 2;
    this.texts[field] = id;
  }
}

/** The closing quote of a string without escapes and control characters, or −1. */
function plainEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let i = from; i < end; i++) {
    const byte = bytes[i] as number;
    if (byte === QUOTE) return i;
    if (byte === BACKSLASH || byte < 0x20) return -1;
  }
  return -1;
}

/** The place after a plain integer of at most 15 digits, or −1 (fractions, exponents, words). */
function numberEnd(bytes: Uint8Array, at: number): number {
  const from = bytes[at] === MINUS ? at + 1 : at;
  let i = from;
  while (isDigit(bytes[i])) i++;
  const digits = i - from;
  if (digits === 0 || digits > maxExactDigits) return -1;
  if (digits > 1 && bytes[from] === 0x30) return -1;
  return bytes[i] === COMMA || bytes[i] === CLOSE ? i : -1;
}

function numberOf(bytes: Uint8Array, at: number, end: number): number {
  const negative = bytes[at] === MINUS;
  let value = 0;
  for (let i = negative ? at + 1 : at; i < end; i++)
    value = value * 10 + (bytes[i] as number) - 0x30;
  return negative ? -value : value;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

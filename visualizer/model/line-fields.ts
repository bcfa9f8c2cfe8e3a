/** Fields of the current line, checked: what is missing or out of range makes the line damaged. */
import type { ByteDictionary } from "./byte-dictionary.ts";
import { IndexMap } from "./index-map.ts";
import { diskNames, dropReasons, maxNodeNumber, stateNames, viaNames } from "./kinds.ts";
import { Field, type FieldName, type LineScanner } from "./line-scanner.ts";

export type JsonObject = Readonly<Record<string, unknown>>;

/** A line that cannot be part of a trace. The builder stops there and keeps what came before. */
export class DamagedLine extends Error {}

export const maxInt = 0x7fff_ffff;

const decoder = new TextDecoder();

export class LineFields {
  readonly #scanner: LineScanner;
  readonly #codes = new Map<readonly string[], IndexMap>();

  constructor(scanner: LineScanner, dictionary: ByteDictionary) {
    this.#scanner = scanner;
    for (const names of [dropReasons, stateNames, viaNames, diskNames]) {
      const codes = new IndexMap();
      for (const [code, name] of names.entries()) codes.set(dictionary.internText(name), code);
      this.#codes.set(names, codes);
    }
  }

  number(name: FieldName): number {
    const field = Field[name];
    const value = this.#scanner.numbers[field] as number;
    if (!this.#scanner.isNumber(field) || !Number.isFinite(value) || value < 0)
      throw new DamagedLine(`${name} is missing or no number`);
    return value;
  }

  node(name: FieldName): number {
    const n = this.number(name);
    if (!isNodeNumber(n)) throw new DamagedLine(`${name} is no node number`);
    return n;
  }

  version(name: FieldName): number {
    const version = this.number(name);
    if (!Number.isInteger(version) || version > maxInt)
      throw new DamagedLine(`${name} is no version number`);
    return version;
  }

  /** Dictionary id of a text field. */
  text(name: FieldName): number {
    const field = Field[name];
    if (!this.#scanner.isText(field)) throw new DamagedLine(`${name} is missing or no text`);
    return this.#scanner.texts[field] as number;
  }

  /** The place of a text field in `names`; −1 if it is none of them. */
  code(name: FieldName, names: readonly string[]): number {
    const field = Field[name];
    if (!this.#scanner.isText(field)) return -1;
    return this.#codes.get(names)?.get(this.#scanner.texts[field] as number) ?? -1;
  }
}

/** @throws DamagedLine unless the bytes are one JSON object. */
export function parseLine(bytes: Uint8Array, start: number, end: number): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(bytes.subarray(start, end)));
  } catch {
    throw new DamagedLine("the line is not JSON");
  }
  if (!isObject(value)) throw new DamagedLine("the line is not a JSON object");
  return value;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isNodeNumber(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= maxNodeNumber;
}

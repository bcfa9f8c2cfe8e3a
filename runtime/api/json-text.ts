/**
 * Reads JSON without losing what JavaScript's numbers lose: 9223372036854775807 stays what it is,
 * and 1.0 stays apart from 1. Every byte is held against the grammar of RFC 8259. The reader is
 * handed from one expectation to the next, so that a body becomes statements in one pass.
 */
import { integerValue, isInt64, realValue, type Value } from "../../core/crdt/value.ts";

/** The text is no JSON. */
export class JsonSyntaxError extends Error {
  override name = "JsonSyntaxError";
}

/** The text may be JSON, but not of the shape that was expected here. */
export class JsonShapeError extends Error {
  override name = "JsonShapeError";
}

/** Brackets within brackets past this are refused, as other readers of JSON do. */
const maxDepth = 128;

const numberForm = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const space = /[ \t\n\r]*/y;

export class JsonText {
  readonly #text: string;
  #at = 0;
  /** Whether the number last read had a fraction or an exponent. */
  #wasReal = false;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is no space; "" at the end. */
  peek(): string {
    let code = this.#text.charCodeAt(this.#at);
    if (code === 32 || (code <= 13 && code >= 9)) {
      space.lastIndex = this.#at;
      space.test(this.#text);
      this.#at = space.lastIndex;
      code = this.#text.charCodeAt(this.#at);
    }
    return code === code ? (this.#text[this.#at] as string) : "";
  }

  /** Takes `mark` if it comes next. */
  takes(mark: string): boolean {
    if (this.peek() !== mark) return false;
    this.#at++;
    return true;
  }

  expect(mark: string): void {
    if (!this.takes(mark)) throw this.#unexpected(`"${mark}"`);
  }

  /** Nothing but space may follow. */
  end(): void {
    if (this.peek() !== "") throw this.#unexpected("the end");
  }

  /** After an item of a list or object: true when another follows, false when `close` was taken. */
  more(close: "]" | "}"): boolean {
    if (this.takes(",")) return true;
    if (this.takes(close)) return false;
    throw this.#unexpected(`"," or "${close}"`);
  }

  string(): string {
    this.expect('"');
    const from = this.#at;
    let to = this.#text.indexOf('"', from);
    while (to > 0 && this.#isEscaped(from, to)) to = this.#text.indexOf('"', to + 1);
    if (to < 0) throw new JsonSyntaxError(`a string is not closed (position ${from - 1})`);
    this.#at = to + 1;
    const raw = this.#text.slice(from, to);
    // oxlint-disable-next-line no-control-regex -- these are what JSON forbids in a string
    if (!/[\\\u0000-\u001f]/.test(raw)) return raw;
    return this.#unescaped(from - 1, to + 1);
  }

  /** A quote after an odd number of backslashes belongs to the string. */
  #isEscaped(from: number, at: number): boolean {
    let before = at;
    while (before > from && this.#text.charCodeAt(before - 1) === 92) before--;
    return (at - before) % 2 === 1;
  }

  #unescaped(from: number, to: number): string {
    let text: string;
    try {
      text = JSON.parse(this.#text.slice(from, to)) as string;
    } catch {
      throw new JsonSyntaxError(
        `a string holds an unknown escape or a control character (position ${from})`,
      );
    }
    if (!text.isWellFormed()) {
      throw new JsonSyntaxError(`a string holds half of a surrogate pair (position ${from})`);
    }
    return text;
  }

  number(): Value {
    this.peek();
    numberForm.lastIndex = this.#at;
    const match = numberForm.exec(this.#text);
    if (match === null) throw this.#unexpected("a value");
    const [text, fraction, exponent] = match;
    this.#at += text.length;
    this.#wasReal = fraction !== undefined || exponent !== undefined;
    if (this.#wasReal) return realValue(Number(text));
    const number = Number(text);
    // Rounding never brings an integer into the range in which all of them are exact.
    if (Number.isSafeInteger(number)) return number + 0;
    const long = BigInt(text);
    return isInt64(long) ? integerValue(long) : realValue(number);
  }

  /** Takes `word` (true, false or null) if it comes next. */
  takesWord(word: string): boolean {
    this.peek();
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** Any value, passed over; its text as it stands there. */
  skip(): string {
    this.peek();
    const from = this.#at;
    const open: ("]" | "}")[] = [];
    do {
      if (this.#begin(open)) continue;
      // A value has ended: so may what it is in.
      while (open.length > 0) {
        const close = open[open.length - 1] as "]" | "}";
        if (this.more(close)) {
          if (close === "}") this.#name();
          break;
        }
        open.pop();
      }
    } while (open.length > 0);
    return this.#text.slice(from, this.#at);
  }

  /** @returns true when a list or object was begun that holds something. */
  #begin(open: ("]" | "}")[]): boolean {
    switch (this.peek()) {
      case "[":
      case "{": {
        const close = this.#text[this.#at++] === "[" ? "]" : "}";
        if (open.length >= maxDepth) {
          throw new JsonSyntaxError(`more than ${maxDepth} brackets within each other`);
        }
        if (this.takes(close)) return false;
        open.push(close);
        if (close === "}") this.#name();
        return true;
      }
      case '"':
        this.string();
        return false;
      default:
        if (!this.takesWord("true") && !this.takesWord("false") && !this.takesWord("null")) {
          this.number();
        }
        return false;
    }
  }

  #name(): void {
    this.string();
    this.expect(":");
  }

  /** The bytes of a list of whole numbers from 0 to 255; null, with nothing taken, when it is another list. */
  bytes(): Uint8Array | null {
    this.peek();
    const from = this.#at;
    this.#at++;
    const bytes: number[] = [];
    if (this.takes("]")) return new Uint8Array(0);
    do {
      const first = this.peek();
      const byte = first >= "0" && first <= "9" ? this.number() : null;
      if (typeof byte !== "number" || this.#wasReal || byte > 255) {
        this.#at = from;
        return null;
      }
      bytes.push(byte);
    } while (this.more("]"));
    return Uint8Array.from(bytes);
  }

  #unexpected(wanted: string): JsonSyntaxError {
    const found = this.peek();
    const at = found === "" ? "the text ends" : `${JSON.stringify(found)} stands`;
    return new JsonSyntaxError(`${at} where ${wanted} was expected (position ${this.#at})`);
  }
}

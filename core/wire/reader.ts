/**
 * Reads what `Writer` wrote, from bytes that anybody may have made up. Each length is checked
 * against the bytes that remain before anything is allocated; whatever does not fit throws
 * `WireError`, which is caught at the one edge in `core/wire/envelope.ts`.
 */
import { inHeapBytes } from "../base/slab.ts";
import { decodeUtf8 } from "../base/utf8.ts";
import { cachedId, cachedText, maxCachedTextBytes } from "./short-text.ts";
import { WireError } from "./wire-error.ts";

const scratchBytes = new Uint8Array(8);
const scratch = new DataView(scratchBytes.buffer);

export class Reader {
  #bytes: Uint8Array;
  #end: number;
  #at: number;
  #skipped = 0;

  /** Reads `bytes[from, to)`. */
  constructor(bytes: Uint8Array, from: number = 0, to: number = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Begins anew with `bytes[from, …)`. */
  restart(bytes: Uint8Array, from: number): void {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = bytes.length;
    this.#skipped = 0;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    if (this.#at >= this.#end) this.#short();
    return this.#bytes[this.#at++] as number;
  }

  u16(): number {
    const at = this.#take(2);
    return ((this.#bytes[at] as number) << 8) | (this.#bytes[at + 1] as number);
  }

  u32(): number {
    const at = this.#take(4);
    const b = this.#bytes;
    const low =
      ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number);
    return (b[at] as number) * 0x100_0000 + low;
  }

  /** A safe integer, not negative, in its shortest form. */
  varint(): number {
    const first = this.u8();
    if (first < 0x80) return first;
    let value = first & 0x7f;
    let scale = 128;
    for (let i = 1; i < 8; i++) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (byte === 0) throw new WireError("varint longer than needed");
        if (value > Number.MAX_SAFE_INTEGER) throw new WireError("varint past 2^53");
        return value;
      }
      scale *= 128;
    }
    throw new WireError("varint past 8 bytes");
  }

  f64(): number {
    this.#toScratch();
    return scratch.getFloat64(0);
  }

  i64(): bigint {
    this.#toScratch();
    return scratch.getBigInt64(0);
  }

  /** The next `n` bytes: a copy when they are few, else a view. */
  raw(n: number): Uint8Array {
    const at = this.#take(n);
    // A view of an array that V8 keeps in its heap would force the array out of it, at some ten times the cost.
    return n <= inHeapBytes ? this.#bytes.slice(at, at + n) : this.#bytes.subarray(at, at + n);
  }

  /** As `raw`, of as many bytes as the length before them says, at most `max`. */
  bytes(max: number): Uint8Array {
    return this.raw(this.#lengthUpTo(max));
  }

  /** UTF-8 text of at most `max` bytes. */
  string(max: number): string {
    const size = this.#lengthUpTo(max);
    const at = this.#take(size);
    const text =
      size <= maxCachedTextBytes
        ? cachedText(this.#bytes, at, at + size)
        : decodeUtf8(this.#bytes, at, at + size);
    if (text === null) throw new WireError("text is not UTF-8");
    return text;
  }

  /** 16 raw bytes as 32 lower-case hex digits. */
  id(): string {
    return cachedId(this.#bytes, this.#take(16));
  }

  /**
   * A count of records that take at least `minBytes` each: more than the remaining bytes can hold
   * is refused before anything is allocated for them.
   */
  count(minBytes: number, max: number): number {
    const n = this.varint();
    if (n > max) throw new WireError(`count ${n} is more than ${max}`);
    if (n * minBytes > this.remaining) throw new WireError("count is more than the bytes can hold");
    return n;
  }

  /**
   * Narrows this reader to the next length-prefixed record, of at most `max` bytes. Hand the
   * result to `leave`, which skips what a newer program put at the record's end.
   */
  enter(max: number): number {
    const size = this.#lengthUpTo(max);
    if (size > this.#end - this.#at) this.#short();
    const outer = this.#end;
    this.#end = this.#at + size;
    return outer;
  }

  /** Ends the record that `enter` began and returned `outer` for. */
  leave(outer: number): void {
    if (this.#at < this.#end) this.#skipped++;
    this.#at = this.#end;
    this.#end = outer;
  }

  /** Records left so far with bytes unread: fields of a newer program. */
  get skipped(): number {
    return this.#skipped;
  }

  #lengthUpTo(max: number): number {
    const size = this.varint();
    if (size > max) throw new WireError(`length ${size} is more than ${max}`);
    return size;
  }

  #toScratch(): void {
    const at = this.#take(8);
    for (let i = 0; i < 8; i++) scratchBytes[i] = this.#bytes[at + i] as number;
  }

  /** Moves past `n` bytes and says where they began. */
  #take(n: number): number {
    const at = this.#at;
    if (n > this.#end - at) this.#short();
    this.#at = at + n;
    return at;
  }

  #short(): never {
    throw new WireError("bytes end too early");
  }
}

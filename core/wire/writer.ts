/**
 * Writes the binary format of every message: numbers big-endian, lengths and counts as LEB128
 * varints. One growable buffer, reused by `reset()`; `finish()` copies out. What is handed in
 * comes from our own code, so a value that cannot be written is a broken invariant, not an error.
 */
import { assert } from "../base/assert.ts";
import { Slab } from "../base/slab.ts";
import { utf8Length, writeUtf8 } from "../base/utf8.ts";
import { writeCachedId } from "./short-text.ts";

/** Below this length a string is written in place behind a one-byte length: 42 × 3 < 128. */
const shortUnits = 42;

/** A buffer that grew past this is given back at the next reset. */
const keptBytes = 1024 * 1024;

/** Messages are gone once they are delivered, so they share slabs. */
const finished = new Slab(64 * 1024);

export class Writer {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  /** @param capacity bytes to begin with; it doubles as needed. */
  constructor(capacity = 256) {
    assert(capacity > 0, "a writer has room");
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  get length(): number {
    return this.#length;
  }

  /** Begins anew, in the same buffer unless one huge message made it huge. */
  reset(): void {
    this.#length = 0;
    if (this.#bytes.length > keptBytes) {
      this.#bytes = new Uint8Array(keptBytes);
      this.#view = new DataView(this.#bytes.buffer);
    }
  }

  /** Takes back what was written after `length` was `mark`: to give up a record that does not fit. */
  rewind(mark: number): void {
    assert(mark >= 0 && mark <= this.#length, "rewinds to what was written");
    this.#length = mark;
  }

  /**
   * A copy of what was written since the last `reset()`; it may share its buffer with others
   * (`core/base/slab.ts`): with other messages, unless it lives longer and `slab` says so.
   */
  finish(slab: Slab = finished): Uint8Array {
    return slab.copy(this.#bytes, 0, this.#length);
  }

  /** As `finish`, without the copy: good until something is written again. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(n: number): void {
    assert(n >= 0 && n <= 0xff && Number.isInteger(n), "u8 holds 0..255");
    if (this.#length + 1 > this.#bytes.length) this.#grow(1);
    this.#bytes[this.#length++] = n;
  }

  u16(n: number): void {
    assert(n >= 0 && n <= 0xffff && Number.isInteger(n), "u16 holds 0..65535");
    if (this.#length + 2 > this.#bytes.length) this.#grow(2);
    this.#view.setUint16(this.#length, n);
    this.#length += 2;
  }

  u32(n: number): void {
    assert(n >= 0 && n <= 0xffff_ffff && Number.isInteger(n), "u32 holds 0..2^32-1");
    if (this.#length + 4 > this.#bytes.length) this.#grow(4);
    this.#view.setUint32(this.#length, n);
    this.#length += 4;
  }

  /** LEB128, at most 8 bytes. @param n a safe integer, not negative. */
  varint(n: number): void {
    assert(n >= 0 && Number.isSafeInteger(n), "a varint is a safe integer, not negative");
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    const bytes = this.#bytes;
    let at = this.#length;
    let rest = n;
    // Bit operators work on 32 bits; what is above them is divided down first.
    while (rest > 0x7fff_ffff) {
      bytes[at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 0x7f) {
      bytes[at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    bytes[at++] = rest;
    this.#length = at;
  }

  f64(n: number): void {
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    this.#view.setFloat64(this.#length, n);
    this.#length += 8;
  }

  /** @param n inside 64 bits, two's complement. */
  i64(n: bigint): void {
    assert(BigInt.asIntN(64, n) === n, "i64 holds 64 bits");
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    this.#view.setBigInt64(this.#length, n);
    this.#length += 8;
  }

  /** The bytes alone; the reader must know how many. */
  raw(source: Uint8Array): void {
    const n = source.length;
    if (this.#length + n > this.#bytes.length) this.#grow(n);
    if (n <= 32) {
      // For a few bytes a loop beats the call of the built-in copy.
      const bytes = this.#bytes;
      const at = this.#length;
      for (let i = 0; i < n; i++) bytes[at + i] = source[i] as number;
    } else {
      this.#bytes.set(source, this.#length);
    }
    this.#length += n;
  }

  /** What another writer holds. */
  append(other: Writer): void {
    const n = other.#length;
    if (this.#length + n > this.#bytes.length) this.#grow(n);
    const source = other.#bytes;
    const bytes = this.#bytes;
    const at = this.#length;
    if (n <= 64) for (let i = 0; i < n; i++) bytes[at + i] = source[i] as number;
    else bytes.set(source.subarray(0, n), at);
    this.#length += n;
  }

  /** A varint length, then the bytes. */
  bytes(source: Uint8Array): void {
    this.varint(source.length);
    this.raw(source);
  }

  /** A varint length in bytes, then UTF-8; a lone surrogate goes out as U+FFFD. */
  string(text: string): void {
    const units = text.length;
    if (units > shortUnits) {
      const size = utf8Length(text);
      this.varint(size);
      if (this.#length + size > this.#bytes.length) this.#grow(size);
      this.#length = writeUtf8(text, this.#bytes, this.#length);
      return;
    }
    if (this.#length + 1 + units * 3 > this.#bytes.length) this.#grow(1 + units * 3);
    const start = this.#length + 1;
    const end = writeUtf8(text, this.#bytes, start);
    this.#bytes[start - 1] = end - start;
    this.#length = end;
  }

  /** 16 raw bytes. @param hex 32 lower-case hex digits. */
  id(hex: string): void {
    if (this.#length + 16 > this.#bytes.length) this.#grow(16);
    const written = writeCachedId(hex, this.#bytes, this.#length);
    assert(written, "an id is 32 lower-case hex digits");
    this.#length += 16;
  }

  /**
   * Begins a record whose length comes before it, so that a newer program may lengthen it. Hand
   * the result to `endRecord`. Records nest.
   */
  beginRecord(): number {
    this.u8(0);
    return this.#length;
  }

  endRecord(start: number): void {
    assert(start >= 1 && start <= this.#length, "a record ends after it began");
    const size = this.#length - start;
    if (size < 0x80) {
      this.#bytes[start - 1] = size;
      return;
    }
    // One byte was kept for the length; a long record moves up to make room for the others.
    this.varint(size);
    const more = this.#length - start - size - 1;
    this.#bytes.copyWithin(start + more, start, start + size);
    this.#length = start - 1;
    this.varint(size);
    this.#length = start + more + size;
  }

  #grow(more: number): void {
    let capacity = this.#bytes.length;
    while (capacity < this.#length + more) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.#bytes);
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}

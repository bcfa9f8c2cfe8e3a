/**
 * Many small versions as one row: what is told of them, and their contents end to end, compressed
 * together. A row of its own costs a small version several times what it holds.
 */
import { crc32 } from "node:zlib";
import { assert } from "../../core/base/assert.ts";
import { Reader } from "../../core/wire/reader.ts";
import { Writer } from "../../core/wire/writer.ts";
import { CorruptionError } from "./row-table.ts";

/** A version of one chunk, in a pack. */
export interface PackedVersion {
  readonly id: number;
  /** The author's number. */
  readonly actor: number;
  readonly version: number;
  readonly ms: number;
  readonly counter: number;
  /** Where its payload begins in the pack's content, its size, and that of the seal behind it; 0: none. */
  readonly at: number;
  readonly size: number;
  readonly sealSize: number;
}

/**
 * What each entry's first byte says. `follows`: it is the version after the one before, in the next
 * log row; `leaps`: some versions later, in the log row as many rows later; `zero`: its counter is 0;
 * `sized`: it is as large as the one before.
 */
const flags = { follows: 1, sealed: 2, gap: 4, leaps: 8, zero: 16, sized: 32 };

const writer = new Writer(4096);

/** @param versions by id, as their contents lie. @param contentSize of the whole pack. */
export function encodeHead(versions: readonly PackedVersion[], contentSize: number): Uint8Array {
  const head = new HeadWriter(contentSize, versions.length);
  for (const { id, actor, version, ms, counter, at, size, sealSize } of versions) {
    head.add(id, actor, version, ms, counter, at, size, sealSize);
  }
  return head.finish();
}

/** Tells of versions one by one, by id, as their contents lie. One at a time. */
export class HeadWriter {
  #id = 0;
  #actor = 0;
  #version = 0;
  #ms = 0;
  #size = 0;
  #end = 0;

  /** @param contentSize of the whole pack. @param count of its versions. */
  constructor(contentSize: number, count: number) {
    writer.reset();
    writer.varint(contentSize);
    writer.varint(count);
  }

  add(
    id: number,
    actor: number,
    version: number,
    ms: number,
    counter: number,
    at: number,
    size: number,
    sealSize: number,
  ): void {
    assert(id > this.#id && at >= this.#end, "versions of a pack lie in order");
    const step = id - this.#id;
    const inStep = actor === this.#actor && version === this.#version + step;
    const gap = at - this.#end;
    writer.u8(
      (inStep ? (step === 1 ? flags.follows : flags.leaps) : 0) |
        (sealSize > 0 ? flags.sealed : 0) |
        (gap > 0 ? flags.gap : 0) |
        (counter === 0 ? flags.zero : 0) |
        (size === this.#size ? flags.sized : 0),
    );
    if (!inStep || step > 1) writer.varint(step);
    if (!inStep) {
      writer.varint(actor);
      writer.varint(version);
    }
    writer.varint(zigzag(ms - this.#ms));
    if (counter !== 0) writer.varint(counter);
    if (size !== this.#size) writer.varint(size);
    if (sealSize > 0) writer.varint(sealSize);
    if (gap > 0) writer.varint(gap);
    this.#id = id;
    this.#actor = actor;
    this.#version = version;
    this.#ms = ms;
    this.#size = size;
    this.#end = at + size + sealSize;
  }

  finish(): Uint8Array {
    const bytes = writer.finish();
    const whole = new Uint8Array(bytes.length + 4);
    whole.set(bytes);
    new DataView(whole.buffer).setUint32(bytes.length, crc32(bytes));
    return whole;
  }
}

/** Numbers that tell where a reader stands. */
export const markSize = 10;

/** Goes along the versions that a head tells of. */
export class HeadReader implements PackedVersion {
  readonly #bytes: Uint8Array;
  readonly #reader: Reader;
  #left: number;
  /** Of the whole pack. */
  readonly contentSize: number;
  id = 0;
  actor = 0;
  version = 0;
  ms = 0;
  counter = 0;
  at = 0;
  size = 0;
  sealSize = 0;

  /** @param what for the message. @throws CorruptionError */
  constructor(head: Uint8Array, what: string) {
    // In a damaged file the column may hold anything.
    if (!(head instanceof Uint8Array)) throw new CorruptionError(`the list of ${what} is damaged`);
    const size = head.length - 4;
    const bytes = head.subarray(0, Math.max(0, size));
    const sum = size < 0 ? 0 : new DataView(head.buffer, head.byteOffset).getUint32(size);
    if (size < 1 || crc32(bytes) !== sum) {
      throw new CorruptionError(`the list of ${what} is damaged`);
    }
    this.#bytes = bytes;
    this.#reader = new Reader(bytes);
    this.contentSize = this.#reader.varint();
    this.#left = this.#reader.varint();
  }

  /** Versions that come yet. */
  get left(): number {
    return this.#left;
  }

  /** Goes on to the next version. @returns false when there is none. */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    const r = this.#reader;
    const flag = r.u8();
    const step = (flag & flags.follows) !== 0 ? 1 : r.varint();
    this.id += step;
    if ((flag & (flags.follows | flags.leaps)) !== 0) this.version += step;
    else {
      this.actor = r.varint();
      this.version = r.varint();
    }
    this.ms += unzigzag(r.varint());
    this.counter = (flag & flags.zero) !== 0 ? 0 : r.varint();
    this.at += this.size + this.sealSize;
    if ((flag & flags.sized) === 0) this.size = r.varint();
    this.sealSize = (flag & flags.sealed) !== 0 ? r.varint() : 0;
    if ((flag & flags.gap) !== 0) this.at += r.varint();
    return true;
  }

  /** Notes where it stands: `markSize` numbers from position `to` on. */
  mark(marks: Float64Array, to: number): void {
    marks[to] = this.id;
    marks[to + 1] = this.actor;
    marks[to + 2] = this.version;
    marks[to + 3] = this.ms;
    marks[to + 4] = this.counter;
    marks[to + 5] = this.at;
    marks[to + 6] = this.size;
    marks[to + 7] = this.sealSize;
    marks[to + 8] = this.#left;
    marks[to + 9] = this.#reader.remaining;
  }

  /** Goes back, or ahead, to where `mark` noted it. */
  resume(marks: Float64Array, from: number): void {
    this.id = marks[from] as number;
    this.actor = marks[from + 1] as number;
    this.version = marks[from + 2] as number;
    this.ms = marks[from + 3] as number;
    this.counter = marks[from + 4] as number;
    this.at = marks[from + 5] as number;
    this.size = marks[from + 6] as number;
    this.sealSize = marks[from + 7] as number;
    this.#left = marks[from + 8] as number;
    this.#reader.restart(this.#bytes, this.#bytes.length - (marks[from + 9] as number));
  }

  entry(): PackedVersion {
    const { id, actor, version, ms, counter, at, size, sealSize } = this;
    return { id, actor, version, ms, counter, at, size, sealSize };
  }
}

function zigzag(n: number): number {
  return n < 0 ? -2 * n - 1 : 2 * n;
}

function unzigzag(n: number): number {
  return n % 2 === 1 ? -(n + 1) / 2 : n / 2;
}

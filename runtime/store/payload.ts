/**
 * Chunks as they are stored: large payloads compressed, and for each a checksum over the payload and
 * over all that is said of it in other columns. What was damaged on the disk is found when it is
 * read, and never handed to anybody.
 */
import { constants, crc32, inflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { inHeapBytes } from "../../core/base/slab.ts";
import { CorruptionError } from "./row-table.ts";

/** From this size on compressing is worth its time where nothing else is compressed with it. */
export const compressFromBytes = 2048;

/** The fastest level that still cuts typical rows to a fifth. */
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const plain = 0;
const zstd = 1;
/** As older versions of this program wrote it. */
const deflate = 2;

/** All that is said of a chunk beside its payload, as other columns have it. */
export interface ChunkHead {
  /** The author's number. */
  readonly author: number;
  readonly version: number;
  readonly index: number;
  readonly count: number;
  readonly ms: number;
  readonly counter: number;
  readonly seal: Uint8Array | null;
}

export interface StoredPayload {
  /**
   * −1 − (four times the CRC-32 of `bytes` and the head, and how they are packed). Before layout 4:
   * four times the CRC-32 of `bytes` alone, and how they are packed.
   */
  readonly sum: number;
  /** Good until the next is stored. */
  readonly bytes: Uint8Array;
}

/** @param fromBytes what is smaller is not compressed. @param head null: of a pack, whose own has a checksum. */
export function storePayload(
  payload: Uint8Array,
  fromBytes: number,
  head: ChunkHead | null,
): StoredPayload {
  if (payload.length >= fromBytes) {
    const packed = zstdCompressSync(payload, zstdOptions);
    if (packed.length < payload.length) return stored(packed, zstd, head);
  }
  return stored(payload, plain, head);
}

function stored(bytes: Uint8Array, how: number, head: ChunkHead | null): StoredPayload {
  const sum = -1 - (4 * crcOf(head, bytes, how) + how);
  // To reach bytes that stand in V8's own heap, SQLite's binding has V8 make a buffer for them first.
  const isInHeap = head !== null && bytes.length <= inHeapBytes;
  return { sum, bytes: isInHeap ? (beginnings[bytes.length] as Uint8Array) : bytes };
}

/** It was not compressed, and nothing has damaged it or its head. */
export function isWholePlain(sum: number, bytes: Uint8Array, head: ChunkHead): boolean {
  return isWhole(sum, bytes, head) && howOf(sum) === plain;
}

/** @param what for the message. @throws CorruptionError */
export function loadPayload(
  sum: number,
  bytes: Uint8Array,
  head: ChunkHead | null,
  what: string,
): Uint8Array {
  if (!isWhole(sum, bytes, head)) {
    throw new CorruptionError(`the content of ${what} is damaged`);
  }
  const how = howOf(sum);
  if (how === plain) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { buffer, byteOffset, byteLength } =
    how === deflate ? inflateRawSync(bytes) : zstdDecompressSync(bytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function howOf(sum: number): number {
  return (sum < 0 ? -1 - sum : sum) % 4;
}

function isWhole(sum: number, bytes: Uint8Array, head: ChunkHead | null): boolean {
  try {
    if (sum >= 0) return howOf(sum) <= deflate && Math.floor(sum / 4) === crc32(bytes);
    return Math.floor((-1 - sum) / 4) === crcOf(head, bytes, howOf(sum));
  } catch {
    // A column of another type than was written.
    return false;
  }
}

/** Seven numbers. */
const headSize = 7 * 8;
/** Payloads up to this size are copied in front of their heads: one call of `crc32` for both. */
const mostCopied = 200;
const copied = new Uint8Array(mostCopied + headSize);
const copiedView = new DataView(copied.buffer);
/** The beginning of `copied`, by length. */
const beginnings = Array.from({ length: copied.length + 1 }, (_, n) => copied.subarray(0, n));

function crcOf(head: ChunkHead | null, bytes: Uint8Array, how: number): number {
  if (head === null) return crc32(Uint8Array.of(how), crc32(bytes));
  const { author, version, index, count, ms, counter, seal } = head;
  const isCopied = bytes.length <= mostCopied;
  const at = isCopied ? bytes.length : 0;
  putNumber(at, how);
  putNumber(at + 8, author);
  putNumber(at + 16, version);
  putNumber(at + 24, index);
  putNumber(at + 32, count);
  putNumber(at + 40, ms);
  putNumber(at + 48, counter);
  if (isCopied) copied.set(bytes);
  const both = beginnings[at + headSize] as Uint8Array;
  const withHead = isCopied ? crc32(both) : crc32(both, crc32(bytes));
  return seal === null ? withHead : crc32(seal, withHead);
}

function putNumber(at: number, number: number): void {
  // A NULL would be written as 0.
  if (typeof number !== "number") throw new TypeError("a number became something else");
  copiedView.setFloat64(at, number, true);
}

/** Of what is held of an author, as it is stored. */
export function sumOfHeld(actor: string, held: Uint8Array): number {
  return crc32(held, crc32(Buffer.from(actor, "latin1")));
}

/** Of chunks together. */
export function payloadBytes(chunks: readonly { readonly payload: Uint8Array }[]): number {
  let bytes = 0;
  for (let i = 0; i < chunks.length; i++) bytes += chunks[i]?.payload.length ?? 0;
  return bytes;
}

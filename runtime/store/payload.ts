/**
 * Payloads as they are stored: large ones compressed, all with a checksum. What was damaged on the
 * disk is found when it is read, and never handed to anybody.
 */
import { constants, crc32, inflateRawSync, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { CorruptionError } from "./row-table.ts";

/** From this size on compressing is worth its time where nothing else is compressed with it. */
export const compressFromBytes = 2048;

/** The fastest level that still cuts typical rows to a fifth. */
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

const plain = 0;
const zstd = 1;
/** As older versions of this program wrote it. */
const deflate = 2;

export interface StoredPayload {
  /** Four times the CRC-32 of `bytes`, and how they are packed. */
  readonly sum: number;
  readonly bytes: Uint8Array;
}

/** @param fromBytes what is smaller is not compressed. */
export function storePayload(payload: Uint8Array, fromBytes: number): StoredPayload {
  if (payload.length >= fromBytes) {
    const packed = zstdCompressSync(payload, zstdOptions);
    if (packed.length < payload.length) return { sum: 4 * crc32(packed) + zstd, bytes: packed };
  }
  return { sum: 4 * crc32(payload) + plain, bytes: payload };
}

/** It was not compressed, and nothing has damaged it. */
export function isWholePlain(sum: number, bytes: Uint8Array): boolean {
  return sum === 4 * crc32(bytes) + plain;
}

/** @param what for the message. @throws CorruptionError */
export function loadPayload(sum: number, bytes: Uint8Array, what: string): Uint8Array {
  if (Math.floor(sum / 4) !== crc32(bytes)) {
    throw new CorruptionError(`the content of ${what} is damaged`);
  }
  const how = sum % 4;
  if (how === plain) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { buffer, byteOffset, byteLength } =
    how === deflate ? inflateRawSync(bytes) : zstdDecompressSync(bytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

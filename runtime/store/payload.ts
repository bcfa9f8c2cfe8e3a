/**
 * Payloads as they are stored: large ones compressed, all with a checksum. What was damaged on the
 * disk is found when it is read, and never handed to anybody.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { CorruptionError } from "./row-table.ts";

/** Payloads from this size on are compressed: below it the call costs more than the bytes. */
const packFromBytes = 2048;

/** The fastest level that still halves typical rows. */
const packing = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export interface StoredPayload {
  /** Twice the CRC-32 of `bytes`, and 1 when they are compressed. */
  readonly sum: number;
  readonly bytes: Uint8Array;
}

export function storePayload(payload: Uint8Array): StoredPayload {
  if (payload.length >= packFromBytes) {
    const packed = zstdCompressSync(payload, packing);
    if (packed.length < payload.length) return { sum: 2 * crc32(packed) + 1, bytes: packed };
  }
  return { sum: 2 * crc32(payload), bytes: payload };
}

/** @param what for the message. @throws CorruptionError */
export function loadPayload(sum: number, bytes: Uint8Array, what: string): Uint8Array {
  if (Math.floor(sum / 2) !== crc32(bytes)) {
    throw new CorruptionError(`the content of ${what} is damaged`);
  }
  const plain = sum % 2 === 1 ? zstdDecompressSync(bytes) : bytes;
  return new Uint8Array(plain.buffer, plain.byteOffset, plain.byteLength);
}

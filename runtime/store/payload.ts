/**
 * Payloads as they are stored: large ones compressed, all with a checksum. What was damaged on the
 * disk is found when it is read, and never handed to anybody.
 */
import {
  constants,
  crc32,
  deflateRawSync,
  inflateRawSync,
  zstdCompressSync,
  zstdDecompressSync,
} from "node:zlib";
import { CorruptionError } from "./row-table.ts";

/** Payloads from this size on are compressed: smaller ones fit into their page anyway. */
const deflateFromBytes = 2048;

/** From here on Zstandard is faster; below, most of the time goes into beginning. */
const zstdFromBytes = 16_384;

/** The fastest levels that still halve typical rows. */
const zstdOptions = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };
const deflateOptions = { level: 1, windowBits: 13, memLevel: 6 };

const plain = 0;
const zstd = 1;
const deflate = 2;

export interface StoredPayload {
  /** Four times the CRC-32 of `bytes`, and how they are packed. */
  readonly sum: number;
  readonly bytes: Uint8Array;
}

export function storePayload(payload: Uint8Array): StoredPayload {
  if (payload.length >= deflateFromBytes) {
    const how = payload.length >= zstdFromBytes ? zstd : deflate;
    const packed =
      how === zstd
        ? zstdCompressSync(payload, zstdOptions)
        : deflateRawSync(payload, deflateOptions);
    if (packed.length < payload.length) return { sum: 4 * crc32(packed) + how, bytes: packed };
  }
  return { sum: 4 * crc32(payload) + plain, bytes: payload };
}

/** @param what for the message. @throws CorruptionError */
export function loadPayload(sum: number, bytes: Uint8Array, what: string): Uint8Array {
  if (Math.floor(sum / 4) !== crc32(bytes)) {
    throw new CorruptionError(`the content of ${what} is damaged`);
  }
  const how = sum % 4;
  if (how === plain) return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { buffer, byteOffset, byteLength } =
    how === zstd ? zstdDecompressSync(bytes) : inflateRawSync(bytes);
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/**
 * Records on a TCP connection: the five lanes and the datagrams of a pipe share one stream of bytes,
 * cut in pieces so that no long message holds the others up.
 *
 *     1 byte   lane 0 to 4, or 15 for a datagram
 *     3 bytes  length, big-endian
 *     …        bytes
 */
import { Buffer } from "node:buffer";
import { laneCount } from "../pipe.ts";

export const recordHeaderBytes = 4;
export const datagramLane = 15;
/** The longest record that is written, and read. */
export const maxRecordBytes = 64 * 1024;
/** What a datagram may hold. TCP would carry more, but what one transport takes the others should. */
export const maxTcpDatagramBytes = 16 * 1024;

export function recordHeader(lane: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(recordHeaderBytes);
  header.writeUInt32BE(lane * 0x100_0000 + length, 0);
  return header;
}

export class RecordReader {
  readonly #header = Buffer.alloc(recordHeaderBytes);
  #headerBytes = 0;
  #lane = 0;
  /** Bytes of the present record that are still to come. */
  #missing = 0;
  #datagram: Uint8Array | null = null;

  /**
   * Calls `data` with parts of lanes, which are pieces of `bytes`, and `datagram` with whole ones, which
   * belong to the callee. @returns false when the bytes are no records.
   */
  push(
    bytes: Uint8Array,
    data: (lane: number, bytes: Uint8Array) => void,
    datagram: (bytes: Uint8Array) => void,
  ): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#missing === 0) {
        this.#header[this.#headerBytes++] = bytes[at++] as number;
        if (this.#headerBytes === recordHeaderBytes && !this.#begin()) return false;
        continue;
      }
      const part = bytes.subarray(at, at + this.#missing);
      at += part.length;
      if (this.#datagram === null) {
        this.#missing -= part.length;
        data(this.#lane, part);
        continue;
      }
      const whole = this.#datagram;
      whole.set(part, whole.length - this.#missing);
      this.#missing -= part.length;
      if (this.#missing > 0) continue;
      this.#datagram = null;
      datagram(whole);
    }
    return true;
  }

  #begin(): boolean {
    this.#headerBytes = 0;
    const word = this.#header.readUInt32BE(0);
    this.#lane = word >>> 24;
    this.#missing = word & 0xff_ffff;
    if (this.#missing > maxRecordBytes) return false;
    if (this.#lane === datagramLane) {
      if (this.#missing === 0 || this.#missing > maxTcpDatagramBytes) return false;
      this.#datagram = new Uint8Array(this.#missing);
      return true;
    }
    return this.#lane < laneCount && this.#missing > 0;
  }
}

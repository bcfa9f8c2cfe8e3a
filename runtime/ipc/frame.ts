/**
 * Frames on the pipe between a process and its child. A frame is a head, any value that V8 can
 * serialize, and blobs: bytes that are passed on without being looked at. Both ends are the same
 * program on the same machine, so a frame that does not add up is a broken invariant.
 */
import { deserialize, serialize } from "node:v8";
import { assert } from "../../core/base/assert.ts";

export interface Frame<Head> {
  readonly head: Head;
  readonly blobs: readonly Uint8Array[];
}

/** Length of all that follows, length of the head, number of blobs. */
const prefixBytes = 12;
/** A blob of this length is written as it is; shorter ones are copied into one buffer with the rest. */
const copyBelow = 64 * 1024;

/** The frame as buffers to be written one after another. */
export function encodeFrame(head: unknown, blobs: readonly Uint8Array[] = []): Uint8Array[] {
  const headBytes = serialize(head);
  let length = prefixBytes + headBytes.length;
  let copied = length;
  for (const blob of blobs) {
    length += 4 + blob.length;
    copied += 4 + (blob.length < copyBelow ? blob.length : 0);
  }
  const buffer = Buffer.allocUnsafe(copied);
  buffer.writeUInt32LE(length - 4, 0);
  buffer.writeUInt32LE(headBytes.length, 4);
  buffer.writeUInt32LE(blobs.length, 8);
  buffer.set(headBytes, prefixBytes);
  const parts: Uint8Array[] = [];
  let from = 0;
  let at = prefixBytes + headBytes.length;
  for (const blob of blobs) {
    at = buffer.writeUInt32LE(blob.length, at);
    if (blob.length < copyBelow) {
      buffer.set(blob, at);
      at += blob.length;
    } else {
      parts.push(buffer.subarray(from, at), blob);
      from = at;
    }
  }
  assert(at === copied, "a frame is as long as it was reckoned");
  if (from < at) parts.push(buffer.subarray(from));
  return parts;
}

/** Puts frames together from the pieces in which a pipe delivers them. */
export class FrameReader<Head> {
  readonly #take: (frame: Frame<Head>) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #wanted = 4;

  constructor(take: (frame: Frame<Head>) => void) {
    this.#take = take;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#wanted) return;
    let buffer = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#bytes);
    for (;;) {
      this.#wanted = buffer.length < 4 ? 4 : 4 + buffer.readUInt32LE(0);
      if (buffer.length < this.#wanted) break;
      this.#take(decodeFrame<Head>(buffer.subarray(0, this.#wanted)));
      buffer = buffer.subarray(this.#wanted);
    }
    this.#pieces = buffer.length === 0 ? [] : [buffer];
    this.#bytes = buffer.length;
  }
}

function decodeFrame<Head>(bytes: Buffer): Frame<Head> {
  const headLength = bytes.readUInt32LE(4);
  const count = bytes.readUInt32LE(8);
  let at = prefixBytes + headLength;
  const head = deserialize(bytes.subarray(prefixBytes, at)) as Head;
  const blobs: Uint8Array[] = [];
  for (let i = 0; i < count; i++) {
    const length = bytes.readUInt32LE(at);
    blobs.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  assert(at === bytes.length, "a frame ends where it says");
  return { head, blobs };
}

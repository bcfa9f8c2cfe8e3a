/**
 * Frames on the pipe between two processes of a node: any value that V8 can serialize, after its
 * length. Both ends are the same program on the same machine, so a frame that does not add up is a
 * broken invariant.
 */
import { DefaultSerializer, deserialize } from "node:v8";
import { assert } from "../../core/base/assert.ts";

/** The length of what follows. */
const prefixBytes = 4;
const prefix = Buffer.alloc(prefixBytes);

export function encodeFrame(value: unknown): Buffer {
  const serializer = new DefaultSerializer();
  // Room for the length, so that nothing is copied.
  serializer.writeRawBytes(prefix);
  serializer.writeHeader();
  serializer.writeValue(value);
  const frame = serializer.releaseBuffer();
  frame.writeUInt32LE(frame.length - prefixBytes, 0);
  return frame;
}

/** Puts frames together from the pieces in which a pipe delivers them. */
export class FrameReader<T> {
  readonly #take: (value: T) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #wanted = prefixBytes;

  constructor(take: (value: T) => void) {
    this.#take = take;
  }

  push(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes < this.#wanted) return;
    let buffer = this.#pieces.length === 1 ? piece : Buffer.concat(this.#pieces, this.#bytes);
    for (;;) {
      this.#wanted =
        buffer.length < prefixBytes ? prefixBytes : prefixBytes + buffer.readUInt32LE(0);
      if (buffer.length < this.#wanted) break;
      assert(this.#wanted > prefixBytes, "a frame holds something");
      this.#take(deserialize(buffer.subarray(prefixBytes, this.#wanted)) as T);
      buffer = buffer.subarray(this.#wanted);
    }
    this.#pieces = buffer.length === 0 ? [] : [buffer];
    this.#bytes = buffer.length;
  }
}

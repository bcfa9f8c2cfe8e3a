/**
 * Frames on the pipe between two processes of a node: any value that V8 can serialize. Both ends are
 * the same program on the same machine, so a frame that does not add up is a broken invariant.
 *
 *     4 bytes  length of what follows
 *     4 bytes  length of the serialized value
 *     …        the value, then long byte strings of it, in their order
 *
 * Byte strings of megabytes are neither copied into a frame nor out of it in one go: that would keep
 * the thread that answers peers from it for tens of milliseconds.
 */
import { DefaultDeserializer, DefaultSerializer } from "node:v8";
import { assert } from "../../core/base/assert.ts";

const lengthBytes = 4;
const prefixBytes = 2 * lengthBytes;
const prefix = Buffer.alloc(prefixBytes);
/** A byte string of this length follows the serialized value. */
export const longBytes = 256 * 1024;

/** How a byte string is written. */
const plain = 0;
const aside = 1;
/** Added for a Buffer. */
const isBuffer = 2;

class FrameSerializer extends DefaultSerializer {
  readonly asides: Uint8Array[] = [];

  /** Node.js calls it for what is a view of bytes. */
  _writeHostObject(bytes: Uint8Array): void {
    assert(bytes instanceof Uint8Array, "frames carry no views but of bytes");
    const long = bytes.length >= longBytes;
    this.writeUint32((long ? aside : plain) + (Buffer.isBuffer(bytes) ? isBuffer : 0));
    this.writeUint32(bytes.length);
    if (long) this.asides.push(bytes);
    else this.writeRawBytes(bytes);
  }
}

class FrameDeserializer extends DefaultDeserializer {
  readonly #frame: Buffer;
  #asideAt: number;

  /** @param frame all that follows its prefix. */
  constructor(frame: Buffer, valueBytes: number) {
    super(frame.subarray(0, valueBytes));
    this.#frame = frame;
    this.#asideAt = valueBytes;
  }

  _readHostObject(): Uint8Array {
    const how = this.readUint32();
    const length = this.readUint32();
    const bytes = (how & aside) === 0 ? this.readRawBytes(length) : this.#aside(length);
    return (how & isBuffer) === 0 ? new Uint8Array(bytes.buffer, bytes.byteOffset, length) : bytes;
  }

  #aside(length: number): Buffer {
    const at = this.#asideAt;
    this.#asideAt += length;
    return this.#frame.subarray(at, this.#asideAt);
  }
}

/** @returns pieces that are written one after another; long ones are the value's own, which must not change any more. */
export function encodeFrame(value: unknown): readonly Uint8Array[] {
  const serializer = new FrameSerializer();
  // Room for the lengths, so that nothing is copied.
  serializer.writeRawBytes(prefix);
  serializer.writeHeader();
  serializer.writeValue(value);
  const { asides } = serializer;
  const first = serializer.releaseBuffer();
  const all = asides.reduce((sum, { length }) => sum + length, first.length);
  first.writeUInt32LE(all - lengthBytes, 0);
  first.writeUInt32LE(first.length - prefixBytes, lengthBytes);
  return asides.length === 0 ? [first] : [first, ...asides];
}

/** Puts frames together from the pieces in which a pipe delivers them. */
export class FrameReader<T> {
  readonly #take: (value: T) => void;
  #pieces: Buffer[] = [];
  #bytes = 0;
  #wanted = lengthBytes;
  /** A long frame, as far as it has come. */
  #long: Buffer | null = null;

  constructor(take: (value: T) => void) {
    this.#take = take;
  }

  push(piece: Buffer): void {
    const rest = this.#long === null ? piece : this.#fill(this.#long, piece);
    if (rest.length === 0) return;
    this.#pieces.push(rest);
    this.#bytes += rest.length;
    if (this.#bytes < this.#wanted) return;
    let buffer = this.#pieces.length === 1 ? rest : Buffer.concat(this.#pieces, this.#bytes);
    for (;;) {
      this.#wanted =
        buffer.length < lengthBytes ? lengthBytes : lengthBytes + buffer.readUInt32LE(0);
      if (buffer.length < this.#wanted) break;
      this.#frame(buffer.subarray(0, this.#wanted));
      buffer = buffer.subarray(this.#wanted);
    }
    this.#pieces = buffer.length === 0 ? [] : [buffer];
    this.#bytes = buffer.length;
    if (this.#wanted >= longBytes) this.#beginLong(buffer);
  }

  /** It gets its room at once, and each piece is copied as it comes. */
  #beginLong(begun: Buffer): void {
    this.#long = Buffer.allocUnsafeSlow(this.#wanted);
    begun.copy(this.#long);
    this.#pieces = [];
  }

  /** @returns what is left of the piece. */
  #fill(long: Buffer, piece: Buffer): Buffer {
    const taken = Math.min(piece.length, this.#wanted - this.#bytes);
    piece.copy(long, this.#bytes, 0, taken);
    this.#bytes += taken;
    if (this.#bytes === this.#wanted) {
      this.#long = null;
      this.#bytes = 0;
      this.#wanted = lengthBytes;
      this.#frame(long);
    }
    return piece.subarray(taken);
  }

  #frame(frame: Buffer): void {
    assert(frame.length > prefixBytes, "a frame holds something");
    const value = new FrameDeserializer(
      frame.subarray(prefixBytes),
      frame.readUInt32LE(lengthBytes),
    );
    value.readHeader();
    this.#take(value.readValue() as T);
  }
}

/**
 * Frames on a lane: a length of four bytes, big-endian, and as many bytes. An empty frame says
 * nothing; it is how the side that opens a lane lets the other write on it.
 */
import { Buffer } from "node:buffer";

export const frameHeaderBytes = 4;

/** Up to this length a frame's buffer is made at once; a longer one grows as its bytes arrive, so that a length alone costs nothing. */
const eagerBytes = 64 * 1024;

/** A frame that has begun to arrive gets so much room; one of which that much has come, all that it wants: no more is ever copied. */
const generousBytes = 4 * 1024 * 1024;

/** Cuts a lane's bytes into frames. */
export class FrameReader {
  readonly #maxBytes: number;
  readonly #header = Buffer.alloc(frameHeaderBytes);
  #headerBytes = 0;
  #length = 0;
  #body: Uint8Array | null = null;
  #bodyBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Calls `frame` with each frame that `bytes` complete; it belongs to the callee.
   * @returns false when a frame is longer than allowed: the lane is of no more use.
   */
  push(bytes: Uint8Array, frame: (bytes: Uint8Array) => void): boolean {
    let at = 0;
    while (at < bytes.length) {
      if (this.#body === null) {
        this.#header[this.#headerBytes++] = bytes[at++] as number;
        if (this.#headerBytes < frameHeaderBytes) continue;
        this.#headerBytes = 0;
        this.#length = this.#header.readUInt32BE(0);
        if (this.#length > this.#maxBytes) return false;
        if (this.#length === 0) continue;
        this.#body = new Uint8Array(Math.min(this.#length, eagerBytes));
        this.#bodyBytes = 0;
        continue;
      }
      const taken = Math.min(this.#length - this.#bodyBytes, bytes.length - at);
      this.#append(this.#body, bytes.subarray(at, at + taken));
      at += taken;
      if (this.#bodyBytes === this.#length) {
        const whole = this.#body;
        this.#body = null;
        frame(whole);
      }
    }
    return true;
  }

  #append(body: Uint8Array, bytes: Uint8Array): void {
    const needed = this.#bodyBytes + bytes.length;
    let target = body;
    if (needed > target.length) {
      const room = needed > generousBytes ? this.#length : generousBytes;
      target = new Uint8Array(Math.min(this.#length, room));
      target.set(body.subarray(0, this.#bodyBytes));
      this.#body = target;
    }
    target.set(bytes, this.#bodyBytes);
    this.#bodyBytes = needed;
  }
}

/** Messages that wait for one lane, handed out as a stream of frames. */
export class FrameQueue {
  #messages: Uint8Array[] = [];
  #head = 0;
  /** How far the frame of the first message is written, its header counted. */
  #offset = 0;
  /** Bytes that wait, headers counted. */
  bytes = 0;
  /** Frames whose last byte was handed out, since `restart`. */
  written = 0;

  get empty(): boolean {
    return this.#head === this.#messages.length;
  }

  /** Whether a frame is written in part. */
  get begun(): boolean {
    return this.#offset > 0;
  }

  /** What is left of it. */
  get begunBytes(): number {
    if (this.#offset === 0) return 0;
    return (this.#messages[this.#head] as Uint8Array).length + frameHeaderBytes - this.#offset;
  }

  push(message: Uint8Array): void {
    this.#messages.push(message);
    this.bytes += message.length + frameHeaderBytes;
  }

  /** Copies the next bytes of the stream into `target`; returns how many. */
  fill(target: Buffer): number {
    let at = 0;
    while (at < target.length && this.#head < this.#messages.length) {
      const message = this.#messages[this.#head] as Uint8Array;
      if (this.#offset === 0) {
        // The header is four bytes at once or not at all.
        if (target.length - at < frameHeaderBytes) break;
        at = target.writeUInt32BE(message.length, at);
        this.#offset = frameHeaderBytes;
      }
      const from = this.#offset - frameHeaderBytes;
      const taken = Math.min(message.length - from, target.length - at);
      target.set(
        from === 0 && taken === message.length ? message : message.subarray(from, from + taken),
        at,
      );
      at += taken;
      this.#offset += taken;
      if (this.#offset === message.length + frameHeaderBytes) this.#next();
    }
    this.bytes -= at;
    return at;
  }

  /** For a new connection: a frame that was begun on the old one is gone, the rest waits on. @returns whether one was. */
  restart(): boolean {
    const begun = this.#offset > 0;
    if (begun) {
      const message = this.#messages[this.#head] as Uint8Array;
      this.bytes -= message.length + frameHeaderBytes - this.#offset;
      this.#next();
    }
    this.written = 0;
    return begun;
  }

  /** Takes out what waits. A frame that was begun is not among it. */
  drain(): readonly Uint8Array[] {
    this.restart();
    const drained = this.#messages.slice(this.#head);
    this.clear();
    return drained;
  }

  /** @returns whether anything was dropped. */
  clear(): boolean {
    const some = !this.empty;
    this.#messages = [];
    this.#head = 0;
    this.#offset = 0;
    this.bytes = 0;
    return some;
  }

  #next(): void {
    this.#messages[this.#head] = nothing;
    this.#head++;
    this.#offset = 0;
    this.written++;
    if (this.#head === this.#messages.length) {
      this.#messages.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#messages.length) {
      this.#messages.splice(0, this.#head);
      this.#head = 0;
    }
  }
}

const nothing = new Uint8Array(0);

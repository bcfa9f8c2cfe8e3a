/**
 * A child's end of the pipe to its parent. When the parent is gone the child ends at once: nothing
 * that it could still do would reach anybody.
 */
import { Socket } from "node:net";
import { encodeFrame, FrameReader } from "./frame.ts";

/** The descriptor that `spawnChild` connects. */
export const parentDescriptor = 3;

export class ParentPipe<In> {
  readonly #socket = new Socket({ fd: parentDescriptor, readable: true, writable: true });

  /** @param take is called for one frame after another, never while it runs. */
  constructor(take: (value: In) => void) {
    const frames = new FrameReader<In>(take);
    this.#socket.on("data", (piece: Buffer) => frames.push(piece));
    const gone = (): never => process.exit(0);
    this.#socket.on("end", gone);
    this.#socket.on("error", gone);
  }

  send(value: unknown): void {
    for (const piece of encodeFrame(value)) this.#socket.write(piece);
  }

  /** Calls back when all that was sent has left this process. */
  flush(done: () => void): void {
    this.#socket.write("", done);
  }

  /** Bytes that the parent has not taken yet. */
  get waiting(): number {
    return this.#socket.writableLength;
  }
}

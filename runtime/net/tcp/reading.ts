/**
 * How much is read in one turn of the event loop, of all TCP connections together, so that pings are
 * answered between two turns. Reading itself is cheap, unsealing included; what becomes of messages
 * is not. So sockets are read well ahead, since a ping stands behind all that was sent before it, and
 * the messages found on the way wait. Where too many wait their socket is left alone for a while, and
 * TCP's window keeps the other side from sending ever more.
 */
import { turnBytes } from "../limits.ts";

/** Taken from sockets in one turn: some milliseconds of unsealing. */
export const turnReadBytes = 512 * 1024;
/** Of one connection: as QUIC keeps of a lane. */
export const maxWaitingBytes = 4 * 1024 * 1024;

export interface ReadingPipe {
  /** Messages that have been read and not handed on. */
  readonly waitingBytes: number;
  /** Hands on so many bytes of messages at the most. @returns how many. */
  handOn(most: number): number;
  pause(): void;
  resume(): void;
}

export class Reading {
  readonly #behind: () => boolean;
  /** Of whom messages wait; who was served last is last. */
  readonly #waiting = new Set<ReadingPipe>();
  readonly #paused = new Set<ReadingPipe>();
  #readLeft = turnReadBytes;
  #turn: NodeJS.Immediate | null = null;

  /** @param behind what was handed on before is not dealt with yet. */
  constructor(behind: () => boolean) {
    this.#behind = behind;
  }

  /** So much was read from the socket of a pipe. */
  arrived(pipe: ReadingPipe, bytes: number): void {
    this.#readLeft -= bytes;
    if (pipe.waitingBytes > 0) this.#waiting.add(pipe);
    if (this.#readLeft <= 0 || pipe.waitingBytes >= maxWaitingBytes) {
      this.#paused.add(pipe);
      pipe.pause();
    }
    this.#schedule();
  }

  /** A pipe is over. */
  forget(pipe: ReadingPipe): void {
    this.#waiting.delete(pipe);
    this.#paused.delete(pipe);
  }

  close(): void {
    if (this.#turn !== null) clearImmediate(this.#turn);
    this.#waiting.clear();
    this.#paused.clear();
  }

  #schedule(): void {
    this.#turn ??= setImmediate(() => {
      this.#turn = null;
      this.#run();
    });
  }

  #run(): void {
    this.#readLeft = turnReadBytes;
    let left = this.#behind() ? 0 : turnBytes;
    // Those of whom something waits still go behind those whose turn has not come.
    const inTurn = [...this.#waiting];
    for (const pipe of inTurn) {
      if (left <= 0) break;
      left -= pipe.handOn(left);
      this.#waiting.delete(pipe);
      if (pipe.waitingBytes > 0) this.#waiting.add(pipe);
    }
    for (const pipe of this.#paused) {
      if (pipe.waitingBytes > maxWaitingBytes / 2) continue;
      this.#paused.delete(pipe);
      pipe.resume();
    }
    if (this.#waiting.size > 0) this.#schedule();
  }
}

/**
 * Reads what a connection has for us. Datagrams and what sessions say to each other are read whole and
 * first: membership travels there, and its answers must not be late. Of the lanes that carry
 * messages no more is read in one turn than the carrier allows; the rest stays with quiche, and its
 * window keeps the other side from sending ever more.
 */
import { controlLane, laneCount } from "../pipe.ts";
import type { Meaning } from "./meaning.ts";
import type { QuicheConnection } from "./quic-config.ts";
import { nextDatagram, readPart, streamReadBuffer } from "./streams.ts";

export interface LaneSink {
  /** Nothing is to be read any more. */
  readonly ended: boolean;
  /** `bytes` are valid during the call only. */
  data(lane: number, bytes: Uint8Array): void;
  /** `bytes` belong to the callee. */
  datagram(bytes: Uint8Array): void;
  /** The other side broke a rule; nothing is read after it. */
  broke(why: string): void;
}

/** The lanes of messages: all but the one on which sessions talk. */
const messageLanes = laneCount - 1;

export class LaneReader {
  readonly #streams: readonly number[];
  readonly #meaning: Meaning;
  readonly #sink: LaneSink;
  /** Of the lanes of messages, which is read first the next time. */
  #first = 0;

  /** @param streams the other side's, by lane. */
  constructor(streams: readonly number[], meaning: Meaning, sink: LaneSink) {
    this.#streams = streams;
    this.#meaning = meaning;
    this.#sink = sink;
  }

  /** @returns whether there was something. */
  atOnce(connection: QuicheConnection): boolean {
    if (this.#sink.ended || !connection.isReadable()) return false;
    // What sessions say first: it decides what becomes of the rest.
    let read = this.#lane(connection, controlLane, Number.POSITIVE_INFINITY) > 0;
    while (!this.#sink.ended) {
      const bytes = nextDatagram(connection);
      if (bytes === null) break;
      read = true;
      this.#meaning.read(bytes.length);
      if (bytes.length > 0) this.#sink.datagram(bytes);
    }
    return read;
  }

  /** @returns bytes that were read. As many as `most`: there may be more. */
  messages(connection: QuicheConnection, most: number): number {
    if (most <= 0 || !connection.isReadable()) return 0;
    let sum = 0;
    const first = this.#first;
    for (let i = 0; i < messageLanes && sum < most && !this.#sink.ended; i++) {
      const at = (first + i) % messageLanes;
      sum += this.#lane(connection, controlLane + 1 + at, most - sum);
      // A lane with much to say does not keep the others from being read.
      this.#first = (at + 1) % messageLanes;
    }
    return sum;
  }

  /** At most `most` bytes of one lane. @returns how many. */
  #lane(connection: QuicheConnection, lane: number, most: number): number {
    const stream = this.#streams[lane] as number;
    let sum = 0;
    while (sum < most && !this.#sink.ended && connection.streamReadable(stream)) {
      const part = readPart(connection, stream, most - sum);
      if (part === null) break;
      if (part === "broken") {
        this.#sink.broke("it broke off a lane");
        break;
      }
      const [bytes, end] = part;
      sum += bytes;
      this.#meaning.read(bytes);
      if (bytes > 0) this.#sink.data(lane, streamReadBuffer.subarray(0, bytes));
      if (end && !this.#sink.ended) this.#sink.broke("it ended a lane");
    }
    return sum;
  }
}

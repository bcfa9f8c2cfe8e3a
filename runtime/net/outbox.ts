/** What waits for one peer: a queue a channel, and datagrams that came before there was a connection. */
import { assert } from "../../core/base/assert.ts";
import { FrameQueue } from "./frames.ts";
import { maxEarlyDatagrams, maxQueuedBytes } from "./limits.ts";
import { channels, laneOf } from "./pipe.ts";
import type { Channel } from "./transport.ts";

export class Outbox {
  readonly #queues: readonly FrameQueue[] = channels.map(() => new FrameQueue());
  #datagrams: Uint8Array[] = [];

  queue(channel: Channel): FrameQueue {
    const queue = this.#queues[laneOf(channel) - 1];
    assert(queue !== undefined, "each channel has its queue");
    return queue;
  }

  get bytes(): number {
    let sum = 0;
    for (const queue of this.#queues) sum += queue.bytes;
    return sum;
  }

  get empty(): boolean {
    return this.#queues.every((queue) => queue.empty);
  }

  /** @returns false when too much waits already. */
  push(channel: Channel, bytes: Uint8Array): boolean {
    const waiting = this.bytes;
    if (waiting > 0 && waiting + bytes.length > maxQueuedBytes) return false;
    this.queue(channel).push(bytes);
    return true;
  }

  /** The oldest goes when there are too many. @returns how many were dropped. */
  keepDatagram(bytes: Uint8Array): number {
    this.#datagrams.push(bytes);
    if (this.#datagrams.length <= maxEarlyDatagrams) return 0;
    this.#datagrams.shift();
    return 1;
  }

  takeDatagrams(): readonly Uint8Array[] {
    const taken = this.#datagrams;
    this.#datagrams = [];
    return taken;
  }

  /** Adds what waits in another, of which nothing was begun. */
  take(other: Outbox): void {
    for (const channel of channels) {
      for (const message of other.queue(channel).drain()) this.queue(channel).push(message);
    }
    for (const bytes of other.takeDatagrams()) this.keepDatagram(bytes);
  }

  /** For a new connection. @returns the channels on which a message was cut short by the end of the last one. */
  restart(): Channel[] {
    return channels.filter((channel) => this.queue(channel).restart());
  }

  /** @returns the channels on which something waited. */
  clear(): Channel[] {
    this.#datagrams = [];
    return channels.filter((channel) => this.queue(channel).clear());
  }
}

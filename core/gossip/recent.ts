/**
 * The messages seen lately, with their bytes for those who ask again and who is known to have
 * them. Bounded by number, bytes and age; the oldest goes first, and who asks for it then is
 * served by sync.
 */
import { assert } from "../base/assert.ts";
import type { ActorId, Address } from "../base/ids.ts";
import { ChunkTable } from "./chunk-table.ts";
import type { GossipConfig } from "./config.ts";

/** One message of the broadcast: a chunk, as it is pushed by this node. */
export interface Recent {
  readonly actor: ActorId;
  readonly version: number;
  readonly index: number;
  readonly count: number;
  /** The push, with the hop count for the next receiver. */
  readonly bytes: Uint8Array;
  /** Hops that it came; 0 for one's own and for what came ahead of the tree. */
  readonly hops: number;
  /** From whom it came first; null for one's own. */
  readonly parent: Address | null;
  /** Copies of it went ahead of the tree. */
  readonly ahead: boolean;
  /** Neighbours (one bit each) that have it or were told of it. */
  told: number;
  readonly atMs: number;
  /** It had been announced before, at this monotonic time, and was asked for from `grafted`. */
  announcedMs: number;
  grafted: Address | null;
}

export class RecentMessages {
  readonly #config: GossipConfig;
  readonly #byChunk = new ChunkTable<Recent>();
  /** In order of arrival; those before `#head` are gone. */
  #queue: Recent[] = [];
  #head = 0;
  #bytes = 0;

  constructor(config: GossipConfig) {
    this.#config = config;
  }

  get size(): number {
    return this.#queue.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(actor: ActorId, version: number, index: number): Recent | undefined {
    return this.#byChunk.get(actor, version, index);
  }

  /** Keeps a message that is not there yet. */
  add(message: Recent): void {
    if (!this.#byChunk.add(message)) return;
    this.#queue.push(message);
    this.#bytes += message.bytes.length;
    this.#evict(message.atMs);
  }

  /** The bit stands for another neighbour from now on, who was told of nothing. */
  forgetTold(bit: number): void {
    for (let i = this.#head; i < this.#queue.length; i++) (this.#queue[i] as Recent).told &= ~bit;
  }

  #evict(monoMs: number): void {
    const { recentMessages, recentBytes, recentMs } = this.#config;
    while (this.size > 1) {
      const oldest = this.#queue[this.#head] as Recent;
      const full = this.size > recentMessages || this.#bytes > recentBytes;
      if (!full && monoMs - oldest.atMs <= recentMs) break;
      this.#head++;
      this.#bytes -= oldest.bytes.length;
      const had = this.#byChunk.delete(oldest);
      assert(had, "what is in the queue is in the map");
    }
    if (this.#head > 64 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }
}

/**
 * The messages seen lately, with their bytes for those who ask again and who is known to have
 * them. Bounded by number, bytes and age; the oldest goes first, and who asks for it then is
 * served by sync.
 */
import type { ActorId, Address } from "../base/ids.ts";
import { Arrivals } from "./arrivals.ts";
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
  readonly #arrivals = new Arrivals<Recent>();
  #bytes = 0;

  constructor(config: GossipConfig) {
    this.#config = config;
  }

  get size(): number {
    return this.#arrivals.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  find(actor: ActorId, version: number, index: number): Recent | undefined {
    return this.#arrivals.get(actor, version, index);
  }

  /** Keeps a message that is not there yet. */
  add(message: Recent): void {
    const bytes = message.bytes.length;
    if (!this.#arrivals.add(message, message.atMs, bytes)) return;
    this.#bytes += bytes;
    this.#evict(message.atMs);
  }

  /** The bit stands for another neighbour from now on, who was told of nothing. */
  forgetTold(bit: number): void {
    const { size } = this.#arrivals;
    for (let i = 0; i < size; i++) this.#arrivals.at(i).told &= ~bit;
  }

  #evict(monoMs: number): void {
    const { recentMessages, recentBytes, recentMs } = this.#config;
    const arrivals = this.#arrivals;
    while (arrivals.size > 1) {
      const full = arrivals.size > recentMessages || this.#bytes > recentBytes;
      if (!full && monoMs - arrivals.oldestMs <= recentMs) break;
      this.#bytes -= arrivals.dropOldest();
    }
  }
}

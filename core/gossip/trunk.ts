/**
 * Which links may be cut. All sources share one tree, and a duplicate proves a cycle; but two
 * messages of two sources that are on their way at the same time prove the same cycle at two
 * places, and both would be cut there. So only the messages of one source cut links: the one with
 * the smallest hash among those heard lately, which is the same for all nodes before long. Towards
 * it each node keeps one parent, the neighbour that brought its first message, and does not let it
 * go because another one was faster once. Parents come from one message's way through the cluster,
 * so they make no cycle, and nobody is cut off.
 */
import type { ActorId, Address } from "../base/ids.ts";
import { seedOfId } from "../sync/set-hash.ts";

/** A source that is silent for this long is not the reference any more. */
const silentMs = 30_000;
/** Messages of the reference that came from others and not from the parent: it is none any more. */
const missesAllowed = 3;

export class Trunk {
  #source: ActorId | null = null;
  #hash = 0;
  #heardMs = 0;
  #parent: Address | null = null;
  #misses = 0;

  /** A message of `source` came for the first time, from `from` (null: this node's own). */
  fresh(monoMs: number, source: ActorId, from: Address | null): void {
    if (source !== this.#source && !this.#adopt(monoMs, source)) return;
    this.#heardMs = monoMs;
    if (this.#parent === null || from === null) {
      this.#parent = from;
      this.#misses = 0;
    } else if (from === this.#parent) {
      this.#misses = 0;
    } else if (++this.#misses > missesAllowed) {
      this.#parent = from;
      this.#misses = 0;
    }
  }

  /** A message of `source` came that says nothing about the tree. */
  heard(monoMs: number, source: ActorId): void {
    if (source === this.#source || this.#adopt(monoMs, source)) this.#heardMs = monoMs;
  }

  /**
   * A message of `source` that came first from `first` came again from `from`: a cycle. Returns
   * the neighbour whose link is to be cut; null if none.
   */
  duplicate(source: ActorId, first: Address | null, from: Address): Address | null {
    if (source !== this.#source || first === from) return null;
    if (from !== this.#parent) return from;
    // The parent was slower this time; it is not gone, though.
    this.#misses = 0;
    return first;
  }

  /** Is this the link that brings the reference's messages? It is not to be cut by the other side. */
  isParent(address: Address): boolean {
    return address === this.#parent;
  }

  isReference(source: ActorId): boolean {
    return source === this.#source;
  }

  /** `address` brings the reference's messages sooner. */
  follow(address: Address): void {
    this.#parent = address;
    this.#misses = 0;
  }

  /** The neighbour is gone. */
  drop(address: Address): void {
    if (address === this.#parent) this.#parent = null;
  }

  #adopt(monoMs: number, source: ActorId): boolean {
    const hash = seedOfId(source).lo >>> 0;
    const silent = this.#source === null || monoMs - this.#heardMs > silentMs;
    if (!silent && hash >= this.#hash) return false;
    this.#source = source;
    this.#hash = hash;
    this.#parent = null;
    return true;
  }
}

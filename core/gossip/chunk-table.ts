/**
 * Messages by the chunk that they carry, in one table with open addressing: every push and every
 * announcement looks one up at a node that has long left the cache, so a look-up that finds
 * nothing reads one number, and one that finds something that and the message. Versions from 2^33
 * on are not kept; nobody has as many.
 */
import type { ActorId } from "../base/ids.ts";
import { type ChunkKey, versionBound } from "./chunk-map.ts";

const firstSlots = 64;

export class ChunkTable<T extends ChunkKey> {
  /** Of what lies in each slot; 0: the slot is free. At most half are taken. */
  #hashes = new Int32Array(firstSlots);
  #items: (T | null)[] = emptySlots(firstSlots);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(actor: ActorId, version: number, index: number): T | undefined {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    const hash = hashOf(actor, version, index);
    let slot = hash & mask;
    for (;;) {
      const there = hashes[slot];
      if (there === 0) return undefined;
      if (there === hash) {
        const item = this.#items[slot] as T;
        if (item.version === version && item.index === index && item.actor === actor) return item;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** False when its chunk is there already, or cannot be kept. */
  add(item: T): boolean {
    const { actor, version, index } = item;
    if (version >= versionBound) return false;
    if (this.get(actor, version, index) !== undefined) return false;
    if (this.#size * 2 >= this.#hashes.length) this.#grow();
    this.#enter(hashOf(actor, version, index), item);
    this.#size++;
    return true;
  }

  /** Takes out this very message; false when it is not there. */
  delete(item: T): boolean {
    const mask = this.#hashes.length - 1;
    let hole = hashOf(item.actor, item.version, item.index) & mask;
    while (this.#items[hole] !== item) {
      if (this.#hashes[hole] === 0) return false;
      hole = (hole + 1) & mask;
    }
    // Whatever had to go past the hole to find a place moves up to it.
    for (let at = (hole + 1) & mask; this.#hashes[at] !== 0; at = (at + 1) & mask) {
      const wanted = (this.#hashes[at] as number) & mask;
      if (((at - wanted) & mask) < ((at - hole) & mask)) continue;
      this.#hashes[hole] = this.#hashes[at] as number;
      this.#items[hole] = this.#items[at] as T;
      hole = at;
    }
    this.#hashes[hole] = 0;
    this.#items[hole] = null;
    this.#size--;
    return true;
  }

  #enter(hash: number, item: T): void {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    while (this.#hashes[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#items[slot] = item;
  }

  #grow(): void {
    const hashes = this.#hashes;
    const items = this.#items;
    this.#hashes = new Int32Array(hashes.length * 2);
    this.#items = emptySlots(hashes.length * 2);
    for (let i = 0; i < hashes.length; i++) {
      if (hashes[i] !== 0) this.#enter(hashes[i] as number, items[i] as T);
    }
  }
}

function emptySlots(count: number): null[] {
  const slots: null[] = [];
  slots.length = count;
  return slots.fill(null);
}

/** Never 0. Ids are random: a few of their digits tell authors apart. */
function hashOf(actor: ActorId, version: number, index: number): number {
  const author =
    (actor.charCodeAt(0) << 20) ^
    (actor.charCodeAt(1) << 15) ^
    (actor.charCodeAt(2) << 10) ^
    (actor.charCodeAt(3) << 5) ^
    actor.charCodeAt(31);
  const mixed =
    Math.imul(version, 0x9e3779b1) ^ Math.imul(author, 0x85ebca6b) ^ Math.imul(index, 0xc2b2ae35);
  return mixed ^ (mixed >>> 15) || 1;
}

/**
 * Messages in the order in which they came, and by the chunk that they carry. Every push and every
 * announcement looks one up at a node that has long left the cache, so a look-up that finds nothing
 * reads one number. The oldest is given up without a look at it, and stays in the table until that
 * is full: then a table is made of those that are left. Versions from 2^33 on are not kept; nobody
 * has as many.
 */
import { assert } from "../base/assert.ts";
import type { ActorId } from "../base/ids.ts";
import { type ChunkKey, versionBound } from "./chunk-map.ts";

const firstPlaces = 16;

export class Arrivals<T extends ChunkKey> {
  // A ring. The place of the nth that came is n in its lower bits; numbers count modulo 2^32.
  #items: (T | null)[] = emptyPlaces(firstPlaces);
  #atMs = new Float64Array(firstPlaces);
  #bytes = new Int32Array(firstPlaces);
  #hashesInRing = new Int32Array(firstPlaces);
  #mask = firstPlaces - 1;
  /** How many came, and how many of these are gone. */
  #came = 0;
  #gone = 0;

  // A table with open addressing, at most half full: of what lies in each slot the hash (0: the slot is free) and its number.
  #hashes = new Int32Array(firstPlaces * 4);
  #numbers = new Int32Array(firstPlaces * 4);
  /** Slots taken, those of messages that are gone included. */
  #taken = 0;

  get size(): number {
    return (this.#came - this.#gone) | 0;
  }

  /** When the oldest came. */
  get oldestMs(): number {
    return this.#atMs[this.#gone & this.#mask] as number;
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
        const number = this.#numbers[slot] as number;
        if (((number - this.#gone) | 0) >= 0) {
          const item = this.#items[number & this.#mask] as T;
          if (item.version === version && item.index === index && item.actor === actor) return item;
        }
      }
      slot = (slot + 1) & mask;
    }
  }

  /** False when its chunk is there already, or cannot be kept. */
  add(item: T, atMs: number, bytes: number): boolean {
    const { actor, version, index } = item;
    if (version >= versionBound) return false;
    if (this.get(actor, version, index) !== undefined) return false;
    if (this.size > this.#mask) this.#growRing();
    if (this.#taken * 2 >= this.#hashes.length) this.#renewTable();
    const hash = hashOf(actor, version, index);
    const place = this.#came & this.#mask;
    this.#items[place] = item;
    this.#atMs[place] = atMs;
    this.#bytes[place] = bytes;
    this.#hashesInRing[place] = hash;
    this.#enter(hash, this.#came);
    this.#came = (this.#came + 1) | 0;
    return true;
  }

  /** Forgets the oldest; returns its bytes. */
  dropOldest(): number {
    assert(this.size > 0, "there is an oldest one");
    const place = this.#gone & this.#mask;
    this.#items[place] = null;
    this.#gone = (this.#gone + 1) | 0;
    return this.#bytes[place] as number;
  }

  /** The nth of those that are left, the oldest being 0. */
  at(nth: number): T {
    assert(nth >= 0 && nth < this.size, "it is one of those that are left");
    return this.#items[(this.#gone + nth) & this.#mask] as T;
  }

  #enter(hash: number, number: number): void {
    const mask = this.#hashes.length - 1;
    let slot = hash & mask;
    while (this.#hashes[slot] !== 0) slot = (slot + 1) & mask;
    this.#hashes[slot] = hash;
    this.#numbers[slot] = number;
    this.#taken++;
  }

  #growRing(): void {
    const { size } = this;
    const places = size * 2;
    const before = { items: this.#items, atMs: this.#atMs, bytes: this.#bytes };
    const hashes = this.#hashesInRing;
    const mask = this.#mask;
    this.#items = emptyPlaces(places);
    this.#atMs = new Float64Array(places);
    this.#bytes = new Int32Array(places);
    this.#hashesInRing = new Int32Array(places);
    this.#mask = places - 1;
    for (let i = 0; i < size; i++) {
      const from = (this.#gone + i) & mask;
      const to = (this.#gone + i) & this.#mask;
      this.#items[to] = before.items[from] as T;
      this.#atMs[to] = before.atMs[from] as number;
      this.#bytes[to] = before.bytes[from] as number;
      this.#hashesInRing[to] = hashes[from] as number;
    }
  }

  /** Of those that are left alone, with room for as many again. */
  #renewTable(): void {
    const { size } = this;
    let slots = firstPlaces * 4;
    while (slots < size * 4) slots *= 2;
    if (slots === this.#hashes.length) {
      this.#hashes.fill(0);
    } else {
      this.#hashes = new Int32Array(slots);
      this.#numbers = new Int32Array(slots);
    }
    this.#taken = 0;
    for (let i = 0; i < size; i++) {
      const number = (this.#gone + i) | 0;
      this.#enter(this.#hashesInRing[number & this.#mask] as number, number);
    }
  }
}

function emptyPlaces(count: number): null[] {
  const places: null[] = [];
  places.length = count;
  return places.fill(null);
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

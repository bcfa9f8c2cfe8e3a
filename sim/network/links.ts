/**
 * Directed links, made at first need: the connections of their planes, their queue, and when they
 * told their round trip. A link is a number; what is known of it lies in one record of 64 bytes,
 * since every message asks for it twice and a large cluster has a million of them.
 */
import { assert } from "../../core/base/assert.ts";

/** Pairs are keyed in one small integer. */
const maxNodes = 16_384;
const recordNumbers = 8;
// Places in a record. The first two are of plane 0; those of the others follow.
const lastArrival = 0;
/** Twice the number of the connection, and one more while it is being given up. */
const connection = 3;
const freeAt = 6;
const nextRtt = 7;
const firstLinks = 64;

export class Links {
  #count = 0;
  #records = new Float64Array(firstLinks * recordNumbers);
  /** By link: from · maxNodes + to. */
  #pairs = new Int32Array(firstLinks);
  /** Open addressing by pair: the link and one more; 0: free. At most half full. */
  #table = new Int32Array(firstLinks * 2);

  /** The link from `from` to `to`. */
  find(from: number, to: number): number {
    const pair = from * maxNodes + to;
    const mask = this.#table.length - 1;
    let slot = slotOf(pair, mask);
    for (;;) {
      const link = (this.#table[slot] as number) - 1;
      if (link < 0) return this.#add(pair);
      if (this.#pairs[link] === pair) return link;
      slot = (slot + 1) & mask;
    }
  }

  fromOf(link: number): number {
    return Math.floor((this.#pairs[link] as number) / maxNodes);
  }

  toOf(link: number): number {
    return (this.#pairs[link] as number) % maxNodes;
  }

  /** The number of the plane's present connection. */
  generation(link: number, plane: number): number {
    return (this.#records[link * recordNumbers + connection + plane] as number) >> 1;
  }

  /** Another connection takes the place of the present one, which will be given up: true unless the one before it still is. */
  break(link: number, plane: number): boolean {
    const at = link * recordNumbers + connection + plane;
    const before = this.#records[at] as number;
    this.#records[at] = (before | 1) + 2;
    return (before & 1) === 0;
  }

  givenUp(link: number, plane: number): void {
    const at = link * recordNumbers + connection + plane;
    assert(((this.#records[at] as number) & 1) === 1, "a connection is given up after it broke");
    this.#records[at] = (this.#records[at] as number) - 1;
  }

  /** Puts an arrival at `atUs`, or after the latest one of the plane. Returns when. */
  arriveInOrder(link: number, plane: number, atUs: number): number {
    const at = link * recordNumbers + lastArrival + plane;
    const last = this.#records[at] as number;
    if (last >= atUs) return last;
    this.#records[at] = atUs;
    return atUs;
  }

  /** When the link has sent all that was queued. */
  freeAtUs(link: number): number {
    return this.#records[link * recordNumbers + freeAt] as number;
  }

  setFreeAtUs(link: number, us: number): void {
    this.#records[link * recordNumbers + freeAt] = us;
  }

  nextRttUs(link: number): number {
    return this.#records[link * recordNumbers + nextRtt] as number;
  }

  setNextRttUs(link: number, us: number): void {
    this.#records[link * recordNumbers + nextRtt] = us;
  }

  #add(pair: number): number {
    if (this.#count === this.#pairs.length) this.#grow();
    const link = this.#count++;
    this.#pairs[link] = pair;
    this.#enter(link);
    return link;
  }

  #enter(link: number): void {
    const mask = this.#table.length - 1;
    let slot = slotOf(this.#pairs[link] as number, mask);
    while (this.#table[slot] !== 0) slot = (slot + 1) & mask;
    this.#table[slot] = link + 1;
  }

  #grow(): void {
    const links = this.#pairs.length * 2;
    const pairs = new Int32Array(links);
    pairs.set(this.#pairs);
    this.#pairs = pairs;
    const records = new Float64Array(links * recordNumbers);
    records.set(this.#records);
    this.#records = records;
    this.#table = new Int32Array(links * 2);
    for (let link = 0; link < this.#count; link++) this.#enter(link);
  }
}

function slotOf(pair: number, mask: number): number {
  const mixed = Math.imul(pair, 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) & mask;
}

/**
 * With whom a node exchanges broadcasts. Every node draws the same rings over the members (one
 * order per ring, by a hash of the address) and takes its two neighbours in each: the union of a
 * few random rings is an expander (Law and Siu, INFOCOM 2003), it is connected as long as one ring
 * is, both ends of a link agree about it without a word, and a change of membership touches only
 * the nodes beside it. Where there are several regions some rings go over the own region alone, so
 * that most links are short and a few are long; the shortest round trips that are known add some.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import { mix32 } from "../sync/set-hash.ts";
import type { GossipConfig } from "./config.ts";
import type { RecentMessages } from "./recent.ts";

/** The members, as the overlay needs them. */
export interface Peers {
  /** Alive; may include this node itself. The same array until that changes. */
  aliveAddresses(): readonly Address[];
  regionOf(address: Address): string;
}

export interface Neighbour {
  readonly address: Address;
  /** A bit of its own in `Recent.told`. */
  readonly bit: number;
  /** Pushed to; else it is only told what there is. */
  eager: boolean;
  /** Chosen by this node, not only by the other. */
  chosen: boolean;
  /** By how much the reference's messages would have come earlier over this link, smoothed. */
  gainMs: number;
}

/** One bit each. Overflow policy: whoever wants to be one more neighbour is told to prune. */
export const maxNeighbours = 30;
/** Peers that could not be reached. Overflow policy: one more is not passed over. */
const maxSuspended = 1024;
/** They are left out of the rings for this long, or until they are heard. */
const suspendedMs = 10_000;
/** Peers whose round trips are remembered. Overflow policy: the longest goes. */
const maxRtts = 256;

export class Overlay {
  readonly #self: Address;
  readonly #config: GossipConfig;
  readonly #peers: Peers;
  readonly #recent: RecentMessages;
  readonly #byAddress = new Map<Address, Neighbour>();
  /** Replaced, never changed, so that it may be walked meanwhile. */
  #list: readonly Neighbour[] = [];
  #freeBits = (1 << maxNeighbours) - 1;
  readonly #rtts = new Map<Address, number>();
  /** Until which monotonic time. */
  readonly #suspended = new Map<Address, number>();
  #dirty = true;
  /** The rings as they were chosen last; empty while all members are neighbours. */
  #spans: Span[] = [];
  /** The longest round trip of the links that were chosen for being short; Infinity while there is room for more. */
  #nearWorstMs = Infinity;
  /** This node's region, when there are others; else null. */
  #region: string | null = null;

  constructor(self: Address, config: GossipConfig, peers: Peers, recent: RecentMessages) {
    this.#self = self;
    this.#config = config;
    this.#peers = peers;
    this.#recent = recent;
  }

  get size(): number {
    return this.#list.length;
  }

  get eagerCount(): number {
    let count = 0;
    for (const { eager } of this.#list) if (eager) count++;
    return count;
  }

  /** All neighbours, brought up to date with the members. Not to be changed. */
  neighbours(): readonly Neighbour[] {
    if (this.#dirty) this.#choose();
    return this.#list;
  }

  find(address: Address): Neighbour | undefined {
    if (this.#dirty) this.#choose();
    return this.#byAddress.get(address);
  }

  /** The neighbour `address`, made one when there is room; undefined when there is none. */
  accept(address: Address): Neighbour | undefined {
    const known = this.find(address);
    if (known !== undefined || address === this.#self) return known;
    return this.#add(address, false, false);
  }

  /** A lazy link that this node did not choose is of no use. */
  dropIfIdle(neighbour: Neighbour): void {
    if (!neighbour.chosen && !neighbour.eager) this.#remove(neighbour);
  }

  /** @param there alive or suspect. */
  memberChanged(about: Address, there: boolean): void {
    const known = this.#byAddress.get(about);
    if (there) {
      if (known?.chosen !== true && this.#isBeside(about)) this.#dirty = true;
      return;
    }
    this.#rtts.delete(about);
    this.#suspended.delete(about);
    if (known === undefined) return;
    this.#remove(known);
    this.#dirty = true;
  }

  /** `peer` could not be reached: others take its place in the rings for a while. */
  suspend(monoMs: number, peer: Address): void {
    if (this.#suspended.size >= maxSuspended) return;
    this.#suspended.set(peer, monoMs + suspendedMs);
    const known = this.#byAddress.get(peer);
    if (known !== undefined) this.#remove(known);
    this.#dirty = true;
  }

  /** `peer` is heard again. */
  resume(peer: Address): void {
    if (this.#suspended.size > 0 && this.#suspended.delete(peer)) this.#dirty = true;
  }

  /** Looks whether the time of suspended peers is over. */
  expire(monoMs: number): void {
    if (this.#suspended.size === 0) return;
    for (const [peer, untilMs] of this.#suspended) if (monoMs >= untilMs) this.resume(peer);
  }

  rtt(peer: Address, rttMs: number): void {
    const before = this.#rtts.get(peer);
    // Smoothed as TCP does (RFC 6298, section 2): one slow answer does not move a link.
    const smoothed = before === undefined ? rttMs : before + (rttMs - before) / 8;
    this.#rtts.set(peer, smoothed);
    // A link moves only for a round trip that is shorter by a good part.
    const nearer = smoothed * 1.25 < this.#nearWorstMs;
    if (nearer && this.#byAddress.get(peer)?.chosen !== true) this.#dirty = true;
    if (this.#rtts.size <= maxRtts) return;
    let longest = peer;
    for (const [address, ms] of this.#rtts) {
      if (ms > (this.#rtts.get(longest) as number)) longest = address;
    }
    this.#rtts.delete(longest);
  }

  /** Would `about` be a neighbour? In a large cluster few newcomers are, and the others cost nothing. */
  #isBeside(about: Address): boolean {
    const spans = this.#spans;
    if (this.#dirty || spans.length === 0) return true;
    const own = this.#region ?? this.#peers.regionOf(this.#self);
    const foreign = this.#peers.regionOf(about) !== own;
    if (foreign && this.#region === null) return true;
    for (const { ring, regional, place, afterBy, beforeBy } of spans) {
      if (regional && foreign) continue;
      const hash = ringHash(about, ring);
      if ((hash - place) >>> 0 <= afterBy || (place - hash) >>> 0 <= beforeBy) return true;
    }
    return false;
  }

  #choose(): void {
    this.#dirty = false;
    this.#spans = [];
    this.#region = null;
    const chosen = this.#rings();
    const inRings = chosen.size;
    this.#addNear(chosen);
    for (const neighbour of this.#list) neighbour.chosen = chosen.has(neighbour.address);
    for (const neighbour of this.#list) this.dropIfIdle(neighbour);
    let place = 0;
    for (const address of chosen) {
      // A new link is eager until a duplicate proves that it is not needed. Near ones come and go as
      // round trips are measured, beside rings that reach everybody: each has to show its gain first.
      const eager = place++ < inRings;
      if (!this.#byAddress.has(address)) this.#add(address, eager, true);
    }
  }

  /** The neighbours in each ring, in ring order. */
  #rings(): Set<Address> {
    const chosen = new Set<Address>();
    const known = this.#peers.aliveAddresses();
    const suspended = this.#suspended;
    const alive = suspended.size === 0 ? known : known.filter((a) => !suspended.has(a));
    const { rings, regionRings } = this.#config;
    if (alive.length <= 2 * rings) {
      for (const address of alive) if (address !== this.#self) chosen.add(address);
      return chosen;
    }
    const region = this.#peers.regionOf(this.#self);
    const near = alive.filter((a) => a !== this.#self && this.#peers.regionOf(a) === region);
    const regional = near.length < alive.length - 1 && near.length > 0;
    if (regional) this.#region = region;
    for (let ring = 0; ring < (regional ? regionRings : 0); ring++) {
      this.#spans.push(addRing(near, this.#self, 0x1000 + ring, true, chosen));
    }
    // The short links carry most of the load then, so fewer long ones do.
    const wide = regional ? Math.max(1, rings - 1) : rings;
    for (let ring = 0; ring < wide; ring++) {
      this.#spans.push(addRing(alive, this.#self, ring, false, chosen));
    }
    return chosen;
  }

  #addNear(chosen: Set<Address>): void {
    const byRtt = [...this.#rtts].sort((a, b) => a[1] - b[1] || (a[0] < b[0] ? -1 : 1));
    let left = this.#config.nearLinks;
    this.#nearWorstMs = Infinity;
    for (const [address, ms] of byRtt) {
      if (left === 0) return;
      if (chosen.has(address) || this.#suspended.has(address)) continue;
      chosen.add(address);
      if (--left === 0) this.#nearWorstMs = ms;
    }
  }

  #add(address: Address, eager: boolean, chosen: boolean): Neighbour | undefined {
    if (this.#freeBits === 0) return undefined;
    const bit = this.#freeBits & -this.#freeBits;
    this.#freeBits &= ~bit;
    this.#recent.forgetTold(bit);
    const neighbour: Neighbour = { address, bit, eager, chosen, gainMs: 0 };
    this.#byAddress.set(address, neighbour);
    this.#list = [...this.#list, neighbour];
    assert(this.#list.length === this.#byAddress.size, "a neighbour is listed once");
    return neighbour;
  }

  #remove(neighbour: Neighbour): void {
    assert((this.#freeBits & neighbour.bit) === 0, "a neighbour has its bit");
    this.#freeBits |= neighbour.bit;
    this.#byAddress.delete(neighbour.address);
    this.#list = this.#list.filter((other) => other !== neighbour);
  }
}

/** A ring, and how far on it the neighbours are: whoever comes nearer takes their place. */
interface Span {
  readonly ring: number;
  readonly regional: boolean;
  /** This node's own place. */
  readonly place: number;
  readonly afterBy: number;
  readonly beforeBy: number;
}

/** Adds the members before and after `self` in the order of ring `ring`. */
function addRing(
  members: readonly Address[],
  self: Address,
  ring: number,
  regional: boolean,
  chosen: Set<Address>,
): Span {
  const own = ringHash(self, ring);
  let after: Address | null = null;
  let before: Address | null = null;
  // Distances around the ring, as 32-bit numbers without sign: those ahead and those behind.
  let afterBy = Infinity;
  let beforeBy = Infinity;
  for (const address of members) {
    if (address === self) continue;
    const hash = ringHash(address, ring);
    const ahead = (hash - own) >>> 0;
    const behind = (own - hash) >>> 0;
    if (ahead < afterBy || (ahead === afterBy && after !== null && address < after)) {
      after = address;
      afterBy = ahead;
    }
    if (behind < beforeBy || (behind === beforeBy && before !== null && address < before)) {
      before = address;
      beforeBy = behind;
    }
  }
  if (after !== null) chosen.add(after);
  if (before !== null) chosen.add(before);
  return { ring, regional, place: own, afterBy, beforeBy };
}

/** A member's place in a ring. */
function ringHash(address: Address, ring: number): number {
  let hash = Math.imul(ring + 1, 0x9e3779b1);
  for (let i = 0; i < address.length; i++) {
    hash = Math.imul(hash ^ address.charCodeAt(i), 0x01000193);
  }
  return mix32(hash);
}

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
import type { GossipConfig } from "./config.ts";
import type { RecentMessages } from "./recent.ts";
import { placeOf, type Region, regionsOf, takesOver } from "./regions.ts";

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
  /** One of the links that reach everybody by themselves. */
  backbone: boolean;
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
  /** The members by region, when there are several regions; else empty. */
  #regions: ReadonlyMap<string, Region> = new Map();

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
    // Another one of its region takes the place of a gateway.
    for (const { gateway } of this.#regions.values()) if (gateway === about) this.#dirty = true;
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

  /** Of this node's region? */
  isNear(address: Address): boolean {
    return this.#peers.regionOf(address) === this.#peers.regionOf(this.#self);
  }

  /** Is there a region of which no member that was measured is nearer than `rttMs`? */
  reachesFar(rttMs: number): boolean {
    if (rttMs === 0) return true;
    const own = this.#peers.regionOf(this.#self);
    const nearest = new Map<string, number>();
    for (const [address, ms] of this.#rtts) {
      const region = this.#peers.regionOf(address);
      if (region !== own && ms < (nearest.get(region) ?? Infinity)) nearest.set(region, ms);
    }
    for (const ms of nearest.values()) if (ms >= rttMs) return true;
    return false;
  }

  /** Would `about` be a neighbour? In a large cluster few newcomers are, and the others cost nothing. */
  #isBeside(about: Address): boolean {
    const spans = this.#spans;
    if (this.#dirty || spans.length === 0) return true;
    const region = this.#peers.regionOf(about);
    const foreign = region !== this.#peers.regionOf(this.#self);
    // The first of its region is its gateway, and so is one that comes before the gateway.
    const known = this.#regions.get(region);
    if (known === undefined ? foreign : takesOver(known, about)) return true;
    for (const { over, salt, place, afterBy, beforeBy } of spans) {
      if (over === "gateways" || (over === "region" && foreign)) continue;
      const other = placeOf(about, salt);
      if ((other - place) >>> 0 <= afterBy || (place - other) >>> 0 <= beforeBy) return true;
    }
    return false;
  }

  #choose(): void {
    this.#dirty = false;
    this.#spans = [];
    this.#regions = new Map();
    const chosen = new Set<Address>();
    const backbone = this.#addRings(chosen);
    this.#addNear(chosen);
    for (const neighbour of this.#list) {
      neighbour.chosen = chosen.has(neighbour.address);
      if (neighbour.chosen || !neighbour.backbone) continue;
      neighbour.backbone = false;
      neighbour.eager = false;
    }
    for (const neighbour of this.#list) this.dropIfIdle(neighbour);
    let place = 0;
    for (const address of chosen) {
      const onBackbone = place++ < backbone;
      const known = this.#byAddress.get(address) ?? this.#add(address, false, true);
      if (known === undefined || known.backbone === onBackbone) continue;
      // A new link that helps to reach everybody is eager until a duplicate proves that it is not
      // needed. The others are beside those, and near ones come and go as round trips are measured:
      // each has to show its gain first.
      known.backbone = onBackbone;
      known.eager = onBackbone;
    }
  }

  /** The neighbours in each ring, in ring order. Returns how many, from the first on, reach everybody. */
  #addRings(chosen: Set<Address>): number {
    const known = this.#peers.aliveAddresses();
    const others = known.filter((a) => a !== this.#self && !this.#suspended.has(a));
    const { rings } = this.#config;
    if (others.length <= 2 * rings) {
      for (const address of others) chosen.add(address);
      return chosen.size;
    }
    const regions = regionsOf([...others, this.#self], (a) => this.#peers.regionOf(a));
    if (regions.size === 1) {
      for (let ring = 0; ring < rings; ring++) this.#addRing("all", ring, others, chosen);
      return chosen.size;
    }
    this.#regions = regions;
    return this.#addRegionalRings(others, chosen);
  }

  /**
   * Rings over this node's region, and, if it is its region's gateway, over the gateways: so each
   * region is a tree of its own, which a message enters at one place. The rings over all members
   * are there to announce.
   */
  #addRegionalRings(others: readonly Address[], chosen: Set<Address>): number {
    const { rings, regionRings } = this.#config;
    const own = this.#regions.get(this.#peers.regionOf(this.#self));
    assert(own !== undefined, "this node is in its region");
    for (let ring = 0; ring < regionRings; ring++) {
      this.#addRing("region", ring, own.members, chosen);
    }
    if (own.gateway === this.#self) {
      const gateways = Array.from(this.#regions.values(), ({ gateway }) => gateway);
      for (let ring = 0; ring < rings; ring++) this.#addRing("gateways", ring, gateways, chosen);
    }
    const backbone = chosen.size;
    for (let ring = 0; ring < rings - 1; ring++) this.#addRing("all", ring, others, chosen);
    return backbone;
  }

  #addRing(over: Span["over"], ring: number, members: readonly Address[], chosen: Set<Address>) {
    if (members.length > 1 || over === "all") {
      this.#spans.push(addRing(over, ring, members, this.#self, chosen));
    }
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
    const neighbour = { address, bit, eager, chosen, backbone: false, gainMs: 0 };
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
  readonly over: "all" | "region" | "gateways";
  readonly salt: number;
  /** This node's own place. */
  readonly place: number;
  readonly afterBy: number;
  readonly beforeBy: number;
}

const salts = { all: 0, region: 0x1000, gateways: 0x2000 } as const;

/** Adds the members before and after `self` in the order of a ring. */
function addRing(
  over: Span["over"],
  ring: number,
  members: readonly Address[],
  self: Address,
  chosen: Set<Address>,
): Span {
  const salt = salts[over] + ring;
  const own = placeOf(self, salt);
  let after: Address | null = null;
  let before: Address | null = null;
  // Distances around the ring, as 32-bit numbers without sign: those ahead and those behind.
  let afterBy = Infinity;
  let beforeBy = Infinity;
  for (const address of members) {
    if (address === self) continue;
    const place = placeOf(address, salt);
    const ahead = (place - own) >>> 0;
    const behind = (own - place) >>> 0;
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
  return { over, salt, place: own, afterBy, beforeBy };
}

/**
 * Versions that a peer serves as *overwritten* have no content any more; what beats it came to
 * that peer in other versions. A node may count such a marker as held only when it holds all that
 * the peer held when it answered, or its state would be less than the merge of what it claims to
 * hold, and it would claim so to others. Until then markers wait here.
 *
 * A group is what one peer served between two tellings of its holdings. The telling that follows
 * closes the group: what it lists and this node lacks is what the group waits for. Closed groups
 * may wait for one another's markers (each peer had overwritten what the other served whole), so
 * what can be released is a greatest fixed point: of all groups take away, again and again, those
 * that lack something which neither is held nor is a marker of the groups that are left. That is
 * sound because what beats a cell of a marker is a larger stamp in what its peer held, and stamps
 * cannot rise for ever along markers: the last of such a chain is a version held with its content.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import { IntervalSet } from "../base/interval-set.ts";
import type { VersionRange } from "../node/store.ts";
import type { ActorLedger } from "./actor-ledger.ts";

/** Versions per author. */
export type Ranges = Map<ActorLedger, IntervalSet>;

export interface MarkerGroup {
  readonly peer: Address;
  readonly markers: Ranges;
  /** What has to be held first; null until the peer has told its holdings after its last marker. */
  lacks: Ranges | null;
  /** Monotonic time of the last change. */
  touchedMs: number;
}

/** Groups at the same time. Overflow policy: the oldest is dropped, and its markers are asked for again. */
export const maxMarkerGroups = 16;
/** Ranges of all groups together. Overflow policy: as above. */
export const maxMarkerRanges = 262_144;

export class MarkerPool {
  #groups: MarkerGroup[] = [];

  get groupCount(): number {
    return this.#groups.length;
  }

  /** Ranges of markers and of what they wait for. */
  get rangeCount(): number {
    let count = 0;
    for (const { markers, lacks } of this.#groups) {
      for (const set of markers.values()) count += set.size;
      if (lacks !== null) for (const set of lacks.values()) count += set.size;
    }
    return count;
  }

  /** Has `peer` served markers since it told its holdings? */
  hasOpen(peer: Address): boolean {
    return this.#openOf(peer) !== undefined;
  }

  /** Markers that `peer` served, none of them held, pending or marked. `trim` is due afterwards. */
  add(monoMs: number, peer: Address, ledger: ActorLedger, from: number, to: number): void {
    let group = this.#openOf(peer);
    if (group === undefined) {
      group = { peer, markers: new Map(), lacks: null, touchedMs: monoMs };
      this.#groups.push(group);
    }
    group.touchedMs = monoMs;
    let set = group.markers.get(ledger);
    if (set === undefined) {
      set = new IntervalSet();
      group.markers.set(ledger, set);
    }
    set.add(from, to);
    ledger.setMarked(from, to, true);
  }

  /** Brings the pool back within its bounds; returns how many groups had to go. */
  trim(): number {
    let dropped = 0;
    while (this.#groups.length > maxMarkerGroups || this.rangeCount > maxMarkerRanges) {
      this.#dropOldest();
      dropped++;
    }
    return dropped;
  }

  /** `peer` told its holdings after its last marker: `lacks` is all of them that is not held here. */
  close(monoMs: number, peer: Address, lacks: Ranges): void {
    const group = this.#openOf(peer);
    if (group === undefined) return;
    const copy: Ranges = new Map();
    for (const [ledger, set] of lacks) copy.set(ledger, set.clone());
    group.lacks = copy;
    group.touchedMs = monoMs;
  }

  /** Whatever is held by now leaves the groups; content that came after all supersedes its marker. */
  settle(monoMs: number): void {
    for (const group of this.#groups) {
      const less = shrink(group.markers) || (group.lacks !== null && shrink(group.lacks));
      if (less) group.touchedMs = monoMs;
    }
    if (this.#groups.some((group) => group.markers.size === 0)) {
      this.#groups = this.#groups.filter((group) => group.markers.size > 0);
    }
  }

  /** Takes out all groups that may be released together; their markers are no longer marked. */
  release(): VersionRange[] {
    let candidates = this.#groups.filter((group) => group.lacks !== null);
    if (candidates.length === 0) return [];
    for (;;) {
      const covered = union(candidates);
      const left = candidates.filter((group) => isCovered(group.lacks as Ranges, covered));
      if (left.length === candidates.length) break;
      candidates = left;
    }
    const released: VersionRange[] = [];
    for (const [{ actor }, set] of union(candidates)) {
      for (const [from, to] of set.ranges()) released.push({ actor, from, to });
    }
    const gone = new Set(candidates);
    for (const group of candidates) unmark(group);
    this.#groups = this.#groups.filter((group) => !gone.has(group));
    return released;
  }

  /** The peer cannot tell its holdings any more: its open group goes. Closed ones may still be released. */
  forgetOpen(peer: Address): boolean {
    const group = this.#openOf(peer);
    if (group === undefined) return false;
    this.#drop(group);
    return true;
  }

  /** `peer` is gone: what it served counts as unchanged since `sinceMs`, so that it expires soon. */
  hasten(peer: Address, sinceMs: number): void {
    for (const group of this.#groups) {
      if (group.peer === peer && group.touchedMs > sinceMs) group.touchedMs = sinceMs;
    }
  }

  /** Drops groups that have not changed since `beforeMs`; returns how many. */
  expire(beforeMs: number): number {
    const old = this.#groups.filter((group) => group.touchedMs < beforeMs);
    for (const group of old) this.#drop(group);
    return old.length;
  }

  #openOf(peer: Address): MarkerGroup | undefined {
    return this.#groups.find((group) => group.peer === peer && group.lacks === null);
  }

  #dropOldest(): void {
    let oldest = this.#groups[0];
    assert(oldest !== undefined, "a pool past its bounds has groups");
    for (const group of this.#groups) if (group.touchedMs < oldest.touchedMs) oldest = group;
    this.#drop(oldest);
  }

  #drop(group: MarkerGroup): void {
    assert(this.#groups.includes(group), "drops what is in the pool");
    unmark(group);
    this.#groups = this.#groups.filter((other) => other !== group);
  }
}

function unmark(group: MarkerGroup): void {
  for (const [ledger, set] of group.markers) {
    for (const [from, to] of set.ranges()) ledger.setMarked(from, to, false);
  }
}

/** Takes out what is held; true when something was. */
function shrink(ranges: Ranges): boolean {
  let less = false;
  for (const [ledger, set] of ranges) {
    if (ledger.held.meets(set)) {
      for (const [from, to] of set.ranges()) {
        for (const [low, high] of ledger.held.within(from, to)) set.remove(low, high);
      }
      less = true;
    }
    if (set.isEmpty) ranges.delete(ledger);
  }
  return less;
}

function union(groups: readonly MarkerGroup[]): Ranges {
  const all: Ranges = new Map();
  for (const { markers } of groups) {
    for (const [ledger, set] of markers) {
      const known = all.get(ledger);
      if (known === undefined) all.set(ledger, set.clone());
      else known.addAll(set);
    }
  }
  return all;
}

function isCovered(lacks: Ranges, covered: Ranges): boolean {
  for (const [ledger, set] of lacks) {
    const markers = covered.get(ledger);
    if (markers === undefined) return false;
    for (const [from, to] of set.ranges()) if (!markers.hasAll(from, to)) return false;
  }
  return true;
}

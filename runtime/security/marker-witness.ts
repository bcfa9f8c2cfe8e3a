/**
 * Markers say that versions are overwritten and their content is gone; no signature can prove that.
 * A peer that lies so could keep a version of somebody else from those who lack it. So a marker is
 * believed when a second peer says the same, or when it was said a while ago and nobody has served
 * the content since, although others are asked for it all the time.
 */
import type { ActorId, Address } from "../../core/base/ids.ts";
import { IntervalSet } from "../../core/base/interval-set.ts";
import type { VersionRange } from "../../core/node/store.ts";

/** Peers that have to say it. */
const witnesses = 2;
/** One alone is believed after this long. */
const soleWitnessMs = 30_000;
/** Ranges remembered. Overflow policy: all are forgotten, and have to be said again. */
const maxRanges = 262_144;

/** Claims begun within this time are taken for one. */
const claimMs = 1000;

interface Claim {
  readonly sinceMs: number;
  readonly ranges: IntervalSet;
}

/** What one peer says of one author's versions. */
interface Claims {
  /** Said long enough ago to be believed from one alone. */
  readonly old: IntervalSet;
  /** Oldest first. */
  readonly recent: Claim[];
}

export class MarkerWitnesses {
  readonly #claims = new Map<ActorId, Map<Address, Claims>>();
  #size = 0;

  /**
   * The parts of what `peer` says now that may be believed.
   * @param others how many other members there are to ask.
   */
  hear(
    nowMs: number,
    peer: Address,
    said: readonly VersionRange[],
    others: number,
  ): VersionRange[] {
    if (others < witnesses) return [...said];
    if (this.#size > maxRanges) {
      this.#claims.clear();
      this.#size = 0;
    }
    return said.flatMap((range) => this.#hearOne(nowMs, peer, range));
  }

  #hearOne(nowMs: number, peer: Address, range: VersionRange): VersionRange[] {
    const { actor, from, to } = range;
    let byPeer = this.#claims.get(actor);
    if (byPeer === undefined) {
      byPeer = new Map();
      this.#claims.set(actor, byPeer);
    }
    const own = byPeer.get(peer) ?? { old: new IntervalSet(), recent: [] };
    byPeer.set(peer, own);
    age(nowMs, own);
    const believed = IntervalSet.of(own.old.within(from, to));
    for (const [who, { old, recent }] of byPeer) {
      if (who === peer) continue;
      for (const set of [old, ...recent.map(({ ranges }) => ranges)]) {
        for (const [low, high] of set.within(from, to)) believed.add(low, high);
      }
    }
    this.#size += claim(nowMs, own, from, to);
    return believed.ranges().map(([low, high]) => ({ actor, from: low, to: high }));
  }
}

function age(nowMs: number, { old, recent }: Claims): void {
  while (recent[0] !== undefined && nowMs - recent[0].sinceMs >= soleWitnessMs) {
    old.addAll(recent[0].ranges);
    recent.shift();
  }
}

/** Notes what is new of it. @returns about how many ranges that took. */
function claim(nowMs: number, { old, recent }: Claims, from: number, to: number): number {
  const fresh = IntervalSet.of([[from, to]]);
  for (const set of [old, ...recent.map(({ ranges }) => ranges)]) {
    for (const [low, high] of set.within(from, to)) fresh.remove(low, high);
  }
  if (fresh.isEmpty) return 0;
  const last = recent.at(-1);
  if (last !== undefined && nowMs - last.sinceMs < claimMs) last.ranges.addAll(fresh);
  else recent.push({ sinceMs: nowMs, ranges: fresh });
  return fresh.size;
}

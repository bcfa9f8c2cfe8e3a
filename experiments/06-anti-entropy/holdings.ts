/** Two nodes' books that differ in a known way. */
import { type ActorId, actorId } from "../../core/base/ids.ts";
import { Ledger } from "../../core/sync/ledger.ts";
import { createRng, randomHexId } from "../../sim/rng.ts";

/**
 * `tail`: the newest versions of actors are missing, of one half of the actors here, of the other
 * half there, as after a cut. `holes`: single versions anywhere, as after losses.
 */
export type Pattern = "tail" | "holes";

export interface Books {
  readonly here: Ledger;
  readonly there: Ledger;
  /** Where the two differ: places in the list of all versions, sorted by actor and version. */
  readonly differences: readonly number[];
}

/** Versions that exist, of all actors together. */
export const allVersions = 1_000_000;

export function makeBooks(
  actors: number,
  differences: number,
  pattern: Pattern,
  seed: string,
): Books {
  const rng = createRng(seed);
  const ids = Array.from({ length: actors }, () => actorId(randomHexId(rng))).sort();
  const each = allVersions / actors;
  const missing = pattern === "tail" ? tails(actors, differences, each) : holes(differences, seed);
  const here = new Ledger([]);
  const there = new Ledger([]);
  // Every other difference, or actor, is missing here and not there.
  const lacks = (place: number, order: number): Ledger =>
    (pattern === "tail" ? Math.floor(place / each) : order) % 2 === 0 ? here : there;
  for (const ledger of [here, there]) {
    const own = missing.filter((place, order) => lacks(place, order) === ledger);
    fill(ledger, ids, each, own);
  }
  return { here, there, differences: missing };
}

function tails(actors: number, differences: number, each: number): number[] {
  const places: number[] = [];
  const count = Math.min(actors, differences);
  for (let i = 0; i < count; i++) {
    // Spread over the actors.
    const actor = Math.floor((i * actors) / count);
    const length =
      Math.floor(((i + 1) * differences) / count) - Math.floor((i * differences) / count);
    for (let k = length; k > 0; k--) places.push((actor + 1) * each - k);
  }
  return places;
}

function holes(differences: number, seed: string): number[] {
  const rng = createRng(seed).fork("holes");
  const places = new Set<number>();
  while (places.size < differences) places.add(rng.below(allVersions));
  return Array.from(places).sort((a, b) => a - b);
}

/** Holds everything but `missing`, which ascends. */
function fill(
  ledger: Ledger,
  ids: readonly ActorId[],
  each: number,
  missing: readonly number[],
): void {
  let next = 0;
  ids.forEach((id, actor) => {
    const end = (actor + 1) * each;
    let from = actor * each;
    while (from < end) {
      const hole = missing[next] ?? Infinity;
      const to = Math.min(hole, end) - 1;
      if (to >= from) ledger.hold(id, from - actor * each + 1, to - actor * each + 1);
      if (hole >= end) break;
      from = hole + 1;
      next++;
    }
  });
}

/**
 * A 64-bit hash of a set of integers, kept incrementally, in two 32-bit lanes. A set is told by
 * the places at which membership changes (its boundaries: x is one when exactly one of x−1 and x
 * is in), and the hash is the exclusive or of one mark per boundary. Adding a range that is
 * disjoint from the set therefore toggles two marks, however long the range and whatever it
 * touches: the mark where it begins and the mark just past its end.
 */

/** The two lanes of a hash, as signed 32-bit integers. */
export interface Lanes {
  hi: number;
  lo: number;
}

/** MurmurHash3's 32-bit finaliser (Appleby, public domain): each input bit moves each output bit. */
export function mix32(n: number): number {
  let h = n;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** Toggles the mark of boundary `x` (a safe integer, not negative) of the set named by `seed`. */
export function toggleMark(hash: Lanes, seed: Readonly<Lanes>, x: number): void {
  const low = x | 0;
  const high = (x / 0x1_0000_0000) | 0;
  hash.hi ^= mix32(mix32(seed.hi ^ low) + Math.imul(high, 0x9e3779b1) + seed.lo);
  hash.lo ^= mix32(mix32(seed.lo ^ Math.imul(low, 0xcc9e2d51)) ^ high ^ seed.hi);
}

/** Adds `from`..`to`, none of which may be in the set. */
export function addRange(hash: Lanes, seed: Readonly<Lanes>, from: number, to: number): void {
  toggleMark(hash, seed, from);
  toggleMark(hash, seed, to + 1);
}

/** Seeds of the ids met lately, in a direct-mapped cache: a pure memo, shared by the nodes of one simulation. */
const seedSlots = 1024;
const knownSeeds: (Readonly<Lanes> | null)[] = Array.from({ length: seedSlots }, () => null);
const knownIds: string[] = Array.from({ length: seedSlots }, () => "");

/** A seed drawn from an id's hex digits. Not to be changed. */
export function seedOfId(id: string): Readonly<Lanes> {
  const mixed = (id.charCodeAt(31) * 31 + id.charCodeAt(30)) * 31 + id.charCodeAt(0);
  const slot = (mixed * 31 + id.charCodeAt(1)) & (seedSlots - 1);
  const known = knownSeeds[slot] as Readonly<Lanes> | null;
  if (known !== null && knownIds[slot] === id) return known;
  const seed = hashText(id);
  knownSeeds[slot] = seed;
  knownIds[slot] = id;
  return seed;
}

/** Hash of a text, for names of schemas and tables too. */
export function hashText(id: string): Lanes {
  let hi = 0x243f6a88;
  let lo = 0x13198a2e;
  for (let i = 0; i < id.length; i++) {
    const unit = id.charCodeAt(i);
    hi = Math.imul(hi ^ unit, 0x01000193);
    lo = Math.imul(lo ^ unit, 0x5bd1e995) + i;
  }
  return { hi: mix32(hi ^ (lo >>> 3)), lo: mix32(lo) };
}

/** The seed of a set inside the set of `seed`: the chunks of one version. */
export function innerSeed(seed: Readonly<Lanes>, x: number): Lanes {
  const low = x | 0;
  const high = (x / 0x1_0000_0000) | 0;
  return {
    hi: mix32(seed.hi + Math.imul(low ^ 0x3c6ef372, 0x85ebca6b) + high),
    lo: mix32(seed.lo ^ Math.imul(low + 0x1b873593, 0xc2b2ae35) ^ high),
  };
}

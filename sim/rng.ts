/**
 * Randomness of the simulator: seedrandom's alea over a path of names. A fork is named by its
 * parent's path and its purpose, never by how much the parent has drawn, so it costs nothing until
 * its first draw and a draw added in one place shifts nothing elsewhere.
 *
 * A large cluster has tens of thousands of streams, each drawn from once in a while, so what
 * counts is how much memory a draw has to fetch. The library begins a stream; its state then lies
 * in one place of 32 bytes among all others of the run, where the generator's step is done.
 */
// oxlint-disable-next-line typescript/triple-slash-reference -- an ambient module has nothing to import
/// <reference path="./alea.d.ts" />
import alea from "seedrandom/lib/alea.js";
import type { Rng } from "../core/base/rng.ts";

/** s0, s1, s2 and the carry, as the library calls them. */
const stateNumbers = 4;
const firstStreams = 16;
const maxStreams = 4096;
/** The generator's multiplier, and 2^-32. */
const multiplier = 2_091_639;
const unit32 = 2.3283064365386963e-10;

/** The states of one run's streams, in blocks that are never moved. */
class Streams {
  #block = new Float64Array(0);
  #used = 0;

  /** Begins the stream of `seed`: its block; its place there is `at`. */
  begin(seed: string): Float64Array<ArrayBuffer> {
    if (this.#used === this.#block.length) {
      const streams = this.#block.length / stateNumbers;
      const more = Math.min(maxStreams, Math.max(firstStreams, streams * 2));
      this.#block = new Float64Array(more * stateNumbers);
      this.#used = 0;
    }
    const { c, s0, s1, s2 } = alea(seed, { state: true }).state();
    this.#block.set([s0, s1, s2, c], this.#used);
    this.#used += stateNumbers;
    return this.#block;
  }

  /** Where the stream begun last has its state. */
  get at(): number {
    return this.#used - stateNumbers;
  }
}

const notBegun = new Float64Array(0);

class AleaRng implements Rng {
  readonly #path: string;
  readonly #streams: Streams;
  #block = notBegun;
  #at = 0;

  constructor(path: string, streams: Streams) {
    this.#path = path;
    this.#streams = streams;
  }

  fork(purpose: string): Rng {
    return new AleaRng(`${this.#path}/${purpose}`, this.#streams);
  }

  uint32(): number {
    return (this.unit() * 0x1_0000_0000) >>> 0;
  }

  below(bound: number): number {
    return Math.floor(this.unit() * bound);
  }

  unit(): number {
    if (this.#block === notBegun) this.#begin();
    const state = this.#block;
    const at = this.#at;
    const t = multiplier * (state[at] as number) + (state[at + 3] as number) * unit32;
    const carry = t | 0;
    const drawn = t - carry;
    state[at] = state[at + 1] as number;
    state[at + 1] = state[at + 2] as number;
    state[at + 2] = drawn;
    state[at + 3] = carry;
    return drawn;
  }

  #begin(): void {
    this.#block = this.#streams.begin(this.#path);
    this.#at = this.#streams.at;
  }
}

/** The root stream of a run. Any string is a seed. */
export function createRng(seed: string): Rng {
  return new AleaRng(`patina:${seed}`, new Streams());
}

/** 32 lower-case hex digits, as identities and actors are written. */
export function randomHexId(rng: Rng): string {
  let text = "";
  for (let i = 0; i < 4; i++) text += rng.uint32().toString(16).padStart(8, "0");
  return text;
}

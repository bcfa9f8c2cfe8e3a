/**
 * Randomness of the simulator: seedrandom's alea over a path of names. A fork is named by its
 * parent's path and its purpose, never by how much the parent has drawn, so it costs nothing until
 * its first draw and a draw added in one place shifts nothing elsewhere.
 */
// oxlint-disable-next-line typescript/triple-slash-reference -- an ambient module has nothing to import
/// <reference path="./alea.d.ts" />
import alea from "seedrandom/lib/alea.js";
import type { Rng } from "../core/base/rng.ts";

class AleaRng implements Rng {
  readonly #path: string;
  #next: (() => number) | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  fork(purpose: string): Rng {
    return new AleaRng(`${this.#path}/${purpose}`);
  }

  uint32(): number {
    this.#next ??= alea(this.#path);
    return (this.#next() * 0x1_0000_0000) >>> 0;
  }

  below(bound: number): number {
    this.#next ??= alea(this.#path);
    return Math.floor(this.#next() * bound);
  }

  unit(): number {
    this.#next ??= alea(this.#path);
    return this.#next();
  }
}

/** The root stream of a run. Any string is a seed. */
export function createRng(seed: string): Rng {
  return new AleaRng(`patina:${seed}`);
}

/** 32 lower-case hex digits, as identities and actors are written. */
export function randomHexId(rng: Rng): string {
  let text = "";
  for (let i = 0; i < 4; i++) text += rng.uint32().toString(16).padStart(8, "0");
  return text;
}

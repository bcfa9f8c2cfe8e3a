/**
 * The hybrid logical clock of one actor (Kulkarni et al., OPODIS 2014, algorithm 1), with a guard
 * against wall clocks that are far off. It lives in the store, is saved in the transaction that
 * used it, and never reads a clock by itself.
 *
 * Stamps fall in two classes that share no value. Normal ones have counters below `farCounter`
 * and rise for ever. A transaction that overwrites a cell from the far future needs a stamp above
 * that cell, but must not drag the clock along; it takes one with a counter from `farCounter` up,
 * and these rise by a maximum of their own. So when time at last reaches such a stamp's
 * millisecond, a normal stamp made then is still another one.
 */
import { assert } from "../base/assert.ts";
import { compareHlc, type Hlc } from "./hlc.ts";

/** A remote stamp further ahead of the local wall clock than this is from the far future. */
export const defaultDriftMs = 10_000;

/** The first counter of stamps that overwrite far-future cells: normal ones have 32,768 a millisecond. */
export const farCounter = 0x8000;
const maxCounter = 0xffff;
const maxMs = 2 ** 48 - 1;

/** What a store keeps of a clock. */
export interface ClockState {
  /** The latest normal stamp made or seen. */
  readonly ms: number;
  readonly counter: number;
  /** The latest stamp made above a far-future cell; 0 and 0 before the first. */
  readonly farMs: number;
  readonly farCounter: number;
}

export const initialClock: ClockState = { ms: 0, counter: 0, farMs: 0, farCounter: 0 };

export class HybridClock {
  readonly #driftMs: number;
  #last: Hlc;
  #far: Hlc;

  constructor(state: ClockState = initialClock, driftMs: number = defaultDriftMs) {
    assert(driftMs >= 0, "a drift bound is not negative");
    this.#driftMs = driftMs;
    this.#last = { ms: state.ms, counter: state.counter };
    this.#far = { ms: state.farMs, counter: state.farCounter };
    assert(isStamp(this.#last) && isStamp(this.#far), "a saved clock holds stamps");
  }

  /** The latest normal stamp made or seen. */
  get last(): Hlc {
    return this.#last;
  }

  save(): ClockState {
    return {
      ms: this.#last.ms,
      counter: this.#last.counter,
      farMs: this.#far.ms,
      farCounter: this.#far.counter,
    };
  }

  /**
   * The stamp of a local transaction: later than all made and seen before, and than
   * `overwrittenMax`, the latest stamp of the cells and rows that it overwrites.
   *
   * @param wallMs the wall clock, milliseconds since 1970.
   * @returns null when no stamp is left above `overwrittenMax`, which only a forged one brings about;
   * the clock has not changed and the transaction cannot be made.
   */
  tick(wallMs: number, overwrittenMax: Hlc | null): Hlc | null {
    const wall = wholeMs(wallMs);
    let floor = this.#last;
    if (overwrittenMax !== null && compareHlc(overwrittenMax, floor) > 0) {
      if (overwrittenMax.ms > wall + this.#driftMs) return this.#tickAboveFar(overwrittenMax);
      floor = overwrittenMax;
    }
    const stamp = wall > floor.ms ? { ms: wall, counter: 0 } : nextNormal(floor);
    if (stamp.ms > maxMs) return null;
    assert(compareHlc(stamp, this.#last) > 0, "a stamp is later than the clock");
    assert(stamp.counter < farCounter, "a normal stamp has a normal counter");
    this.#last = stamp;
    return stamp;
  }

  /** A stamp of another actor was merged. Near ones advance the clock, far ones never do. */
  observe(wallMs: number, stamp: Hlc): "near" | "far" {
    assert(isStamp(stamp), "an observed stamp fits 48 and 16 bits");
    if (stamp.ms > wholeMs(wallMs) + this.#driftMs) return "far";
    if (compareHlc(stamp, this.#last) > 0) this.#last = stamp;
    return "near";
  }

  #tickAboveFar(overwritten: Hlc): Hlc | null {
    const floor = compareHlc(overwritten, this.#far) > 0 ? overwritten : this.#far;
    const stamp = nextFar(floor);
    if (stamp.ms > maxMs) return null;
    assert(compareHlc(stamp, overwritten) > 0, "a stamp is later than what it overwrites");
    assert(stamp.counter >= farCounter, "a stamp above a far cell has a far counter");
    this.#far = stamp;
    return stamp;
  }
}

/** The first normal stamp above `stamp`, which may itself be of either class. */
function nextNormal(stamp: Hlc): Hlc {
  const counter = stamp.counter + 1;
  return counter < farCounter ? { ms: stamp.ms, counter } : { ms: stamp.ms + 1, counter: 0 };
}

/** The first far stamp above `stamp`, which may itself be of either class. */
function nextFar(stamp: Hlc): Hlc {
  const counter = Math.max(stamp.counter + 1, farCounter);
  return counter <= maxCounter
    ? { ms: stamp.ms, counter }
    : { ms: stamp.ms + 1, counter: farCounter };
}

/** Whole milliseconds inside a stamp's 48 bits: a clock that stands before 1970 counts as standing at 1970. */
function wholeMs(wallMs: number): number {
  assert(!Number.isNaN(wallMs), "the wall clock is a number");
  return Math.min(Math.max(0, Math.floor(wallMs)), maxMs);
}

function isStamp(stamp: Hlc): boolean {
  return isWhole(stamp.ms, maxMs) && isWhole(stamp.counter, maxCounter);
}

function isWhole(n: number, max: number): boolean {
  return Number.isInteger(n) && n >= 0 && n <= max;
}

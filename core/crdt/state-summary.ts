/**
 * The summary of a state as the numbers that stores keep, its digits spelled out only for those
 * who ask: a simulated node changes its state with every second message, and nobody reads most of
 * these hashes.
 */
import type { StoreSummary } from "../node/store.ts";
import { hashOfHex, type WireHash } from "../wire/wire-hash.ts";
import { hexOfLanes } from "./state-hash.ts";

export class StateSummary implements StoreSummary, WireHash {
  readonly hi: number;
  readonly lo: number;
  readonly rows: number;

  /** @param hi, lo the lanes of the sum over all tables, as signed 32-bit integers. */
  constructor(hi: number, lo: number, rows: number) {
    this.hi = hi;
    this.lo = lo;
    this.rows = rows;
  }

  get hash(): string {
    return hexOfLanes(this.hi, this.lo);
  }
}

/** The hash of any summary as numbers. */
export function hashOfSummary(summary: StoreSummary): WireHash {
  return summary instanceof StateSummary ? summary : hashOfHex(summary.hash);
}

/** Of a store without rows. */
export const emptySummary = new StateSummary(0, 0, 0);

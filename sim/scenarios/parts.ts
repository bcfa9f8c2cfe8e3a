/** Pieces that several built-in scenarios share. */

/** `count` numbers from `from`. */
export function range(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + i);
}

/** Steady random writes to the default table. */
export function writes(toMs: number, ratePerSec: number, more: object = {}): object {
  return { kind: "random", fromMs: 0, toMs, ratePerSec, ...more };
}

/** A network of one region with something of every trouble in it. */
export const ordinaryNetwork = { latencyMs: { min: 1, max: 20 }, loss: 0.01, duplicate: 0.001 };

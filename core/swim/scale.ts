/**
 * How timeouts and repetitions grow with the cluster, in integers: engines disagree about the last
 * bits of Math.log, and a decision that hangs on them would split runs of one seed.
 */
import { assert } from "../base/assert.ts";

/** 1000·log10(x/10) for x = 10…99, rounded. */
const milliLogOfLead: readonly number[] = [
  0, 41, 79, 114, 146, 176, 204, 230, 255, 279, 301, 322, 342, 362, 380, 398, 415, 431, 447, 462,
  477, 491, 505, 519, 531, 544, 556, 568, 580, 591, 602, 613, 623, 633, 643, 653, 663, 672, 681,
  690, 699, 708, 716, 724, 732, 740, 748, 756, 763, 771, 778, 785, 792, 799, 806, 813, 820, 826,
  833, 839, 845, 851, 857, 863, 869, 875, 881, 886, 892, 898, 903, 908, 914, 919, 924, 929, 934,
  940, 944, 949, 954, 959, 964, 968, 973, 978, 982, 987, 991, 996,
];

/** 10,000·ln(c+1)/ln(k+1) for c = 0…k, rounded; row k−1. */
const confirmationShares: readonly (readonly number[])[] = [
  [0, 10_000],
  [0, 6309, 10_000],
  [0, 5000, 7925, 10_000],
  [0, 4307, 6826, 8614, 10_000],
];

/** 1000·log10(n), from the first two digits of `n` ≥ 1: up to 0.04 too small, never too large by more than rounding. */
export function milliLog10(n: number): number {
  assert(n >= 1, "logarithm of a size");
  let lead = n * 10;
  let digits = 0;
  while (lead >= 100) {
    lead = Math.floor(lead / 10);
    digits++;
  }
  return digits * 1000 + (milliLogOfLead[lead - 10] as number);
}

/** ⌈log10(n+1)⌉: the number of decimal digits of `n`, for n ≥ 1. */
export function decimalDigits(n: number): number {
  let digits = 1;
  for (let rest = Math.floor(n / 10); rest > 0; rest = Math.floor(rest / 10)) digits++;
  return digits;
}

/** How often a member sends one rumor at the most: λ·⌈log10(n+1)⌉. */
export function retransmitLimit(factor: number, size: number): number {
  return factor * decimalDigits(size);
}

/** Lifeguard's lower bound of the suspicion timeout. */
export function minSuspicionMs(factor: number, size: number, periodMs: number): number {
  return (factor * Math.max(1000, milliLog10(size)) * periodMs) / 1000;
}

/** max − (max − min)·ln(c+1)/ln(k+1), for `confirmations` c of `wanted` k (0…4). */
export function suspicionMs(
  minMs: number,
  maxMs: number,
  confirmations: number,
  wanted: number,
): number {
  assert(maxMs >= minMs && wanted >= 0 && wanted <= 4, "a suspicion has bounds");
  if (confirmations >= wanted) return minMs;
  const share = (confirmationShares[wanted - 1] as readonly number[])[confirmations] as number;
  return maxMs - ((maxMs - minMs) * share) / 10_000;
}

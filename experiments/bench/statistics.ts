/**
 * Medians with confidence intervals, without assumptions about the distribution. The interval is
 * between two order statistics (David and Nagaraja, Order Statistics, 3rd edition, section 7.1):
 * the number of samples below the true median is binomial.
 */
export interface Estimate {
  readonly n: number;
  readonly median: number;
  /** The interval's ends; the extremes when there are too few samples for 95 %. */
  readonly low: number;
  readonly high: number;
  /** How likely the interval holds the true median: at least 0.95 from six samples on. */
  readonly confidence: number;
  readonly least: number;
  readonly most: number;
  /** Further than one and a half interquartile ranges from the quartiles (Tukey). */
  readonly outliers: readonly number[];
}

const wantedConfidence = 0.95;

/** @throws RangeError when there is nothing to estimate from. */
export function estimate(values: readonly number[]): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const rank = intervalRank(n);
  const iqr = quantile(sorted, 0.75) - quantile(sorted, 0.25);
  const lowFence = quantile(sorted, 0.25) - 1.5 * iqr;
  const highFence = quantile(sorted, 0.75) + 1.5 * iqr;
  return {
    n,
    median: quantile(sorted, 0.5),
    low: sorted[rank - 1] as number,
    high: sorted[n - rank] as number,
    confidence: coverage(n, rank),
    least: sorted[0] as number,
    most: sorted[n - 1] as number,
    outliers: sorted.filter((value) => value < lowFence || value > highFence),
  };
}

/** Between the neighbours in proportion. `sorted` ascends. @throws RangeError when empty. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  if (sorted.length === 0) throw new RangeError("a quantile of nothing");
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const low = sorted[below] as number;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return low + (high - low) * (at - below);
}

export function mean(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError("the mean of nothing");
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** So many digits after the point are told. */
export function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/** The rank, from 1, of the interval's lower end: the largest that still covers enough. */
function intervalRank(n: number): number {
  let rank = 1;
  while (2 * (rank + 1) <= n && coverage(n, rank + 1) >= wantedConfidence) rank++;
  return rank;
}

/** How likely the median lies between the samples of rank `rank` from below and from above. */
function coverage(n: number, rank: number): number {
  // P(fewer than `rank` of n fair coins) on each side.
  let term = 0.5 ** n;
  let tail = 0;
  for (let i = 0; i < rank; i++) {
    tail += term;
    term = (term * (n - i)) / (i + 1);
  }
  return Math.max(0, 1 - 2 * tail);
}

/** Groups in the order of first appearance. */
export function groupBy<Item>(
  items: readonly Item[],
  key: (item: Item) => string | number,
): Map<string | number, Item[]> {
  const groups = new Map<string | number, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}

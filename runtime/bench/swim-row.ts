/** One line of the table that `npm run bench swim` prints. */

/** Sizes of cluster for which figures were published. */
export type Size = 100 | 1000 | 10_000;

/** What others measured, or what is aimed at; text where it is not a plain number. */
export type BySize = Readonly<Partial<Record<Size, number | string>>>;

export interface Row {
  readonly key: string;
  readonly title: string;
  /** Digits after the point. */
  readonly digits: number;
  readonly foca: BySize;
  readonly memberlist: BySize;
  readonly goal: BySize;
  /** What the goal is held against, over the seeds. */
  readonly judged: "median" | "worst";
  /** One seed's figure; infinite when what is waited for never came. Less is better. */
  measure(nodes: number, seed: string): number;
  /** How many seeds by default, for a cluster of this size; 0: too long a run to be made without being asked for. */
  seeds(nodes: number): number;
}

export function bySize(
  n100: number | string | null,
  n1000?: number | string | null,
  n10000?: number | string | null,
): BySize {
  const figures: Partial<Record<Size, number | string>> = {};
  if (n100 !== null) figures[100] = n100;
  if (n1000 !== undefined && n1000 !== null) figures[1000] = n1000;
  if (n10000 !== undefined && n10000 !== null) figures[10_000] = n10000;
  return figures;
}

/** So many seeds at 100, 1,000 and 10,000 members. */
export function seedsBySize(small: number, middle: number, large: number): (n: number) => number {
  return (nodes) => (nodes <= 200 ? small : nodes <= 2000 ? middle : large);
}

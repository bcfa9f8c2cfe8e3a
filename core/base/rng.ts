/**
 * Randomness is injected. Each purpose draws from a fork of its own, so that a draw added in one
 * place shifts nothing elsewhere: a seed keeps meaning the same run.
 */
export interface Rng {
  /** An independent stream named by `purpose`; the same parent and name give the same stream. */
  fork(purpose: string): Rng;
  /** Uniform in [0, 2^32). */
  uint32(): number;
  /** Uniform integer in [0, bound). `bound` is at least 1. */
  below(bound: number): number;
  /** Uniform in [0, 1). */
  unit(): number;
}

/** Fisher–Yates, in place. */
export function shuffle(items: unknown[], rng: Rng): void {
  for (let i = items.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    const held = items[i];
    items[i] = items[j];
    items[j] = held;
  }
}

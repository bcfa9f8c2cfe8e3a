/** How long versions took from their commit to their apply here, by author, over the last minutes. */
import type { ActorId } from "../../core/base/ids.ts";

const windowMs = 5 * 60_000;
/** Samples kept of one author; of more, the newest. */
const samplesKept = 1024;
/** Authors with samples; a fleet has hundreds. */
const maxAuthors = 4096;

class Samples {
  readonly lags = new Float64Array(samplesKept);
  readonly times = new Float64Array(samplesKept);
  count = 0;

  add(nowMs: number, lagMs: number): void {
    const at = this.count % samplesKept;
    this.lags[at] = lagMs;
    this.times[at] = nowMs;
    this.count++;
  }

  within(nowMs: number): number[] {
    const recent: number[] = [];
    for (let i = 0; i < Math.min(this.count, samplesKept); i++) {
      if (nowMs - (this.times[i] as number) <= windowMs) recent.push(this.lags[i] as number);
    }
    return recent;
  }
}

export class LagWindow {
  readonly #authors = new Map<ActorId, Samples>();

  /** @param lagMs a clock that is ahead of ours would make it negative: then it is 0. */
  add(nowMs: number, author: ActorId, lagMs: number): void {
    let samples = this.#authors.get(author);
    if (samples === undefined) {
      if (this.#authors.size >= maxAuthors) this.#dropOldest();
      samples = new Samples();
    } else this.#authors.delete(author);
    // The map's order is that of the last sample.
    this.#authors.set(author, samples);
    samples.add(nowMs, Math.max(0, lagMs));
  }

  #dropOldest(): void {
    for (const author of this.#authors.keys()) {
      this.#authors.delete(author);
      return;
    }
  }

  /** In seconds; 0 where nothing was measured. */
  quantiles(nowMs: number, author: ActorId): { readonly p50: number; readonly p99: number } {
    const sorted = (this.#authors.get(author)?.within(nowMs) ?? []).sort((a, b) => a - b);
    return { p50: quantile(sorted, 0.5) / 1000, p99: quantile(sorted, 0.99) / 1000 };
  }

  /** 99th percentile over all authors, in seconds. */
  p99(nowMs: number): number {
    const all: number[] = [];
    for (const samples of this.#authors.values()) all.push(...samples.within(nowMs));
    all.sort((a, b) => a - b);
    return quantile(all, 0.99) / 1000;
  }
}

/** Nearest rank. */
export function quantile(sorted: readonly number[], q: number): number {
  if (sorted.length === 0) return 0;
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] as number;
}

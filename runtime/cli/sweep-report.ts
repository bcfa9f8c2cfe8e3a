/**
 * What a sweep over seeds says of itself. Everything is counted in integers and put in the order
 * of the runs, so that threads and shards cannot show in it.
 */
import type { RunResult } from "../../sim/result.ts";
import { usageError } from "./exit-codes.ts";
import { median, percentile } from "./format.ts";
import type { TaskResult } from "./run-task.ts";

export interface SweepHead {
  readonly scenario: string;
  readonly seed: string;
  readonly store: string;
  /** Such as "5" or "3-9". */
  readonly nodes: string;
}

export interface SweepReport extends SweepHead {
  readonly runs: number;
  readonly ok: boolean;
  readonly failed: readonly TaskResult[];
  readonly virtualMs: number;
  readonly wallMs: number;
  readonly events: number;
  readonly messages: number;
  readonly bytes: number;
  readonly writes: RunResult["writes"];
  /** Faults begun, by kind, in alphabetical order. */
  readonly faults: Readonly<Record<string, number>>;
  /** Over the runs that converged; null if none did. */
  readonly convergedAfterMs: {
    readonly median: number;
    readonly p99: number;
    readonly worst: number;
    readonly worstRun: number;
  } | null;
  /** Present in a shard's report: which part it is, and what merging needs. */
  readonly shard?: ShardPart;
}

export interface ShardPart {
  readonly index: number;
  readonly of: number;
  /** Runs of the whole sweep. */
  readonly runs: number;
  /** `[run, convergedAfterMs]` of every run that converged. */
  readonly samples: readonly (readonly [run: number, ms: number])[];
}

/** Gathers results in any order. */
export class SweepTally {
  #runs = 0;
  #virtualUs = 0;
  #events = 0;
  #messages = 0;
  #bytes = 0;
  readonly #writes = { acked: 0, failed: 0, lost: 0, lostWithDisk: 0 };
  readonly #faults = new Map<string, number>();
  readonly #failed: TaskResult[] = [];
  readonly #samples: (readonly [number, number])[] = [];

  get runs(): number {
    return this.#runs;
  }

  get failed(): number {
    return this.#failed.length;
  }

  get messages(): number {
    return this.#messages;
  }

  add(result: TaskResult): void {
    this.#runs++;
    this.#count(result);
    if (!result.ok) this.#failed.push(result);
    if (result.convergedAfterMs !== null)
      this.#samples.push([result.run ?? 0, result.convergedAfterMs]);
  }

  addShard(report: SweepReport): void {
    this.#runs += report.runs;
    this.#count(report);
    this.#failed.push(...report.failed);
    this.#samples.push(...(report.shard?.samples ?? []));
  }

  report(head: SweepHead, wallMs: number, shard: Omit<ShardPart, "samples"> | null): SweepReport {
    const failed = this.#failed.toSorted((a, b) => (a.run ?? 0) - (b.run ?? 0));
    const samples = this.#samples.toSorted((a, b) => a[0] - b[0]);
    return {
      runs: this.#runs,
      ok: failed.length === 0,
      failed,
      virtualMs: this.#virtualUs / 1000,
      wallMs: Math.round(wallMs * 10) / 10,
      ...head,
      events: this.#events,
      messages: this.#messages,
      bytes: this.#bytes,
      writes: { ...this.#writes },
      faults: Object.fromEntries([...this.#faults].toSorted(([a], [b]) => (a < b ? -1 : 1))),
      convergedAfterMs: summary(samples),
      ...(shard === null ? {} : { shard: { ...shard, samples } }),
    };
  }

  #count(
    part: Pick<SweepReport, "virtualMs" | "events" | "messages" | "bytes" | "writes"> & {
      faults: Readonly<Record<string, number>>;
    },
  ): void {
    // Virtual time is whole microseconds; sums of those are exact in any order.
    this.#virtualUs += Math.round(part.virtualMs * 1000);
    this.#events += part.events;
    this.#messages += part.messages;
    this.#bytes += part.bytes;
    for (const key of ["acked", "failed", "lost", "lostWithDisk"] as const)
      this.#writes[key] += part.writes[key];
    for (const [kind, count] of Object.entries(part.faults)) {
      this.#faults.set(kind, (this.#faults.get(kind) ?? 0) + count);
    }
  }
}

function summary(samples: readonly (readonly [number, number])[]): SweepReport["convergedAfterMs"] {
  if (samples.length === 0) return null;
  const values = samples.map(([, ms]) => ms);
  const worst = values.reduce((a, b) => Math.max(a, b), 0);
  return {
    median: Math.round(median(values) * 1000) / 1000,
    p99: percentile(values, 0.99),
    worst,
    worstRun: samples.find(([, ms]) => ms === worst)?.[0] ?? 0,
  };
}

/** The reports of all shards of one sweep as the report of the whole. @throws CliError (exit 2) naming what does not fit. */
export function mergeReports(
  parts: readonly { readonly file: string; readonly report: SweepReport }[],
): SweepReport {
  const tally = new SweepTally();
  const seen = new Map<number, string>();
  let wallMs = 0;
  const [first] = parts;
  if (first === undefined) throw usageError("there is nothing to merge");
  for (const { file, report } of parts) {
    const { shard } = report;
    if (shard === undefined)
      throw usageError(
        `${file}: not the result of a shard (patina sim … --runs K --shard I/N --json)`,
      );
    const other = seen.get(shard.index);
    if (other !== undefined)
      throw usageError(`${file}: shard ${shard.index} is in ${other} already`);
    for (const key of ["scenario", "seed", "store", "nodes"] as const) {
      if (report[key] !== first.report[key]) {
        throw usageError(
          `${file}: ${key} is ${report[key]}, in ${first.file} it is ${first.report[key]}: shards of one sweep agree`,
        );
      }
    }
    if (shard.of !== first.report.shard?.of || shard.runs !== first.report.shard.runs) {
      throw usageError(`${file}: a shard of another sweep than ${first.file}`);
    }
    seen.set(shard.index, file);
    wallMs += report.wallMs;
    tally.addShard(report);
  }
  const of = first.report.shard?.of ?? 0;
  for (let i = 1; i <= of; i++)
    if (!seen.has(i)) throw usageError(`shard ${i} of ${of} is missing`);
  const { scenario, seed, store, nodes } = first.report;
  return tally.report({ scenario, seed, store, nodes }, wallMs, null);
}

/** A sweep: many seeds of one scenario on all cores. */
import { availableParallelism } from "node:os";
import { formatCount, formatDuration } from "./format.ts";
import { resolveScenario } from "./scenario-source.ts";
import type { RunPlan, TaskResult } from "./run-task.ts";
import { runOfSweep } from "./run-task.ts";
import type { SweepTask } from "./sweep-worker.ts";
import type { SweepReport } from "./sweep-report.ts";
import { SweepTally } from "./sweep-report.ts";
import type { Terminal } from "./terminal.ts";
import { runOnThreads } from "./thread-pool.ts";

export interface SweepOptions {
  readonly name: string;
  readonly plan: RunPlan;
  readonly seed: string;
  readonly runs: number;
  readonly shard: readonly [shard: number, of: number] | null;
  readonly jobs: number | null;
}

/** The seed of the run with this number, from 1. */
export function derivedSeed(seed: string, run: number): string {
  return `${seed}/${run}`;
}

export async function sweep(options: SweepOptions, terminal: Terminal): Promise<SweepReport> {
  const { plan, seed } = options;
  const [first, step] = options.shard ?? [1, 1];
  const count = Math.max(0, Math.ceil((options.runs - first + 1) / step));
  const task = (index: number): SweepTask => {
    const run = first + index * step;
    return { run, seed: derivedSeed(seed, run) };
  };
  const tally = new SweepTally();
  const startedMs = performance.now();
  const progress = new SweepProgress(options.name, count, startedMs, terminal);
  const onAnswer = (_index: number, result: TaskResult): void => {
    tally.add(result);
    progress.show(tally);
  };
  const threads = Math.min(options.jobs ?? availableParallelism(), count);
  // One thread is another than the main one still: only the heap of a thread can be tuned by now.
  if (count <= 1) {
    for (let i = 0; i < count; i++) onAnswer(i, await runOfSweep(plan, task(i).seed, task(i).run));
  } else {
    const worker = new URL("./sweep-worker.ts", import.meta.url);
    const nodes = plan.nodes?.[1] ?? resolveScenario(plan.source, null).nodes.length;
    await runOnThreads({ worker, shared: plan, taskCount: count, task, threads, nodes, onAnswer });
  }
  terminal.clearProgress();
  const nodes =
    plan.nodes === null
      ? "default"
      : plan.nodes.filter((n, i) => i === 0 || n !== plan.nodes?.[0]).join("-");
  const shard = options.shard === null ? null : { index: first, of: step, runs: options.runs };
  const head = { scenario: options.name, seed, store: plan.store, nodes };
  return tally.report(head, performance.now() - startedMs, shard);
}

/** A moving line on a terminal; elsewhere a line now and then, so that a log shows that it goes on. */
const lineEveryMs = 100;
const logEveryMs = 30_000;

class SweepProgress {
  readonly #name: string;
  readonly #count: number;
  readonly #startedMs: number;
  readonly #terminal: Terminal;
  #shownMs: number;

  constructor(name: string, count: number, startedMs: number, terminal: Terminal) {
    this.#name = name;
    this.#count = count;
    this.#startedMs = startedMs;
    this.#terminal = terminal;
    this.#shownMs = startedMs;
  }

  show(tally: SweepTally): void {
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < (this.#terminal.live ? lineEveryMs : logEveryMs)) return;
    this.#shownMs = nowMs;
    const elapsedMs = nowMs - this.#startedMs;
    const perSecond = (tally.runs / elapsedMs) * 1000;
    const leftMs = ((this.#count - tally.runs) / tally.runs) * elapsedMs;
    const line = [
      `${this.#name}: ${formatCount(tally.runs)} of ${formatCount(this.#count)} runs`,
      `${perSecond >= 10 ? perSecond.toFixed(0) : perSecond.toFixed(1)}/s`,
      `about ${formatDuration(leftMs)} left`,
      tally.failed === 0 ? "none failed" : `${formatCount(tally.failed)} failed`,
    ].join(", ");
    if (this.#terminal.live) this.#terminal.progress(line);
    else this.#terminal.talk(line);
  }
}

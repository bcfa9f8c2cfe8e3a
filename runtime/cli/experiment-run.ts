/** Runs the cells of an experiment, all or a shard's, on threads; tells how far it is. */
import { availableParallelism } from "node:os";
import type { Experiment, Flat } from "../../experiments/bench/experiment.ts";
import type { Done, Plan } from "../../experiments/bench/results.ts";
import { type CellAnswer, type CellTask, runCell } from "./experiment-cell.ts";
import { formatCount, formatDuration } from "./format.ts";
import type { Terminal } from "./terminal.ts";
import { runOnThreads } from "./thread-pool.ts";

export interface CellsOptions {
  readonly experiment: Experiment;
  readonly plan: Plan;
  readonly shard: readonly [shard: number, of: number] | null;
  readonly jobs: number | null;
}

export async function runCells(options: CellsOptions, terminal: Terminal): Promise<Done[]> {
  const { experiment, plan } = options;
  const [first, step] = options.shard ?? [1, 1];
  const cells = experiment
    .cells(plan.size, plan.seed)
    .map((cell, index) => ({ cell, index }))
    .filter(({ index }) => (index - first + 1) % step === 0 && index >= first - 1);
  const progress = new CellProgress(
    experiment,
    cells.map(({ cell }) => cell),
    terminal,
  );
  const done: Done[] = [];
  const task = (i: number): CellTask => ({
    experiment: experiment.name,
    cell: (cells[i] as { cell: Flat }).cell,
  });
  const onAnswer = (i: number, { row, cpuSeconds }: CellAnswer): void => {
    const { index, cell } = cells[i] as { cell: Flat; index: number };
    done.push({ index, cpuSeconds, row });
    progress.done(cell);
  };
  const threads = Math.min(options.jobs ?? availableParallelism(), cells.length);
  if (threads <= 1) {
    for (let i = 0; i < cells.length; i++) onAnswer(i, await runCell(task(i)));
  } else {
    const worker = new URL("./experiment-worker.ts", import.meta.url);
    const taskCount = cells.length;
    await runOnThreads({
      worker,
      shared: null,
      taskCount,
      task,
      threads,
      nodes: Infinity,
      onAnswer,
    });
  }
  terminal.clearProgress();
  return done;
}

const lineEveryMs = 100;
const logEveryMs = 15_000;

class CellProgress {
  readonly #experiment: Experiment;
  readonly #terminal: Terminal;
  readonly #count: number;
  readonly #weight: number;
  readonly #startedMs = performance.now();
  #shownMs = performance.now();
  #doneCount = 0;
  #doneWeight = 0;

  constructor(experiment: Experiment, cells: readonly Flat[], terminal: Terminal) {
    this.#experiment = experiment;
    this.#terminal = terminal;
    this.#count = cells.length;
    this.#weight = cells.reduce((sum, cell) => sum + this.#weightOf(cell), 0);
  }

  done(cell: Flat): void {
    this.#doneCount++;
    this.#doneWeight += this.#weightOf(cell);
    const nowMs = performance.now();
    if (nowMs - this.#shownMs < (this.#terminal.live ? lineEveryMs : logEveryMs)) return;
    this.#shownMs = nowMs;
    const share = this.#doneWeight / this.#weight;
    const leftMs = ((nowMs - this.#startedMs) / share) * (1 - share);
    const line = [
      `${this.#experiment.name}: ${formatCount(this.#doneCount)} of ${formatCount(this.#count)} cells`,
      `about ${formatDuration(leftMs)} left`,
    ].join(", ");
    if (this.#terminal.live) this.#terminal.progress(line);
    else this.#terminal.talk(line);
  }

  #weightOf(cell: Flat): number {
    return this.#experiment.weight?.(cell) ?? 1;
  }
}

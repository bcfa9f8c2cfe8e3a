/**
 * One run of a scenario as the command line does it: with its store, its files and, when asked,
 * twice. The same on the main thread and on the threads of a sweep.
 */
import { writeFileSync } from "node:fs";
import type { RunResult } from "../../sim/result.ts";
import { createRun } from "../../sim/run.ts";
import type { Progress, Run } from "../../sim/run.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { usageError } from "./exit-codes.ts";
import { OutputFile, insertBeforeExtension } from "./output-file.ts";
import { nodesOfSeed, resolveScenario, sourceName } from "./scenario-source.ts";
import type { NodeRange, ScenarioSource } from "./scenario-source.ts";
import { withStores } from "./stores.ts";

/** What all runs of one command have in common; survives structured cloning. */
export interface RunPlan {
  readonly source: ScenarioSource;
  readonly nodes: NodeRange;
  readonly store: string;
  readonly trace: string | null;
  readonly dump: string | null;
  readonly doublecheck: boolean;
}

/** What `--doublecheck` found: whether a second run was the same in everything but its time. */
export interface Doublecheck {
  readonly equal: boolean;
  readonly traceHash: string;
}

/** A run's result as `--json` prints it. `run`: its number in a sweep, from 1. */
export type TaskResult = RunResult & {
  readonly run?: number;
  readonly doublecheck?: Doublecheck;
};

/** `patina sim …` without the seed: what repeats a run of this plan with so many nodes. */
export function commandOf(plan: RunPlan, nodes: number | null): string {
  const words = ["patina", "sim", sourceName(plan.source)];
  if (nodes !== null) words.push("--nodes", String(nodes));
  if (plan.store !== "memory") words.push("--store", plan.store);
  return words.map(shellWord).join(" ");
}

/** A word as a POSIX shell takes it. */
export function shellWord(word: string): string {
  return /^[\w./:#@%+=,-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** A run by itself: its files are written whatever comes of it. */
export async function runAlone(
  plan: RunPlan,
  seed: string,
  progress?: (progress: Progress) => void,
): Promise<TaskResult> {
  const first = await runOnce(plan, seed, { trace: plan.trace, dump: plan.dump }, progress);
  return plan.doublecheck ? compared(plan, seed, first) : first;
}

/** A run of a sweep: only one that fails writes its files, with its number before the extension. */
export async function runOfSweep(plan: RunPlan, seed: string, run: number): Promise<TaskResult> {
  const first = await runOnce(plan, seed, { trace: null, dump: null });
  const result: TaskResult = {
    run,
    ...(plan.doublecheck ? await compared(plan, seed, first) : first),
  };
  if (!result.ok && (plan.trace !== null || plan.dump !== null)) {
    const numbered = (path: string | null): string | null =>
      path === null ? null : insertBeforeExtension(path, String(run));
    await runOnce(plan, seed, { trace: numbered(plan.trace), dump: numbered(plan.dump) });
  }
  return result;
}

/** @throws CliError (exit 2) when the store cannot do what the scenario asks. */
export function checkStoreFits(scenario: Scenario, plan: RunPlan): void {
  const sql = scenario.workload.findIndex((work) => work.kind === "sql");
  if (sql >= 0 && plan.store !== "sqlite") {
    throw usageError(
      `${sourceName(plan.source)}: workload[${sql}] is SQL, which --store ${plan.store} does not understand: use --store sqlite`,
    );
  }
}

interface Files {
  readonly trace: string | null;
  readonly dump: string | null;
}

function runOnce(
  plan: RunPlan,
  seed: string,
  files: Files,
  progress?: (progress: Progress) => void,
): Promise<RunResult> {
  const nodes = nodesOfSeed(plan.nodes, seed);
  const scenario = resolveScenario(plan.source, nodes);
  checkStoreFits(scenario, plan);
  return withStores(plan.store, (storeFactory) => {
    const trace = files.trace === null ? null : new OutputFile(files.trace);
    try {
      const run = createRun(scenario, {
        seed,
        storeFactory,
        wallClock: () => performance.now(),
        command: commandOf(plan, nodes),
        ...(trace === null ? {} : { trace: (line: string) => trace.write(line) }),
        ...(progress === undefined ? {} : { progress }),
      });
      run.step(Number.POSITIVE_INFINITY);
      if (files.dump !== null) writeDump(run, files.dump);
      return run.result();
    } finally {
      trace?.close();
    }
  });
}

function writeDump(run: Run, path: string): void {
  writeFileSync(path, `${JSON.stringify(run.dump())}\n`);
}

async function compared(plan: RunPlan, seed: string, first: RunResult): Promise<TaskResult> {
  const second = await runOnce(plan, seed, { trace: null, dump: null });
  const equal = timeless(first) === timeless(second);
  return { ...first, ok: first.ok && equal, doublecheck: { equal, traceHash: second.traceHash } };
}

/** Everything about a run that must be the same when it is repeated. */
function timeless(result: RunResult): string {
  return JSON.stringify({ ...result, wallMs: 0 });
}

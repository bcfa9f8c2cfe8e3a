/** From the options of `patina sim` to what is to be run; everything that can be wrong is told before the first run. */
import { randomInt } from "node:crypto";
import { usageError } from "./exit-codes.ts";
import { assertWritable, insertBeforeExtension } from "./output-file.ts";
import type { RunPlan } from "./run-task.ts";
import { checkStoreFits } from "./run-task.ts";
import { openScenario, resolveScenario } from "./scenario-source.ts";
import type { NodeRange } from "./scenario-source.ts";
import { checkStoreName } from "./stores.ts";

export interface SimFlags {
  readonly list?: true;
  readonly seed?: string;
  readonly runs?: number;
  readonly nodes?: readonly [least: number, most: number];
  readonly store: string;
  readonly trace?: string;
  readonly dump?: string;
  readonly shrink?: string;
  readonly doublecheck?: true;
  readonly shard?: readonly [shard: number, of: number];
  readonly jobs?: number;
  readonly json?: true;
  readonly quiet?: true;
}

/** One scenario of the command line. */
export interface PlannedScenario {
  readonly plan: RunPlan;
  readonly name: string;
  readonly summary: string;
  /** Of the run, or the one that the seeds of a sweep derive from. */
  readonly seed: string;
  /** Whether the seed was drawn here: then it must be printed. */
  readonly seedDrawn: boolean;
  readonly shrink: string | null;
}

/** @throws CliError: whatever is wrong with the options, the names, the files or the paths. */
export function planScenarios(words: readonly string[], flags: SimFlags): PlannedScenario[] {
  if (words.length === 0)
    throw usageError("which scenario? `patina sim --list` prints the built-in ones");
  if (flags.shard !== undefined && flags.runs === undefined)
    throw usageError("--shard needs --runs: it takes a part of them");
  if (flags.shrink !== undefined && flags.runs !== undefined) {
    throw usageError(
      "--shrink takes one run: repeat a failing run of the sweep by its own seed with --shrink",
    );
  }
  checkStoreName(flags.store);
  const drawn = flags.seed === undefined ? String(randomInt(1_000_000_000)) : null;
  const planned = words.map((word) => planScenario(word, words.length > 1, flags, drawn));
  for (const { plan, shrink } of planned) {
    if (plan.trace !== null) assertWritable("--trace", plan.trace);
    if (plan.dump !== null) assertWritable("--dump", plan.dump);
    if (shrink !== null) assertWritable("--shrink", shrink);
  }
  return planned;
}

function planScenario(
  word: string,
  several: boolean,
  flags: SimFlags,
  drawn: string | null,
): PlannedScenario {
  const source = openScenario(word);
  const nodes: NodeRange = flags.nodes ?? null;
  const scenario = resolveScenario(source, nodes?.[0] ?? null);
  if (nodes !== null && nodes[1] !== nodes[0]) resolveScenario(source, nodes[1]);
  // Several scenarios would write over each other's files.
  const own = (path: string | undefined): string | null =>
    path === undefined
      ? null
      : several
        ? insertBeforeExtension(path, fileWord(scenario.name))
        : path;
  const plan: RunPlan = {
    source,
    nodes,
    store: flags.store,
    trace: own(flags.trace),
    dump: own(flags.dump),
    doublecheck: flags.doublecheck === true,
  };
  checkStoreFits(scenario, plan);
  const seed = flags.seed ?? scenario.seed ?? drawn ?? "";
  return {
    plan,
    name: scenario.name,
    summary: scenario.summary,
    seed,
    seedDrawn: seed === drawn,
    shrink: own(flags.shrink),
  };
}

function fileWord(name: string): string {
  return name.replace(/[^\w-]+/g, "-");
}

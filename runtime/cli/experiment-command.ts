/** `patina experiment`: list, run, merge, render. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Experiment, Size } from "../../experiments/bench/experiment.ts";
import {
  publishedFolder,
  readResults,
  writeGathered,
  writeResults,
} from "../../experiments/bench/folder.ts";
import { experimentNames, loadAll, loadExperiment } from "../../experiments/bench/registry.ts";
import {
  recomputed,
  type Results,
  resultsOf,
  type Shard,
} from "../../experiments/bench/results.ts";
import { nearest } from "../../core/base/nearest.ts";
import { exitCodes, systemReason, usageError } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { mergeShards, readShard } from "./experiment-merge.ts";
import { runCells } from "./experiment-run.ts";
import { formatDuration, formatTable } from "./format.ts";
import type { Terminal } from "./terminal.ts";

export interface RunFlags {
  readonly quick?: true;
  readonly seed: string;
  readonly jobs?: number;
  readonly shard?: readonly [shard: number, of: number];
  readonly out?: string;
  readonly json?: true;
}

export type OutFlags = Pick<RunFlags, "out" | "json">;

export async function listExperiments(
  flags: { readonly json?: true },
  terminal: Terminal,
): Promise<ExitCode> {
  const list = (await loadAll()).map((experiment) => ({
    name: experiment.name,
    title: experiment.title,
    question: experiment.question,
    cells: experiment.cells("full", "1").length,
  }));
  if (flags.json === true) {
    terminal.print(JSON.stringify(list));
    return exitCodes.ok;
  }
  const rows = list.map(({ name, cells, question }) => [name, String(cells), question]);
  const table = [["name", "cells", "question"], ...rows];
  for (const line of formatTable(table, ["left", "right", "left"])) terminal.print(line);
  return exitCodes.ok;
}

/** @throws CliError (exit 2): an unknown name, a folder that cannot be written. */
export async function runExperiments(
  word: string,
  flags: RunFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const experiments = await chosen(word);
  // A quick run is a trial: only when told so does it leave anything behind.
  const folder =
    flags.out ?? (flags.quick === true || flags.shard !== undefined ? null : publishedFolder);
  if (folder !== null) makeFolder(folder);
  // Loaded before the cells run: a source that somebody edits meanwhile costs no page.
  const all = folder === null || flags.shard !== undefined ? null : await loadAll();
  const size: Size = flags.quick === true ? "quick" : "full";
  let ok = true;
  for (const experiment of experiments) {
    const plan = { experiment: experiment.name, size, seed: flags.seed };
    terminal.talk(terminal.paintTalk("dim", `${experiment.title}: ${experiment.question}`));
    const startedMs = performance.now();
    const shard = flags.shard ?? null;
    // What measures the machine has it to itself.
    const jobs = flags.jobs ?? (experiment.measured.length > 0 ? 1 : null);
    const done = await runCells({ experiment, plan, shard, jobs }, terminal);
    if (shard !== null) {
      const part: Shard = {
        ...plan,
        shard: { index: shard[0], of: shard[1], node: process.version },
        done: done.toSorted((a, b) => a.index - b.index),
      };
      keepShard(part, flags, terminal);
      continue;
    }
    const results = resultsOf(experiment, plan, done, process.version);
    if (folder !== null) writeResults(folder, experiment, results);
    tell(experiment, results, folder, flags, terminal);
    terminal.talk(
      terminal.paintTalk("dim", `took ${formatDuration(performance.now() - startedMs)}`),
    );
    ok &&= results.claims.every(({ holds }) => holds);
  }
  if (folder !== null && all !== null) refreshGathered(folder, all, terminal);
  return ok ? exitCodes.ok : exitCodes.failure;
}

/** @throws CliError (exit 2): a file that is no shard, shards that do not belong together. */
export async function mergeExperiments(
  files: readonly string[],
  flags: OutFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const parts = files.map((file) => ({ file, shard: readShard(file) }));
  const first = parts[0] as (typeof parts)[number];
  const [experiment] = await chosen(first.shard.experiment);
  const results = mergeShards(experiment as Experiment, parts);
  const folder = flags.out ?? (results.size === "quick" ? null : publishedFolder);
  if (folder !== null) {
    makeFolder(folder);
    writeResults(folder, experiment as Experiment, results);
    refreshGathered(folder, await loadAll(), terminal);
  }
  tell(experiment as Experiment, results, folder, flags, terminal);
  return results.claims.every(({ holds }) => holds) ? exitCodes.ok : exitCodes.failure;
}

/** Pages, tables and plots anew from the results that are there. @throws CliError (exit 2) when there are none. */
export async function renderExperiments(
  word: string,
  flags: OutFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const folder = flags.out ?? publishedFolder;
  let rendered = 0;
  for (const experiment of await chosen(word)) {
    const results = resultsIn(folder, experiment.name);
    if (results === null) continue;
    writeResults(folder, experiment, recomputed(experiment, results));
    rendered++;
    terminal.talk(join(folder, experiment.name));
  }
  if (rendered === 0) {
    throw usageError(`${folder} holds no results of ${word}: \`patina experiment run\` makes them`);
  }
  writeGathered(folder, await loadAll());
  if (flags.json === true) terminal.print(JSON.stringify({ folder, rendered }));
  return exitCodes.ok;
}

function resultsIn(folder: string, name: string): Results | null {
  try {
    return readResults(folder, name);
  } catch (error) {
    throw usageError(`${(error as Error).message}: \`patina experiment run ${name}\` makes them`);
  }
}

async function chosen(word: string): Promise<Experiment[]> {
  if (word === "all") return await loadAll();
  // The number alone will do.
  const name = experimentNames.find(
    (each) => each === word || (/^\d+$/.test(word) && Number.parseInt(each, 10) === Number(word)),
  );
  if (name !== undefined) return [await loadExperiment(name)];
  const near = nearest(word, experimentNames);
  const hint = near === null ? "`patina experiment list` prints them all" : `did you mean ${near}?`;
  throw usageError(`no experiment is called ${word}; ${hint}`);
}

/** The results are safe by now, so pages that another experiment keeps from being made are a remark. */
function refreshGathered(folder: string, all: readonly Experiment[], terminal: Terminal): void {
  try {
    writeGathered(folder, all);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    terminal.complain(
      `README.md and report.html in ${folder} are as before (${why}): \`patina experiment render all\` makes them`,
    );
  }
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw usageError(`--out: cannot write ${folder}: ${systemReason(error)}`);
  }
}

function keepShard(part: Shard, flags: RunFlags, terminal: Terminal): void {
  if (flags.json === true) terminal.print(JSON.stringify(part));
  const { index, of } = part.shard;
  const file = `${part.experiment}.shard-${index}-of-${of}.json`;
  // Shards are no results: without a folder of their own they stay where the command was given.
  const path = join(flags.out ?? ".", file);
  if (flags.json === true && flags.out === undefined) return;
  writeFileSync(path, `${JSON.stringify(part)}\n`);
  const { length } = part.done;
  terminal.talk(`${path}: ${length} ${length === 1 ? "cell" : "cells"}`);
}

function tell(
  experiment: Experiment,
  results: Results,
  folder: string | null,
  flags: OutFlags,
  terminal: Terminal,
): void {
  if (flags.json === true) {
    terminal.print(JSON.stringify(results));
    return;
  }
  terminal.print(terminal.paint("bold", experiment.title));
  for (const { text, holds } of results.claims) {
    terminal.print(
      `  ${holds ? terminal.paint("green", "✓") : terminal.paint("red", "✗ not so:")} ${text}`,
    );
  }
  const { rows, run } = results;
  const took = `${rows.length} runs, ${formatDuration(run.cpuSeconds * 1000)} of CPU time`;
  terminal.print(
    `  ${took}${folder === null ? "" : `; ${join(folder, experiment.name, "README.md")}`}`,
  );
}

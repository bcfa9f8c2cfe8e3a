/** `patina experiment list`, `run`, `merge` and `render`. */
import type { Command } from "commander";
import type { OutFlags, RunFlags } from "../experiment-command.ts";
import { common, shardOf, terminal, wholeNumber, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags, Done } from "./shared.ts";

const outHelp = "where results are written (the project's own experiments by default)";

export const add: AddCommand = (program, done) => {
  const experiment = program
    .command("experiment")
    .description("Asks questions of the simulator and puts the answers beside published figures.");
  withExamples(experiment, ["patina experiment list", "patina experiment run all --quick"]);
  const list = experiment
    .command("list")
    .description("Prints the experiments.")
    .action(async (options: CommonFlags) => {
      const { listExperiments } = await import("../experiment-command.ts");
      done(await listExperiments(options, await terminal(options)));
    });
  common(withExamples(list, ["patina experiment list"]), "print one JSON array");
  addRun(experiment, done);
  addMerge(experiment, done);
  addRender(experiment, done);
};

function addRun(experiment: Command, done: Done): void {
  const run = experiment
    .command("run")
    .description("Runs an experiment, or all, and writes results, table, plot and page.")
    .argument("<name>", "as listed, its number, or all")
    .option("--quick", "smaller and with fewer seeds; writes nothing without --out")
    .option("--seed <S>", "any text; the same seed gives the same rows", "1")
    .option(
      "--jobs <J>",
      "how many threads (all cores by default; one where the machine is measured)",
      wholeNumber("--jobs", 1, 1024),
    )
    .option("--shard <I/N>", "only every N-th cell, beginning with the I-th (1 to N)", shardOf)
    .option("--out <DIR>", outHelp)
    .action(async (name: string, options: RunFlags & CommonFlags) => {
      const { runExperiments } = await import("../experiment-command.ts");
      done(await runExperiments(name, options, await terminal(options)));
    });
  withExamples(run, [
    "patina experiment run 01-failure-detection --quick",
    "patina experiment run all --jobs 8 --out my-results",
    "patina experiment run 01-failure-detection --shard 3/20 --out shards",
  ]);
  common(run, "print one JSON object an experiment");
}

function addMerge(experiment: Command, done: Done): void {
  const merge = experiment
    .command("merge")
    .description("Makes results of the shards of one experiment.")
    .argument("<file...>", "one file a shard")
    .option("--out <DIR>", outHelp)
    .action(async (files: string[], options: OutFlags & CommonFlags) => {
      const { mergeExperiments } = await import("../experiment-command.ts");
      done(await mergeExperiments(files, options, await terminal(options)));
    });
  withExamples(merge, ["patina experiment merge shards/01-failure-detection.shard-*.json"]);
  common(merge, "print one JSON object");
}

function addRender(experiment: Command, done: Done): void {
  const render = experiment
    .command("render")
    .description("Makes pages, tables and plots anew from the results that are there.")
    .argument("<name>", "as listed, its number, or all")
    .option("--out <DIR>", "where results are (the project's own experiments by default)")
    .action(async (name: string, options: OutFlags & CommonFlags) => {
      const { renderExperiments } = await import("../experiment-command.ts");
      done(await renderExperiments(name, options, await terminal(options)));
    });
  common(withExamples(render, ["patina experiment render all"]), "print one JSON object");
}

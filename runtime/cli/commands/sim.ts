/** `patina sim` and `patina sim merge`. */
import { InvalidArgumentError } from "commander";
import type { SimFlags } from "../sim-options.ts";
import { common, shardOf, terminal, wholeNumber, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const sim = program
    .command("sim")
    .description("Runs scenarios in the deterministic simulator.")
    .enablePositionalOptions()
    .argument(
      "[scenario...]",
      "built-in names (see --list) or scenario files, run one after another",
    )
    .option("--list", "print the built-in scenarios")
    .option("--seed <S>", "any text; without it one is drawn and printed")
    .option("--runs <K>", "run K seeds derived from the seed", wholeNumber("--runs", 1, 1e9))
    .option(
      "--nodes <N>",
      "how many nodes, or a range such as 3-9 from which each seed takes one",
      nodeRange,
    )
    .option("--store <KIND>", "what each node keeps its data in", "memory")
    .option(
      "--trace <FILE>",
      "write the trace (.gz compresses); of several runs, only those that fail",
    )
    .option(
      "--dump <FILE>",
      "write the final tables of every node; of several runs, only of those that fail",
    )
    .option(
      "--shrink <FILE>",
      "when a run fails, look for a smaller scenario that still fails and write it",
    )
    .option("--doublecheck", "run twice and compare")
    .option(
      "--shard <I/N>",
      "of --runs, only every N-th, beginning with the I-th (1 to N)",
      shardOf,
    )
    .option("--jobs <J>", "how many threads (all cores by default)", wholeNumber("--jobs", 1, 1024))
    .action(async (scenarios: string[], options: SimFlags & CommonFlags) => {
      const { simCommand } = await import("../sim-command.ts");
      done(await simCommand(scenarios, options, await terminal(options)));
    });
  withExamples(sim, [
    "patina sim split-heal --seed 42",
    "patina sim random-nemesis --runs 1000 --nodes 3-9",
    "patina sim my-scenario.json --seed 7 --trace run.ndjson.gz",
  ]);
  common(sim, "print one JSON object a scenario; with --list an array");
  const merge = sim
    .command("merge")
    .description("Merges what the shards of one sweep printed with --json.")
    .argument("<file...>", "one file a shard")
    .action(async (files: string[], options: CommonFlags) => {
      const { mergeCommand } = await import("../sim-merge.ts");
      done(mergeCommand(files, options, await terminal(options)));
    });
  withExamples(merge, ["patina sim merge shard-1.json shard-2.json shard-3.json"]);
  common(merge, "print one JSON object, as one sweep of all shards would");
};

/** "5" or "3-9". */
function nodeRange(text: string): readonly [least: number, most: number] {
  const [, from = "", to = from] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(text) ?? [];
  const least = Number(from);
  const most = Number(to);
  if (from === "" || least < 1 || most < least) {
    throw new InvalidArgumentError(
      "--nodes is a number of nodes such as 5, or a range such as 3-9.",
    );
  }
  return [least, most];
}

/**
 * The commands and their options. Only commander is loaded here: each command loads its own code
 * when it runs, so that `--help` and a mistyped option answer at once.
 */
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { CliError, exitCodes } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import type { DemoFlags } from "./demo-command.ts";
import type { ReplayFlags } from "./replay-command.ts";
import type { SimFlags } from "./sim-options.ts";
import type { Terminal } from "./terminal.ts";

interface CommonFlags {
  readonly json?: true;
  readonly quiet?: true;
}

/** Runs one command line (without the program's own name) and returns the exit code. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let code: ExitCode = exitCodes.ok;
  const program = buildProgram((result) => {
    code = result;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return code;
  } catch (error) {
    // Commander has printed help, version or its complaint.
    if (error instanceof CommanderError)
      return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    if (error instanceof CliError) {
      process.stderr.write(`patina: ${error.message}\n`);
      return error.exitCode;
    }
    const broken = error instanceof Error && error.name === "InvariantError";
    const story = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(
      `patina: ${broken ? "a broken invariant, which is a bug" : "an unexpected error"}: ${story}\n`,
    );
    return broken ? exitCodes.invariant : exitCodes.failure;
  }
}

function buildProgram(done: (code: ExitCode) => void): Command {
  const program = withExamples(new Command("patina"), [
    "patina demo",
    "patina sim split-heal --seed 42",
  ])
    .description(
      "Replicated SQLite for fleets of machines, and the bench on which it is understood.",
    )
    .exitOverride()
    // Options after a command's name are that command's own.
    .enablePositionalOptions()
    .showHelpAfterError("(--help shows what there is)");
  addDemo(program, done);
  addSim(program, done);
  addReplay(program, done);
  return program;
}

function addDemo(program: Command, done: (code: ExitCode) => void): void {
  const demo = program
    .command("demo")
    .description("Cuts a simulated cluster in two, heals it, and tells what happened.")
    .option("--nodes <N>", "how many nodes (default: 5)", wholeNumber("--nodes", 2, 100))
    .option("--dir <DIR>", "where the trace and the scenario are written", "patina-demo")
    .option("--seed <S>", "any text; the same seed gives the same run", "demo")
    .option("--once", "end after the verdict (the simulated experiment always does)")
    .action(async (options: DemoFlags & CommonFlags) => {
      const { demoCommand } = await import("./demo-command.ts");
      done(demoCommand(options, await terminal(options)));
    });
  common(
    withExamples(demo, ["patina demo", "patina demo --nodes 9 --seed another"]),
    "print one JSON object",
  );
}

function addSim(program: Command, done: (code: ExitCode) => void): void {
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
      const { simCommand } = await import("./sim-command.ts");
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
      const { mergeCommand } = await import("./sim-merge.ts");
      done(mergeCommand(files, options, await terminal(options)));
    });
  withExamples(merge, ["patina sim merge shard-1.json shard-2.json shard-3.json"]);
  common(merge, "print one JSON object, as one sweep of all shards would");
}

function addReplay(program: Command, done: (code: ExitCode) => void): void {
  const replay = program
    .command("replay")
    .description("Shows a trace in the browser: who knew what and when, and why two nodes differ.")
    .argument("[trace]", "a file written by patina sim --trace; without it the page alone")
    .option("--out <FILE>", "write page and trace as one HTML file instead of serving them")
    .option(
      "--port <N>",
      "the port to listen on; 0 takes a free one",
      wholeNumber("--port", 0, 65_535),
      0,
    )
    .option("--host <ADDRESS>", "the address to listen on", "127.0.0.1")
    .action(async (trace: string | undefined, options: ReplayFlags & CommonFlags) => {
      const { replayCommand } = await import("./replay-command.ts");
      done(await replayCommand(trace, options, await terminal(options)));
    });
  common(
    withExamples(replay, [
      "patina sim split-heal --seed 42 --trace run.ndjson.gz && patina replay run.ndjson.gz",
      "patina replay run.ndjson.gz --out run.html",
    ]),
    "print one JSON object with the address",
  );
}

function withExamples(command: Command, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ ${example}`).join("\n");
  return command.addHelpText(
    "before",
    `${examples.length === 1 ? "Example" : "Examples"}:\n${lines}\n`,
  );
}

function common(command: Command, json: string): Command {
  return command
    .option("--json", json)
    .option("--quiet", "no talk on standard error, only what went wrong");
}

async function terminal(flags: CommonFlags): Promise<Terminal> {
  const { processTerminal } = await import("./terminal.ts");
  return processTerminal({ quiet: flags.quiet === true });
}

function wholeNumber(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(n >= least && n <= most)) {
      throw new InvalidArgumentError(`${option} is a whole number from ${least} to ${most}.`);
    }
    return n;
  };
}

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

function shardOf(text: string): readonly [shard: number, of: number] {
  const [, i = "", n = ""] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = Number(i);
  const of = Number(n);
  if (i === "" || shard < 1 || shard > of) {
    throw new InvalidArgumentError("--shard is I/N with I from 1 to N, such as 1/4.");
  }
  return [shard, of];
}

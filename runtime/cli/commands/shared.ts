/** What the definitions of all commands share. */
import type { Command } from "commander";
import { InvalidArgumentError } from "commander";
import type { ExitCode } from "../exit-codes.ts";
import type { Terminal } from "../terminal.ts";

/** Takes the exit code of the command that ran. */
export type Done = (code: ExitCode) => void;

/**
 * Adds one command to the program. Only commander is loaded here: the action loads the command's
 * own code, so that `--help` and a mistyped option answer at once.
 */
export type AddCommand = (program: Command, done: Done) => void;

/** Options that every command has; `common` adds them. */
export interface CommonFlags {
  readonly json?: true;
  readonly quiet?: true;
}

/** Puts examples, complete command lines, first in `--help`. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  const lines = examples.map((example) => `  $ ${example}`).join("\n");
  return command.addHelpText(
    "before",
    `${examples.length === 1 ? "Example" : "Examples"}:\n${lines}\n`,
  );
}

/** `json`: what the command prints with --json. */
export function common(command: Command, json: string): Command {
  return command
    .option("--json", json)
    .option("--quiet", "no talk on standard error, only what went wrong");
}

export async function terminal(flags: CommonFlags): Promise<Terminal> {
  const { processTerminal } = await import("../terminal.ts");
  return processTerminal({ quiet: flags.quiet === true });
}

/** A parser for an option's value. `option` begins the complaint. */
export function wholeNumber(option: string, least: number, most: number): (text: string) => number {
  return (text) => {
    const n = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (!(n >= least && n <= most)) {
      throw new InvalidArgumentError(`${option} is a whole number from ${least} to ${most}.`);
    }
    return n;
  };
}

/** A parser for a number of seconds. */
export function seconds(option: string): (text: string) => number {
  return (text) => {
    if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) {
      throw new InvalidArgumentError(`${option} is a number of seconds, such as 2.5.`);
    }
    return Number(text);
  };
}

/** A parser for --shard. */
export function shardOf(text: string): readonly [shard: number, of: number] {
  const [, i = "", n = ""] = /^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? [];
  const shard = Number(i);
  const of = Number(n);
  if (i === "" || shard < 1 || shard > of) {
    throw new InvalidArgumentError("--shard is I/N with I from 1 to N, such as 1/4.");
  }
  return [shard, of];
}

/** Options of commands that read a node's configuration. */
export interface ConfigFlags {
  readonly config?: string;
  readonly set?: readonly string[];
}

export function configOptions(command: Command): Command {
  return command
    .option(
      "-c, --config <FILE>",
      "goes before ./patina.toml, and that before /etc/patina/config.toml",
    )
    .option(
      "--set <KEY=VALUE>",
      "a setting on top of file and environment; may be given again",
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), text],
    );
}

/**
 * The program: its commands, each defined in a file of `commands/`, and what becomes of their
 * errors. Only commander is loaded here: each command loads its own code when it runs, so that
 * `--help` and a mistyped option answer at once.
 */
import { Command, CommanderError } from "commander";
import { add as agent } from "./commands/agent.ts";
import { add as completion } from "./commands/completion.ts";
import { add as config } from "./commands/config.ts";
import { add as demo } from "./commands/demo.ts";
import { add as exec } from "./commands/exec.ts";
import { add as doctor } from "./commands/doctor.ts";
import { add as experiment } from "./commands/experiment.ts";
import { add as members } from "./commands/members.ts";
import { add as query } from "./commands/query.ts";
import { backup, reload } from "./commands/operator.ts";
import { add as replay } from "./commands/replay.ts";
import { add as restore } from "./commands/restore.ts";
import { withExamples } from "./commands/shared.ts";
import type { AddCommand, Done } from "./commands/shared.ts";
import { add as sim } from "./commands/sim.ts";
import { add as tls } from "./commands/tls.ts";
import { add as status } from "./commands/status.ts";
import { add as syncState } from "./commands/sync-state.ts";
import { add as token } from "./commands/token.ts";
import { CliError, exitCodes } from "./exit-codes.ts";
import type { ExitCode } from "./exit-codes.ts";
import { programVersion } from "./version.ts";

/** One line a command, in the order of `--help`. */
const commands: readonly AddCommand[] = [
  demo, // (a line each, so that lists grow without conflicts)
  agent,
  config,
  doctor,
  reload,
  backup,
  restore,
  tls,
  sim,
  replay,
  experiment,
  query,
  exec,
  members,
  status,
  syncState,
  token,
  completion,
];

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

/** The program with all its commands. */
export function buildProgram(done: Done): Command {
  const program = withExamples(new Command("patina"), [
    "patina demo",
    "patina sim split-heal --seed 42",
  ])
    .description(
      "Replicated SQLite for fleets of machines, and the bench on which it is understood.",
    )
    .version(programVersion(), "--version", "print the version")
    .exitOverride()
    // Options after a command's name are that command's own.
    .enablePositionalOptions()
    .showHelpAfterError("(--help shows what there is)");
  for (const add of commands) add(program, done);
  return program;
}

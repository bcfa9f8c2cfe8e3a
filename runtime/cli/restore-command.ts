/** `patina restore FILE`: the database of a new node, which goes on under fresh ids. */
import { runningPid } from "../agent/pid-file.ts";
import { restoreBackup } from "../store/backup.ts";
import { StoreOpenError } from "../store/open-database.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { configOf } from "./config-source.ts";
import { CliError, type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatBytes } from "./format.ts";
import type { Terminal } from "./terminal.ts";

export interface RestoreFlags extends ConfigFlags {
  readonly json?: true;
}

/** @throws CliError */
export function restoreCommand(file: string, flags: RestoreFlags, terminal: Terminal): ExitCode {
  const { path } = configOf(flags).config.db;
  const pid = runningPid(path);
  if (pid !== null) {
    const why = `the node of ${path} runs (process ${pid}); stop it and move its database away first`;
    throw new CliError(exitCodes.failure, why);
  }
  try {
    const { bytes } = restoreBackup(file, path);
    if (flags.json === true) terminal.print(JSON.stringify({ path, bytes }));
    else terminal.print(`${path}: ${formatBytes(bytes)}; a node that opens it takes fresh ids`);
    return exitCodes.ok;
  } catch (error) {
    if (error instanceof StoreOpenError) throw new CliError(exitCodes.failure, error.message);
    throw error;
  }
}

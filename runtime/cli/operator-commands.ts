/** `patina backup` and `patina reload`, through the API of the running node. */
import { resolve } from "node:path";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { type NodeFlags, withNode } from "./find-node.ts";
import type { Terminal } from "./terminal.ts";

export interface BackupFlags extends NodeFlags {
  readonly json?: true;
}

export type ReloadFlags = BackupFlags;

/** @throws CliError */
export async function backupCommand(
  file: string,
  flags: BackupFlags,
  terminal: Terminal,
): Promise<ExitCode> {
  const path = resolve(file);
  await withNode(flags, (client) => client.backup(path), 0);
  if (flags.json === true) terminal.print(JSON.stringify({ path }));
  else terminal.print(`${path}: written; patina restore makes a new node from it`);
  return exitCodes.ok;
}

/** Exit 7 when the schema was refused, 1 when certificates were; all else was taken over even then. @throws CliError */
export async function reloadCommand(flags: ReloadFlags, terminal: Terminal): Promise<ExitCode> {
  const changes = await withNode(flags, (client) => client.reload(), 0);
  if (flags.json === true) terminal.print(JSON.stringify({ changes }));
  else if (changes.length === 0) terminal.print("nothing has changed");
  else for (const change of changes) terminal.print(change);
  const refused = (what: string): boolean =>
    changes.some((change) => change.startsWith(`${what}: refused`));
  if (refused("schema")) return exitCodes.schemaRefused;
  return refused("certificates") ? exitCodes.failure : exitCodes.ok;
}

/** `patina backup` and `patina reload`: what an operator asks of a running node. */
import type { BackupFlags, ReloadFlags } from "../operator-commands.ts";
import { nodeOptions } from "./node-options.ts";
import { common, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const backup: AddCommand = (program, done) => {
  const command = nodeOptions(
    program
      .command("backup")
      .description("Writes a consistent copy of a running node's database to a new file.")
      .argument("<file>", "on the node's machine; must not be there yet"),
  ).action(async (file: string, options: BackupFlags & CommonFlags) => {
    const { backupCommand } = await import("../operator-commands.ts");
    done(await backupCommand(file, options, await terminal(options)));
  });
  common(
    withExamples(command, ["patina backup /var/backups/state-monday.db"]),
    "print one JSON object",
  );
};

export const reload: AddCommand = (program, done) => {
  const command = nodeOptions(
    program
      .command("reload")
      .description("Has a running node read schema, tokens, certificates and log level anew."),
  ).action(async (options: ReloadFlags & CommonFlags) => {
    const { reloadCommand } = await import("../operator-commands.ts");
    done(await reloadCommand(options, await terminal(options)));
  });
  common(withExamples(command, ["patina reload -c node.toml"]), "print one JSON object");
};

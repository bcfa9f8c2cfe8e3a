/** `patina restore`. */
import type { RestoreFlags } from "../restore-command.ts";
import { common, configOptions, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const restore = configOptions(
    program
      .command("restore")
      .description("Makes the database of a new node from a backup; the node must not run.")
      .argument("<file>", "what patina backup wrote"),
  ).action(async (file: string, options: RestoreFlags & CommonFlags) => {
    const { restoreCommand } = await import("../restore-command.ts");
    done(restoreCommand(file, options, await terminal(options)));
  });
  common(
    withExamples(restore, [
      "patina restore state.backup -c node.toml && patina agent -c node.toml",
    ]),
    "print one JSON object",
  );
};

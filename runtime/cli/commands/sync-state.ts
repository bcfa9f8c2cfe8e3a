/** `patina sync-state`. */
import type { StatusFlags } from "../node-commands.ts";
import { nodeOptions } from "./node-options.ts";
import { common, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const state = program
    .command("sync-state")
    .description("Tells which versions of which authors a node holds.")
    .action(async (options: StatusFlags & CommonFlags) => {
      const { syncStateCommand } = await import("../node-commands.ts");
      done(await syncStateCommand(options, await terminal(options)));
    });
  withExamples(nodeOptions(state), ["patina sync-state", "patina sync-state --json"]);
  common(state, "print one JSON object");
};

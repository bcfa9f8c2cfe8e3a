/** `patina status`. */
import type { StatusFlags } from "../node-commands.ts";
import { nodeOptions } from "./node-options.ts";
import { common, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const status = program
    .command("status")
    .description("Tells how a node is: members, lag, gaps, queues, database.")
    .action(async (options: StatusFlags & CommonFlags) => {
      const { statusCommand } = await import("../node-commands.ts");
      done(await statusCommand(options, await terminal(options)));
    });
  withExamples(nodeOptions(status), ["patina status", "patina status --json"]);
  common(status, "print one JSON object, as /v1/status answers it");
};

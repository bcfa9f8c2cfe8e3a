/** `patina members`. */
import type { MembersFlags } from "../node-commands.ts";
import { nodeOptions } from "./node-options.ts";
import { common, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const members = program
    .command("members")
    .description("Lists the members that a node knows.")
    .option("--watch", "and then each change, until Ctrl-C")
    .action(async (options: MembersFlags & CommonFlags) => {
      const { membersCommand } = await import("../node-commands.ts");
      done(await membersCommand(options, await terminal(options)));
    });
  withExamples(nodeOptions(members), ["patina members", "patina members --watch --json"]);
  common(members, "print one JSON object; with --watch one a line");
};

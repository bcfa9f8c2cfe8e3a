/** `patina agent`. */
import type { AgentFlags } from "../agent-command.ts";
import { common, configOptions, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const agent = configOptions(
    program
      .command("agent")
      .description("Runs one production node until it is told to stop.")
      .option("--until-stdin-ends", "stop when standard input ends: for programs that start nodes"),
  ).action(async (options: AgentFlags & CommonFlags) => {
    const { agentCommand } = await import("../agent-command.ts");
    done(await agentCommand(options, await terminal(options)));
  });
  common(
    withExamples(agent, [
      "patina agent -c node.toml",
      "PATINA__LOG__LEVEL=debug patina agent -c node.toml --set gossip.addr=127.0.0.1:8788",
    ]),
    "print one JSON object with the addresses when the node is ready",
  );
};

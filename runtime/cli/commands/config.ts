/** `patina config`. */
import type { ConfigCheckFlags, ConfigShowFlags } from "../config-command.ts";
import { common, configOptions, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const config = withExamples(
    program.command("config").description("Checks and shows the configuration of a node."),
    ["patina config check -c node.toml", "patina config show --origin"],
  );
  const check = configOptions(
    config
      .command("check")
      .description("Says whether the configuration, its schema and its certificates can be used."),
  ).action(async (options: ConfigCheckFlags & CommonFlags) => {
    const { configCheck } = await import("../config-command.ts");
    done(configCheck(options, await terminal(options)));
  });
  common(withExamples(check, ["patina config check -c node.toml"]), "print one JSON object");
  const show = configOptions(
    config
      .command("show")
      .description("Prints every setting as it is in force.")
      .option("--origin", "and where each value comes from"),
  ).action(async (options: ConfigShowFlags & CommonFlags) => {
    const { configShow } = await import("../config-command.ts");
    done(configShow(options, await terminal(options)));
  });
  common(withExamples(show, ["patina config show --origin -c node.toml"]), "print one JSON object");
};

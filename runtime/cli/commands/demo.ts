/** `patina demo`. */
import type { DemoFlags } from "../demo-command.ts";
import { common, terminal, wholeNumber, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const demo = program
    .command("demo")
    .description("Cuts a simulated cluster in two, heals it, and tells what happened.")
    .option("--nodes <N>", "how many nodes (default: 5)", wholeNumber("--nodes", 2, 100))
    .option("--dir <DIR>", "where the trace and the scenario are written", "patina-demo")
    .option("--seed <S>", "any text; the same seed gives the same run", "demo")
    .option("--once", "end after the verdict (the simulated experiment always does)")
    .action(async (options: DemoFlags & CommonFlags) => {
      const { demoCommand } = await import("../demo-command.ts");
      done(demoCommand(options, await terminal(options)));
    });
  common(
    withExamples(demo, ["patina demo", "patina demo --nodes 9 --seed another"]),
    "print one JSON object",
  );
};

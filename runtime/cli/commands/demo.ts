/** `patina demo`. */
import type { DemoFlags } from "../demo-command.ts";
import { common, terminal, wholeNumber, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const demo = program
    .command("demo")
    .description(
      "Cuts a simulated cluster in two and heals it; then starts a real one, kills a node, and proves that nothing was lost.",
    )
    .option(
      "--nodes <N>",
      "how many nodes (default: 5 simulated, 3 real; of real ones at most 10)",
      wholeNumber("--nodes", 2, 100),
    )
    .option("--dir <DIR>", "where trace, scenario and the nodes' files are written", "patina-demo")
    .option("--seed <S>", "any text; the same seed gives the same run", "demo")
    .option("--once", "end when it is proved that all nodes hold the same data")
    .action(async (options: DemoFlags & CommonFlags) => {
      const { demoCommand } = await import("../demo-command.ts");
      done(await demoCommand(options, await terminal(options)));
    });
  common(
    withExamples(demo, ["patina demo", "patina demo --once --nodes 5"]),
    "print one JSON object",
  );
};

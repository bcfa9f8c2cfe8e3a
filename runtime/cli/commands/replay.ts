/** `patina replay`. */
import type { ReplayFlags } from "../replay-command.ts";
import { common, terminal, wholeNumber, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const replay = program
    .command("replay")
    .description("Shows a trace in the browser: who knew what and when, and why two nodes differ.")
    .argument("[trace]", "a file written by patina sim --trace; without it the page alone")
    .option("--out <FILE>", "write page and trace as one HTML file instead of serving them")
    .option(
      "--live <ADDRESSES>",
      "follow a node's live trace instead, or those of several nodes with commas between",
    )
    .option("--token <TOKEN>", "for --live: the nodes' token; PATINA_TOKEN may hold it as well")
    .option(
      "--port <N>",
      "the port to listen on; 0 takes a free one",
      wholeNumber("--port", 0, 65_535),
      0,
    )
    .option("--host <ADDRESS>", "the address to listen on", "127.0.0.1")
    .action(async (trace: string | undefined, options: ReplayFlags & CommonFlags) => {
      const { replayCommand } = await import("../replay-command.ts");
      done(await replayCommand(trace, options, await terminal(options)));
    });
  common(
    withExamples(replay, [
      "patina sim split-heal --seed 42 --trace run.ndjson.gz && patina replay run.ndjson.gz",
      "patina replay run.ndjson.gz --out run.html",
      "patina replay --live 10.0.0.1:8080,10.0.0.2:8080",
    ]),
    "print one JSON object with the address",
  );
};

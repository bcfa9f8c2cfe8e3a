/** Options of the commands that talk to a running node. */
import type { Command } from "commander";

export function nodeOptions(command: Command): Command {
  return command
    .option("--api-addr <ADDRESS>", "the node's API (PATINA_API_ADDR, or as configured)")
    .option("--token <TOKEN>", "a token of the API; PATINA_TOKEN may hold it as well")
    .option("--token-file <FILE>", "a file that holds the token")
    .option("--api-ca <FILE>", "the authority of the API's certificate (PATINA_API_CA)")
    .option("-c, --config <FILE>", "the node's configuration, where its address stands");
}

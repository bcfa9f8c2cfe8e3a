/** `patina exec`. */
import { InvalidArgumentError } from "commander";
import type { ExecFlags } from "../sql-commands.ts";
import { nodeOptions } from "./node-options.ts";
import { common, seconds, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const exec = program
    .command("exec")
    .description("Runs one statement that writes, through a node's API.")
    .argument("<sql>", "one statement")
    .argument(
      "[param...]",
      "for ?: null, true, false and numbers as in JSON, x'00ff' for a BLOB, else text; after -- they may begin with -",
    )
    .option("--timeout <SECONDS>", "0 is no limit (default: 300)", seconds("--timeout"))
    .option("--wait <N|all>", "until so many peers have applied it", peers)
    .option("--wait-timeout <SECONDS>", "for --wait (default: 5)", seconds("--wait-timeout"))
    .action(async (sql: string, parameters: string[], options: ExecFlags & CommonFlags) => {
      const { execCommand } = await import("../sql-commands.ts");
      done(await execCommand(sql, parameters, options, await terminal(options)));
    });
  withExamples(nodeOptions(exec), [
    "patina exec 'INSERT INTO services (name, port) VALUES (?, ?)' web 8080",
    "patina exec --wait all 'DELETE FROM services WHERE name = ?' web",
  ]);
  common(exec, "print the answer as one JSON object");
};

function peers(text: string): number | "all" {
  if (text === "all") return "all";
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('--wait is a number of peers, or "all".');
}

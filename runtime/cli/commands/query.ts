/** `patina query`. */
import { Option } from "commander";
import type { QueryFlags } from "../sql-commands.ts";
import { nodeOptions } from "./node-options.ts";
import { common, seconds, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

const formats = ["table", "csv", "json", "ndjson"];

export const add: AddCommand = (program, done) => {
  const query = program
    .command("query")
    .description("Runs one statement that reads, through a node's API.")
    .argument("<sql>", "one statement")
    .argument(
      "[param...]",
      "for ?: null, true, false and numbers as in JSON, x'00ff' for a BLOB, else text",
    )
    .option("--columns", "begin with the names of the columns")
    .addOption(
      new Option("--format <FORMAT>", "how rows are written").choices(formats).default("table"),
    )
    .option("--timeout <SECONDS>", "0 is no limit (default: 60)", seconds("--timeout"))
    .action(async (sql: string, parameters: string[], options: QueryFlags & CommonFlags) => {
      const { queryCommand } = await import("../sql-commands.ts");
      done(await queryCommand(sql, parameters, options, await terminal(options)));
    });
  withExamples(nodeOptions(query), [
    "patina query 'SELECT * FROM services WHERE port > ?' 8000",
    "patina query --columns --format csv 'SELECT * FROM services'",
  ]);
  common(query, "print one JSON object with columns and rows");
};

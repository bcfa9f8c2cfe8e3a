/** `patina token`. */
import type { TokenCreateFlags, TokenFlags } from "../token-commands.ts";
import { common, terminal, withExamples } from "./shared.ts";
import type { AddCommand, CommonFlags } from "./shared.ts";

export const add: AddCommand = (program, done) => {
  const token = program
    .command("token")
    .description("Makes, lists and revokes tokens of the API.")
    .enablePositionalOptions();
  withExamples(token, ["patina token create deployer --read '*' --write services,checks"]);

  const create = token
    .command("create")
    .description(
      "Makes a token: prints it once, and its lines for the configuration on standard error.",
    )
    .argument("<name>", "what the token is for")
    .option("--read <TABLES>", "tables that it may read, with commas between; * for all")
    .option("--write <TABLES>", "tables that it may write, with commas between; * for all")
    .option("--admin", "everything")
    .action(async (name: string, options: TokenCreateFlags & CommonFlags) => {
      const { tokenCreateCommand } = await import("../token-commands.ts");
      done(tokenCreateCommand(name, options, await terminal(options)));
    });
  withExamples(create, [
    "patina token create deployer --read '*' --write services,checks 2>> patina.toml",
  ]);
  common(create, "print one JSON object with token and hash");

  const list = token
    .command("list")
    .description("Lists the tokens of a configuration and their rights.")
    .option("-c, --config <FILE>", "the node's configuration")
    .action(async (options: TokenFlags & CommonFlags) => {
      const { tokenListCommand } = await import("../token-commands.ts");
      done(tokenListCommand(options, await terminal(options)));
    });
  common(withExamples(list, ["patina token list -c patina.toml"]), "print one JSON object");

  const revoke = token
    .command("revoke")
    .description("Takes a token out of a configuration.")
    .argument("<name>", "the token's name")
    .option("-c, --config <FILE>", "the node's configuration")
    .action(async (name: string, options: TokenFlags & CommonFlags) => {
      const { tokenRevokeCommand } = await import("../token-commands.ts");
      done(tokenRevokeCommand(name, options, await terminal(options)));
    });
  common(
    withExamples(revoke, ["patina token revoke deployer -c patina.toml && patina reload"]),
    "print one JSON object",
  );
};

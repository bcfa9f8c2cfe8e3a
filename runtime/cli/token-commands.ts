/** `patina token create`, `list` and `revoke`: tokens of the API, and their lines in the configuration. */
import { copyFileSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createToken } from "../auth/token.ts";
import { ConfigError } from "../config/config-error.ts";
import { loadConfig } from "../config/load-config.ts";
import type { TokenConfig } from "../config/node-config.ts";
import { CliError, type ExitCode, exitCodes, systemReason, usageError } from "./exit-codes.ts";
import { formatTable } from "./format.ts";
import type { Terminal } from "./terminal.ts";
import { withoutToken } from "./token-block.ts";

export interface TokenCreateFlags {
  readonly read?: string;
  readonly write?: string;
  readonly admin?: true;
  readonly json?: true;
}

export interface TokenFlags {
  readonly config?: string;
  readonly json?: true;
}

/** Needs no node and no configuration. @throws CliError */
export function tokenCreateCommand(
  name: string,
  flags: TokenCreateFlags,
  terminal: Terminal,
): ExitCode {
  if (name === "") throw usageError("a token has a name");
  const read = tablesOf(flags.read);
  const write = tablesOf(flags.write);
  const admin = flags.admin === true;
  const { token, hash } = createToken();
  if (flags.json === true) {
    terminal.print(JSON.stringify({ name, token, hash, read, write, admin }));
  } else terminal.print(token);
  terminal.talk("# for the node's configuration; the token itself is not shown again");
  for (const line of tomlLines({ name, hash, read, write, admin })) terminal.complain(line);
  if (!admin && read.length === 0 && write.length === 0) {
    terminal.talk("# it may touch no table: give --read, --write or --admin");
  }
  return exitCodes.ok;
}

function tablesOf(list: string | undefined): string[] {
  return (list ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
}

function tomlLines({ name, hash, read, write, admin }: TokenConfig): string[] {
  return [
    "[[api.tokens]]",
    `name = ${JSON.stringify(name)}`,
    `hash = "${hash}"`,
    `read = [${read.map((table) => JSON.stringify(table)).join(", ")}]`,
    `write = [${write.map((table) => JSON.stringify(table)).join(", ")}]`,
    `admin = ${admin}`,
  ];
}

/** @throws CliError */
export function tokenListCommand(flags: TokenFlags, terminal: Terminal): ExitCode {
  const { tokens } = configured(flags);
  if (flags.json === true) {
    terminal.print(JSON.stringify({ tokens }));
    return exitCodes.ok;
  }
  if (tokens.length === 0) {
    terminal.talk("no tokens: the API is open to whoever reaches it");
    return exitCodes.ok;
  }
  const rows = tokens.map(({ name, read, write, admin }) => [
    name,
    read.join(",") || "-",
    write.join(",") || "-",
    admin ? "yes" : "no",
  ]);
  const table = [["NAME", "READ", "WRITE", "ADMIN"], ...rows];
  for (const line of formatTable(table, ["left", "left", "left", "left"])) terminal.print(line);
  return exitCodes.ok;
}

/** Takes the token's lines out of the file, everything else stays as it is. @throws CliError */
export function tokenRevokeCommand(name: string, flags: TokenFlags, terminal: Terminal): ExitCode {
  const { tokens, file } = configured(flags);
  if (!tokens.some((token) => token.name === name)) {
    const names = tokens.map((token) => token.name).join(", ");
    const known = names === "" ? "there are no tokens" : `there are ${names}`;
    throw new CliError(exitCodes.notFound, `there is no token ${name}; ${known}`);
  }
  const text = readFileSync(file, "utf8");
  const without = withoutToken(text, name);
  if (without === null) {
    throw new CliError(
      exitCodes.configuration,
      `${file}: the lines of the token ${name} cannot be told apart from others; take them out by hand`,
    );
  }
  replaceFile(file, without);
  if (flags.json === true) terminal.print(JSON.stringify({ revoked: name, file }));
  else terminal.print(`revoked ${name} in ${file}`);
  terminal.talk("a running node takes it over with: patina reload");
  if (tokens.length === 1) {
    terminal.talk("that was the last token: on loopback the API is open without one");
  }
  return exitCodes.ok;
}

function configured(flags: TokenFlags): {
  readonly tokens: readonly TokenConfig[];
  readonly file: string;
} {
  try {
    const sources = { file: flags.config ?? null, set: [], env: process.env, cwd: process.cwd() };
    const { config, files, settings } = loadConfig(sources);
    const [first] = files;
    if (first === undefined) {
      throw new CliError(
        exitCodes.configuration,
        "there is no configuration here; name it with -c",
      );
    }
    const file = settings.find(({ key }) => key === "api.tokens")?.file ?? first;
    return { tokens: config.api.tokens, file };
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(exitCodes.configuration, error.message);
    throw error;
  }
}

/** Whole or not at all, and readable to the same people as before. */
function replaceFile(path: string, text: string): void {
  const beside = `${path}.new`;
  try {
    copyFileSync(path, beside);
    writeFileSync(beside, text, { mode: statSync(path).mode });
    renameSync(beside, path);
  } catch (error) {
    rmSync(beside, { force: true });
    throw usageError(`${path} cannot be written: ${systemReason(error)}`);
  }
}

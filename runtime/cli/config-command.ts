/** `patina config check` and `patina config show`. */
import type { LoadedConfig } from "../config/load-config.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { checkConfig } from "./config-refusals.ts";
import { configOf } from "./config-source.ts";
import { CliError, type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format.ts";
import type { Terminal } from "./terminal.ts";

export interface ConfigCheckFlags extends ConfigFlags {
  readonly json?: true;
}

export interface ConfigShowFlags extends ConfigCheckFlags {
  readonly origin?: true;
}

/** Tells everything that a start would refuse, a line each. @returns exit code 3, 7 for the schema alone, or 1 */
export function configCheck(flags: ConfigCheckFlags, terminal: Terminal): ExitCode {
  const { loaded, tables, refusals, code } = checkConfig(flags);
  if (flags.json === true) {
    const files = loaded === null ? { file: null, files: [] } : filesOf(loaded);
    const ok = refusals.length === 0;
    terminal.print(JSON.stringify({ ok, ...files, tables, ...(ok ? {} : { refusals }) }));
  }
  if (refusals.length > 0) {
    throw new CliError(code, refusals.join("\npatina: "));
  }
  if (flags.json !== true) {
    const files = loaded?.files ?? [];
    const from = files.length === 0 ? "no file" : files.join(", then ");
    terminal.print(`ok: ${from}; ${tables} ${tables === 1 ? "table" : "tables"} in the schema`);
  }
  return exitCodes.ok;
}

/** @throws CliError (exit 3) */
export function configShow(flags: ConfigShowFlags, terminal: Terminal): ExitCode {
  const loaded = configOf(flags);
  const { settings } = loaded;
  if (flags.json === true) {
    const shown = settings.map(({ key, value, origin }) => {
      return [
        key,
        flags.origin === true ? { value: hidden(key, value), origin } : hidden(key, value),
      ];
    });
    const all = { ...filesOf(loaded), settings: Object.fromEntries(shown) as object };
    terminal.print(JSON.stringify(all));
    return exitCodes.ok;
  }
  const rows = settings.map(({ key, value, origin }) => {
    const shown = [key, "=", JSON.stringify(hidden(key, value))];
    return flags.origin === true ? [...shown, origin] : shown;
  });
  for (const line of formatTable(rows, ["left", "left", "left", "left"])) terminal.print(line);
  return exitCodes.ok;
}

/** `file`: the one that goes before the others. */
function filesOf({ files }: LoadedConfig): {
  readonly file: string | null;
  readonly files: readonly string[];
} {
  return { file: files[0] ?? null, files };
}

/** Hashes of tokens are no secrets that open anything, but nobody needs them in a listing. */
function hidden(key: string, value: unknown): unknown {
  if (key !== "api.tokens") return value;
  return (value as readonly { readonly name: string }[]).map(({ name }) => name);
}

/** The configuration that a command line names, with its errors as this program tells them. */
import { ConfigError } from "../config/config-error.ts";
import { type ConfigSources, type LoadedConfig, loadConfig } from "../config/load-config.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { CliError, exitCodes } from "./exit-codes.ts";

/** @throws CliError (exit 3) */
export function configOf(flags: ConfigFlags): LoadedConfig {
  try {
    return readConfig(flags);
  } catch (error) {
    throw asCliError(error);
  }
}

/** @throws ConfigError */
export function readConfig(flags: ConfigFlags): LoadedConfig {
  return loadConfig(sourcesOf(flags));
}

export function sourcesOf({ config, set }: ConfigFlags): ConfigSources {
  return { file: config ?? null, set: set ?? [], env: process.env, cwd: process.cwd() };
}

/** A bad configuration ends a command with its own code, and the first thing that is wrong with it. */
export function asCliError(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const more = error.all.length - 1;
  const rest = more === 0 ? "" : ` (${more} more: patina config check tells all)`;
  return new CliError(exitCodes.configuration, error.message + rest);
}

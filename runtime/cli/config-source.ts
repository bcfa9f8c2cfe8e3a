/** The configuration that a command line names, with its errors as this program tells them. */
import { ConfigError } from "../config/config-error.ts";
import { type LoadedConfig, loadConfig } from "../config/load-config.ts";
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
export function readConfig({ config, set }: ConfigFlags): LoadedConfig {
  return loadConfig({
    file: config ?? null,
    set: set ?? [],
    env: process.env,
    cwd: process.cwd(),
  });
}

/** A bad configuration ends a command with its own code. */
export function asCliError(error: unknown): unknown {
  return error instanceof ConfigError
    ? new CliError(exitCodes.configuration, error.message)
    : error;
}

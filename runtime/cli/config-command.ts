/** `patina config check` and `patina config show`. */
import { readFileSync } from "node:fs";
import type { LoadedConfig } from "../config/load-config.ts";
import { readSchemaFiles } from "../config/schema-files.ts";
import { readTls } from "../config/tls-files.ts";
import { whyNotListen } from "../auth/listen-guard.ts";
import {
  CertificateError,
  parseCertificate,
  parseCertificates,
  refusalOf,
} from "../security/certificate-info.ts";
import { formatRefusal, splitSchema } from "../store/schema-source.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { asCliError, configOf } from "./config-source.ts";
import { CliError, type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format.ts";
import type { Terminal } from "./terminal.ts";

export interface ConfigCheckFlags extends ConfigFlags {
  readonly json?: true;
}

export interface ConfigShowFlags extends ConfigCheckFlags {
  readonly origin?: true;
}

/** @throws CliError: exit 3, or 7 for the schema */
export function configCheck(flags: ConfigCheckFlags, terminal: Terminal): ExitCode {
  const loaded = configOf(flags);
  const { config } = loaded;
  const refusal = whyNotListen(config.api);
  if (refusal !== null) throw new CliError(exitCodes.configuration, refusal);
  const tables = checkSchema(loaded);
  checkCertificates(loaded);
  const { files } = loaded;
  const from = files.length === 0 ? "no file" : files.join(", then ");
  if (flags.json === true) terminal.print(JSON.stringify({ ok: true, ...filesOf(loaded), tables }));
  else terminal.print(`ok: ${from}; ${tables} tables in the schema`);
  return exitCodes.ok;
}

function checkSchema({ config }: LoadedConfig): number {
  try {
    const split = splitSchema(readSchemaFiles(config.db.schemaPaths));
    if (!split.ok) throw new CliError(exitCodes.schemaRefused, formatRefusal(split.refusal));
    return split.objects.filter(({ kind }) => kind === "table").length;
  } catch (error) {
    throw asCliError(error);
  }
}

function checkCertificates({ config }: LoadedConfig): void {
  const { tls } = config.gossip;
  try {
    if (tls !== null) {
      const { ca, cert } = readTls(tls);
      const why = refusalOf(parseCertificate(cert), parseCertificates(ca), Date.now());
      if (why !== null) throw new CertificateError(`${tls.certFile}: ${why}`);
    }
    if (config.api.tls !== null) parseCertificate(readFileSync(config.api.tls.certFile));
  } catch (error) {
    if (error instanceof CertificateError) {
      throw new CliError(exitCodes.configuration, error.message);
    }
    throw asCliError(error);
  }
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

/** `patina config check` and `patina config show`. */
import { readFileSync, statSync } from "node:fs";
import type { ActorId } from "../../core/base/ids.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import { readSchemaFiles } from "../config/schema-files.ts";
import { checkedTls } from "../config/tls-files.ts";
import { whyNotListen } from "../auth/listen-guard.ts";
import { randomHexId } from "../agent/random.ts";
import { addressRefusal } from "../net/credentials.ts";
import { CertificateError, parseCertificate } from "../security/certificate-info.ts";
import { makeCredential, privateKeyFor, saltBytes } from "../security/credentials.ts";
import { SchemaRefusedError } from "../store/apply-schema.ts";
import type { SchemaSource } from "../store/schema-source.ts";
import { StoreOpenError } from "../store/open-database.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { asCliError, configOf } from "./config-source.ts";
import { CliError, type ExitCode, exitCodes } from "./exit-codes.ts";
import { formatTable } from "./format.ts";
import { storedSchema } from "./stored-schema.ts";
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
  else terminal.print(`ok: ${from}; ${tables} ${tables === 1 ? "table" : "tables"} in the schema`);
  return exitCodes.ok;
}

/**
 * As a node does it, in a database of its own: first alone, then as a change of what the node's database
 * has. What only its rows forbid, as a UNIQUE index of a local table, shows when the node does it.
 * @returns how many tables there are
 */
function checkSchema({ config }: LoadedConfig): number {
  try {
    const schema = readSchemaFiles(config.db.schemaPaths);
    const store = new SqliteStore({ path: ":memory:", actor: randomHexId() as ActorId, schema });
    const { length } = store.tables;
    store.close();
    checkChange(config.db.path, schema);
    return length;
  } catch (error) {
    if (error instanceof SchemaRefusedError) {
      throw new CliError(exitCodes.schemaRefused, error.message);
    }
    if (error instanceof StoreOpenError) throw new CliError(exitCodes.failure, error.message);
    throw asCliError(error);
  }
}

/** The database is only read. @throws SchemaRefusedError, StoreOpenError */
function checkChange(path: string, schema: readonly SchemaSource[]): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return;
  const actor = randomHexId() as ActorId;
  const store = new SqliteStore({ path: ":memory:", actor, schema: storedSchema(path) });
  try {
    store.migrate(Date.now(), schema);
  } finally {
    store.close();
  }
}

function checkCertificates({ config }: LoadedConfig): void {
  const { tls, addr, externalAddr, sign, clusterId } = config.gossip;
  try {
    if (tls !== null) {
      const certificate = parseCertificate(checkedTls(tls).cert);
      const why = addressRefusal(certificate, externalAddr ?? addr);
      if (why !== null) throw new CertificateError(`gossip.tls.cert_file: ${tls.certFile}: ${why}`);
      if (sign) makeCredential(clusterId, certificate, new Uint8Array(saltBytes));
    }
    if (config.api.tls !== null) checkApiTls(config.api.tls);
  } catch (error) {
    if (error instanceof CertificateError) {
      throw new CliError(exitCodes.configuration, error.message);
    }
    throw asCliError(error);
  }
}

function checkApiTls({ certFile, keyFile }: { certFile: string; keyFile: string }): void {
  try {
    privateKeyFor(parseCertificate(readFileSync(certFile)), readFileSync(keyFile, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : message;
    throw new CertificateError(`api.tls: ${certFile}, ${keyFile}: ${why}`);
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

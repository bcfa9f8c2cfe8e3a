/** Everything for which a node would refuse to start with a configuration: settings, schema, certificates. */
import { readFileSync, statSync } from "node:fs";
import type { ActorId } from "../../core/base/ids.ts";
import { randomHexId } from "../agent/random.ts";
import { whyNotListen } from "../auth/listen-guard.ts";
import { Complaints, ConfigError } from "../config/config-error.ts";
import { gatherConfig, type LoadedConfig } from "../config/load-config.ts";
import { readSchemaFiles } from "../config/schema-files.ts";
import { checkedTls } from "../config/tls-files.ts";
import { addressRefusal } from "../net/credentials.ts";
import { CertificateError, parseCertificate } from "../security/certificate-info.ts";
import { makeCredential, privateKeyFor, saltBytes } from "../security/credentials.ts";
import { StoreOpenError } from "../store/open-database.ts";
import type { SchemaSource } from "../store/schema-source.ts";
import { SqliteStore } from "../store/sqlite-store.ts";
import type { ConfigFlags } from "./commands/shared.ts";
import { sourcesOf } from "./config-source.ts";
import { type ExitCode, exitCodes } from "./exit-codes.ts";
import { schemaRefusals } from "./schema-refusals.ts";
import { storedSchema } from "./stored-schema.ts";

export interface Checked {
  readonly loaded: LoadedConfig | null;
  /** Of the schema; 0 where it is refused. */
  readonly tables: number;
  /** A line each, what stands in the configuration itself first. */
  readonly refusals: readonly string[];
  /** What a node would end with. */
  readonly code: ExitCode;
}

export function checkConfig(flags: ConfigFlags): Checked {
  const complaints = new Complaints();
  const loaded = complaints.catching(() => gatherConfig(sourcesOf(flags), complaints), null);
  if (loaded === null) {
    return { loaded, tables: 0, refusals: complaints.all, code: exitCodes.configuration };
  }
  const exposed = whyNotListen(loaded.config.api);
  if (exposed !== null && !complaints.doubts("api.tokens") && !complaints.doubts("api.addr")) {
    complaints.tell(exposed);
  }
  checkCertificates(loaded, complaints);
  const sources = complaints.doubts("db.schema_paths")
    ? null
    : complaints.catching(() => readSchemaFiles(loaded.config.db.schemaPaths), null);
  const schema = sources === null ? noSchema : checkSchema(loaded, sources);
  const refusals = [...complaints.all, ...schema.refusals];
  const code = complaints.all.length > 0 ? exitCodes.configuration : schema.code;
  return { loaded, tables: schema.tables, refusals, code };
}

interface CheckedSchema {
  readonly tables: number;
  readonly refusals: readonly string[];
  readonly code: ExitCode;
}

const noSchema: CheckedSchema = { tables: 0, refusals: [], code: exitCodes.ok };

/**
 * As a node does it, in a database of its own: first alone, then as a change of what the node's database
 * has. What only its rows forbid, as a UNIQUE index of a local table, shows when the node does it.
 */
function checkSchema({ config }: LoadedConfig, sources: readonly SchemaSource[]): CheckedSchema {
  const { path } = config.db;
  let tables = 0;
  const alone = schemaRefusals(sources, [], (schema) => {
    const store = new SqliteStore({ path: ":memory:", actor: anybody(), schema });
    tables = store.tables.length;
    store.close();
  });
  if (alone.length > 0) return { tables: 0, refusals: alone, code: exitCodes.schemaRefused };
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) return { ...noSchema, tables };
  try {
    const stored = storedSchema(path);
    const refusals = schemaRefusals(sources, stored, (schema) => change(stored, schema));
    if (refusals.length === 0) return { ...noSchema, tables };
    return { tables: 0, refusals, code: exitCodes.schemaRefused };
  } catch (error) {
    if (!(error instanceof StoreOpenError)) throw error;
    return { tables: 0, refusals: [error.message], code: exitCodes.failure };
  }
}

/** Views and triggers are made anew anyway, and those of an older program may be broken. @throws SchemaRefusedError */
function change(stored: readonly string[], schema: readonly SchemaSource[]): void {
  const before = stored.filter((sql) => !/^CREATE\s+(?:VIEW|TRIGGER)\b/i.test(sql));
  const store = new SqliteStore({ path: ":memory:", actor: anybody(), schema: before });
  try {
    store.migrate(Date.now(), schema);
  } finally {
    store.close();
  }
}

function anybody(): ActorId {
  return randomHexId() as ActorId;
}

function checkCertificates({ config }: LoadedConfig, complaints: Complaints): void {
  const { tls, addr, externalAddr, sign, clusterId } = config.gossip;
  if (tls !== null && !complaints.doubts("gossip.tls.cert_file")) {
    told(complaints, () => {
      const certificate = parseCertificate(checkedTls(tls).cert);
      const why = complaints.doubts("gossip.addr")
        ? null
        : addressRefusal(certificate, externalAddr ?? addr);
      if (why !== null) throw new CertificateError(`gossip.tls.cert_file: ${tls.certFile}: ${why}`);
      if (sign) makeCredential(clusterId, certificate, new Uint8Array(saltBytes));
    });
  }
  const api = config.api.tls;
  if (api !== null && !complaints.doubts("api.tls.cert_file")) {
    told(complaints, () => checkApiTls(api));
  }
}

function told(complaints: Complaints, check: () => void): void {
  try {
    complaints.catching(check, undefined);
  } catch (error) {
    if (!(error instanceof CertificateError)) throw error;
    complaints.tell(error.message);
  }
}

/** @throws ConfigError */
function checkApiTls({ certFile, keyFile }: { certFile: string; keyFile: string }): void {
  try {
    privateKeyFor(parseCertificate(readFileSync(certFile)), readFileSync(keyFile, "utf8"));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "there is no such file" : message;
    throw new ConfigError(`api.tls: ${certFile}, ${keyFile}: ${why}`);
  }
}

/** Which node a client command talks to, and with which token: flag, environment, configuration. */
import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { PatinaClient } from "../client/client.ts";
import { PatinaError } from "../client/connection.ts";
import { ConfigError } from "../config/config-error.ts";
import { loadConfig } from "../config/load-config.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { CliError, type ExitCode, exitCodes, systemReason, usageError } from "./exit-codes.ts";

export interface NodeFlags {
  readonly apiAddr?: string;
  readonly apiCa?: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly config?: string;
}

/** @throws CliError */
export function findNode(flags: NodeFlags, retries?: number): PatinaClient {
  const given = flags.apiAddr ?? fromEnvironment("PATINA_API_ADDR");
  const { address, ca } = given === undefined ? configuredNode(flags.config) : { address: given };
  const token = tokenOf(flags);
  const caFile = flags.apiCa ?? fromEnvironment("PATINA_API_CA");
  const authorities = caFile === undefined ? ca : readText("--api-ca", caFile);
  try {
    return new PatinaClient({
      address,
      ...(token === undefined ? {} : { token }),
      ...(authorities === undefined ? {} : { ca: authorities }),
      ...(retries === undefined ? {} : { retries }),
    });
  } catch (error) {
    if (error instanceof PatinaError) throw usageError(`--api-addr: ${error.message}`);
    throw error;
  }
}

function fromEnvironment(name: string): string | undefined {
  const value = process.env[name];
  return value === "" ? undefined : value;
}

/** @throws CliError */
function configuredNode(file: string | undefined): {
  readonly address: string;
  readonly ca?: readonly string[];
} {
  const { api, gossip } = configurationOf(file);
  const [first = "127.0.0.1:8080"] = api.addrs;
  // A node that listens on every address is reached on its own machine.
  const address = first.replace(/^(0\.0\.0\.0|\[::\]):/, "127.0.0.1:");
  if (api.tls === null) return { address: `http://${address}` };
  const own = gossip.tls === null ? [] : [readText("ca_file", gossip.tls.caFile)];
  // The API's certificate may be the cluster's own or anybody's.
  return { address: `https://${address}`, ca: [...rootCertificates, ...own] };
}

/** @throws CliError */
function configurationOf(file: string | undefined): NodeConfig {
  try {
    const sources = { file: file ?? null, set: [], env: process.env, cwd: process.cwd() };
    return loadConfig(sources).config;
  } catch (error) {
    if (error instanceof ConfigError) throw new CliError(exitCodes.configuration, error.message);
    throw error;
  }
}

function tokenOf({ token, tokenFile }: NodeFlags): string | undefined {
  if (token !== undefined) return token;
  if (tokenFile !== undefined) return readText("--token-file", tokenFile).trim();
  return fromEnvironment("PATINA_TOKEN");
}

function readText(option: string, path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(`${option}: cannot read ${path}: ${systemReason(error)}`);
  }
}

/** Runs a client's work; what the node answers instead becomes one line and an exit code. @throws CliError */
export async function withNode<T>(
  flags: NodeFlags,
  work: (client: PatinaClient) => Promise<T>,
  retries?: number,
): Promise<T> {
  const client = findNode(flags, retries);
  try {
    return await work(client);
  } catch (error) {
    if (!(error instanceof PatinaError)) throw error;
    const hint = hintOf(error);
    throw new CliError(exitCodeOf(error), `${error.message}${hint === null ? "" : ` (${hint})`}`);
  } finally {
    client.close();
  }
}

/** The node's hints are for programs that speak HTTP; here there are options and commands. */
function hintOf({ code, hint }: PatinaError): string | null {
  if (code === "unauthorized") return "give one with --token, --token-file or PATINA_TOKEN";
  return code === "not_readonly" ? "what writes goes through patina exec" : hint;
}

export function exitCodeOf({ code, status }: PatinaError): ExitCode {
  if (code === "unreachable") return exitCodes.unreachable;
  if (code === "timeout" || code === "version_timeout") return exitCodes.timeout;
  switch (status) {
    case 401:
    case 403:
      return exitCodes.unauthorized;
    case 404:
      return exitCodes.notFound;
    case 504:
      return exitCodes.timeout;
    default:
      return exitCodes.failure;
  }
}

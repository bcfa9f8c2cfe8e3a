/**
 * One production node in this process: opens it, serves its API, reloads what may be reloaded, and
 * ends it in order. Signals and exit codes are the command line's business.
 */
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { checkPorts } from "../api/free-ports.ts";
import { type ApiServer, ListenError, startApi } from "../api/server.ts";
import { whyNotListen } from "../auth/listen-guard.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { readSchemaFiles } from "../config/schema-files.ts";
import { checkedTls } from "../config/tls-files.ts";
import type { Logger, NodeLog } from "../observe/logger.ts";
import { NodeMetrics } from "../observe/metrics.ts";
import { noSpans, type Spans, startSpans } from "../observe/spans.ts";
import { expiryWarningMs, readCertificate } from "../security/certificate-info.ts";
import { LocalNode, type Started } from "./local-node.ts";
import type { NetFailure } from "./net-messages.ts";
import { noteReload, removePid, runningPid, writePid } from "./pid-file.ts";
import { Reloading } from "./reloading.ts";

/** The node cannot start or not go on: one line that says why and what to do. */
export class AgentError extends Error {
  override name = "AgentError";
  readonly code: NetFailure;

  constructor(code: NetFailure, message: string) {
    super(message);
    this.code = code;
  }
}

export interface AgentOptions {
  readonly loaded: LoadedConfig;
  /** Reads the configuration anew. @throws ConfigError */
  readonly loadAgain: () => LoadedConfig;
  readonly log: NodeLog;
  readonly version: string;
  /** The node cannot go on, some time after it has started. */
  readonly failed: (error: AgentError) => void;
}

export interface Agent {
  readonly node: LocalNode;
  readonly started: Started;
  /** Of the HTTP API, with the ports that it got. */
  readonly apiAddresses: readonly string[];
  reload(): Promise<readonly string[]>;
  /** Leaves, ends what is under way, closes the database. */
  stop(): Promise<void>;
}

/** How long a graceful stop may take in all; the spec's bound is 10 s. */
const apiGraceMs = 3000;
const leaveGraceMs = 3000;
const expiryLookMs = 12 * 3_600_000;
const dayMs = 86_400_000;

/** @throws AgentError, ConfigError, ListenError of the API */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { config } = options.loaded;
  const other = runningPid(config.db.path);
  if (other !== null && other !== process.pid) {
    const mend = "stop that one, or give this node a file of its own";
    throw new AgentError(
      "open",
      `db.path: a node runs on ${config.db.path} (process ${other}); ${mend}`,
    );
  }
  writePid(config.db.path);
  try {
    return await start(options);
  } catch (error) {
    removePid(config.db.path);
    throw error;
  }
}

async function start(options: AgentOptions): Promise<Agent> {
  const { config } = options.loaded;
  const { log } = options.log;
  const schema = readSchemaFiles(config.db.schemaPaths);
  const tls = config.gossip.tls === null ? null : checkedTls(config.gossip.tls);
  const exposed = whyNotListen(config.api);
  if (exposed !== null) throw new ListenError(exposed);
  await checkPorts(config.api.addrs, config.telemetry.prometheusAddr);
  let failed: (error: AgentError) => void = () => {};
  const failure = new Promise<never>((_, reject) => {
    failed = reject;
  });
  failure.catch(() => {});
  const reloading = new Reloading(options.loadAgain, options.log);
  const reload = (): Promise<readonly string[]> => noted(reloading.run(), config.db.path);
  const node = new LocalNode({
    net: { ...netOptions(config), schema, tls },
    log,
    version: options.version,
    maxReaders: Math.min(8, Math.max(4, availableParallelism())),
    reload,
    failed: ({ code, why }) => failed(new AgentError(code, why)),
  });
  let started: Started;
  try {
    started = await Promise.race([node.start(), failure]);
  } catch (error) {
    await node.abandon();
    throw error;
  }
  const spans = await spansOf(config, options.version, started);
  const metrics = new NodeMetrics();
  let api: ApiServer;
  try {
    const metricsAddr = config.telemetry.prometheusAddr;
    api = await startApi({ service: node, config: config.api, log, metrics, metricsAddr, spans });
  } catch (error) {
    await node.stop(0);
    throw error;
  }
  failed = options.failed;
  const lookAtExpiry = (): void => tellExpiry(reloading.config, log, metrics);
  reloading.begin(options.loaded, node, api, lookAtExpiry);
  lookAtExpiry();
  const expiry = setInterval(lookAtExpiry, expiryLookMs);
  expiry.unref();
  return {
    node,
    started,
    apiAddresses: api.addresses,
    reload,
    stop: async () => {
      node.announceStop();
      clearInterval(expiry);
      await api.close(apiGraceMs);
      metrics.close();
      await spans.close();
      await node.stop(leaveGraceMs);
      removePid(config.db.path);
    },
  };
}

function netOptions(
  config: NodeConfig,
): Omit<ConstructorParameters<typeof LocalNode>[0]["net"], "schema" | "tls"> {
  const { db, gossip, name } = config;
  const { addr, externalAddr, bootstrap, clusterId, region, profile, broadcast, transport } =
    gossip;
  return {
    db: { path: db.path, synchronous: db.synchronous, scrubHours: db.scrubHours },
    name,
    gossip: { addr, externalAddr, bootstrap, clusterId, region, profile, broadcast, transport },
    sign: gossip.sign,
    plaintextAnywhere: gossip.plaintext === "force",
  };
}

async function spansOf(config: NodeConfig, version: string, started: Started): Promise<Spans> {
  const { otlpEndpoint: endpoint } = config.telemetry;
  if (endpoint === null) return noSpans;
  return startSpans({ endpoint, name: config.name, version, actorId: started.actorId });
}

/** Leaves word of what a reload came to, for whoever asked for it by a signal. */
async function noted(
  reload: Promise<readonly string[]>,
  dbPath: string,
): Promise<readonly string[]> {
  try {
    const changes = await reload;
    noteReload(dbPath, { changes, error: null });
    return changes;
  } catch (error) {
    noteReload(dbPath, { changes: [], error: (error as Error).message });
    throw error;
  }
}

/** Says in the log that a certificate ends soon, and in the metrics when each does. */
function tellExpiry({ gossip, api }: NodeConfig, log: Logger, metrics: NodeMetrics): void {
  const files = [gossip.tls?.caFile, gossip.tls?.certFile, api.tls?.certFile];
  for (const file of files) {
    if (file === undefined) continue;
    try {
      const { expiresMs } = readCertificate(readFileSync(file));
      metrics.certificateExpires(file, expiresMs / 1000);
      const leftMs = expiresMs - Date.now();
      if (leftMs > expiryWarningMs) continue;
      const days = Math.floor(leftMs / dayMs);
      log.warn({ file, days }, "a certificate ends soon: renew it with patina tls rotate");
    } catch (error) {
      log.warn({ file, why: (error as Error).message }, "a certificate cannot be read");
    }
  }
}

/** What may change while the node runs: schema, tokens, certificates and log level, from the same files. */
import { readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import type { ApiServer } from "../api/server.ts";
import type { LoadedConfig } from "../config/load-config.ts";
import type { NodeConfig } from "../config/node-config.ts";
import { readSchemaFiles } from "../config/schema-files.ts";
import type { NodeLog } from "../observe/logger.ts";
import { readTls } from "../config/tls-files.ts";
import type { LocalNode } from "./local-node.ts";

/** Settings that take effect at once; all others need a new start. */
const live = new Set(["log.level", "api.tokens", "db.schema_paths"]);

export class Reloading {
  readonly #load: () => LoadedConfig;
  readonly #log: NodeLog;
  #loaded: LoadedConfig | null = null;
  #node: LocalNode | null = null;
  #api: ApiServer | null = null;
  #certificates = "";
  #rotated: () => void = () => {};
  #running: Promise<readonly string[]> | null = null;

  constructor(load: () => LoadedConfig, log: NodeLog) {
    this.#load = load;
    this.#log = log;
  }

  /** @param rotated is called when the certificates are others. */
  begin(loaded: LoadedConfig, node: LocalNode, api: ApiServer, rotated: () => void): void {
    this.#rotated = rotated;
    this.#loaded = loaded;
    this.#node = node;
    this.#api = api;
    this.#certificates = certificatesOf(loaded.config);
  }

  get config(): NodeConfig {
    if (this.#loaded === null) throw new Error("nothing is loaded yet");
    return this.#loaded.config;
  }

  /** One after another. @returns what changed, a line each. @throws ConfigError, and nothing is changed */
  run(): Promise<readonly string[]> {
    const before = this.#running ?? Promise.resolve([]);
    const next = before.catch(() => []).then(() => this.#reload());
    this.#running = next;
    return next;
  }

  async #reload(): Promise<readonly string[]> {
    const [node, api, before] = [this.#node, this.#api, this.#loaded];
    if (node === null || api === null || before === null) return [];
    const loaded = this.#load();
    const { config } = loaded;
    const schema = readSchemaFiles(config.db.schemaPaths);
    const certificates = certificatesOf(config);
    const changes: string[] = [];
    const reply = await node.migrate(schema);
    if (reply.type === "refused") changes.push(`schema: refused: ${reply.why}`);
    else if (reply.changed) changes.push(`schema: ${reply.schema.tables.length} tables`);
    if (certificates !== this.#certificates) {
      const why = await takeOver(config, before.config, node, api);
      // What was refused is tried again by the next reload.
      if (why === null) this.#certificates = certificates;
      changes.push(why === null ? "certificates" : `certificates: refused: ${why}`);
      this.#rotated();
    }
    if (!isDeepStrictEqual(config.api.tokens, before.config.api.tokens)) {
      api.reloadTokens(config.api.tokens);
      changes.push(`tokens: ${config.api.tokens.length}`);
    }
    if (config.log.level !== before.config.log.level) {
      this.#log.setLevel(config.log.level);
      changes.push(`log level: ${config.log.level}`);
    }
    changes.push(...needRestart(before, loaded));
    this.#loaded = loaded;
    const refused = changes.some((change) => change.includes(": refused: "));
    this.#log.log[refused ? "error" : "info"]({ changes }, "reloaded");
    return changes;
  }
}

/** @returns why the node goes on with the old certificates; null: it has taken the new ones. */
async function takeOver(
  { gossip, api: { tls } }: NodeConfig,
  before: NodeConfig,
  node: LocalNode,
  api: ApiServer,
): Promise<string | null> {
  // What begins or ends takes a new start, which `needRestart` says.
  const both = gossip.tls !== null && before.gossip.tls !== null;
  const why = both ? await node.rotate(readTls(gossip.tls)) : null;
  if (why !== null) return why;
  try {
    if (tls !== null && before.api.tls !== null) api.reloadTls(tls);
    return null;
  } catch (error) {
    return `api.tls: ${(error as Error).message}`;
  }
}

/** Settings that were changed in vain. */
function needRestart(before: LoadedConfig, after: LoadedConfig): string[] {
  const was = new Map(before.settings.map(({ key, value }) => [key, value]));
  return (
    after.settings
      .filter(({ key }) => !live.has(key))
      .filter(({ key, value }) => !isDeepStrictEqual(was.get(key), value))
      // Other files are taken over; that there are any at all is not.
      .filter(
        ({ key, value }) => !/\.tls\./.test(key) || (value === null) !== (was.get(key) === null),
      )
      .map(({ key }) => `${key}: takes effect at the next start`)
  );
}

/** The texts of all certificates, to see whether one changed. */
function certificatesOf({ gossip, api }: NodeConfig): string {
  const texts: string[] = [];
  if (gossip.tls !== null) {
    const { ca, cert } = readTls(gossip.tls);
    texts.push(ca, cert);
  }
  if (api.tls !== null) texts.push(readFileSync(api.tls.certFile, "utf8"));
  return texts.join("\0");
}

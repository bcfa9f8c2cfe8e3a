/**
 * The configuration of a node from all its sources, setting by setting: the command line, then the
 * environment, then the file that is named, then `./patina.toml`, then `/etc/patina/config.toml`,
 * then what is said in `settings.ts`. A source with `inherit = false` is the last that is asked.
 */
import { existsSync, readFileSync } from "node:fs";
import { isAbsolute, join, relative, resolve } from "node:path";
import type { z } from "zod";
import { nearest } from "../../core/base/nearest.ts";
import { Complaints, ConfigError } from "./config-error.ts";
import type { NodeConfig, TlsFiles } from "./node-config.ts";
import { type Setting, settings } from "./settings.ts";
import { fromEnvironment, fromFile, fromFlags, type Given } from "./sources.ts";
import { checkTogether } from "./together.ts";

export interface ConfigSources {
  /** As given with -c; null: where it usually is. */
  readonly file: string | null;
  /** "KEY=VALUE", of the command line. */
  readonly set: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** The working directory. */
  readonly cwd: string;
  /** Where files usually are, the first before the second; relative to `cwd`. */
  readonly usualFiles?: readonly string[];
}

/** A setting in force. */
export interface SettingInForce {
  readonly key: string;
  readonly value: unknown;
  /** "default" where nobody said anything. */
  readonly origin: string;
  /** The file that says so; null: none does. */
  readonly file: string | null;
}

export interface LoadedConfig {
  readonly config: NodeConfig;
  /** The files that were read, each before those after it. */
  readonly files: readonly string[];
  /** Every setting, in the order of the documentation. */
  readonly settings: readonly SettingInForce[];
}

const usualFiles = ["patina.toml", "/etc/patina/config.toml"];

/** @throws ConfigError with everything that is wrong */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const complaints = new Complaints();
  const loaded = gatherConfig(sources, complaints);
  complaints.check();
  return loaded;
}

/**
 * As far as it can be understood, with defaults where it cannot.
 * @throws ConfigError for a file that cannot be read at all
 */
export function gatherConfig(sources: ConfigSources, complaints: Complaints): LoadedConfig {
  const { cwd } = sources;
  const flags = fromFlags(sources.set, cwd, complaints);
  const environment = fromEnvironment(sources.env, cwd, complaints);
  const layers = readFiles(sources, endsHere(environment) || endsHere(flags), complaints);
  const given = [...layers.toReversed().flatMap((layer) => layer.given), ...environment, ...flags];
  const last = new Map<string, Given>(given.map((one) => [one.key, one]));
  const values = new Map<string, unknown>();
  const inForce: SettingInForce[] = [];
  for (const [key, { initial }] of Object.entries(settings)) {
    const one = last.get(key) ?? {
      key,
      value: initial,
      origin: "default",
      folder: cwd,
      file: null,
    };
    const value =
      one.value === undefined
        ? undefined
        : complaints.catching(() => read(one), withDefault(key, cwd), key);
    values.set(key, value);
    inForce.push({ key, value: value ?? null, origin: one.origin, file: one.file });
  }
  checkTogether(inForce, complaints);
  const files = layers.map(({ path }) => path);
  return { config: assemble(values), files, settings: inForce };
}

/** For a value that was refused, so that the others can be looked at. */
function withDefault(key: string, cwd: string): unknown {
  const { initial } = settings[key] as Setting;
  if (initial === undefined) return undefined;
  return read({ key, value: initial, origin: "default", folder: cwd, file: null });
}

interface Layer {
  readonly path: string;
  readonly given: readonly Given[];
}

/** The file that is named must be there, the usual ones may. @param namedOnly the usual ones are not asked. */
function readFiles(sources: ConfigSources, namedOnly: boolean, complaints: Complaints): Layer[] {
  const { file, cwd, usualFiles: usual = usualFiles } = sources;
  const there = namedOnly ? [] : usual.filter((path) => existsSync(absolute(path, cwd)));
  const layers: Layer[] = [];
  for (const path of file === null ? there : [file, ...there]) {
    const whole = resolve(cwd, path);
    if (layers.some((layer) => layer.path === whole)) continue;
    const given = fromFile(whole, shownPath(path, cwd), complaints);
    layers.push({ path: whole, given });
    if (endsHere(given)) break;
  }
  return layers;
}

/** Whether a source says that those after it are not asked. */
function endsHere(given: readonly Given[]): boolean {
  return given.some(({ key, value }) => key === "inherit" && value === false);
}

/** Checks a value and completes its paths. @throws ConfigError */
function read({ key, value, origin, folder }: Given): unknown {
  const setting = settings[key];
  if (setting === undefined) throw new ConfigError(`${origin}: there is no setting ${key}`);
  const filled = key === "api.tokens" ? withHashFiles(value, folder, origin) : value;
  const parsed = setting.schema.safeParse(filled);
  if (!parsed.success) {
    const [first = "", ...others] = parsed.error.issues.map((issue) =>
      complaint(key, filled, origin, issue),
    );
    throw new ConfigError(first, others);
  }
  if (setting.path !== true) return parsed.data;
  if (Array.isArray(parsed.data)) {
    return (parsed.data as string[]).map((path) => absolute(path, folder));
  }
  return absolute(parsed.data as string, folder);
}

function complaint(key: string, value: unknown, origin: string, issue: z.core.$ZodIssue): string {
  const inner = issue.path.map((part) =>
    typeof part === "number" ? `[${part}]` : `.${String(part)}`,
  );
  const where = `${key}${inner.join("")}`;
  if (issue.code === "unrecognized_keys") {
    const word = issue.keys[0] ?? "";
    const known = ["name", "hash", "hash_file", "read", "write", "admin"];
    const near = nearest(word, known);
    const mend = near === null ? `there are ${known.join(", ")}` : `did you mean ${near}?`;
    return `${origin}: there is no setting ${where}.${word}; ${mend}`;
  }
  const shown = issue.path.length === 0 ? `, not ${JSON.stringify(value)}` : "";
  const text = issue.message;
  const missing = issue.code === "invalid_type" && /received undefined/.test(text);
  return `${origin}: ${where} ${missing ? "is missing" : text}${shown}`;
}

/** Secrets may stand in files of their own. */
function withHashFiles(value: unknown, folder: string, origin: string): unknown {
  if (!Array.isArray(value)) return value;
  return value.map((token: unknown) => {
    if (typeof token !== "object" || token === null || !("hash_file" in token)) return token;
    const { hash_file: path, ...rest } = token;
    if (typeof path !== "string") return token;
    try {
      return { ...rest, hash: readFileSync(absolute(path, folder), "utf8").trim() };
    } catch (error) {
      throw new ConfigError(
        `${origin}: api.tokens hash_file ${path}: cannot be read: ${(error as NodeJS.ErrnoException).code}`,
      );
    }
  });
}

function assemble(values: ReadonlyMap<string, unknown>): NodeConfig {
  // Each value has passed the schema of its setting, which says more than a type here could.
  const get = (key: string): never => values.get(key) as never;
  const orNull = (key: string): string | null => (values.get(key) as string | undefined) ?? null;
  const cert = orNull("gossip.tls.cert_file");
  const tls: TlsFiles | null =
    cert === null
      ? null
      : { caFile: get("gossip.tls.ca_file"), certFile: cert, keyFile: get("gossip.tls.key_file") };
  const apiCert = orNull("api.tls.cert_file");
  return {
    name: get("name"),
    db: {
      path: get("db.path"),
      schemaPaths: get("db.schema_paths"),
      synchronous: get("db.synchronous"),
      scrubHours: get("db.scrub_hours"),
    },
    gossip: {
      addr: get("gossip.addr"),
      externalAddr: orNull("gossip.external_addr"),
      bootstrap: get("gossip.bootstrap"),
      clusterId: get("gossip.cluster_id"),
      region: get("gossip.region"),
      profile: get("gossip.profile"),
      broadcast: get("gossip.broadcast"),
      transport: get("gossip.transport"),
      plaintext: get("gossip.plaintext"),
      tls,
      sign: get("gossip.sign"),
    },
    api: {
      addrs: get("api.addr"),
      endpointName: orNull("api.endpoint_name"),
      bodyLimitBytes: get("api.body_limit_bytes"),
      open: get("api.open"),
      tls: apiCert === null ? null : { certFile: apiCert, keyFile: get("api.tls.key_file") },
      tokens: get("api.tokens"),
      maxConcurrent: get("api.max_concurrent"),
    },
    telemetry: {
      prometheusAddr: orNull("telemetry.prometheus_addr"),
      otlpEndpoint: orNull("telemetry.otlp_endpoint"),
    },
    log: { format: get("log.format"), level: get("log.level") },
    watchdog: { stuckMs: get("watchdog.stuck_ms"), restart: get("watchdog.restart") },
  };
}

function absolute(path: string, folder: string): string {
  return isAbsolute(path) ? path : join(folder, path);
}

function shownPath(path: string, cwd: string): string {
  const short = relative(cwd, absolute(path, cwd));
  return short.startsWith("..") ? absolute(path, cwd) : short;
}

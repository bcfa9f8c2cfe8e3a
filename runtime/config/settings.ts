/**
 * Every setting: its name, what it may be, what it is when nobody says, and a line for people.
 * `docs/configuration.md` tells the same at length; a test holds the two together.
 */
import { hostname } from "node:os";
import { z } from "zod";

/** How a setting is written where there is only text: in the environment and on the command line. */
type Form = "text" | "number" | "flag" | "list" | "tables";

export interface Setting {
  readonly form: Form;
  readonly schema: z.ZodType;
  /** Undefined: there is none, and it may be left out. */
  readonly initial?: unknown;
  /** A file or folder: relative to the file that names it. */
  readonly path?: true;
  readonly about: string;
}

const hostPortForm = 'is "host:port", such as "127.0.0.1:8787"';
const hostPort = z
  .string(hostPortForm)
  .regex(/^(\[[0-9a-fA-F:.%]+\]|[^\s:[\]]+):\d{1,5}$/, { error: hostPortForm, abort: true })
  .refine((text) => Number(/\d+$/.exec(text)?.[0]) <= 65_535, "has a port above 65535");
const filePath = z.string("is the path of a file").min(1, "is the path of a file");
const label = z
  .string("is a text")
  .refine((text) => new TextEncoder().encode(text).length <= 63, "is at most 63 bytes long");
const whole = (least: number, most: number): z.ZodType =>
  z
    .number(`is a whole number from ${least} to ${most}`)
    .int(`is a whole number from ${least} to ${most}`)
    .min(least, `is at least ${least}`)
    .max(most, `is at most ${most}`);
const flag = z.boolean("is true or false");
const choice = (...values: [string, ...string[]]): z.ZodType =>
  z.enum(values, `is one of ${values.map((value) => JSON.stringify(value)).join(", ")}`);
const names = z.array(z.string(), "is a list of table names");

const token = z.strictObject({
  name: z.string("is a text").min(1, "is not empty"),
  hash: z
    .string("is what `patina token create` prints")
    .regex(/^sha256:[0-9a-f]{64}$/, "is what `patina token create` prints: sha256: and 64 digits"),
  read: names.default([]),
  write: names.default([]),
  admin: flag.default(false),
});

export const settings: Readonly<Record<string, Setting>> = {
  name: { form: "text", schema: label, initial: hostname(), about: "name of the node, for people" },
  inherit: {
    form: "flag",
    schema: flag,
    initial: true,
    about: "false: files that come after this one are not asked",
  },
  "db.path": {
    form: "text",
    schema: filePath,
    initial: "state.db",
    path: true,
    about: "the SQLite file",
  },
  "db.schema_paths": {
    form: "list",
    schema: z.array(filePath, "is a list of files or folders"),
    initial: [],
    path: true,
    about: "files or folders of .sql that say which tables there are",
  },
  "db.synchronous": {
    form: "text",
    schema: choice("full", "normal"),
    initial: "normal",
    about: "full: a commit is on the disk when it is answered; normal: soon after",
  },
  "db.scrub_hours": {
    form: "number",
    schema: whole(0, 8760),
    initial: 24,
    about: "the log is looked through for damage so often, a little at a time; 0: not",
  },
  "gossip.addr": {
    form: "text",
    schema: hostPort,
    initial: "127.0.0.1:8787",
    about: "where the node listens for its peers (UDP, and TCP as fallback)",
  },
  "gossip.external_addr": {
    form: "text",
    schema: hostPort,
    about: "what peers dial, where that is another address",
  },
  "gossip.bootstrap": {
    form: "list",
    schema: z.array(hostPort, 'is a list of "host:port"'),
    initial: [],
    about: "nodes to join through; names are looked up",
  },
  "gossip.cluster_id": {
    form: "number",
    schema: whole(0, 0xffff_ffff),
    initial: 0,
    about: "nodes of different clusters turn each other away",
  },
  "gossip.region": { form: "text", schema: label, initial: "", about: "where the node stands" },
  "gossip.profile": {
    form: "text",
    schema: choice("lan", "wan", "fast"),
    initial: "lan",
    about: "what the timers are tuned for; the same on all nodes",
  },
  "gossip.broadcast": {
    form: "text",
    schema: choice("tree", "flood"),
    initial: "tree",
    about: "how changes spread",
  },
  "gossip.transport": {
    form: "text",
    schema: choice("auto", "quic", "tcp"),
    initial: "auto",
    about: "auto: QUIC, and TLS over TCP to those whom UDP does not reach",
  },
  "gossip.plaintext": {
    form: "flag",
    schema: z.union([z.boolean(), z.literal("force")], 'is true, false or "force"'),
    initial: false,
    about: 'no TLS though certificates are at hand; "force": off loopback too',
  },
  "gossip.sign": {
    form: "flag",
    schema: flag,
    initial: true,
    about: "with TLS: changes carry their author's signature and are checked",
  },
  "gossip.tls.ca_file": { form: "text", schema: filePath, path: true, about: "the cluster's CA" },
  "gossip.tls.cert_file": {
    form: "text",
    schema: filePath,
    path: true,
    about: "the node's certificate",
  },
  "gossip.tls.key_file": { form: "text", schema: filePath, path: true, about: "the node's key" },
  "api.addr": {
    form: "list",
    schema: z.union(
      [hostPort.transform((one) => [one]), z.array(hostPort).min(1, "names one address at least")],
      'is "host:port" or a list of them',
    ),
    initial: ["127.0.0.1:8080"],
    about: "where the HTTP API listens, one address or a list",
  },
  "api.endpoint_name": {
    form: "text",
    schema: z.string(),
    about: "requests that ask for another endpoint get 421",
  },
  "api.body_limit_bytes": {
    form: "number",
    schema: whole(1024, 2 ** 30),
    initial: 64 * 1024 * 1024,
    about: "the longest body of a request",
  },
  "api.max_concurrent": {
    form: "number",
    schema: whole(1, 1_000_000),
    initial: 1024,
    about: "requests in flight past which 503 is answered",
  },
  "api.open": {
    form: "flag",
    schema: flag,
    initial: false,
    about: "listen off loopback without tokens",
  },
  "api.tls.cert_file": {
    form: "text",
    schema: filePath,
    path: true,
    about: "the API's certificate",
  },
  "api.tls.key_file": { form: "text", schema: filePath, path: true, about: "the API's key" },
  "api.tokens": {
    form: "tables",
    schema: z.array(token, "is a list of [[api.tokens]]"),
    initial: [],
    about: "who may do what: name, hash (or hash_file), read, write, admin",
  },
  "telemetry.prometheus_addr": {
    form: "text",
    schema: hostPort,
    about: "a further address for /metrics, without tokens",
  },
  "telemetry.otlp_endpoint": {
    form: "text",
    schema: z.url("is a URL, such as http://127.0.0.1:4318/v1/traces"),
    about: "where OpenTelemetry spans go (OTLP over HTTP)",
  },
  "log.format": {
    form: "text",
    schema: choice("json", "text"),
    initial: "json",
    about: "of log lines",
  },
  "log.level": {
    form: "text",
    schema: choice("trace", "debug", "info", "warn", "error", "fatal"),
    initial: "info",
    about: "what is logged",
  },
  "watchdog.stuck_ms": {
    form: "number",
    schema: whole(1000, 3_600_000),
    initial: 10_000,
    about: "a loop or store that stands still so long is reported",
  },
  "watchdog.restart": {
    form: "flag",
    schema: flag,
    initial: false,
    about: "and what is stuck is started again",
  },
};

/** Sections, for messages: every prefix of a setting's name. */
export const sections: ReadonlySet<string> = new Set(
  Object.keys(settings).flatMap((key) => {
    const parts = key.split(".");
    return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join("."));
  }),
);

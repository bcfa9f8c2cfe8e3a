/** The configuration of a node, as it is after all sources were read, checked and completed. Paths are absolute. */

export interface NodeConfig {
  readonly db: {
    readonly path: string;
    /** Files or folders of `.sql`. */
    readonly schemaPaths: readonly string[];
    readonly synchronous: "full" | "normal";
    readonly scrubHours: number;
  };
  readonly gossip: {
    readonly addr: string;
    /** What peers dial; null: `addr`. */
    readonly externalAddr: string | null;
    readonly bootstrap: readonly string[];
    readonly clusterId: number;
    readonly region: string;
    readonly profile: "lan" | "wan" | "fast";
    readonly broadcast: "tree" | "flood";
    readonly transport: "auto" | "quic" | "tcp";
    /** `force`: also off loopback. */
    readonly plaintext: boolean | "force";
    readonly tls: TlsFiles | null;
    /** Versions carry their author's signature and are checked before they are applied. */
    readonly sign: boolean;
  };
  readonly api: ApiConfig;
  readonly telemetry: {
    readonly prometheusAddr: string | null;
    /** Where OpenTelemetry spans go (OTLP over HTTP); null: nowhere. */
    readonly otlpEndpoint: string | null;
  };
  readonly log: {
    readonly format: "json" | "text";
    readonly level: LogLevel;
  };
  readonly watchdog: {
    /** A loop that stands still for this long is reported… */
    readonly stuckMs: number;
    /** …and, where this is set, the process is restarted. */
    readonly restart: boolean;
  };
  /** For people; the host's name where left out. */
  readonly name: string;
}

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal";

export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface ApiConfig {
  /** "host:port", one or more. */
  readonly addrs: readonly string[];
  readonly endpointName: string | null;
  readonly bodyLimitBytes: number;
  /** A non-loopback address without tokens is meant. */
  readonly open: boolean;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | null;
  readonly tokens: readonly TokenConfig[];
  /** Requests in flight past which 503 is answered. */
  readonly maxConcurrent: number;
}

export interface TokenConfig {
  readonly name: string;
  /** As `patina token create` prints it. */
  readonly hash: string;
  /** Table names; "*" for all. */
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly admin: boolean;
}

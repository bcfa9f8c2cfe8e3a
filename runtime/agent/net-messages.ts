/**
 * What the main thread and the network thread say to each other. Transactions of clients do not come
 * by here: the main thread hands them to the store process itself.
 */
import type { Address } from "../../core/base/ids.ts";
import type { TransportStats, TransportTls } from "../net/transport.ts";
import type { DoorKey } from "../ipc/side-door.ts";
import type { LiveEvent } from "../observe/live-trace.ts";
import type { SchemaSource } from "../store/schema-source.ts";
import type { StoredSchema, StoreInfo } from "../store-process/messages.ts";
import type { MemberInfo, NodeStatus } from "./node-service.ts";

/** What the network thread is started with. */
export interface NetOptions {
  readonly db: {
    readonly path: string;
    readonly synchronous: "full" | "normal";
    readonly scrubHours: number;
  };
  /** Where the store process finds the main thread. */
  readonly door: DoorKey;
  readonly schema: readonly SchemaSource[];
  readonly name: string;
  readonly gossip: {
    readonly addr: string;
    readonly externalAddr: string | null;
    readonly bootstrap: readonly string[];
    readonly clusterId: number;
    readonly region: string;
    readonly profile: "lan" | "wan" | "fast";
    readonly broadcast: "tree" | "flood";
    readonly transport: "auto" | "quic" | "tcp";
  };
  readonly tls: TransportTls | null;
  /** With TLS: versions are signed, and only signed ones are taken. */
  readonly sign: boolean;
  /** No TLS, and not on loopback alone. */
  readonly plaintextAnywhere: boolean;
}

/** A member with what the live trace says of it besides. */
export type NetMember = MemberInfo & { readonly epoch: number };

/** What the network thread knows of the node's state. */
export interface NetStatus
  extends Pick<
    NodeStatus,
    "lag" | "p99Lag" | "gaps" | "heads" | "queues" | "queueSize" | "members" | "counters"
  > {
  readonly hash: string;
  readonly rows: number;
  readonly store: StoreInfo | null;
  readonly transport: TransportStats | null;
  /** How late its timers were lately, in ms. */
  readonly loopDelay: { readonly p99: number; readonly max: number };
}

/** Asked with a number, answered with `reply` under the same. */
export type NetRequest =
  | {
      readonly type: "waitApplied";
      readonly actor: string;
      readonly version: number;
      readonly timeoutMs: number;
    }
  | {
      readonly type: "waitPeers";
      readonly version: number;
      readonly peers: number | "all";
      readonly timeoutMs: number;
    }
  | { readonly type: "status" }
  | { readonly type: "migrate"; readonly schema: readonly SchemaSource[] }
  | { readonly type: "check" }
  | { readonly type: "rotate"; readonly tls: TransportTls }
  | { readonly type: "ping" };

export type NetCommand =
  | { readonly type: "request"; readonly id: number; readonly request: NetRequest }
  | { readonly type: "trace"; readonly wanted: boolean }
  /** End the store process and start it again. */
  | { readonly type: "restartStore"; readonly why: string }
  | { readonly type: "stop"; readonly graceMs: number };

export interface NetReplies {
  readonly waitApplied: boolean;
  readonly waitPeers: { readonly wanted: number; readonly applied: number };
  readonly status: NetStatus;
  readonly migrate: MigrateReply;
  readonly check: readonly { readonly where: string; readonly what: string }[];
  /** Why the certificates were not taken over; null: they were. */
  readonly rotate: string | null;
  readonly ping: { readonly storeBusyMs: number };
}

export type MigrateReply =
  | { readonly type: "migrated"; readonly schema: StoredSchema; readonly changed: boolean }
  | { readonly type: "refused"; readonly why: string };

export type NetLogLevel = "debug" | "info" | "warn" | "error";

export type NetReport =
  | {
      readonly type: "started";
      readonly actorId: string;
      readonly nodeId: string;
      readonly address: Address;
      readonly listening: string;
      readonly schema: StoredSchema;
    }
  /** The first attempt to join was made. */
  | { readonly type: "joined" }
  /** Why the store could not take what peers send, this time; null: it can again. */
  | { readonly type: "storing"; readonly failing: string | null }
  /** It cannot begin, or not go on. */
  | { readonly type: "failed"; readonly why: string; readonly code: NetFailure }
  | { readonly type: "reply"; readonly id: number; readonly value: unknown }
  | { readonly type: "members"; readonly list: readonly NetMember[] }
  | { readonly type: "forgotten"; readonly addr: string }
  | { readonly type: "rtts"; readonly list: readonly (readonly [addr: string, rttMs: number])[] }
  | {
      readonly type: "log";
      readonly level: NetLogLevel;
      readonly message: string;
      readonly fields: object;
    }
  | { readonly type: "trace"; readonly events: readonly LiveEvent[] }
  | { readonly type: "stopped" };

/** `certificate`: one of the node's own files. */
export type NetFailure = "schema" | "open" | "damaged" | "disk" | "bug" | "listen" | "certificate";

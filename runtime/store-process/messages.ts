/**
 * What the network thread asks of the store process, and what it answers; and what the main thread
 * does, on a connection of its own. Every command has one answer, in the order of the commands: so
 * each of the two always knows what of its own the store is at.
 */
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { ActorHoldings, Chunk, StoreSummary } from "../../core/node/store.ts";
import type { DoorKey } from "../ipc/side-door.ts";
import type { SchemaSource } from "../store/schema-source.ts";
import type { SigningKey } from "./author-key.ts";
import type { PlainResult, PlainStatement } from "./result.ts";

export interface OpenStore {
  readonly path: string;
  readonly synchronous: "full" | "normal";
  /** From one look through the log for damage to the next; 0: none. */
  readonly scrubHours: number;
  readonly schema: readonly SchemaSource[];
  /** Taken by a new database; where it signs, an actor of its certificate's name is taken instead. */
  readonly freshActor: ActorId;
  /** Null: versions are not signed. */
  readonly signing: SigningKey | null;
  readonly freshNode: NodeId;
  /** A file in which the store says which transaction of a group it is at (`progress.ts`). */
  readonly progressPath: string;
  /** Wait so long for another process, one that is about to end, to let go of the file. */
  readonly lockWaitMs: number;
}

export interface StoredSchema {
  /** `CREATE` statements in order. */
  readonly statements: readonly string[];
  /** 16 hex digits over the replicated tables: nodes with equal ones compare rows. */
  readonly hash: string;
  readonly tables: readonly string[];
}

/** A transaction in a group. */
export interface Member {
  readonly statements: readonly PlainStatement[];
  /** `machineMs` at which it must not be begun any more; null: whenever. */
  readonly deadlineMs: number | null;
  readonly key: string | null;
}

export type StoreCommand =
  | { readonly type: "open"; readonly options: OpenStore }
  /** Lets the transactions of clients in: the node has been told of all that is committed. */
  | { readonly type: "admit"; readonly door: DoorKey }
  | { readonly type: "protocol"; readonly request: StoreRequest }
  | { readonly type: "saveEpoch"; readonly epoch: number }
  | {
      readonly type: "saveCredential";
      readonly key: Uint8Array;
      readonly credential: Uint8Array;
    }
  /** Sign with another key. */
  | { readonly type: "rekey"; readonly signing: SigningKey }
  | { readonly type: "migrate"; readonly schema: readonly SchemaSource[] }
  /** The node's own versions above `after`, whole, as far as one answer goes. */
  | { readonly type: "serveOwn"; readonly after: number }
  | { readonly type: "upkeep"; readonly dirty: boolean }
  | { readonly type: "info" }
  | { readonly type: "check" }
  | { readonly type: "close" };

/** From the main thread. */
export interface TransactCommand {
  readonly type: "group";
  readonly group: number;
  readonly members: readonly Member[];
}

/** To the main thread. */
export type TransactAnswer =
  /** The first, when the store is ready: what the last groups came to. */
  | { readonly type: "hello"; readonly groups: readonly CommittedGroup[] }
  /** By index. */
  | { readonly type: "group"; readonly results: readonly PlainResult[] }
  | FailedAnswer;

/** A version of this node that was just committed. */
export interface CommittedVersion {
  readonly chunks: readonly Chunk[];
  readonly summary: StoreSummary;
}

export interface StoreInfo {
  readonly bytes: number;
  readonly walBytes: number;
  /** Of the bytes, those that hold nothing. */
  readonly freeBytes: number;
  /** Rows in breach of a CHECK or a foreign key… */
  readonly conflicts: number;
  /** …and rows that lost a UNIQUE constraint and stand aside. */
  readonly aside: number;
  readonly tombstones: number;
  readonly quarantined: number;
  /** Idempotency keys remembered. */
  readonly answers: number;
  /** When the log was last looked through for damage, by the wall clock; 0: not since the start. */
  readonly scrubbedMs: number;
  /** What was damaged or missing then. */
  readonly scrubDamage: number;
}

/** The last groups that were committed: results by index, as they were answered. */
export interface CommittedGroup {
  readonly group: number;
  readonly results: readonly PlainResult[];
}

export type StoreAnswer =
  | {
      readonly type: "opened";
      readonly actor: ActorId;
      readonly node: NodeId;
      readonly epoch: number;
      /** Why it goes on under a fresh name; null: it does not. */
      readonly renewal: { readonly why: string; readonly what: "actor" | "node" } | null;
      readonly holdings: readonly ActorHoldings[];
      readonly summary: StoreSummary;
      readonly schema: StoredSchema;
      readonly quarantined: number;
      /** What proves the keys of authors, this node's own among them. */
      readonly credentials: readonly Uint8Array[];
    }
  /** No answer: it comes when transactions of clients were run, in the order of the work. */
  | { readonly type: "committed"; readonly versions: readonly CommittedVersion[] }
  | { readonly type: "protocol"; readonly response: StoreResponse }
  | {
      readonly type: "migrated";
      readonly schema: StoredSchema;
      readonly summary: StoreSummary;
      readonly changed: boolean;
      /** Versions that still wait for a schema that knows them. */
      readonly quarantined: number;
    }
  | { readonly type: "own"; readonly chunks: readonly Chunk[]; readonly summary: StoreSummary }
  /** `now`: another slice would find work at once. `later`: something is left to be done in a while. */
  | {
      readonly type: "upkeep";
      readonly more: "now" | "later" | "no";
      /** Damage that was found meanwhile, a line each. */
      readonly damage: readonly string[];
    }
  | { readonly type: "info"; readonly info: StoreInfo }
  | {
      readonly type: "checked";
      readonly problems: readonly { readonly where: string; readonly what: string }[];
    }
  | { readonly type: "rekeyed"; readonly credential: Uint8Array }
  | { readonly type: "done" }
  | {
      readonly type: "failed";
      readonly why: string;
      readonly code: "schema" | "open" | "damaged" | "disk" | "bug";
    };

export type FailedAnswer = Extract<StoreAnswer, { type: "failed" }>;

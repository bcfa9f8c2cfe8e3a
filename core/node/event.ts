/**
 * The one door of a replica: `handle(now, event, out)`. Events are facts from outside, effects are
 * orders to the host, pushed to `out` in the order in which they are to be carried out.
 */
import type { ActorId, Address, NodeId } from "../base/ids.ts";
import type { MessageKind } from "../wire/kinds.ts";
import type {
  Chunk,
  ReceiveOutcome,
  RangeDigest,
  RowState,
  Served,
  StoreSummary,
  VersionRange,
  Want,
} from "./store.ts";

/** `monoMs` never jumps and drives every timer; `wallMs` is the wall clock, which may be far off. Fractions allowed. */
export interface Now {
  readonly monoMs: number;
  readonly wallMs: number;
}

/** What a message is about, and what its losses cost: swim over datagrams, gossip and sync over streams but for copies of which one may be lost. */
export type Plane = "swim" | "gossip" | "sync";

export type Event =
  /** First event of a replica's life: begin timers, contact `seeds`. */
  | { readonly type: "start"; readonly seeds: readonly Address[] }
  /** The seeds are at other addresses than before: all of them, in place of the earlier ones. */
  | { readonly type: "seeds"; readonly seeds: readonly Address[] }
  | {
      readonly type: "message";
      readonly from: Address;
      readonly plane: Plane;
      readonly bytes: Uint8Array;
      /** Others that arrived with it follow at once: what they bring goes to the store together. */
      readonly more?: boolean;
    }
  | { readonly type: "timer"; readonly token: number }
  /** A local transaction is durable. */
  | {
      readonly type: "committed";
      readonly chunks: readonly Chunk[];
      readonly summary: StoreSummary;
    }
  | { readonly type: "stored"; readonly id: number; readonly response: StoreResponse }
  /** A reliable message could not be delivered (connection refused, broken or timed out). */
  | { readonly type: "unreachable"; readonly to: Address; readonly plane: Plane }
  | { readonly type: "rtt"; readonly peer: Address; readonly rttMs: number }
  /** The operator asks for a graceful leave; `{notice: left}` follows when it has been told. */
  | { readonly type: "leave" };

export type Effect =
  | {
      readonly type: "send";
      readonly to: Address;
      readonly plane: Plane;
      /** False: one datagram, may be lost. True: a stream; arrives whole and in order, or `unreachable` is told. */
      readonly reliable: boolean;
      readonly kind: MessageKind;
      readonly bytes: Uint8Array;
    }
  /** Hand back `{type: "timer", token}` after `delayMs`. There is no cancelling: a stale token falls through. */
  | { readonly type: "timer"; readonly token: number; readonly delayMs: number }
  | { readonly type: "store"; readonly id: number; readonly request: StoreRequest }
  | { readonly type: "notify"; readonly notice: Notice };

export type StoreRequest =
  | {
      readonly type: "receive";
      readonly chunks: readonly Chunk[];
      readonly overwritten: readonly VersionRange[];
      readonly via: "gossip" | "sync";
    }
  | { readonly type: "serve"; readonly wants: readonly Want[]; readonly maxBytes: number }
  | { readonly type: "tableDigests" }
  | {
      readonly type: "rangeDigests";
      readonly table: string;
      readonly from: Uint8Array;
      readonly to: Uint8Array;
      readonly parts: number;
    }
  | {
      readonly type: "readRows";
      readonly table: string;
      readonly from: Uint8Array;
      readonly to: Uint8Array;
      readonly maxBytes: number;
    }
  | { readonly type: "mergeRows"; readonly rows: readonly RowState[] };

export type StoreResponse =
  | ({ readonly type: "receive" } & ReceiveOutcome)
  | ({ readonly type: "serve" } & Served)
  | {
      readonly type: "tableDigests";
      readonly digests: readonly (readonly [table: string, hash: string])[];
      readonly summary: StoreSummary;
    }
  | {
      readonly type: "rangeDigests";
      readonly table: string;
      readonly ranges: readonly RangeDigest[];
    }
  | {
      readonly type: "readRows";
      readonly rows: readonly RowState[];
      readonly next: Uint8Array | null;
    }
  | { readonly type: "mergeRows"; readonly changed: number; readonly summary: StoreSummary }
  /** The store could not (disk full, I/O error): nothing changed, the protocol may ask again later. */
  | { readonly type: "failed"; readonly why: string };

export type MemberState = "alive" | "suspect" | "down" | "left";

/** What the host may want to log, count or trace. Notices never decide anything. */
export type Notice =
  | {
      readonly type: "member";
      readonly about: Address;
      readonly nodeId: NodeId;
      readonly state: MemberState;
      readonly incarnation: number;
      readonly epoch: number;
    }
  /** `about` was dropped from the list: left or down for long, or replaced by another identity. */
  | { readonly type: "forgotten"; readonly about: Address }
  | { readonly type: "identityConflict"; readonly address: Address; readonly other: NodeId }
  /** This node renewed its own identity epoch (it met its older self, or another claimed its address). */
  | { readonly type: "renewed"; readonly epoch: number; readonly why: string }
  | { readonly type: "need"; readonly actor: ActorId; readonly from: number; readonly to: number }
  | {
      readonly type: "rejected";
      readonly from: Address;
      readonly plane: Plane;
      readonly why: string;
    }
  /** Something from a newer program was passed over. */
  | { readonly type: "unknown"; readonly from: Address; readonly what: "kind" | "field" }
  /** Queue or buffer at its bound; what went was `count` items; sync repairs it. */
  | { readonly type: "overflow"; readonly queue: string; readonly count: number }
  /** Equal holdings, unequal digests: a bug or corruption. */
  | { readonly type: "divergence"; readonly peer: Address; readonly table: string | null }
  | {
      readonly type: "repaired";
      readonly peer: Address;
      readonly table: string;
      readonly rows: number;
    }
  | { readonly type: "synced"; readonly peer: Address; readonly versions: number }
  | { readonly type: "left" };

/**
 * The Store port: synchronous and transactional. Two implementations, one contract suite
 * (`test/contract/store-contract.ts`): in memory (`sim/store`) and SQLite (`runtime/store`).
 * The protocol never calls a store: it emits a `store` effect and is handed the answer as a
 * `stored` event, so that a host may run the store on another thread (`core/node/run-store.ts`).
 */
import type { ActorId } from "../base/ids.ts";
import type { Hlc } from "../clock/hlc.ts";
import type { TableSchema } from "../crdt/schema.ts";
import type { Value } from "../crdt/value.ts";

/**
 * One piece of a version, cut by its author and never re-cut: its bytes are the same on every
 * node for ever. A version is `count` chunks, indexes 0 to count−1; most have one.
 */
export interface Chunk {
  readonly actor: ActorId;
  /** Dense from 1 per actor. */
  readonly version: number;
  readonly index: number;
  readonly count: number;
  readonly hlc: Hlc;
  /** Encoded row changes (`core/wire/changes.ts`). Opaque to the protocol. */
  readonly payload: Uint8Array;
  /**
   * The author's proof that the chunk is its own, at most `maxSealBytes`; absent where nothing is
   * signed. Opaque to protocol and stores, which carry it with the chunk wherever it goes.
   */
  readonly seal?: Uint8Array;
}

/** Versions `from` to `to`, both included, of one actor. */
export interface VersionRange {
  readonly actor: ActorId;
  readonly from: number;
  readonly to: number;
}

/** What a peer lacks. `chunks` narrows a single version (from = to) to the chunk ranges missing. */
export interface Want extends VersionRange {
  readonly chunks?: readonly (readonly [from: number, to: number])[];
}

/** What a store holds of one actor. Everything in 1..head that is in neither `gaps` nor `partial` is held whole. */
export interface ActorHoldings {
  readonly actor: ActorId;
  /** The highest version of which anything is held. */
  readonly head: number;
  /** Missing below `head`: ascending, disjoint, both ends included. */
  readonly gaps: readonly (readonly [from: number, to: number])[];
  /** Versions held in part, with the chunk indexes held. */
  readonly partial: readonly PartialHolding[];
}

export interface PartialHolding {
  readonly version: number;
  readonly count: number;
  readonly have: readonly (readonly [from: number, to: number])[];
}

/** What a store knows of itself after each call that may change it. */
export interface StoreSummary {
  /** 16 hex digits over all living rows with their merge metadata: equal hashes hold equal data and would merge alike. */
  readonly hash: string;
  readonly rows: number;
}

/** One operation of a local transaction, as in the `ops` workload of scenario files. */
export type Op =
  | readonly ["insert", table: string, row: Readonly<Record<string, Value>>]
  | readonly ["upsert", table: string, row: Readonly<Record<string, Value>>]
  | readonly [
      "update",
      table: string,
      key: Readonly<Record<string, Value>>,
      set: Readonly<Record<string, Value>>,
    ]
  | readonly ["delete", table: string, key: Readonly<Record<string, Value>>];

export type CommitOutcome =
  /** `chunks` is empty when nothing replicated changed: then there is no version. */
  | {
      readonly type: "committed";
      readonly chunks: readonly Chunk[];
      readonly summary: StoreSummary;
    }
  /** Rolled back; no state changed; no version number was used. */
  | { readonly type: "failed"; readonly code: string; readonly error: string };

export type VersionOutcome =
  /** Applied whole. `won` cells changed the table, `lost` did not. */
  | {
      readonly type: "applied";
      readonly actor: ActorId;
      readonly version: number;
      readonly won: number;
      readonly lost: number;
    }
  | {
      readonly type: "buffered";
      readonly actor: ActorId;
      readonly version: number;
      readonly have: number;
      readonly of: number;
    }
  /** Kept durably and counted as held; waits for a schema that knows its tables and columns. */
  | {
      readonly type: "quarantined";
      readonly actor: ActorId;
      readonly version: number;
      readonly why: string;
    }
  /** Was held already; nothing changed. */
  | { readonly type: "known"; readonly actor: ActorId; readonly version: number }
  /** The bytes are not a version (hostile or damaged); nothing was kept of it. */
  | {
      readonly type: "rejected";
      readonly actor: ActorId;
      readonly version: number;
      readonly why: string;
    };

export interface ReceiveOutcome {
  readonly versions: readonly VersionOutcome[];
  /** Stamps ahead of the local wall clock by more than the drift bound: merged, but they moved no clock. */
  readonly farFuture: number;
  readonly summary: StoreSummary;
}

export interface Served {
  /** Newest version first per actor, chunks of a version in order. */
  readonly chunks: readonly Chunk[];
  /** Fully overwritten here: content no longer kept. Safe for the receiver only once it holds all that this store held. */
  readonly overwritten: readonly VersionRange[];
  /** What did not fit in `maxBytes`: ask again with these. */
  readonly rest: readonly Want[];
}

/** A row with everything that decides merges; what repair by range and snapshots carry. */
export interface RowState {
  readonly table: string;
  /** Canonical key bytes (`core/crdt/key.ts`). */
  readonly key: Uint8Array;
  readonly causalLength: number;
  /** Encoded cells with values and stamps (`core/wire/row-state.ts`). */
  readonly cells: Uint8Array;
}

export interface RangeDigest {
  /** First key of the range, included; empty = from the beginning. */
  readonly from: Uint8Array;
  readonly rows: number;
  readonly hash: string;
}

export interface Store {
  readonly actor: ActorId;
  /** Replicated tables, sorted by name (code unit order). */
  readonly tables: readonly TableSchema[];
  holdings(): readonly ActorHoldings[];
  summary(): StoreSummary;

  /** One local transaction. Durable, as far as promised, when it returns. `wallMs`: the local wall clock. */
  commit(wallMs: number, ops: readonly Op[]): CommitOutcome;

  /**
   * Keeps the chunks and applies, in one transaction, every version that they complete.
   * `overwritten` ranges are marked as held with their content gone; the caller vouches that all
   * that the serving peer held is held here too, or comes in this very call.
   */
  receive(
    wallMs: number,
    chunks: readonly Chunk[],
    overwritten: readonly VersionRange[],
  ): ReceiveOutcome;

  /** Versions that a peer asks for; what is not held is passed over. At least one chunk if any is held. */
  serve(wants: readonly Want[], maxBytes: number): Served;

  /** Digest of each table's living rows: `[name, hash]`, in table order. */
  tableDigests(): readonly (readonly [table: string, hash: string])[];
  /** Cuts `[from, to)` of a table (empty `to` = to the end) into at most `parts` ranges of about equal rows. */
  rangeDigests(
    table: string,
    from: Uint8Array,
    to: Uint8Array,
    parts: number,
  ): readonly RangeDigest[];
  /** Rows of `[from, to)`, tombstones included, in key order, until `maxBytes`; `next` is where to go on. */
  readRows(
    table: string,
    from: Uint8Array,
    to: Uint8Array,
    maxBytes: number,
  ): { readonly rows: readonly RowState[]; readonly next: Uint8Array | null };
  /** Merges row states (repair); returns how many rows changed. */
  mergeRows(
    wallMs: number,
    rows: readonly RowState[],
  ): { readonly changed: number; readonly summary: StoreSummary };

  /**
   * Makes everything so far safe against power loss, then drops the content of versions that are
   * fully overwritten (no living cell, row or tombstone stems from them) so that `serve` lists
   * them as `overwritten`. The host calls it at moments of its own choosing.
   */
  checkpoint(): void;

  /** New schema; quarantined versions that it knows are applied. */
  migrate(wallMs: number, schema: readonly string[]): ReceiveOutcome;

  /** The living rows of a table in primary-key order, values in column order; for people, tests and `--dump`. */
  rows(table: string): Iterable<readonly Value[]>;
  close(): void;
}

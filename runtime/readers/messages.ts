/** What the main thread asks of a reader process, and what it answers: one answer to each command but `cancel`. */
import type { Value } from "../../core/crdt/value.ts";
import type { Parameters } from "../agent/node-service.ts";
import type { PlainError } from "../store-process/result.ts";

export type Row = readonly Value[];

export type ReaderCommand =
  | { readonly type: "open"; readonly path: string }
  | {
      readonly type: "query";
      readonly id: number;
      readonly sql: string;
      /** As of `Statement`. */
      readonly original?: string | undefined;
      readonly parameters: Parameters;
    }
  /** The rows so far were taken: the next batch. */
  | { readonly type: "more"; readonly id: number }
  /** Nobody wants the rest. What waits of this query is passed over. */
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "backup"; readonly id: number; readonly path: string };

export type ReaderAnswer =
  | { readonly type: "opened" }
  | {
      readonly type: "rows";
      readonly id: number;
      /** With the first batch. */
      readonly columns: readonly string[] | null;
      readonly rows: readonly Row[];
      /** There are no more. */
      readonly done: boolean;
    }
  /** It was cancelled before it was begun. */
  | { readonly type: "skipped"; readonly id: number }
  /** Of `open` when `id` is 0. */
  | { readonly type: "error"; readonly id: number; readonly error: PlainError };

/** A batch holds so many rows at the most… */
export const batchRows = 512;
/** …and ends when it has so many bytes, about. */
export const batchBytes = 256 * 1024;

/** What the parent of a store process says to it, and is told by it. */
import type { Chunk, StoreSummary } from "../../core/node/store.ts";
import type { FailedAnswer, OpenStore } from "./messages.ts";

/** What the process cannot go on after: it is told once. */
export interface StoreEnd {
  readonly why: string;
  readonly code: FailedAnswer["code"];
}

export interface StoreClientOptions {
  /** Called at each opening: the ids in it are fresh ones. */
  open(): Omit<OpenStore, "progressPath" | "lockWaitMs">;
  readonly path: string;
  /** Versions of this node that the protocol has been told of. */
  ownHead(): number;
  /** Told in the order in which the store did the work, before the transaction is answered. */
  committed(chunks: readonly Chunk[], summary: StoreSummary): void;
  answered(id: number, result: Uint8Array): void;
  log(level: "info" | "warn" | "error", message: string, fields?: object): void;
  ended(end: StoreEnd): void;
}

/** What the parent of a store process says to it, and is told by it. */
import type { Chunk, StoreSummary } from "../../core/node/store.ts";
import type { DoorKey } from "../ipc/side-door.ts";
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
  /** Where transactions of clients come from; null: there are none. */
  readonly door: DoorKey | null;
  /** Versions of clients' transactions, told in the order in which the store did the work. */
  committed(chunks: readonly Chunk[], summary: StoreSummary): void;
  log(level: "info" | "warn" | "error", message: string, fields?: object): void;
  ended(end: StoreEnd): void;
}

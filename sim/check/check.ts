/**
 * A check watches a run from outside, with knowledge that no node has, and reports what must not
 * be. All its methods are called between events, never inside a handler.
 */
import type { Notice, StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { Chunk } from "../../core/node/store.ts";
import type { SimNode } from "../host/node.ts";
import type { Kernel } from "../kernel.ts";
import type { Packet } from "../network/packet.ts";
import type { DiskFate } from "../scenario/scenario.ts";
import type { History } from "./history.ts";

export type CheckName =
  | "converge"
  | "no-lost-write"
  | "whole-versions"
  | "causal-order"
  | "bookkeeping"
  | "version-reuse"
  | "membership"
  | "member-history"
  | "false-deaths"
  | "no-crash"
  | "bounds"
  | "quiescence";

export interface CheckContext {
  readonly kernel: Kernel;
  /** Every node that ever was, by number. */
  readonly nodes: readonly SimNode[];
  readonly history: History;
  /** Stored data was damaged behind the books' back: rows may differ from what the versions say. */
  readonly rotted: boolean;
  /** A hostile peer has spoken: what members say of one another may have been made up. */
  readonly hostile: boolean;
  /** Whether a fault keeps some of what one of them sends from the other. */
  apart(a: number, b: number): boolean;
  /** The first report of each check and node counts; `null`: of the run as a whole. */
  report(check: CheckName, node: number | null, detail: string): void;
}

export interface Check {
  committed?(node: SimNode, chunks: readonly Chunk[]): void;
  stored?(node: SimNode, request: StoreRequest, response: StoreResponse): void;
  noticed?(node: SimNode, notice: Notice): void;
  /** A message that a node is about to handle. */
  received?(packet: Packet): void;
  /** Called while the node's store is still open. */
  dying?(node: SimNode, fate: DiskFate | "left"): void;
  booted?(node: SimNode): void;
  checkpointed?(node: SimNode): void;
  /** From time to time while the run goes on. */
  sample?(): void;
  /** Once everything has healed and the cluster has come to rest, or its time is over. */
  atEnd?(): void;
}

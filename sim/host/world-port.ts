/** What a simulated node needs of, and tells, the world that it is in. */
import type { Address } from "../../core/base/ids.ts";
import type { Notice, Plane, StoreRequest, StoreResponse } from "../../core/node/event.ts";
import type { Chunk, StoreSummary } from "../../core/node/store.ts";
import type { Kernel } from "../kernel.ts";
import type { Network } from "../network/network.ts";
import type { Packet } from "../network/packet.ts";
import type { SimNode } from "./node.ts";
import type { Task } from "./task.ts";

export interface World {
  readonly kernel: Kernel;
  readonly network: Network;
  /** By node: until when its process is busy. Side by side, since every message asks for one of them. */
  readonly busyUntilUs: number[];
  /** −1 when no node has the address. */
  numberOf(address: Address): number;
  addressOf(node: number): Address;
  /** Where a message to this address goes: of several nodes that have it, to one or another. −1: nowhere. */
  receiverOf(address: Address, from: SimNode): number;
  /** A node takes a message up. */
  received(packet: Packet): void;
  /** A reliable message was sent where no node is. */
  nobodyAt(node: SimNode, to: Address, plane: Plane): void;
  /** A transaction is durable; `chunks` is empty when it changed nothing. */
  committed(node: SimNode, task: Task, chunks: readonly Chunk[], summary: StoreSummary): void;
  writeFailed(node: SimNode): void;
  stored(node: SimNode, request: StoreRequest, response: StoreResponse): void;
  noticed(node: SimNode, notice: Notice): void;
  checkpointed(node: SimNode): void;
  /** A handler threw: the one thing that must never happen. */
  broke(node: SimNode, error: unknown): void;
}

/**
 * Disks of simulated nodes that hold stores in memory. A crash keeps the store, takes it back to
 * its last checkpoint, or loses it; the identity epoch is as safe as the node's identity itself.
 */
import { assert } from "../../core/base/assert.ts";
import type { NodeId } from "../../core/base/ids.ts";
import type { Disk, StoreFactory } from "../store-factory.ts";
import { MemoryStore, type MemoryStoreOptions } from "./memory-store.ts";

/** Options of every store made, but for what an opening decides. */
export type MemoryDiskOptions = Omit<MemoryStoreOptions, "actor" | "schema">;

export function memoryStores(options: MemoryDiskOptions = {}): StoreFactory {
  return { name: "memory", disk: () => new MemoryDisk(options) };
}

interface Contents {
  store: MemoryStore;
  readonly nodeId: NodeId;
  schema: readonly string[];
  epoch: number;
}

class MemoryDisk implements Disk {
  readonly #options: MemoryDiskOptions;
  #contents: Contents | null = null;
  #torn = false;
  #open = false;

  constructor(options: MemoryDiskOptions) {
    this.#options = options;
  }

  open(options: Parameters<Disk["open"]>[0]): ReturnType<Disk["open"]> {
    const { schema, freshActor, freshNodeId, wallMs } = options;
    assert(!this.#open, "a disk is open once");
    this.#open = true;
    const held = this.#contents;
    if (held === null) {
      const store = new MemoryStore({ ...this.#options, actor: freshActor, schema });
      this.#contents = { store, nodeId: freshNodeId, schema, epoch: 0 };
      return { store, nodeId: freshNodeId, lastEpoch: 0, fresh: true };
    }
    if (this.#torn) {
      held.store = held.store.afterPowerLoss(wallMs, freshActor, held.schema);
      this.#torn = false;
    }
    if (schema.join("\0") !== held.schema.join("\0")) {
      held.store.migrate(wallMs, schema);
      held.schema = schema;
    }
    return { store: held.store, nodeId: held.nodeId, lastEpoch: held.epoch, fresh: false };
  }

  saveEpoch(epoch: number): void {
    assert(this.#contents !== null, "an epoch is saved on a disk that was opened");
    assert(epoch >= this.#contents.epoch, "identity epochs rise");
    this.#contents.epoch = epoch;
  }

  crash(disk: "kept" | "torn" | "lost"): void {
    assert(this.#open, "a crash hits a disk that is open");
    this.#open = false;
    if (disk === "lost") this.#contents = null;
    if (disk === "torn") this.#torn = true;
  }
}

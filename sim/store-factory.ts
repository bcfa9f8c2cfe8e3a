/**
 * Where the nodes of a run keep their data: handed in from outside, so that the simulator runs on
 * stores that it does not know. A disk outlives its node's processes.
 */
import type { ActorId, NodeId } from "../core/base/ids.ts";
import type { CommitOutcome, Store } from "../core/node/store.ts";

export interface StoreFactory {
  readonly name: "memory" | "sqlite";
  disk(node: number): Disk;
}

export interface Disk {
  /** `freshActor` and `freshNodeId` are taken by a disk that is new or was lost; the actor also by one that may have lost commits. */
  open(options: {
    readonly schema: readonly string[];
    readonly freshActor: ActorId;
    readonly freshNodeId: NodeId;
    readonly wallMs: number;
  }): {
    readonly store: Store;
    readonly nodeId: NodeId;
    /** The highest identity epoch saved; 0 on a new disk. */
    readonly lastEpoch: number;
    /** Nothing was on the disk. */
    readonly fresh: boolean;
  };
  saveEpoch(epoch: number): void;
  /** What a crash does to the data. `torn`: all since the store's last checkpoint is gone. */
  crash(disk: "kept" | "torn" | "lost"): void;
}

/** A store that also takes SQL, for the workload kind `sql`. */
export interface SqlStore extends Store {
  commitSql(wallMs: number, statements: readonly unknown[]): CommitOutcome;
}

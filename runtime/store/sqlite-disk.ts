/**
 * Disks of simulated nodes that hold SQLite files. A crash leaves the file as it is, or what a
 * power loss leaves of it: the versions held at the last checkpoint, read back from the log.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert } from "../../core/base/assert.ts";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import { IntervalSet } from "../../core/base/interval-set.ts";
import type { ActorHoldings, Chunk, Store, VersionRange } from "../../core/node/store.ts";
import { rotOneCell } from "./rot.ts";
import { SqliteStore, type SqliteStoreOptions } from "./sqlite-store.ts";

/** Options of every store made, but for what an opening decides. */
export type SqliteDiskOptions = Omit<SqliteStoreOptions, "path" | "actor" | "node" | "schema">;

/** What an opening is asked for and answers, as `sim/store-factory.ts` has it. */
export interface DiskOpening {
  readonly schema: readonly string[];
  readonly freshActor: ActorId;
  readonly freshNodeId: NodeId;
  readonly wallMs: number;
}

export interface OpenedDisk {
  readonly store: Store;
  readonly nodeId: NodeId;
  readonly lastEpoch: number;
  readonly fresh: boolean;
}

export interface SqliteStores {
  readonly name: "sqlite";
  disk(node: number): SqliteDisk;
  /** Closes what is open and removes the files. */
  dispose(): void;
}

/** Files in a new directory under `parent`. */
export function sqliteStores(options: SqliteDiskOptions = {}, parent = tmpdir()): SqliteStores {
  const directory = mkdtempSync(join(parent, "patina-"));
  const disks: SqliteDisk[] = [];
  return {
    name: "sqlite",
    disk: (node) => {
      const disk = new SqliteDisk(join(directory, `n${node}-${disks.length}`), options);
      disks.push(disk);
      return disk;
    },
    dispose: () => {
      for (const disk of disks) disk.dispose();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Tells what is held at each checkpoint, and can be damaged. */
class DiskStore extends SqliteStore {
  safe: readonly VersionRange[] = [];

  override checkpoint(): void {
    super.checkpoint();
    this.safe = this.holdings().flatMap(heldWhole);
  }

  /** False when there is nothing to damage. */
  rot(): boolean {
    return rotOneCell(this.engine);
  }
}

/** The versions held whole, as ranges. */
function heldWhole({ actor, head, gaps, partial }: ActorHoldings): VersionRange[] {
  const missing = IntervalSet.of(gaps);
  for (const { version } of partial) missing.add(version);
  return missing.gapsBelow(head).map(([from, to]) => ({ actor, from, to }));
}

export class SqliteDisk {
  readonly #base: string;
  readonly #options: SqliteDiskOptions;
  #generation = 0;
  #schema: readonly string[] = [];
  #store: DiskStore | null = null;
  /** Held whole at the last checkpoint. */
  #safe: readonly VersionRange[] = [];
  #exists = false;
  #torn = false;

  constructor(base: string, options: SqliteDiskOptions) {
    this.#base = base;
    this.#options = options;
  }

  get #path(): string {
    return `${this.#base}.${this.#generation}.db`;
  }

  open({ schema, freshActor, freshNodeId, wallMs }: DiskOpening): OpenedDisk {
    assert(this.#store === null, "a disk is open once");
    const fresh = !this.#exists;
    if (this.#torn) this.#tear(freshActor, wallMs);
    const store = this.#openFile(freshActor, freshNodeId, fresh ? schema : this.#schema);
    if (!fresh && schema.join("\0") !== this.#schema.join("\0")) store.migrate(wallMs, schema);
    this.#store = store;
    this.#schema = schema;
    this.#exists = true;
    return { store, nodeId: store.nodeId, lastEpoch: store.epoch, fresh };
  }

  #openFile(actor: ActorId, node: NodeId, schema: readonly string[]): DiskStore {
    const path = this.#path;
    // Durability is the simulator's to decide; what the process wrote is there when it reopens the file.
    const store = new DiskStore({
      synchronous: "off",
      lock: false,
      // Simulated nodes write little; so few come into packs that it happens in every run.
      versionsPerPack: 3,
      ...this.#options,
      path,
      actor,
      node,
      schema,
    });
    store.safe = this.#safe;
    return store;
  }

  saveEpoch(epoch: number): void {
    assert(this.#store !== null, "an epoch is saved on a disk that was opened");
    this.#store.saveEpoch(epoch);
  }

  crash(disk: "kept" | "torn" | "lost"): void {
    assert(this.#store !== null, "a crash hits a disk that is open");
    this.#safe = this.#store.safe;
    this.#store.abandon();
    this.#store = null;
    if (disk === "torn") this.#torn = true;
    if (disk === "lost") {
      this.#exists = false;
      this.#torn = false;
      this.#safe = [];
      this.#nextFile();
    }
  }

  dispose(): void {
    this.#store?.abandon();
    this.#store = null;
  }

  /** A new file with what was safe at the last checkpoint of the old one. */
  #tear(actor: ActorId, wallMs: number): void {
    const old = this.#openFile(actor, "0".repeat(32) as NodeId, this.#schema);
    const safe = safeVersions(old);
    const { nodeId, epoch } = old;
    old.abandon();
    this.#nextFile();
    const store = this.#openFile(actor, nodeId, this.#schema);
    store.receive(wallMs, safe.chunks, safe.markers);
    store.saveEpoch(epoch);
    store.checkpoint();
    this.#safe = store.safe;
    store.abandon();
    this.#torn = false;
  }

  #nextFile(): void {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(this.#path + suffix, { force: true });
    this.#generation++;
  }
}

function safeVersions(store: DiskStore): { chunks: Chunk[]; markers: VersionRange[] } {
  const chunks: Chunk[] = [];
  const markers: VersionRange[] = [];
  for (const { actor, from, to } of store.safe) {
    const served = store.serve([{ actor, from, to }], Number.MAX_SAFE_INTEGER);
    chunks.push(...served.chunks);
    markers.push(...served.overwritten);
  }
  return { chunks, markers };
}

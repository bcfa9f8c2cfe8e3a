/** Every version that was ever committed in a run, with its full content: what nodes are judged by. */
import { assert } from "../../core/base/assert.ts";
import type { ActorId } from "../../core/base/ids.ts";
import type { Hlc } from "../../core/clock/hlc.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Chunk } from "../../core/node/store.ts";
import { tagValue } from "../../core/trace/tagged-value.ts";
import { decodeChanges, type RowChange } from "../../core/wire/changes.ts";

export interface VersionRecord {
  readonly actor: ActorId;
  readonly version: number;
  readonly hlc: Hlc;
  readonly chunks: readonly Chunk[];
  readonly rows: readonly RowChange[];
  /** Names of the rows, as `rowName` makes them. */
  readonly rowNames: readonly string[];
  readonly node: number;
  readonly atUs: number;
}

export class History {
  /** In the order of commit. */
  readonly all: VersionRecord[] = [];
  readonly #byActor = new Map<ActorId, Map<number, VersionRecord>>();
  readonly #byRow = new Map<string, VersionRecord[]>();

  /** Returns the earlier version of the same number, if there is one: then nothing is recorded. */
  record(node: number, atUs: number, chunks: readonly Chunk[]): VersionRecord | null {
    const first = chunks[0];
    assert(first !== undefined, "a version has a chunk");
    const { actor, version, hlc } = first;
    let versions = this.#byActor.get(actor);
    if (versions === undefined) {
      versions = new Map();
      this.#byActor.set(actor, versions);
    }
    const earlier = versions.get(version);
    if (earlier !== undefined) return earlier;
    const rows = chunks.flatMap((chunk) => decodeChanges(chunk.payload));
    const rowNames = rows.map((row) => rowName(row.table, row.key));
    const record = { actor, version, hlc, chunks, rows, rowNames, node, atUs };
    versions.set(version, record);
    this.all.push(record);
    for (const name of new Set(rowNames)) {
      const writes = this.#byRow.get(name);
      if (writes === undefined) this.#byRow.set(name, [record]);
      else writes.push(record);
    }
    return null;
  }

  get(actor: ActorId, version: number): VersionRecord | undefined {
    return this.#byActor.get(actor)?.get(version);
  }

  /** The versions that wrote a row, in the order of commit. */
  writesOf(row: string): readonly VersionRecord[] {
    return this.#byRow.get(row) ?? [];
  }
}

/** A row's name: equal for equal table and key, and for nothing else. */
export function rowName(table: string, key: readonly Value[]): string {
  return JSON.stringify([table, ...key.map(tagValue)]);
}

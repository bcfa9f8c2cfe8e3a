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
  /** The row of each of `rows`. */
  readonly written: readonly WrittenRow[];
  readonly node: number;
  readonly atUs: number;
}

/** What one version wrote of a row. */
export interface Write {
  readonly version: VersionRecord;
  readonly row: RowChange;
  /** Neither of an older life nor stamped below anything that was written of the row before. */
  readonly onTop: boolean;
  /** The largest causal length of this one and of all before it. */
  readonly longest: number;
}

/** A row that was ever written. */
export interface WrittenRow {
  /** As `rowName` makes it. */
  readonly name: string;
  readonly table: string;
  /** In the order of commit. */
  readonly writes: Write[];
  /** Of those that wrote it, the one with the latest stamp; null before the first. */
  latest: VersionRecord | null;
}

export class History {
  /** In the order of commit. */
  readonly all: VersionRecord[] = [];
  /** By version number, which begins at 1. */
  readonly #byActor = new Map<ActorId, (VersionRecord | undefined)[]>();
  readonly #rows = new Map<string, WrittenRow>();

  /** Returns the earlier version of the same number, if there is one: then nothing is recorded. */
  record(node: number, atUs: number, chunks: readonly Chunk[]): VersionRecord | null {
    const first = chunks[0];
    assert(first !== undefined, "a version has a chunk");
    const { actor, version, hlc } = first;
    let versions = this.#byActor.get(actor);
    if (versions === undefined) {
      versions = [];
      this.#byActor.set(actor, versions);
    }
    const earlier = versions[version];
    if (earlier !== undefined) return earlier;
    const rows = rowsOf(chunks);
    const written = rows.map((row) => this.#rowOf(row));
    const record = { actor, version, hlc, chunks, rows, written, node, atUs };
    versions[version] = record;
    this.all.push(record);
    for (let i = 0; i < rows.length; i++) {
      addWrite(written[i] as WrittenRow, record, rows[i] as RowChange);
    }
    return null;
  }

  get(actor: ActorId, version: number): VersionRecord | undefined {
    return this.#byActor.get(actor)?.[version];
  }

  /** Every row that was ever written, in the order of the first write. */
  get rows(): Iterable<WrittenRow> {
    return this.#rows.values();
  }

  #rowOf(row: RowChange): WrittenRow {
    const name = rowName(row.table, row.key);
    let found = this.#rows.get(name);
    if (found === undefined) {
      found = { name, table: row.table, writes: [], latest: null };
      this.#rows.set(name, found);
    }
    return found;
  }
}

/** Larger (stamp, actor). */
export function laterThan(a: VersionRecord, b: VersionRecord): boolean {
  if (a.hlc.ms !== b.hlc.ms) return a.hlc.ms > b.hlc.ms;
  if (a.hlc.counter !== b.hlc.counter) return a.hlc.counter > b.hlc.counter;
  return a.actor > b.actor;
}

function addWrite(written: WrittenRow, version: VersionRecord, row: RowChange): void {
  const { writes, latest } = written;
  const later = latest === null || laterThan(version, latest);
  const longest = Math.max(row.causalLength, writes.at(-1)?.longest ?? 0);
  writes.push({ version, row, onTop: later && row.causalLength === longest, longest });
  if (later) written.latest = version;
}

function rowsOf(chunks: readonly Chunk[]): RowChange[] {
  const [first] = chunks;
  if (chunks.length === 1 && first !== undefined) return decodeChanges(first.payload);
  return chunks.flatMap((chunk) => decodeChanges(chunk.payload));
}

/** A row's name: equal for equal table and key, and for nothing else. */
export function rowName(table: string, key: readonly Value[]): string {
  const [first] = key;
  if (key.length === 1 && typeof first === "string") return textKeyName(table, first);
  return JSON.stringify([table, ...key.map(tagValue)]);
}

/** Names made before, by table and key: a pure memo, since the same few rows are named all the time. */
const names = new Map<string, Map<string, string>>();
const maxNames = 16_384;
let namesKept = 0;

function textKeyName(table: string, key: string): string {
  let ofTable = names.get(table);
  const known = ofTable?.get(key);
  if (known !== undefined) return known;
  if (namesKept >= maxNames) {
    names.clear();
    namesKept = 0;
    ofTable = undefined;
  }
  if (ofTable === undefined) {
    ofTable = new Map();
    names.set(table, ofTable);
  }
  const name = JSON.stringify([table, key]);
  ofTable.set(key, name);
  namesKept++;
  return name;
}

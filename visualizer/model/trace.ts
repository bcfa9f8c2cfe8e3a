/**
 * A trace in columns: one slot an event in each, 35 bytes together, and side tables for what is
 * rare or irregular. Plain data throughout, so that a worker can hand it over without copying.
 */
import { Kind, type PlaneName, planeNames } from "./kinds.ts";

/** A JSON value as the trace format writes SQLite values. */
export type TracedValue = null | number | string | { readonly [tag: string]: unknown };

export interface TraceHeader {
  readonly trace: number;
  readonly source: "sim" | "live";
  readonly seed: string | null;
  readonly scenario: string | null;
  /** The resolved scenario of a simulated run. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly schema: readonly string[];
}

export interface NodeInfo {
  readonly n: number;
  readonly name: string;
  readonly region: string;
  /** False for a gap in the numbering: no event speaks of it. */
  readonly known: boolean;
}

export interface ActorInfo {
  readonly id: string;
  /** The node that writes under this actor id, −1 if the trace never says. */
  readonly node: number;
}

/** A message kind on a plane. `plane` indexes `planeNames`; −1 for a plane that is not known. */
export interface Label {
  readonly plane: number;
  readonly msg: string;
}

/** Where reading stopped before the end of the file, and why. */
export interface Problem {
  readonly kind: "damaged" | "truncated";
  /** Counted from 1. */
  readonly line: number;
  readonly byte: number;
  readonly why: string;
}

/**
 * Columns by kind (`packPair(a, b)` where two numbers share `aux`):
 *
 * | kind | node | peer | label | value | ref | aux |
 * | --- | --- | --- | --- | --- | --- | --- |
 * | send | n | to | label | bytes | first recv or drop, −1 in flight | m |
 * | recv | n | from | label | bytes | send, −1 unknown | m |
 * | drop | n (sender) | to | label | index in `dropReasons`, −1 | send, −1 | m |
 * | member | n | about | state | incarnation | | epoch |
 * | commit | n | actor | | version | version id | |
 * | apply | n | actor | index in `viaNames` | version | version id | won, lost |
 * | buffer | n | actor | | version | version id | have, of |
 * | need | n | actor | | from | | to |
 * | state | n | living rows | | hash id | state ordinal | held, gaps |
 * | snapshot | n | from | | | side index | |
 * | others | n or −1 | | | | side index | |
 */
export interface Trace {
  readonly header: TraceHeader;
  readonly count: number;
  /** Microseconds since the run began; never decreases. */
  readonly t: Float64Array<ArrayBuffer>;
  readonly kind: Uint8Array<ArrayBuffer>;
  readonly node: Int32Array<ArrayBuffer>;
  readonly peer: Int32Array<ArrayBuffer>;
  readonly label: Uint16Array<ArrayBuffer>;
  readonly value: Int32Array<ArrayBuffer>;
  readonly ref: Int32Array<ArrayBuffer>;
  readonly aux: Float64Array<ArrayBuffer>;

  readonly labels: readonly Label[];
  /** By node number. */
  readonly nodes: readonly NodeInfo[];
  readonly actors: readonly ActorInfo[];
  readonly hashes: readonly string[];
  /** Whole lines of the events that columns do not hold. */
  readonly side: SideLines;
  readonly versions: VersionTable;
  readonly heads: HeadChanges;
  readonly rows: RowTable;

  readonly bytesRead: number;
  readonly unknownKinds: readonly (readonly [kind: string, count: number])[];
  readonly problem: Problem | null;
  /** The last line is an `end`: the run was finished. */
  readonly ended: boolean;
}

/** `offsets[i]` to `offsets[i + 1]` are the bytes of line i. */
export interface SideLines {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly offsets: Int32Array<ArrayBuffer>;
}

/** One slot a version, in the order in which the trace first speaks of them. */
export interface VersionTable {
  readonly count: number;
  readonly actor: Int32Array<ArrayBuffer>;
  readonly number: Int32Array<ArrayBuffer>;
  /** Index of its commit event, −1 if the trace does not have it. */
  readonly commit: Int32Array<ArrayBuffer>;
  /** Side index of the commit line, −1 with it. */
  readonly side: Int32Array<ArrayBuffer>;
  /** Stamp: milliseconds and counter. */
  readonly ms: Float64Array<ArrayBuffer>;
  readonly counter: Uint16Array<ArrayBuffer>;
  /** Place in the order of (stamp, actor), from 0: the larger wins. */
  readonly rank: Int32Array<ArrayBuffer>;
}

/** Heads by state ordinal, as changes against the same node's state before. */
export interface HeadChanges {
  readonly offsets: Int32Array<ArrayBuffer>;
  readonly actor: Int32Array<ArrayBuffer>;
  readonly version: Int32Array<ArrayBuffer>;
}

export interface TracedTable {
  readonly name: string;
  /** Columns seen in writes, in the order of their first sight. */
  readonly columns: readonly string[];
}

/** Rows ever written, and their writes: `writeStart[r]` to `writeStart[r + 1]` are those of row r. */
export interface RowTable {
  readonly count: number;
  readonly tables: readonly TracedTable[];
  readonly table: Int32Array<ArrayBuffer>;
  /** Primary key as its JSON text, by row. */
  readonly key: readonly string[];
  readonly writeStart: Int32Array<ArrayBuffer>;
  readonly writeVersion: Int32Array<ArrayBuffer>;
  readonly writeLength: Int32Array<ArrayBuffer>;
  /** Which entry of the commit's `changes` it is. */
  readonly writeChange: Int32Array<ArrayBuffer>;
  /** `cellStart[w]` to `cellStart[w + 1]`: the columns (index in the table's `columns`) of write w. */
  readonly cellStart: Int32Array<ArrayBuffer>;
  readonly cellColumn: Int32Array<ArrayBuffer>;
}

const pairBase = 2 ** 26;

/** Two counts below 2^26 in one double; larger ones are cut to that. */
export function packPair(a: number, b: number): number {
  return Math.min(a, pairBase - 1) * pairBase + Math.min(b, pairBase - 1);
}

export function pairFirst(packed: number): number {
  return Math.floor(packed / pairBase);
}

export function pairSecond(packed: number): number {
  return packed % pairBase;
}

const decoder = new TextDecoder();

/** The object of a side line. It was parsed once when it was read, so it parses again. */
export function sideObject(trace: Trace, index: number): Readonly<Record<string, unknown>> {
  const { bytes, offsets } = trace.side;
  const text = decoder.decode(bytes.subarray(offsets[index], offsets[index + 1]));
  return JSON.parse(text) as Record<string, unknown>;
}

/** The first event at or after `t`; `count` if there is none. */
export function firstAt(trace: Trace, t: number): number {
  let low = 0;
  let high = trace.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((trace.t[middle] as number) < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The last event at or before `t`; −1 if there is none. */
export function lastAt(trace: Trace, t: number): number {
  let low = 0;
  let high = trace.count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((trace.t[middle] as number) <= t) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Microseconds of the last event; 0 for an empty trace. */
export function endTime(trace: Trace): number {
  return trace.count === 0 ? 0 : (trace.t[trace.count - 1] as number);
}

export function isMessage(kind: number): boolean {
  return kind === Kind.send || kind === Kind.recv || kind === Kind.drop;
}

export function planeOf(trace: Trace, event: number): PlaneName | null {
  return planeNames[trace.labels[trace.label[event] as number]?.plane ?? -1] ?? null;
}

export function nodeName(trace: Trace, n: number): string {
  return trace.nodes[n]?.name ?? `n${n}`;
}

/** All memory that the trace holds, in bytes: its columns exactly, its strings at two bytes a unit. */
export function traceMemory(trace: Trace): number {
  let bytes = 0;
  const visit = (value: unknown): void => {
    if (ArrayBuffer.isView(value)) bytes += value.byteLength;
    else if (typeof value === "string") bytes += 16 + value.length * 2;
    else if (Array.isArray(value)) for (const item of value) visit(item);
    else if (typeof value === "object" && value !== null)
      for (const item of Object.values(value)) visit(item);
  };
  visit(trace);
  return bytes;
}

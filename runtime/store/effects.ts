/**
 * What a transaction did besides writing rows: clocks of rows, digests of tables, living pieces
 * taken from older versions, the node's clock. It is written once, beside the version in
 * `patina_log`, and folded into the tables where it belongs many transactions at a time: those
 * pages would otherwise be written again with every small transaction. After a crash it is read
 * back from the log.
 */
import type { ClockState } from "../../core/clock/hybrid-clock.ts";
import type { Value } from "../../core/crdt/value.ts";
import { Reader } from "../../core/wire/reader.ts";
import { readValue, writeValue } from "../../core/wire/values.ts";
import { Writer } from "../../core/wire/writer.ts";
import type { ClockCell } from "./clock-cell.ts";
import type { ClockSpan } from "./clock-spans.ts";
import type { LiveChanges } from "./log-origin.ts";
import type { ClockEntry, TablePlan } from "./table-plan.ts";

export interface TableEffect {
  /** Number of the table. */
  readonly n: number;
  /** The digest after the transaction. */
  readonly a: number;
  readonly b: number;
  readonly rows: number;
  readonly dead: number;
  readonly keyColumns: number;
  readonly clocks: readonly ClockEntry[];
  /** Clocks of neighbours that had none before. */
  readonly spans: readonly ClockSpan[];
}

export interface Effects {
  readonly clock: ClockState;
  /** A far-future stamp has come in, in this transaction or before. */
  readonly farSeen: boolean;
  readonly tables: readonly TableEffect[];
  /** Versions of the transaction itself are not in it. */
  readonly live: LiveChanges;
}

/** What a transaction changed of a table's clocks. */
export interface ChangedClocks {
  changedOf(plan: TablePlan): readonly ClockEntry[];
  spansOf(plan: TablePlan): readonly ClockSpan[];
}

/** Added to the number of key columns of a table whose clocks say under which rowids they belong. */
const withRowids = 1024;
/** Added to it where spans come behind the clocks. */
const withSpans = 2048;

const writer = new Writer(1024);

/**
 * @param plans the tables that it may have changed. @param changed what it changed of their clocks.
 * @returns bytes that are good until the next transaction's.
 */
export function encodeEffects(
  clock: ClockState,
  farSeen: boolean,
  plans: readonly TablePlan[],
  changed: ChangedClocks,
  live: LiveChanges,
): Uint8Array {
  writer.reset();
  writer.varint(clock.ms);
  writer.varint(clock.counter);
  writer.varint(clock.farMs);
  writer.varint(clock.farCounter);
  writer.u8(farSeen ? 1 : 0);
  let tables = 0;
  for (const plan of plans) if (isTouched(plan, changed.changedOf(plan))) tables++;
  writer.varint(tables);
  for (const plan of plans) {
    const clocks = changed.changedOf(plan);
    if (isTouched(plan, clocks)) writeTable(plan, clocks, changed.spansOf(plan));
  }
  writer.varint(live.length / 2);
  for (let i = 0; i < live.length; i += 2) {
    writer.varint(live[i] as number);
    writeValue(writer, live[i + 1] as number);
  }
  return writer.view();
}

/** What gets spans has rows more. */
function isTouched(plan: TablePlan, clocks: readonly ClockEntry[]): boolean {
  return clocks.length > 0 || plan.digestChanged();
}

function writeTable(
  plan: TablePlan,
  clocks: readonly ClockEntry[],
  spans: readonly ClockSpan[],
): void {
  const { n, sum, dead, keyNames, rowids } = plan;
  writer.varint(n);
  writer.u32(sum.a >>> 0);
  writer.u32(sum.b >>> 0);
  writer.varint(sum.rows);
  writer.varint(dead);
  const hasSpans = spans.length > 0;
  writer.varint(keyNames.length + (rowids === null ? 0 : withRowids) + (hasSpans ? withSpans : 0));
  writer.varint(clocks.length);
  for (const { key, cell, rowid, forgets } of clocks) {
    for (let i = 0; i < key.length; i++) writeValue(writer, key[i] as Value);
    writeValue(writer, cell);
    if (rowids === null) continue;
    writer.varint(rowid);
    writer.varint(forgets);
  }
  if (!hasSpans) return;
  writer.varint(spans.length);
  for (const { first, last, cell, step } of spans) {
    writeValue(writer, first);
    writer.varint(last - first);
    writeValue(writer, cell);
    writeValue(writer, step);
  }
}

export function decodeEffects(bytes: Uint8Array): Effects {
  const r = new Reader(bytes);
  const clock = {
    ms: r.varint(),
    counter: r.varint(),
    farMs: r.varint(),
    farCounter: r.varint(),
  };
  const farSeen = r.u8() === 1;
  const tables: TableEffect[] = [];
  for (let count = r.varint(); count > 0; count--) tables.push(readTable(r));
  const live: number[] = [];
  for (let count = r.varint(); count > 0; count--) live.push(r.varint(), readValue(r) as number);
  return { clock, farSeen, tables, live };
}

function readTable(r: Reader): TableEffect {
  const n = r.varint();
  const a = r.u32() | 0;
  const b = r.u32() | 0;
  const rows = r.varint();
  const dead = r.varint();
  const told = r.varint();
  const hasRowids = (told & withRowids) !== 0;
  const keyColumns = told % withRowids;
  const clocks: ClockEntry[] = [];
  for (let count = r.varint(); count > 0; count--) {
    const key: Value[] = [];
    for (let i = 0; i < keyColumns; i++) key.push(readValue(r));
    const cell = readValue(r) as ClockCell;
    const rowid = hasRowids ? r.varint() : 0;
    clocks.push({ key, cell, rowid, forgets: hasRowids ? r.varint() : 0 });
  }
  const spans = (told & withSpans) === 0 ? [] : readSpans(r);
  return { n, a, b, rows, dead, keyColumns, clocks, spans };
}

function readSpans(r: Reader): ClockSpan[] {
  const spans: ClockSpan[] = [];
  for (let count = r.varint(); count > 0; count--) {
    const first = readValue(r) as number;
    const last = first + r.varint();
    spans.push({ first, last, cell: readValue(r) as number, step: readValue(r) as number });
  }
  return spans;
}

/**
 * Rows with all that decides merges, for repair by range and for snapshots: causal length, the
 * stamp that began or ended the life, and per column the value with its stamp. Stamps (clock and
 * actor) are written once per row and then referred to by number, as most cells of a row share one.
 */
import { assert } from "../base/assert.ts";
import type { ActorId } from "../base/ids.ts";
import type { Hlc } from "../clock/hlc.ts";
import type { Value } from "../crdt/value.ts";
import type { RowState } from "../node/store.ts";
import { readHlc, writeHlc } from "./chunk.ts";
import {
  maxColumns,
  maxCounterActors,
  maxKeyBytes,
  maxNameBytes,
  maxPayloadBytes,
  maxValuesPerPayload,
} from "./limits.ts";
import { Reader } from "./reader.ts";
import { readValue, writeValue } from "./values.ts";
import { WireError } from "./wire-error.ts";
import { Writer } from "./writer.ts";

/** Who wrote something, and when. */
export interface Stamp {
  readonly hlc: Hlc;
  readonly actor: ActorId;
}

export interface CellState {
  readonly column: string;
  /** What the cell was last set to; null: never set in this life, it has its default. */
  readonly base: { readonly value: Value; readonly stamp: Stamp } | null;
  /** Of a `counter` column: what each actor has added in this life, sorted by actor. Else empty. */
  readonly totals: readonly CounterTotal[];
}

export interface CounterTotal {
  /** The actor, and the stamp of its latest addition. */
  readonly stamp: Stamp;
  readonly total: Value;
}

export interface RowCells {
  /** Stamp of the row itself where no cell carries it: tombstones, and tables of key columns alone. */
  readonly sentinel: Stamp | null;
  /** Cells that carry a stamp, in declared column order. */
  readonly cells: readonly CellState[];
}

const writer = new Writer(16 * 1024);

/** The `cells` of a `RowState`. */
export function encodeRowCells(row: RowCells): Uint8Array {
  const stamps: Stamp[] = [];
  writer.reset();
  writer.u8(row.sentinel === null ? 0 : 1);
  if (row.sentinel !== null) writeStamp(row.sentinel, stamps);
  writer.varint(row.cells.length);
  for (const cell of row.cells) {
    writer.string(cell.column);
    writer.u8(cell.base === null ? 0 : 1);
    if (cell.base !== null) {
      writeStamp(cell.base.stamp, stamps);
      writeValue(writer, cell.base.value);
    }
    writer.varint(cell.totals.length);
    for (const { stamp, total } of cell.totals) {
      writeStamp(stamp, stamps);
      writeValue(writer, total);
    }
  }
  return writer.finish();
}

/** Stamps looked back for: past this many distinct ones a search would cost more than it saves. */
const stampsLookedUp = 16;

/** Distance back to an equal stamp, or 0 and the stamp itself. */
function writeStamp(stamp: Stamp, stamps: Stamp[]): void {
  for (let back = 1; back <= Math.min(stamps.length, stampsLookedUp); back++) {
    const known = stamps[stamps.length - back] as Stamp;
    if (
      known.hlc.ms === stamp.hlc.ms &&
      known.hlc.counter === stamp.hlc.counter &&
      known.actor === stamp.actor
    ) {
      writer.varint(back);
      return;
    }
  }
  writer.varint(0);
  writeHlc(writer, stamp.hlc);
  writer.id(stamp.actor);
  stamps.push(stamp);
}

function readStamp(r: Reader, stamps: Stamp[]): Stamp {
  const back = r.varint();
  if (back === 0) {
    const stamp = { hlc: readHlc(r), actor: r.id() as ActorId };
    stamps.push(stamp);
    return stamp;
  }
  const known = stamps[stamps.length - back];
  if (known === undefined) throw new WireError("reference to a stamp that was not given");
  return known;
}

/** @throws WireError */
export function decodeRowCells(bytes: Uint8Array): RowCells {
  const r = new Reader(bytes);
  const stamps: Stamp[] = [];
  const sentinel = readFlag(r) ? readStamp(r, stamps) : null;
  // A cell takes a name length, a flag and a number of totals.
  const count = r.count(3, maxColumns);
  const cells: CellState[] = [];
  const names = new Set<string>();
  let budget = maxValuesPerPayload;
  for (let i = 0; i < count; i++) {
    const column = r.string(maxNameBytes);
    if (names.has(column)) throw new WireError("column twice in a row");
    names.add(column);
    const base = readFlag(r) ? { stamp: readStamp(r, stamps), value: readValue(r) } : null;
    const totals = readTotals(r, stamps);
    budget -= 1 + totals.length;
    if (budget < 0) throw new WireError("too many values in a row");
    cells.push({ column, base, totals });
  }
  if (r.remaining > 0) throw new WireError("bytes after the last cell");
  return { sentinel, cells };
}

function readTotals(r: Reader, stamps: Stamp[]): CounterTotal[] {
  // A total takes a stamp reference and a tag.
  const count = r.count(2, maxCounterActors);
  const totals: CounterTotal[] = [];
  for (let i = 0; i < count; i++) {
    const stamp = readStamp(r, stamps);
    const before = totals[i - 1];
    if (before !== undefined && before.stamp.actor >= stamp.actor) {
      throw new WireError("totals are not sorted by actor");
    }
    totals.push({ stamp, total: readValue(r) });
  }
  return totals;
}

function readFlag(r: Reader): boolean {
  const flag = r.u8();
  if (flag > 1) throw new WireError("a flag is 0 or 1");
  return flag === 1;
}

export function writeRowState(w: Writer, row: RowState): void {
  assert(row.causalLength >= 1, "a row that was never inserted has no state");
  w.string(row.table);
  w.bytes(row.key);
  w.varint(row.causalLength);
  w.bytes(row.cells);
}

/** `key` and `cells` are views of the bytes read. @throws WireError */
export function readRowState(r: Reader): RowState {
  const table = r.string(maxNameBytes);
  const key = r.bytes(maxKeyBytes);
  const causalLength = r.varint();
  if (causalLength === 0) throw new WireError("causal length 0");
  return { table, key, causalLength, cells: r.bytes(maxPayloadBytes) };
}

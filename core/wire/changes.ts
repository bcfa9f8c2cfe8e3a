/**
 * The payload of chunks: the row changes of one version, cut by its author. Layout: a format byte,
 * then rows; a row begins with a flag that says whether a new table begins (its name and the
 * number of key columns follow). Columns are named once per table and payload and then referred
 * to by number. Each payload is readable by itself.
 */
import { assert } from "../base/assert.ts";
import { roomFor } from "../base/room.ts";
import type { Value } from "../crdt/value.ts";
import { ColumnNumbers } from "./column-numbers.ts";
import {
  maxColumns,
  maxKeyColumns,
  maxNameBytes,
  maxPayloadBytes,
  maxRowsPerPayload,
  maxValuesPerPayload,
} from "./limits.ts";
import { Reader } from "./reader.ts";
import { readTagged, readValue, writeValue } from "./values.ts";
import { WireError } from "./wire-error.ts";
import { Writer } from "./writer.ts";

/** `value`: the cell is set. `add`, `total`: the cell is incremented; see `CellAdd`. */
export type CellWrite = CellSet | CellAdd;

export interface CellSet {
  readonly column: string;
  readonly value: Value;
}

/** An increment of a `counter` column. */
export interface CellAdd {
  readonly column: string;
  /** What this transaction added. */
  readonly add: Value;
  /** All that this author has added in this life of the row, this transaction included: a newer total replaces an older one. */
  readonly total: Value;
}

export interface RowChange {
  readonly table: string;
  /** Values of the primary key, in the order of the PRIMARY KEY clause. */
  readonly key: readonly Value[];
  /** Odd: alive; even: deleted, and `cells` is empty. At least 1. */
  readonly causalLength: number;
  /** Cells written, in declared column order. */
  readonly cells: readonly CellWrite[];
}

const format = 1;
const sameTable = 0;
const nextTable = 1;
/** Beside the value tags: a cell that is added to. */
const addTag = 7;

/** One buffer for all encoding: an encoder is finished before the next one begins. */
const writer = new Writer(64 * 1024);
/** Payloads begun in it so far: tells whether the buffer still holds one's own. */
let begun = 0;
/** The columns named since the present table began in that buffer. */
const columns = new ColumnNumbers();

/**
 * Cuts `rows` (in table order) into payloads of about `targetBytes`. The same rows and target give
 * the same bytes. No rows, no payloads.
 */
export function encodeChunks(rows: readonly RowChange[], targetBytes: number): Uint8Array[] {
  const encoder = new ChunkEncoder(targetBytes);
  for (let i = 0; i < rows.length; i++) encoder.add(rows[i] as RowChange);
  return encoder.finish();
}

/** `encodeChunks` for rows that come one by one. */
export class ChunkEncoder {
  readonly #targetBytes: number;
  #payloads: Uint8Array[] = [];
  #table: string | null = null;
  #rowsInChunk = 0;
  #valuesInChunk = 0;
  #begun = 0;

  constructor(targetBytes: number) {
    this.#targetBytes = targetBytes;
  }

  add(row: RowChange): void {
    this.#begin(row.table, row.key.length, row.cells.length);
    writeHead(row.key, row.causalLength, row.cells.length);
    for (let i = 0; i < row.cells.length; i++) {
      const cell = row.cells[i] as CellWrite;
      writeColumn(cell.column);
      if ("add" in cell) {
        writer.u8(addTag);
        writeValue(writer, cell.add);
        writeValue(writer, cell.total);
      } else {
        writeValue(writer, cell.value);
      }
    }
  }

  /** `add` for cells that are set, without objects in between: `values[i]` goes to column `names[i]`. */
  addSet(
    table: string,
    key: readonly Value[],
    causalLength: number,
    names: readonly string[],
    values: readonly Value[],
  ): void {
    assert(names.length === values.length, "each column has its value");
    this.#begin(table, key.length, names.length);
    writeHead(key, causalLength, names.length);
    for (let i = 0; i < names.length; i++) {
      writeColumn(names[i] as string);
      writeValue(writer, values[i] as Value);
    }
  }

  #begin(table: string, keyColumns: number, cells: number): void {
    const values = keyColumns + cells;
    const full =
      this.#rowsInChunk >= maxRowsPerPayload ||
      this.#valuesInChunk + values > maxValuesPerPayload ||
      (this.#rowsInChunk > 0 && writer.length >= this.#targetBytes);
    if (full) this.#cut();
    if (this.#rowsInChunk === 0) {
      this.#begun = ++begun;
      writer.reset();
      writer.u8(format);
      this.#valuesInChunk = 0;
      this.#table = null;
    }
    assert(begun === this.#begun, "one encoder at a time");
    this.#rowsInChunk++;
    this.#valuesInChunk += values;
    if (table === this.#table) {
      writer.u8(sameTable);
      return;
    }
    this.#table = table;
    columns.clear();
    writer.u8(nextTable);
    writer.string(table);
    writer.varint(keyColumns);
  }

  /** The payloads of all rows added. */
  finish(): Uint8Array[] {
    this.#cut();
    return this.#payloads;
  }

  #cut(): void {
    if (this.#rowsInChunk === 0) return;
    assert(begun === this.#begun, "one encoder at a time");
    // Mostly one alone: as a literal it takes a third of the room that `push` would make.
    if (this.#payloads.length === 0) this.#payloads = [writer.finish()];
    else this.#payloads.push(writer.finish());
    this.#rowsInChunk = 0;
  }
}

function writeColumn(name: string): void {
  const number = columns.numberOf(name);
  writer.varint(number);
  if (number > 0) return;
  writer.string(name);
  columns.add(name);
}

function writeHead(key: readonly Value[], causalLength: number, cells: number): void {
  assert(causalLength >= 1, "a change begins or ends a life, or happens in one");
  assert(causalLength % 2 === 1 || cells === 0, "a deleted row has no cells");
  for (let i = 0; i < key.length; i++) writeValue(writer, key[i] as Value);
  writer.varint(causalLength);
  writer.varint(cells);
}

/** The rows of one payload. @throws WireError */
export function decodeChanges(payload: Uint8Array): RowChange[] {
  if (payload.length > maxPayloadBytes) throw new WireError("payload is too long");
  const r = new Reader(payload);
  if (r.u8() !== format) throw new WireError("unknown payload format");
  let rows: RowChange[] = [];
  group.begun = false;
  group.valuesLeft = maxValuesPerPayload;
  while (r.remaining > 0) {
    if (rows.length >= maxRowsPerPayload) throw new WireError("too many rows in a payload");
    const flag = r.u8();
    if (flag === nextTable) beginGroup(r);
    else if (flag !== sameTable) throw new WireError(`unknown row flag ${flag}`);
    if (!group.begun) throw new WireError("row without a table");
    const row = readRow(r);
    // Mostly one alone.
    if (rows.length === 0) rows = [row];
    else rows.push(row);
  }
  return rows;
}

/** Where the decoder stands in a payload. One for all: a payload is read before the next begins. */
const group = {
  begun: false,
  table: "",
  keyColumns: 0,
  names: new ColumnNumbers(),
  /** By column, the row that last wrote it, to find one written twice. */
  lastRow: [] as number[],
  row: 0,
  /** How many more values the payload may hold. */
  valuesLeft: 0,
};

function beginGroup(r: Reader): void {
  group.table = r.string(maxNameBytes);
  group.keyColumns = r.varint();
  if (group.keyColumns < 1 || group.keyColumns > maxKeyColumns) {
    throw new WireError("number of key columns");
  }
  group.begun = true;
  group.names.clear();
  while (group.lastRow.length > 0) group.lastRow.pop();
  group.row = 0;
}

function readRow(r: Reader): RowChange {
  group.row++;
  const key = readKey(r, group.keyColumns);
  const causalLength = r.varint();
  if (causalLength === 0) throw new WireError("causal length 0");
  // A cell takes a column reference and a tag.
  const count = r.count(2, maxColumns);
  if (count > 0 && causalLength % 2 === 0) throw new WireError("a deleted row with cells");
  group.valuesLeft -= key.length + count;
  if (group.valuesLeft < 0) throw new WireError("too many values in a payload");
  const cells = roomFor(count, noCell);
  for (let i = 0; i < count; i++) cells[i] = readCell(r);
  return { table: group.table, key, causalLength, cells };
}

const noCell: CellWrite = { column: "", value: null };

function readKey(r: Reader, columns: number): Value[] {
  const key: Value[] = roomFor<Value>(columns, null);
  for (let i = 0; i < columns; i++) key[i] = readValue(r);
  return key;
}

function readCell(r: Reader): CellWrite {
  const { names, lastRow } = group;
  let reference = r.varint();
  if (reference === 0) {
    const name = r.string(maxNameBytes);
    if (names.numberOf(name) > 0) throw new WireError("column named twice");
    if (names.size >= maxColumns) throw new WireError("too many columns");
    reference = names.add(name);
    lastRow.push(0);
  }
  const column = names.nameOf(reference);
  if (column === undefined) throw new WireError("reference to a column that was not named");
  if (lastRow[reference - 1] === group.row) throw new WireError("column written twice");
  lastRow[reference - 1] = group.row;
  const tag = r.u8();
  if (tag === addTag) return { column, add: readValue(r), total: readValue(r) };
  return { column, value: readTagged(r, tag) };
}

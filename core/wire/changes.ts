/**
 * The payload of chunks: the row changes of one version, cut by its author. Layout: a format byte,
 * then rows; a row begins with a flag that says whether a new table begins (its name and the
 * number of key columns follow). Columns are named once per table and payload and then referred
 * to by number. Each payload is readable by itself.
 */
import { assert } from "../base/assert.ts";
import type { Value } from "../crdt/value.ts";
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
  readonly #payloads: Uint8Array[] = [];
  readonly #columns = new Map<string, number>();
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
      this.#column(cell.column);
      if ("add" in cell) {
        writer.u8(addTag);
        writeValue(writer, cell.add);
        writeValue(writer, cell.total);
      } else {
        writeValue(writer, cell.value);
      }
    }
  }

  /** `add` for cells that are set, without objects in between: `values[i]` goes to column `columns[i]`. */
  addSet(
    table: string,
    key: readonly Value[],
    causalLength: number,
    columns: readonly string[],
    values: readonly Value[],
  ): void {
    assert(columns.length === values.length, "each column has its value");
    this.#begin(table, key.length, columns.length);
    writeHead(key, causalLength, columns.length);
    for (let i = 0; i < columns.length; i++) {
      this.#column(columns[i] as string);
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
    this.#columns.clear();
    writer.u8(nextTable);
    writer.string(table);
    writer.varint(keyColumns);
  }

  #column(name: string): void {
    const known = this.#columns.get(name);
    if (known !== undefined) {
      writer.varint(known);
      return;
    }
    writer.varint(0);
    writer.string(name);
    this.#columns.set(name, this.#columns.size + 1);
  }

  /** The payloads of all rows added. */
  finish(): Uint8Array[] {
    this.#cut();
    return this.#payloads;
  }

  #cut(): void {
    if (this.#rowsInChunk === 0) return;
    assert(begun === this.#begun, "one encoder at a time");
    this.#payloads.push(writer.finish());
    this.#rowsInChunk = 0;
  }
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
  const rows: RowChange[] = [];
  const budget = { values: maxValuesPerPayload };
  let group: TableGroup | null = null;
  while (r.remaining > 0) {
    if (rows.length >= maxRowsPerPayload) throw new WireError("too many rows in a payload");
    const flag = r.u8();
    if (flag === nextTable) group = readGroup(r);
    else if (flag !== sameTable) throw new WireError(`unknown row flag ${flag}`);
    if (group === null) throw new WireError("row without a table");
    rows.push(readRow(r, group, budget));
  }
  return rows;
}

interface TableGroup {
  readonly table: string;
  readonly keyColumns: number;
  /** Names in order of first appearance; reference n is index n − 1. */
  readonly columns: string[];
  /** Per column, the row that last wrote it, to find one written twice. */
  readonly lastRow: number[];
  /** The same names, once they are too many to look through. */
  known: Set<string> | null;
  row: number;
}

function readGroup(r: Reader): TableGroup {
  const table = r.string(maxNameBytes);
  const keyColumns = r.varint();
  if (keyColumns < 1 || keyColumns > maxKeyColumns) throw new WireError("number of key columns");
  return { table, keyColumns, columns: [], lastRow: [], known: null, row: 0 };
}

function readRow(r: Reader, group: TableGroup, budget: { values: number }): RowChange {
  group.row++;
  const key: Value[] = [];
  for (let i = 0; i < group.keyColumns; i++) key.push(readValue(r));
  const causalLength = r.varint();
  if (causalLength === 0) throw new WireError("causal length 0");
  // A cell takes a column reference and a tag.
  const count = r.count(2, maxColumns);
  if (count > 0 && causalLength % 2 === 0) throw new WireError("a deleted row with cells");
  budget.values -= key.length + count;
  if (budget.values < 0) throw new WireError("too many values in a payload");
  const cells: CellWrite[] = [];
  for (let i = 0; i < count; i++) cells.push(readCell(r, group));
  return { table: group.table, key, causalLength, cells };
}

function readCell(r: Reader, group: TableGroup): CellWrite {
  let reference = r.varint();
  if (reference === 0) {
    const name = r.string(maxNameBytes);
    if (isNamed(group, name)) throw new WireError("column named twice");
    if (group.columns.length >= maxColumns) throw new WireError("too many columns");
    reference = group.columns.push(name);
    group.lastRow.push(0);
  }
  const column = group.columns[reference - 1];
  if (column === undefined) throw new WireError("reference to a column that was not named");
  if (group.lastRow[reference - 1] === group.row) throw new WireError("column written twice");
  group.lastRow[reference - 1] = group.row;
  const tag = r.u8();
  if (tag === addTag) return { column, add: readValue(r), total: readValue(r) };
  return { column, value: readTagged(r, tag) };
}

/** Names looked through one by one; most tables have fewer columns. */
const fewColumns = 16;

function isNamed(group: TableGroup, name: string): boolean {
  if (group.columns.length < fewColumns) return group.columns.includes(name);
  group.known ??= new Set(group.columns);
  if (group.known.has(name)) return true;
  group.known.add(name);
  return false;
}

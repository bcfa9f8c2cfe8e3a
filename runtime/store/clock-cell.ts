/**
 * What decides merges of one row, packed into one value of column `c` of its clock table:
 * - an integer n > 0: first life, every column that the table had then was written by log row n;
 *   in a table of key columns alone, the row itself;
 * - an integer −n: deleted after its first life, by log row n;
 * - a text for all else, but for counters: causal length, log row of the change without cells
 *   (0: none), then runs (length, log row or 0) over the columns in the order in which the table
 *   got them, or less of it where that tells all (`clock-text.ts`);
 * - a blob for a living row with counters: the same, then its counters: slot + 1, base, and
 *   (log row, total) of each actor; 0 ends them.
 */
import { assert } from "../../core/base/assert.ts";
import { emptyList } from "../../core/base/room.ts";
import { type Counter, counterValue } from "../../core/crdt/policies.ts";
import type { Row } from "../../core/crdt/row.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";
import { Reader } from "../../core/wire/reader.ts";
import { readValue, writeValue } from "../../core/wire/values.ts";
import { Writer } from "../../core/wire/writer.ts";
import { causalLengthOfText, clockText, type ColumnShape, readClockText } from "./clock-text.ts";
import type { LogOrigin, Origins } from "./log-origin.ts";

export type ClockCell = number | string | Uint8Array;

export interface ClockShape extends ColumnShape {
  readonly rules: TableRules;
}

const writer = new Writer(256);

export function causalLengthOf(cell: ClockCell | null): number {
  if (cell === null) return 0;
  if (typeof cell === "number") return cell > 0 ? 1 : 2;
  return typeof cell === "string" ? causalLengthOfText(cell) : new Reader(cell).varint();
}

/**
 * Unpacks `cell` into `row`, all but the values of cells, which the caller owes: they stand in the
 * table itself. Of counters with tallies the base is unpacked, since the table shows the sum.
 */
export function unpackCell(shape: ClockShape, cell: ClockCell, row: Row, origins: Origins): void {
  const { rules } = shape;
  if (typeof cell === "number") {
    const origin = origins.get(Math.abs(cell));
    row.causalLength = cell > 0 ? 1 : 2;
    if (cell < 0) {
      row.sentinel = origin;
      return;
    }
    row.counters = rules.hasCounters ? rules.dataColumns.map(() => null) : null;
    const cells = rules.noOrigins.slice();
    let covered = 0;
    for (let i = 0; i < cells.length; i++) {
      if ((shape.since[i] as number) >= cell) continue;
      cells[i] = origin;
      covered++;
    }
    row.origins = cells;
    if (covered === 0) row.sentinel = origin;
    return;
  }
  if (typeof cell === "string") unpackText(shape, cell, row, origins);
  else unpackBlob(shape, new Reader(cell), row, origins);
}

function unpackText(shape: ClockShape, cell: string, row: Row, origins: Origins): void {
  const { causalLength, sentinel, ids } = readClockText(shape, cell);
  row.causalLength = causalLength;
  if (sentinel !== 0) row.sentinel = origins.get(sentinel);
  if (causalLength % 2 === 0) return;
  const bySlot = ids.map((id) => (id === 0 ? null : origins.get(id)));
  row.origins = shape.slots.map((slot) => bySlot[slot] ?? null);
  row.counters = shape.rules.hasCounters ? shape.rules.dataColumns.map(() => null) : null;
}

function unpackBlob(shape: ClockShape, r: Reader, row: Row, origins: Origins): void {
  const { rules } = shape;
  row.causalLength = r.varint();
  const sentinel = r.varint();
  if (sentinel !== 0) row.sentinel = origins.get(sentinel);
  if (row.causalLength % 2 === 0) return;
  const bySlot: (LogOrigin | null)[] = [];
  for (let runs = r.varint(); runs > 0; runs--) {
    const length = r.varint();
    const id = r.varint();
    const origin = id === 0 ? null : origins.get(id);
    for (let k = 0; k < length; k++) bySlot.push(origin);
  }
  row.origins = shape.slots.map((slot) => bySlot[slot] ?? null);
  row.counters = rules.hasCounters ? rules.dataColumns.map(() => null) : null;
  for (let slot = r.remaining > 0 ? r.varint() : 0; slot !== 0; slot = r.varint()) {
    const i = shape.slots.indexOf(slot - 1);
    assert(i >= 0 && row.counters !== null, "a counter is of a column that there is");
    const counter: Counter = { base: readValue(r), tallies: [] };
    for (let n = r.varint(); n > 0; n--) {
      counter.tallies.push({ origin: origins.get(r.varint()), total: readValue(r) });
    }
    row.counters[i] = counter;
  }
}

/** Fills in what the table shows; counters with tallies have unpacked their base already. */
export function takeValues(row: Row, values: Value[]): void {
  row.values = values;
  for (let i = 0; i < (row.counters?.length ?? 0); i++) {
    const counter = row.counters?.[i] ?? null;
    if (counter !== null) values[i] = counterValue(counter);
  }
}

export function packCell(shape: ClockShape, row: Row): ClockCell {
  assert(row.causalLength >= 1, "a row that never was has no clock");
  const sentinel = row.sentinel as LogOrigin | null;
  if (row.causalLength === 2 && sentinel !== null) return -sentinel.id;
  if (row.causalLength === 1) {
    const uniform = uniformId(shape, row);
    if (uniform !== 0) return uniform;
  }
  const alive = row.causalLength % 2 === 1;
  const sentinelId = sentinel === null ? 0 : sentinel.id;
  const ids = alive ? idsBySlot(shape, row) : noIds;
  if (!alive || row.counters === null || row.counters.every((counter) => counter === null)) {
    return clockText(shape, row.causalLength, sentinelId, ids);
  }
  writer.reset();
  writer.varint(row.causalLength);
  writer.varint(sentinelId);
  packRuns(ids);
  packCounters(shape, row);
  return writer.finish();
}

const noIds: readonly number[] = [];

function idsBySlot({ slots }: ClockShape, row: Row): number[] {
  const ids = slots.map(() => 0);
  for (let i = 0; i < slots.length; i++) {
    ids[slots[i] as number] = (row.origins[i] as LogOrigin | null)?.id ?? 0;
  }
  return ids;
}

/** Log row `id` wrote every column that the table has now. */
export function coversAll({ lastSince }: ClockShape, id: number): boolean {
  return lastSince < id;
}

const wholeIds: number[] = [];

/** The clock of a row that log row `id` wrote whole, after `by` wrote data column `i`. */
export function packReplaced(shape: ClockShape, id: number, i: number, by: number): ClockCell {
  const { slots } = shape;
  if (slots.length === 1) return by;
  emptyList(wholeIds);
  for (let slot = 0; slot < slots.length; slot++) wholeIds.push(id);
  wholeIds[slots[i] as number] = by;
  return clockText(shape, 1, 0, wholeIds);
}

/** The log row that wrote all that a first life has, as far as columns existed then; 0 if there is none. */
function uniformId({ since, lastSince }: ClockShape, row: Row): number {
  const sentinel = row.sentinel as LogOrigin | null;
  const origins = row.origins as (LogOrigin | null)[];
  const n = origins.length;
  if (n === 0 || sentinel !== null) {
    if (sentinel === null) return 0;
    const { id } = sentinel;
    for (let i = 0; i < n; i++) {
      if (origins[i] !== null || (since[i] as number) < id || hasTallies(row, i)) return 0;
    }
    return id;
  }
  const first = origins[0] ?? origins.find((origin) => origin !== null) ?? null;
  if (first === null) return 0;
  const { id } = first;
  for (let i = 0; i < n; i++) {
    const covered = lastSince < id || (since[i] as number) < id;
    if ((origins[i] ?? null) !== (covered ? first : null) || hasTallies(row, i)) return 0;
  }
  return id;
}

function hasTallies(row: Row, i: number): boolean {
  return (row.counters?.[i]?.tallies.length ?? 0) > 0;
}

function packRuns(ids: readonly number[]): void {
  let runs = 0;
  for (let i = 0; i < ids.length; i++) if (i === 0 || ids[i] !== ids[i - 1]) runs++;
  writer.varint(runs);
  for (let from = 0; from < ids.length; ) {
    let to = from + 1;
    while (to < ids.length && ids[to] === ids[from]) to++;
    writer.varint(to - from);
    writer.varint(ids[from] as number);
    from = to;
  }
}

function packCounters({ slots }: ClockShape, row: Row): void {
  const counters = row.counters as (Counter | null)[];
  for (let i = 0; i < counters.length; i++) {
    const counter = counters[i] ?? null;
    if (counter === null) continue;
    writer.varint((slots[i] as number) + 1);
    writeValue(writer, counter.base);
    writer.varint(counter.tallies.length);
    for (const { origin, total } of counter.tallies) {
      writer.varint((origin as LogOrigin).id);
      writeValue(writer, total);
    }
  }
  writer.varint(0);
}

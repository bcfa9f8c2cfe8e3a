/**
 * Clocks of rows without counters as short texts: better-sqlite3 hands texts over several times as
 * fast as blobs. Numbers are written with 63 digits, the last of each in characters 1 to 63, those
 * before it, lowest first, in 64 to 126. A mark stands in front, so that SQLite takes no clock for
 * a number: 126, or 1 to 8 for the commonest of them. Those are rows in their first life that one
 * version wrote whole and another wrote one column of: the column's slot and 1, then the two log rows.
 */
import { emptyList } from "../../core/base/room.ts";
import { CorruptionError } from "./row-table.ts";

/** How a table's data columns came about. */
export interface ColumnShape {
  /** Data column to slot: the rank in which the table got it. */
  readonly slots: readonly number[];
  /** Data column to the last log id before the column existed; 0: there from the beginning. */
  readonly since: readonly number[];
  /** The largest of `since`. */
  readonly lastSince: number;
}

const mark = 126;
const base = 63;
/** Slots that a mark has room for; the next character is white space to SQLite. */
const markedSlots = 8;

/** Who wrote a row: its causal length, the change without cells, and each column, by log row; 0: nobody. */
export interface PlainClock {
  causalLength: number;
  sentinel: number;
  /** By slot: the order in which the table got its columns. May be shorter than there are columns. */
  readonly ids: number[];
}

const codes: number[] = [];

function put(value: number): void {
  let rest = value;
  while (rest >= base) {
    codes.push(1 + base + (rest % base));
    rest = Math.floor(rest / base);
  }
  codes.push(1 + rest);
}

/** A row in its first life that log row `id` wrote whole, and `by` the column in this slot. */
function replacedText(slot: number, id: number, by: number): string {
  emptyList(codes);
  codes.push(slot + 1);
  put(id);
  put(by);
  return String.fromCharCode.apply(null, codes);
}

/** The only slot of `ids` that another than `id` wrote; −1: there are several, or it is too high. */
function slotBeside(ids: readonly number[], id: number): number {
  let found = -1;
  for (let slot = 0; slot < ids.length; slot++) {
    if (ids[slot] === id) continue;
    if (found >= 0) return -1;
    found = slot;
  }
  return found < markedSlots ? found : -1;
}

/** The columns as runs of (length, log row); of the dead nothing but who ended them. */
export function clockText(
  shape: ColumnShape,
  causalLength: number,
  sentinel: number,
  ids: readonly number[],
): string {
  if (causalLength === 1 && sentinel === 0 && ids.length > 1) {
    const whole = ids[0] === ids[1] ? ids[0] : (ids[2] ?? ids[0]);
    const id = whole as number;
    // What `id` wrote is told by which columns there were then: now, all of them.
    const slot =
      shape.lastSince < id && ids.length === shape.slots.length ? slotBeside(ids, id) : -1;
    const by = slot < 0 ? 0 : (ids[slot] as number);
    if (by !== 0) return replacedText(slot, id, by);
  }
  emptyList(codes);
  codes.push(mark);
  put(causalLength);
  put(sentinel);
  for (let from = 0; from < ids.length; ) {
    const id = ids[from] as number;
    let to = from + 1;
    while (to < ids.length && ids[to] === id) to++;
    put(to - from);
    put(id);
    from = to;
  }
  return String.fromCharCode.apply(null, codes);
}

let text = "";
let at = 0;

function take(): number {
  let value = 0;
  for (let scale = 1; at < text.length; scale *= base) {
    const code = text.charCodeAt(at++) - 1;
    if (code < base) return value + code * scale;
    value += (code - base) * scale;
  }
  throw new CorruptionError("a row's clock ends too early");
}

const read: PlainClock = { causalLength: 0, sentinel: 0, ids: [] };

/** What `clockText` wrote; good until the next is read. @throws CorruptionError */
export function readClockText(shape: ColumnShape, clock: string): PlainClock {
  text = clock;
  at = 1;
  const slot = clock.charCodeAt(0) - 1;
  if (slot < markedSlots) return readReplaced(shape, slot);
  read.causalLength = take();
  read.sentinel = take();
  emptyList(read.ids);
  while (at < text.length) {
    const length = take();
    const id = take();
    for (let k = 0; k < length; k++) read.ids.push(id);
  }
  return read;
}

function readReplaced({ slots, since }: ColumnShape, slot: number): PlainClock {
  read.causalLength = 1;
  read.sentinel = 0;
  const { ids } = read;
  emptyList(ids);
  const id = take();
  for (let i = 0; i < slots.length; i++) ids.push(0);
  for (let i = 0; i < slots.length; i++) {
    if ((since[i] as number) < id) ids[slots[i] as number] = id;
  }
  ids[slot] = take();
  return read;
}

export function causalLengthOfText(clock: string): number {
  if (clock.charCodeAt(0) <= markedSlots) return 1;
  text = clock;
  at = 1;
  return take();
}

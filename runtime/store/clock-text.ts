/**
 * Clocks of rows without counters as short texts: better-sqlite3 hands texts over several times as
 * fast as blobs. Numbers are written with 63 digits, the last of each in characters 1 to 63, those
 * before it, lowest first, in 64 to 126. A mark stands in front, so that SQLite takes no clock for
 * a number.
 */
import { CorruptionError } from "./row-table.ts";

const mark = 126;
const base = 63;

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

/** The columns as runs of (length, log row); of the dead nothing but who ended them. */
export function clockText(causalLength: number, sentinel: number, ids: readonly number[]): string {
  codes.length = 0;
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
export function readClockText(clock: string): PlainClock {
  text = clock;
  at = 1;
  read.causalLength = take();
  read.sentinel = take();
  read.ids.length = 0;
  while (at < text.length) {
    const length = take();
    const id = take();
    for (let k = 0; k < length; k++) read.ids.push(id);
  }
  return read;
}

export function causalLengthOfText(clock: string): number {
  text = clock;
  at = 1;
  return take();
}

/**
 * Clocks of one table that are newer than its clock table. Many are never asked for before they are
 * folded: they are listed as they come, and found by a hash table that is made when somebody asks.
 * A `Map` would do, but for each new text that it is given V8 looks for the same one among all those
 * that it knows.
 */
import { randomInt } from "node:crypto";
import { cellAt, type ClockSpan } from "./clock-spans.ts";
import type { ClockEntry, RowKey } from "./table-plan.ts";

export interface WaitingClock extends ClockEntry {
  readonly rowKey: RowKey;
}

/** Of the hash table at first; a power of two. */
const leastSlots = 256;

export class ClockOverlay {
  #list: WaitingClock[] = [];
  /** At the hash of a row's key or behind it: where its last clock stands in the list, and 1; 0: free. */
  #slots = new Int32Array(leastSlots);
  /** So many of the list are in the hash table. */
  #hashed = 0;
  /** In the order of their keys; a clock of the list hides what they say of its row. */
  #spans: ClockSpan[] = [];

  /** Clocks that wait, those included that a later one of the same row hides; a span counts one. */
  get size(): number {
    return this.#list.length + this.#spans.length;
  }

  /** Clocks of neighbours, in the order of their keys. */
  get spans(): readonly ClockSpan[] {
    return this.#spans;
  }

  put(clock: WaitingClock): void {
    this.#list.push(clock);
  }

  /** Clocks of rows of which none has one that waits. */
  putSpan(span: ClockSpan): void {
    const at = this.#spansUpTo(span.first);
    if (at === this.#spans.length) this.#spans.push(span);
    else this.#spans.splice(at, 0, span);
  }

  get(rowKey: RowKey): WaitingClock | undefined {
    const list = this.#list;
    // At most half of the slots are taken, so that a free one is near.
    let size = this.#slots.length;
    while (2 * list.length > size) size *= 4;
    if (size > this.#slots.length) {
      this.#slots = new Int32Array(size);
      this.#hashed = 0;
    }
    const slots = this.#slots;
    for (; this.#hashed < list.length; this.#hashed++) {
      slots[this.#slotOf((list[this.#hashed] as WaitingClock).rowKey)] = this.#hashed + 1;
    }
    const at = slots[this.#slotOf(rowKey)] as number;
    return at === 0 ? this.#inSpan(rowKey) : list[at - 1];
  }

  #inSpan(rowKey: RowKey): WaitingClock | undefined {
    if (this.#spans.length === 0 || typeof rowKey !== "number") return undefined;
    const span = this.#spans[this.#spansUpTo(rowKey) - 1];
    if (span === undefined || rowKey > span.last) return undefined;
    return { rowKey, key: [rowKey], cell: cellAt(span, rowKey), rowid: 0, forgets: 0 };
  }

  /** How many spans begin at this key or before it. */
  #spansUpTo(key: number): number {
    const spans = this.#spans;
    let [low, high] = [0, spans.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((spans[middle] as ClockSpan).first <= key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The slot of this row, or the free one where it belongs. */
  #slotOf(rowKey: RowKey): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    for (let slot = hashOf(rowKey) & last; ; slot = (slot + 1) & last) {
      const at = slots[slot] as number;
      if (at === 0 || (this.#list[at - 1] as WaitingClock).rowKey === rowKey) return slot;
    }
  }

  /** The last clock of each row that is in no span, in the order of the keys, as the clock table has them: few of its pages change at a time. */
  inOrder(): WaitingClock[] {
    const sorted = isInOrder(this.#list) ? this.#list : this.#list.toSorted(byKey);
    return sorted.filter(({ rowKey }, i) => rowKey !== sorted[i + 1]?.rowKey);
  }

  /** Rowids that have no clock of their own any more, whatever comes to stand under them. */
  forgotten(): number[] {
    const rowids: number[] = [];
    for (const { forgets } of this.#list) if (forgets !== 0) rowids.push(forgets);
    return rowids;
  }

  clear(): void {
    this.#list = [];
    this.#spans = [];
    if (this.#hashed > 0) this.#slots.fill(0);
    this.#hashed = 0;
  }
}

function isInOrder(clocks: readonly WaitingClock[]): boolean {
  for (let i = 1; i < clocks.length; i++) {
    if ((clocks[i] as WaitingClock).rowKey <= (clocks[i - 1] as WaitingClock).rowKey) return false;
  }
  return true;
}

/** Those of one row stay in the order in which they came. */
function byKey(left: WaitingClock, right: WaitingClock): number {
  return left.rowKey < right.rowKey ? -1 : left.rowKey > right.rowKey ? 1 : 0;
}

/** Odd, and another in each process: whoever knew it could send keys that all have one hash. */
const multiplier = 2 * randomInt(2 ** 30) + 1;

function hashOf(rowKey: RowKey): number {
  let hash = 0;
  if (typeof rowKey === "string") {
    for (let i = 0; i < rowKey.length; i++)
      hash = Math.imul(hash, multiplier) + rowKey.charCodeAt(i);
  } else hash = Number(rowKey) | 0;
  hash = Math.imul(hash, 0x9e3779b1);
  return hash ^ (hash >>> 15);
}

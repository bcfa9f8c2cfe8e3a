/**
 * Clocks that are newer than their clock tables: each small transaction writes its own into its
 * log row, and they come into the tables many transactions at a time. Those of new rows that follow
 * each other wait as one span. A transaction that changes many clocks, or neighbouring ones of rows
 * that were there, writes them into the tables at once.
 */
import { encodeKeyText } from "../../core/crdt/key.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { ClockCell } from "./clock-cell.ts";
import type { WaitingClock } from "./clock-overlay.ts";
import { type ClockSpan, leastSpan, mostSpanned, writeSpan } from "./clock-spans.ts";
import { ClockWriter } from "./clock-table.ts";
import type { StatementCache } from "./db.ts";
import { addByKey, byRowidOf, foldClocks, forgetRowids } from "./fold-clocks.ts";
import type { ClockPlace } from "./rowid-clocks.ts";
import type { ClockEntry, RowKey, TablePlan } from "./table-plan.ts";

/** A transaction that changes more clocks than this lets none of them wait. */
export const maxClocksInLog = 1024;

const none: never[] = [];

export class WaitingClocks {
  readonly #statements: StatementCache;
  /** Of all tables, the transaction under way included. */
  #size = 0;
  /** Clocks that the transaction under way lets wait, for its log row; by table, side by side. */
  #changedPlans: TablePlan[] = [];
  #changed: ClockEntry[][] = [];
  #changedCount = 0;
  readonly #writers = new Map<ClockPlace, ClockWriter>();
  /** Clocks of rows that the transaction brings into the table at hand, which belong under their rowids. */
  #born: WaitingClock[] = none;
  /** Rowids of the table at hand that the transaction makes have no clock. */
  #forgotten: number[] = none;
  /** The one asked for last, mostly of the same table. */
  #writer: ClockWriter | null = null;
  #direct = false;
  /** Transactions begun so far; memory that is read back counts as one. */
  begun = 0;
  /** New rows that follow each other, which may become a span: `#runCount` of table `#runPlan`, up to key `#runLast`. */
  #runPlan: TablePlan | null = null;
  #runCount = 0;
  #runLast = 0;
  #runCell = 0;
  /** Spans that the transaction under way lets wait, for its log row; their tables, side by side. */
  #spans: ClockSpan[] = none;
  #spanPlans: TablePlan[] = none;

  constructor(statements: StatementCache) {
    this.#statements = statements;
  }

  get size(): number {
    return this.#size;
  }

  /** The transaction under way changes too many clocks for its log row. */
  get tooMany(): boolean {
    return this.#direct;
  }

  begin(): void {
    this.begun++;
    this.#changedPlans = none;
    this.#changed = none;
    this.#changedCount = 0;
    this.#born = none;
    this.#forgotten = none;
    // An empty map that is cleared makes itself a new table all the same.
    if (this.#writers.size > 0) this.#writers.clear();
    this.#writer = null;
    this.#direct = false;
    this.#runPlan = null;
    this.#spans = none;
    this.#spanPlans = none;
  }

  /** From here on the transaction writes clocks at once. Nothing may wait then. */
  writeDirectly(plans: Iterable<TablePlan>): void {
    this.fold(plans);
    this.#direct = true;
  }

  /**
   * A clock that the transaction changed. `dense`: its neighbours in the clock table change too, so
   * that writing it there at once costs no page that is not written anyway. `isNew`: the row never was.
   */
  put(
    plan: TablePlan,
    key: readonly Value[],
    rowKey: RowKey,
    cell: ClockCell,
    dense: boolean,
    isNew: boolean,
  ): void {
    if (plan.rowids !== null) {
      this.place(plan, key, rowKey, cell, 0, 0, false);
      return;
    }
    if (isNew && dense && !this.#direct && this.#follows(plan, rowKey, cell)) return;
    if (
      this.#direct ||
      (dense && (plan.overlay.size === 0 || plan.overlay.get(rowKey) === undefined))
    ) {
      this.#writerOf(plan).add(key, cell, isNew);
      return;
    }
    this.#let(plan, { rowKey, key: kept(key), cell, rowid: 0, forgets: 0 });
  }

  /** @returns whether the new row goes on with those that may become a span, or begins with them anew. */
  #follows(plan: TablePlan, rowKey: RowKey, cell: ClockCell): boolean {
    if (typeof rowKey !== "number" || typeof cell !== "number") return false;
    if (plan === this.#runPlan && rowKey === this.#runLast + 1 && cell === this.#runCell) {
      this.#runCount++;
      this.#runLast = rowKey;
      return true;
    }
    this.#endRun();
    if (!plan.byInteger || Math.abs(rowKey) > mostSpanned - maxClocksInLog) return false;
    this.#runPlan = plan;
    this.#runCount = 1;
    this.#runLast = rowKey;
    this.#runCell = cell;
    return true;
  }

  #endRun(): void {
    const plan = this.#runPlan;
    if (plan === null) return;
    this.#runPlan = null;
    const [count, last, cell] = [this.#runCount, this.#runLast, this.#runCell];
    const first = last - count + 1;
    if (count < leastSpan) {
      const writer = this.#writerOf(plan);
      for (let key = first; key <= last; key++) writer.add([key], cell, true);
      return;
    }
    const span = { first, last, cell, step: 0 };
    this.restoreSpan(plan, span);
    this.#spans = [...this.#spans, span];
    this.#spanPlans = [...this.#spanPlans, plan];
  }

  /**
   * As `put`, in a table with clocks under rowids. `rowid`, `forgets`: as in `ClockEntry`; `born`:
   * the transaction brings the row into the table: `placeBorn` has to be called for it.
   */
  place(
    plan: TablePlan,
    key: readonly Value[],
    rowKey: RowKey,
    cell: ClockCell,
    rowid: number,
    forgets: number,
    born: boolean,
  ): void {
    const clock = { rowKey, key: kept(key), cell, rowid, forgets };
    if (!born || rowid === 0) this.#place(plan, clock);
    else if (this.#born.length === 0) this.#born = [clock];
    else this.#born.push(clock);
  }

  /**
   * The clocks of rows that the transaction has brought into the table; after all others, since
   * those rows may have got rowids that others left. Neighbours become spans at once.
   */
  placeBorn(plan: TablePlan): void {
    const born = this.#born;
    this.#forgetNow(plan);
    if (born.length === 0) return;
    this.#born = none;
    const place = plan.rowids as ClockPlace;
    born.sort(byRowidOf);
    for (let from = 0; from < born.length; ) {
      const { rowid, cell } = born[from] as WaitingClock;
      const to = this.#runFrom(plan, born, from);
      if (to - from >= leastSpan) {
        const span = { first: rowid, last: rowid + to - from - 1, cell: cell as number, step: 0 };
        writeSpan(this.#statements, place, span);
        from = to;
      } else this.#place(plan, born[from++] as WaitingClock);
    }
    this.#forgetNow(plan);
  }

  /** Behind the last of those from `from` on that can share a span. */
  #runFrom({ overlay }: TablePlan, born: readonly WaitingClock[], from: number): number {
    const { rowid, cell } = born[from] as WaitingClock;
    if (typeof cell !== "number") return from;
    let to = from;
    for (; to < born.length; to++) {
      const clock = born[to] as WaitingClock;
      if (clock.rowid !== rowid + to - from || clock.cell !== cell) break;
      // What waits would hide the span.
      if (clock.forgets !== 0 || (overlay.size > 0 && overlay.get(clock.rowKey) !== undefined))
        break;
    }
    return to;
  }

  #place(plan: TablePlan, clock: WaitingClock): void {
    if (!this.#direct) {
      this.#let(plan, clock);
      return;
    }
    const { key, cell, rowid, forgets } = clock;
    if (forgets !== 0) {
      if (this.#forgotten.length === 0) this.#forgotten = [forgets];
      else this.#forgotten.push(forgets);
    }
    if (rowid !== 0) this.#writerOf(plan.rowids as ClockPlace).add([rowid], cell);
    else addByKey(this.#statements, plan, this.#writerOf(plan), key, cell);
  }

  #forgetNow(plan: TablePlan): void {
    if (this.#forgotten.length === 0) return;
    forgetRowids(this.#statements, plan.rowids as ClockPlace, this.#forgotten);
    this.#forgotten = none;
  }

  #let(plan: TablePlan, entry: WaitingClock): void {
    this.#wait(plan, entry);
    const changed = this.#changed[this.#changedPlans.indexOf(plan)];
    if (changed !== undefined) changed.push(entry);
    else if (this.#changedCount === 0) {
      // Mostly one alone: as literals they take a third of the room that `push` would make.
      this.#changedPlans = [plan];
      this.#changed = [[entry]];
    } else {
      this.#changedPlans.push(plan);
      this.#changed.push([entry]);
    }
    this.#changedCount++;
  }

  /** The transaction lets more wait than its log row should hold. */
  get isFull(): boolean {
    return !this.#direct && this.#changedCount > maxClocksInLog;
  }

  changedOf(plan: TablePlan): readonly ClockEntry[] {
    return this.#changed[this.#changedPlans.indexOf(plan)] ?? none;
  }

  /** A clock that waits since an earlier transaction. */
  restore(plan: TablePlan, { key, cell, rowid, forgets }: ClockEntry): void {
    this.#wait(plan, { rowKey: plan.rowKey(key, encodeKeyText(key)), key, cell, rowid, forgets });
  }

  /** Clocks of neighbours that wait since an earlier transaction. */
  restoreSpan(plan: TablePlan, span: ClockSpan): void {
    plan.overlay.putSpan(span);
    this.#size++;
  }

  #wait(plan: TablePlan, clock: WaitingClock): void {
    plan.overlay.put(clock);
    this.#size++;
  }

  spansOf(plan: TablePlan): readonly ClockSpan[] {
    if (this.#spans.length === 0) return none;
    return this.#spans.filter((_, i) => this.#spanPlans[i] === plan);
  }

  /** Writes out clocks that do not wait, so that the clock tables can be read again. */
  flush(): void {
    this.#endRun();
    for (const writer of this.#writers.values()) writer.flush();
  }

  /** Moves all that waits into the clock tables. */
  fold(plans: Iterable<TablePlan>): void {
    this.flush();
    for (const plan of plans) foldClocks(this.#statements, plan);
    this.#size = 0;
  }

  /** Forgets all that waits: memory is read back from the file. */
  clear(plans: Iterable<TablePlan>): void {
    for (const plan of plans) plan.overlay.clear();
    this.#size = 0;
    this.begin();
  }

  #writerOf(plan: ClockPlace): ClockWriter {
    if (this.#writer?.plan === plan) return this.#writer;
    const writer = this.#writers.get(plan) ?? new ClockWriter(this.#statements, plan);
    this.#writers.set(plan, writer);
    this.#writer = writer;
    return writer;
  }
}

/** Keys outlive the bytes that they were read from. */
function kept(key: readonly Value[]): readonly Value[] {
  return key.some((value) => value instanceof Uint8Array) ? key.map(owned) : key;
}

function owned(value: Value): Value {
  return value instanceof Uint8Array ? value.slice() : value;
}

/**
 * Clocks that are newer than their clock tables: each small transaction writes its own into its
 * log row, and they come into the tables many transactions at a time. A transaction that changes
 * many clocks, or neighbouring ones, writes them there at once.
 */
import { encodeKeyText } from "../../core/crdt/key.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { ClockCell } from "./clock-cell.ts";
import type { WaitingClock } from "./clock-overlay.ts";
import { ClockWriter, foldClocks } from "./clock-table.ts";
import type { StatementCache } from "./db.ts";
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
  readonly #writers = new Map<TablePlan, ClockWriter>();
  /** The one asked for last, mostly of the same table. */
  #writer: ClockWriter | null = null;
  #direct = false;

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
    this.#changedPlans = none;
    this.#changed = none;
    this.#changedCount = 0;
    // An empty map that is cleared makes itself a new table all the same.
    if (this.#writers.size > 0) this.#writers.clear();
    this.#writer = null;
    this.#direct = false;
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
    if (
      this.#direct ||
      (dense && (plan.overlay.size === 0 || plan.overlay.get(rowKey) === undefined))
    ) {
      this.#writerOf(plan).add(key, cell, isNew);
      return;
    }
    // Keys outlive the bytes that they were read from.
    const kept = key.some((value) => value instanceof Uint8Array) ? key.map(owned) : key;
    const entry = { rowKey, key: kept, cell };
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
  restore(plan: TablePlan, { key, cell }: ClockEntry): void {
    this.#wait(plan, { rowKey: plan.rowKey(key, encodeKeyText(key)), key, cell });
  }

  #wait(plan: TablePlan, clock: WaitingClock): void {
    plan.overlay.put(clock);
    this.#size++;
  }

  /** Writes out clocks that do not wait, so that the clock tables can be read again. */
  flush(): void {
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

  #writerOf(plan: TablePlan): ClockWriter {
    if (this.#writer?.plan === plan) return this.#writer;
    const writer = this.#writers.get(plan) ?? new ClockWriter(this.#statements, plan);
    this.#writers.set(plan, writer);
    this.#writer = writer;
    return writer;
  }
}

function owned(value: Value): Value {
  return value instanceof Uint8Array ? value.slice() : value;
}

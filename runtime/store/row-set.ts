/**
 * The rows of one table that a transaction merges into: read many at once, merged in memory by the
 * rules of the core, written back once each however many versions touched them.
 */
import { assert } from "../../core/base/assert.ts";
import { mergeChange, type PreparedChange } from "../../core/crdt/merge.ts";
import type { Origin } from "../../core/crdt/origin.ts";
import { Row } from "../../core/crdt/row.ts";
import { type Value, valuesEqual } from "../../core/crdt/value.ts";
import { causalLengthOf, type ClockCell, packCell, takeValues, unpackCell } from "./clock-cell.ts";
import { readClocks } from "./clock-table.ts";
import type { StatementCache } from "./db.ts";
import type { Origins } from "./log-origin.ts";
import type { RowTable } from "./row-table.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";

/** A row as the transaction has it. */
export interface HeldRow {
  readonly row: Row;
  readonly rowKey: RowKey;
  readonly clockBefore: ClockCell | null;
  /** What the table shows; null: the row does not stand there. */
  shown: readonly Value[] | null;
  dirty: boolean;
}

export type PutClock = (key: readonly Value[], rowKey: RowKey, cell: ClockCell) => void;

export class RowSet {
  readonly plan: TablePlan;
  readonly #statements: StatementCache;
  readonly #origins: Origins;
  readonly #table: RowTable;
  readonly #rows = new Map<RowKey, HeldRow>();

  constructor(plan: TablePlan, table: RowTable, statements: StatementCache, origins: Origins) {
    this.plan = plan;
    this.#table = table;
    this.#statements = statements;
    this.#origins = origins;
  }

  get size(): number {
    return this.#rows.size;
  }

  /** Reads the rows of these keys that are not here yet. */
  load(keys: readonly (readonly Value[])[], keyTexts: readonly string[]): void {
    const { plan } = this;
    const newKeys: (readonly Value[])[] = [];
    const newTexts: string[] = [];
    const rowKeys: RowKey[] = [];
    const asked = new Set<RowKey>();
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] as readonly Value[];
      const rowKey = plan.rowKey(key, keyTexts[i] as string);
      if (this.#rows.has(rowKey) || asked.has(rowKey)) continue;
      asked.add(rowKey);
      newKeys.push(key);
      newTexts.push(keyTexts[i] as string);
      rowKeys.push(rowKey);
    }
    const cells = readClocks(this.#statements, plan, rowKeys, newKeys);
    const living: HeldRow[] = [];
    for (let i = 0; i < rowKeys.length; i++) {
      const row = new Row(plan.rules, newTexts[i] as string, newKeys[i] as readonly Value[]);
      const cell = cells[i] as ClockCell | null;
      if (cell !== null) unpackCell(plan, cell, row, this.#origins);
      const rowKey = rowKeys[i] as RowKey;
      const held: HeldRow = { row, rowKey, clockBefore: cell, shown: null, dirty: false };
      this.#rows.set(rowKey, held);
      if (row.alive) living.push(held);
    }
    if (living.length === 0) return;
    const shown = this.#table.read(living.map(({ row }) => row.key));
    for (let i = 0; i < living.length; i++) {
      const held = living[i] as HeldRow;
      held.shown = shown[i] as readonly Value[];
      takeValues(held.row, held.shown.slice());
    }
  }

  get(key: readonly Value[], keyText: string): HeldRow {
    const held = this.#rows.get(this.plan.rowKey(key, keyText));
    assert(held !== undefined, "a row was read before it is merged into");
    return held;
  }

  /** @returns how many pieces of the change won. */
  merge(change: PreparedChange, origin: Origin): number {
    const held = this.get(change.key, change.keyText);
    const won = mergeChange(held.row, change, origin, this.plan.sum);
    if (won > 0 || held.row.causalLength !== causalLengthOf(held.clockBefore)) held.dirty = true;
    return won;
  }

  /** Writes the rows that changed into the table; their clocks go to `putClock`. Then forgets all rows. */
  flush(putClock: PutClock): void {
    const { plan } = this;
    const born: HeldRow[] = [];
    for (const held of this.#rows.values()) {
      if (!held.dirty) continue;
      const { row, shown, rowKey, clockBefore } = held;
      plan.dead += Number(!row.alive) - Number(isTombstone(clockBefore));
      putClock(row.key, rowKey, packCell(plan, row));
      if (!row.alive) {
        if (shown !== null) this.#table.remove(row.key);
      } else if (shown === null) {
        born.push(held);
      } else {
        const changed = changedColumns(shown, row.values);
        if (changed.length > 0) this.#table.update(row.key, changed, row.values);
      }
    }
    if (born.length > 0) this.#table.insert(born.map(({ row }) => row));
    this.#rows.clear();
  }
}

function isTombstone(cell: ClockCell | null): boolean {
  return cell !== null && causalLengthOf(cell) % 2 === 0;
}

function changedColumns(before: readonly Value[], after: readonly Value[]): number[] {
  const changed: number[] = [];
  for (let i = 0; i < after.length; i++) {
    if (!valuesEqual(before[i] as Value, after[i] as Value)) changed.push(i);
  }
  return changed;
}

/**
 * The rows of one table that a transaction merges into: read many at once, merged in memory by the
 * rules of the core, written back once each however many versions touched them. A row that is new
 * and comes whole, as most do, never becomes an object of its own.
 */
import { assert } from "../../core/base/assert.ts";
import { mergeChange, type PreparedChange } from "../../core/crdt/merge.ts";
import { Row } from "../../core/crdt/row.ts";
import { type Value, valuesEqual } from "../../core/crdt/value.ts";
import { addWholeRow } from "../../core/crdt/whole-row.ts";
import {
  causalLengthOf,
  type ClockCell,
  coversAll,
  packCell,
  takeValues,
  unpackCell,
} from "./clock-cell.ts";
import { readClocks } from "./clock-table.ts";
import type { StatementCache } from "./db.ts";
import type { LogOrigin, Origins } from "./log-origin.ts";
import type { NewRow, RowTable } from "./row-table.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";

/** A row as the transaction has it. */
class HeldRow {
  readonly key: readonly Value[];
  readonly keyText: string;
  readonly rowKey: RowKey;
  readonly clockBefore: ClockCell | null;
  /** Null: it never was, or it is what `whole` says. */
  row: Row | null = null;
  /** The values of a new row that `origin` wrote whole. */
  whole: readonly Value[] | null = null;
  origin: LogOrigin | null = null;
  /** What the table shows; null: the row does not stand there. */
  shown: readonly Value[] | null = null;
  dirty = false;

  constructor(
    key: readonly Value[],
    keyText: string,
    rowKey: RowKey,
    clockBefore: ClockCell | null,
  ) {
    this.key = key;
    this.keyText = keyText;
    this.rowKey = rowKey;
    this.clockBefore = clockBefore;
  }
}

export type PutClock = (
  key: readonly Value[],
  rowKey: RowKey,
  cell: ClockCell,
  dense: boolean,
) => void;

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
      const cell = cells[i] as ClockCell | null;
      const rowKey = rowKeys[i] as RowKey;
      const key = newKeys[i] as readonly Value[];
      const held = new HeldRow(key, newTexts[i] as string, rowKey, cell);
      this.#rows.set(rowKey, held);
      if (cell === null) continue;
      held.row = new Row(plan.rules, held.keyText, key);
      unpackCell(plan, cell, held.row, this.#origins);
      if (held.row.alive) living.push(held);
    }
    if (living.length === 0) return;
    const shown = this.#table.read(living.map(({ key }) => key));
    for (let i = 0; i < living.length; i++) {
      const held = living[i] as HeldRow;
      held.shown = shown[i] as readonly Value[];
      takeValues(held.row as Row, held.shown.slice());
    }
  }

  /** The row of this key, which was loaded, as an object to merge into. */
  row(key: readonly Value[], keyText: string): Row {
    return this.#rowOf(this.#held(key, keyText));
  }

  /** What `row` gave was changed. */
  changed(key: readonly Value[], keyText: string): void {
    this.#held(key, keyText).dirty = true;
  }

  #held(key: readonly Value[], keyText: string): HeldRow {
    const held = this.#rows.get(this.plan.rowKey(key, keyText));
    assert(held !== undefined, "a row was read before it is merged into");
    return held;
  }

  #rowOf(held: HeldRow): Row {
    if (held.row !== null) return held.row;
    const row = new Row(this.plan.rules, held.keyText, held.key);
    if (held.whole !== null) {
      row.causalLength = 1;
      row.values = held.whole.slice();
      row.origins = held.whole.map(() => held.origin);
      held.whole = null;
    }
    held.row = row;
    return row;
  }

  /** @returns how many pieces of the change won. */
  merge(change: PreparedChange, origin: LogOrigin): number {
    const held = this.#held(change.key, change.keyText);
    if (held.row === null && held.whole === null && this.#isWhole(change, origin)) {
      held.whole = change.values;
      held.origin = origin;
      held.dirty = true;
      addWholeRow(this.plan.rules, change.key, change.values, origin, this.plan.sum);
      return change.values.length;
    }
    const row = this.#rowOf(held);
    const won = mergeChange(row, change, origin, this.plan.sum);
    if (won > 0 || row.causalLength !== causalLengthOf(held.clockBefore)) held.dirty = true;
    return won;
  }

  /** An insert of a first life, every column in its place. */
  #isWhole({ causalLength, columns, totals }: PreparedChange, origin: LogOrigin): boolean {
    const { plan } = this;
    const count = plan.columns.length;
    if (causalLength !== 1 || columns.length !== count || count === 0) return false;
    if (plan.hasPolicies || totals !== null || !coversAll(plan, origin.id)) return false;
    for (let i = 0; i < count; i++) if (columns[i] !== i) return false;
    return true;
  }

  /** The changed rows are neighbours in the table. */
  #isDense(): boolean {
    if (!this.plan.schema.rowidKey) return false;
    let count = 0;
    let first = Number.POSITIVE_INFINITY;
    let last = Number.NEGATIVE_INFINITY;
    for (const { dirty, rowKey } of this.#rows.values()) {
      if (!dirty) continue;
      if (typeof rowKey !== "number") return false;
      count++;
      if (rowKey < first) first = rowKey;
      if (rowKey > last) last = rowKey;
    }
    return this.plan.isDense(first, last, count);
  }

  /** Writes the rows that changed into the table; their clocks go to `putClock`. Then forgets all rows. */
  flush(putClock: PutClock): void {
    const { plan } = this;
    const born: NewRow[] = [];
    const dense = this.#isDense();
    for (const held of this.#rows.values()) {
      if (!held.dirty) continue;
      const { row, shown, rowKey, key, clockBefore } = held;
      if (row === null) {
        putClock(key, rowKey, (held.origin as LogOrigin).id, dense);
        born.push({ key, values: held.whole as readonly Value[] });
        continue;
      }
      plan.dead += Number(!row.alive) - Number(isTombstone(clockBefore));
      putClock(key, rowKey, packCell(plan, row), dense);
      if (!row.alive) {
        if (shown !== null) this.#table.remove(key);
      } else if (shown === null) {
        born.push(row);
      } else {
        const changed = changedColumns(shown, row.values);
        if (changed.length > 0) this.#table.update(key, changed, row.values);
      }
    }
    if (born.length > 0) this.#table.insert(born);
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

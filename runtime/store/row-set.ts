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
import { readClocks, readRowids } from "./clock-table.ts";
import type { Engine } from "./engine.ts";
import type { LogOrigin } from "./log-origin.ts";
import type { RowStore, StoredRow } from "./row-store.ts";
import type { NewRow } from "./row-table.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";
import { UniqueRows } from "./unique-rows.ts";

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
  /** Where the clock stands: under this rowid; 0: under the key. */
  rowid = 0;
  /** What the table shows; null: the row does not stand there. */
  shown: readonly Value[] | null = null;
  /** The rowid with which it was put into the table. */
  bornAs = 0;
  /** It stands aside, having lost a UNIQUE constraint. */
  aside = false;
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

export class RowSet {
  readonly plan: TablePlan;
  readonly #engine: Engine;
  readonly #stored: RowStore;
  readonly #rows = new Map<RowKey, HeldRow>();

  constructor(engine: Engine, plan: TablePlan) {
    this.plan = plan;
    this.#engine = engine;
    this.#stored = engine.rows(plan);
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
    const { statements } = this.#engine;
    const rowids = plan.rowids === null ? null : readRowids(statements, plan, newKeys);
    const cells = readClocks(statements, plan, rowKeys, newKeys, rowids);
    const living: HeldRow[] = [];
    for (let i = 0; i < rowKeys.length; i++) {
      const cell = cells[i] as ClockCell | null;
      const rowKey = rowKeys[i] as RowKey;
      const key = newKeys[i] as readonly Value[];
      const held = new HeldRow(key, newTexts[i] as string, rowKey, cell);
      this.#rows.set(rowKey, held);
      if (cell === null) continue;
      if (rowids !== null) held.rowid = rowids[i] as number;
      held.row = new Row(plan.rules, held.keyText, key);
      unpackCell(plan, cell, held.row, this.#engine.origins);
      if (held.row.alive) living.push(held);
    }
    if (living.length === 0) return;
    const stored = this.#stored.read(living.map(({ key }) => key));
    for (let i = 0; i < living.length; i++) {
      const held = living[i] as HeldRow;
      const { values, aside } = stored[i] as StoredRow;
      held.aside = aside;
      held.shown = aside ? null : values;
      takeValues(held.row as Row, values.slice());
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

  /** Writes the rows that changed, and their clocks. Then forgets all rows. */
  flush(): void {
    const { plan } = this;
    const dense = this.#isDense();
    for (const { dirty, row, clockBefore } of this.#rows.values()) {
      if (!dirty || row === null) continue;
      plan.dead += Number(!row.alive) - Number(isTombstone(clockBefore));
    }
    if (plan.rowids !== null) {
      this.#write();
      this.#placeClocks();
      this.#rows.clear();
      return;
    }
    for (const held of this.#rows.values()) {
      if (!held.dirty) continue;
      const { rowKey, key } = held;
      this.#engine.putClock(plan, key, rowKey, this.#cellOf(held), dense);
    }
    this.#engine.waiting.flush();
    if (plan.uniques.length === 0 && this.#stored.asideCount === 0) this.#write();
    else this.#place();
    this.#rows.clear();
  }

  #cellOf({ row, origin }: HeldRow): ClockCell {
    return row === null ? (origin as LogOrigin).id : packCell(this.plan, row);
  }

  /** The clocks of rows that are written, in a table with clocks under rowids. */
  #placeClocks(): void {
    const { plan } = this;
    for (const held of this.#rows.values()) {
      if (!held.dirty) continue;
      const { row, rowKey, key, rowid, clockBefore, bornAs } = held;
      const isAlive = row === null || row.alive;
      // Where a clock stands under the key, it would hide what is said of the rowid.
      const at = !isAlive ? 0 : clockBefore === null ? bornAs : rowid;
      const forgets = rowid === at ? 0 : rowid;
      this.#engine.placeClock(plan, key, rowKey, this.#cellOf(held), at, forgets, bornAs !== 0);
    }
    this.#engine.waiting.placeBorn(plan);
    this.#engine.waiting.flush();
  }

  #write(): void {
    const { table } = this.#stored;
    const born: HeldRow[] = [];
    for (const held of this.#rows.values()) {
      const { dirty, row, shown, key } = held;
      if (!dirty) continue;
      if (row === null) born.push(held);
      else if (!row.alive) {
        if (shown !== null) table.remove(key);
      } else if (shown === null) born.push(held);
      else this.#update(key, shown, row.values);
    }
    if (born.length === 0) return;
    const rows = born.map((held): NewRow => {
      return held.row ?? { key: held.key, values: held.whole as readonly Value[] };
    });
    const rowids = table.insert(rows);
    born.forEach((held, i) => {
      held.bornAs = rowids[i] as number;
    });
  }

  #update(key: readonly Value[], shown: readonly Value[], values: readonly Value[]): void {
    const changed = changedColumns(shown, values);
    if (changed.length > 0) this.#stored.table.update(key, changed, values);
  }

  /** As `#write`, where rows may have to give way to each other. */
  #place(): void {
    const uniques = new UniqueRows(this.#engine, this.plan, (rowKey) => {
      const held = this.#rows.get(rowKey);
      return held === undefined ? null : this.#rowOf(held);
    });
    const moving: HeldRow[] = [];
    for (const held of this.#rows.values()) {
      if (!held.dirty) continue;
      const { shown, key } = held;
      const row = this.#rowOf(held);
      if (shown !== null && row.alive && !this.#mayMove(shown, row)) {
        this.#update(key, shown, row.values);
      } else moving.push(held);
    }
    // All of them are taken away before any seeks its place, so that none is found where it was.
    for (const { aside, key } of moving) if (aside) uniques.liftAside(key);
    for (const { shown, key } of moving) if (shown !== null) uniques.lift(key, shown);
    for (const held of moving) if (this.#rowOf(held).alive) uniques.seek(this.#rowOf(held));
    uniques.settle();
  }

  /** A change of its unique cells may cost a row its place, or give others theirs. */
  #mayMove(shown: readonly Value[], row: Row): boolean {
    if (this.#stored.asideCount > 0) return true;
    return this.plan.uniqueColumns.some(
      (i) => !valuesEqual(shown[i] as Value, row.values[i] as Value),
    );
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

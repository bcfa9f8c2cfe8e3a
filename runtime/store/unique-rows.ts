/**
 * Which of the rows that break a UNIQUE constraint together are shown, when merges brought them
 * together: the same on every node, whatever the order in which they came. Rows are taken in one
 * order, and a row stands in the table unless one taken before it has its unique values; then it
 * stands aside, alive and merged like any other, until that one gives way. The order is that of
 * the stamps of their unique cells, the earliest first, so that who had a name first keeps it; then
 * that of keys. It does not ask which node looks, so all that hold the same rows show the same.
 */
import { assert } from "../../core/base/assert.ts";
import { compareOrigins, type Origin } from "../../core/crdt/origin.ts";
import { encodeKeyText } from "../../core/crdt/key.ts";
import { Row } from "../../core/crdt/row.ts";
import type { Value } from "../../core/crdt/value.ts";
import { takeValues, unpackCell } from "./clock-cell.ts";
import { readClocks } from "./clock-table.ts";
import type { Engine } from "./engine.ts";
import type { RowStore } from "./row-store.ts";
import type { RowTable } from "./row-table.ts";
import { quoteName } from "./schema-source.ts";
import { fromSqlExact, type SqlValue, toSql } from "./sql-value.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";
import type { UniqueIndex } from "./unique-index.ts";

/** Rows that a transaction has merged, by key: newer than what the clock table says. */
export type KnownRows = (rowKey: RowKey) => Row | null;

/** A row that is to find its place. It stands nowhere meanwhile. */
interface Seeker {
  readonly row: Row;
  readonly rank: Origin | null;
}

export class UniqueRows {
  readonly #engine: Engine;
  readonly #plan: TablePlan;
  readonly #rows: RowStore;
  readonly #aside: RowTable;
  readonly #known: KnownRows;
  readonly #seekers: Seeker[] = [];

  constructor(engine: Engine, plan: TablePlan, known: KnownRows) {
    const rows = engine.rows(plan);
    assert(rows.aside !== null, "a table with UNIQUE constraints has a place aside");
    this.#engine = engine;
    this.#plan = plan;
    this.#rows = rows;
    this.#aside = rows.aside;
    this.#known = known;
  }

  /** Takes a row out of the table; those that stood aside because of its values seek a place again. */
  lift(key: readonly Value[], shown: readonly Value[]): void {
    this.#rows.table.remove(key);
    if (this.#rows.asideCount === 0) return;
    for (const index of this.#plan.uniques) {
      for (const rival of this.#rivals(this.#aside, index, key, shown)) this.#call(rival);
    }
  }

  /** Takes a row that stands aside away from there. */
  liftAside(key: readonly Value[]): void {
    this.#aside.remove(key);
    this.#rows.asideCount--;
  }

  /** A living row that stands nowhere. */
  seek(row: Row): void {
    assert(row.alive, "only the living have a place");
    this.#seekers.push({ row, rank: rankOf(this.#plan, row) });
  }

  /** Every row that stands aside seeks a place again. */
  seekAll(): void {
    const { keyNames } = this.#plan;
    const sql = `SELECT ${keyNames.join(", ")} FROM ${this.#aside.name}`;
    const rows = this.#engine.statements.get(sql).raw().safeIntegers().all() as unknown[][];
    for (const row of rows) this.#call(row.map(fromSqlExact));
  }

  /** Gives each seeker its place, the first in order first; who loses its place for it seeks again. */
  settle(): void {
    while (this.#seekers.length > 0) {
      const { row, rank } = this.#takeFirst();
      const rivals = this.#rivalsShown(row);
      if (rivals.some((rival) => comesBefore(rival, rankOf(this.#plan, rival), row, rank))) {
        this.#aside.insert([row]);
        this.#rows.asideCount++;
        continue;
      }
      for (const rival of rivals) {
        this.lift(rival.key, rival.values);
        this.seek(rival);
      }
      this.#rows.table.insert([row]);
    }
  }

  #takeFirst(): Seeker {
    let first = 0;
    for (let i = 1; i < this.#seekers.length; i++) {
      const a = this.#seekers[i] as Seeker;
      const b = this.#seekers[first] as Seeker;
      if (comesBefore(a.row, a.rank, b.row, b.rank)) first = i;
    }
    const seeker = this.#seekers[first] as Seeker;
    this.#seekers[first] = this.#seekers.at(-1) as Seeker;
    this.#seekers.pop();
    return seeker;
  }

  #rivalsShown(row: Row): Row[] {
    const rivals = new Map<string, Row>();
    for (const index of this.#plan.uniques) {
      for (const key of this.#rivals(this.#rows.table, index, row.key, row.values)) {
        const rival = this.#load(key);
        rivals.set(encodeKeyText(key), rival);
      }
    }
    return [...rivals.values()];
  }

  #call(key: readonly Value[]): void {
    const row = this.#load(key);
    this.liftAside(key);
    this.seek(row);
  }

  /** A living row, with its values. */
  #load(key: readonly Value[]): Row {
    const plan = this.#plan;
    const keyText = encodeKeyText(key);
    const rowKey = plan.rowKey(key, keyText);
    const known = this.#known(rowKey);
    if (known !== null) return known;
    const [cell] = readClocks(this.#engine.statements, plan, [rowKey], [key]);
    assert(cell !== null && cell !== undefined, "a row that stands somewhere has a clock");
    const row = new Row(plan.rules, keyText, key);
    unpackCell(plan, cell, row, this.#engine.origins);
    const [stored] = this.#rows.read([key]);
    takeValues(row, stored?.values ?? []);
    return row;
  }

  /** Keys of the rows of `table` that have the same values in the columns of `index`. NULL is no value. */
  #rivals(
    table: RowTable,
    index: UniqueIndex,
    key: readonly Value[],
    values: readonly Value[],
  ): Value[][] {
    const { keyNames, rules } = this.#plan;
    const parameters: SqlValue[] = [];
    for (const name of index.columns) {
      const at = rules.keyColumns.findIndex((column) => column.name === name);
      const i = rules.position(name) ?? -1;
      const value = at >= 0 ? key[at] : values[i];
      if (value === null || value === undefined) return [];
      const column = at >= 0 ? rules.keyColumns[at] : rules.dataColumns[i];
      parameters.push(toSql(value, column?.affinity ?? "blob"));
    }
    const sql = this.#plan.sql(`${table.name} rivals ${index.name}`, () => {
      const equal = index.columns.map(
        (name, i) => `${quoteName(name)} = ? COLLATE ${quoteName(index.collations[i] ?? "BINARY")}`,
      );
      return `SELECT ${keyNames.join(", ")} FROM ${table.name} WHERE ${equal.join(" AND ")}`;
    });
    const rows = this.#engine.statements.get(sql).raw().safeIntegers().all(parameters);
    return (rows as unknown[][]).map((row) => row.map(fromSqlExact));
  }
}

/** After a change of the schema: rows that stand aside seek their places under the constraints there are now. */
export function settleAll(engine: Engine): void {
  for (const plan of engine.plans.values()) {
    if (engine.rows(plan).asideCount === 0) continue;
    const uniques = new UniqueRows(engine, plan, () => null);
    uniques.seekAll();
    uniques.settle();
  }
}

/** The latest stamp of a row's unique cells; null when nobody has written them. */
function rankOf(plan: TablePlan, row: Row): Origin | null {
  let latest: Origin | null = null;
  for (const i of plan.uniqueColumns) {
    const origin = row.origins[i] ?? null;
    if (origin !== null && (latest === null || compareOrigins(origin, latest) > 0)) latest = origin;
  }
  return latest;
}

function comesBefore(a: Row, rankA: Origin | null, b: Row, rankB: Origin | null): boolean {
  if (rankA !== null && rankB !== null) {
    const order = compareOrigins(rankA, rankB);
    if (order !== 0) return order < 0;
  } else if (rankA !== rankB) return rankA === null;
  return encodeKeyText(a.key) < encodeKeyText(b.key);
}

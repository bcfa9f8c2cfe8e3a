/**
 * Clocks of living rows under the rowids of their rows, where the key is no rowid itself: a rowid
 * takes three bytes where a key takes twenty, and rows inserted together have rowids in a row, so
 * that all of them share one span. `patina_clock_TABLE` has the tombstones then, which have no rowid,
 * and the clocks of rows that came or changed by a merge; what stands there hides what is said of the
 * row's rowid. Whoever puts a row into the table gives it a clock, under its key or under its rowid:
 * so nothing that is left of another row, which had the same rowid before, is ever taken for its clock.
 *
 * A rowid stays with its row for good. An UPDATE that sets one is refused, and VACUUM numbers only
 * rows of tables without any index anew, though its page promises less: it copies indexes as they
 * are, and they point to rowids. A table whose key is no rowid has an index.
 */
import { foldCase } from "../../core/crdt/parse-schema.ts";
import type { Affinity, TableSchema } from "../../core/crdt/schema.ts";
import { spanClockSql } from "./clock-spans.ts";
import type { Db } from "./db.ts";
import { quoteName } from "./schema-source.ts";
import type { TablePlan } from "./table-plan.ts";

/** A table of clocks. */
export interface ClockPlace {
  /** Number of the table that they are of, for `patina_span`. */
  readonly n: number;
  /** Quoted name of the table that they are of, for messages. */
  readonly table: string;
  /** Quoted. */
  readonly clock: string;
  /** Key columns. */
  readonly clockKeys: readonly string[];
  readonly keyAffinities: readonly Affinity[];
  /** The key is an INTEGER PRIMARY KEY: what is not found may be in a span. */
  readonly byInteger: boolean;
  /** No span is longer. */
  readonly known: number;
  /** The text of a statement about it, put together once. */
  sql(name: string, make: () => string): string;
}

/** Names of the rowid; a column of such a name would hide it, and none can be added. */
export const rowidNames = ["rowid", "_rowid_", "oid"];
export const rowidName = "_rowid_";

/** Greater ones are no number of their own in JavaScript; clocks of such rows stand under their keys. */
const mostRowid = 2 ** 52;

/** What SQLite told of a rowid; 0: nothing can stand under it. */
export function rowidOf(told: unknown): number {
  const rowid = Number(told);
  return rowid >= 1 && rowid <= mostRowid ? rowid : 0;
}

export class RowidPlace implements ClockPlace {
  readonly #plan: TablePlan;
  readonly n: number;
  readonly table: string;
  readonly clock: string;
  readonly clockKeys: readonly string[] = ["k0"];
  readonly keyAffinities: readonly Affinity[] = ["integer"];
  readonly byInteger = true;

  constructor(plan: TablePlan) {
    this.#plan = plan;
    this.n = plan.n;
    this.table = quoteName(plan.schema.name);
    this.clock = quoteName(rowidClockNameOf(plan.schema.name));
  }

  get known(): number {
    return this.#plan.known;
  }

  sql(name: string, make: () => string): string {
    return this.#plan.sql(`rowids: ${name}`, make);
  }
}

export function rowidClockNameOf(table: string): string {
  return `patina_rowid_${table}`;
}

export function rowidClockTableSql(table: string): string {
  return `CREATE TABLE ${quoteName(rowidClockNameOf(table))} (k0 INTEGER PRIMARY KEY, c INTEGER)`;
}

/** @param columns names of all columns, generated ones included. */
export function mayHaveRowids(schema: TableSchema, columns: readonly string[]): boolean {
  if (schema.rowidKey || schema.withoutRowid) return false;
  return !columns.some((name) => rowidNames.includes(foldCase(name)));
}

export function hasRowids(db: Db, { name }: TableSchema): boolean {
  const found = db
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
    .get(rowidClockNameOf(name));
  return found !== undefined;
}

/** An SQL expression: the clock that stands under the rowid of row `t`; NULL: none does. */
export function rowidClockSql({ rowids }: TablePlan): string {
  const place = rowids as ClockPlace;
  const rowid = `t.${rowidName}`;
  return `ifnull((SELECT c FROM ${place.clock} WHERE k0 = ${rowid}), ${spanClockSql(place, rowid)})`;
}

/** An SQL condition: no clock stands under the key of row `t`. */
export function hasNoKeyedClockSql({ clock, clockKeys, keyNames }: TablePlan): string {
  const same = clockKeys.map((k, i) => `${k} = t.${keyNames[i]}`).join(" AND ");
  return `NOT EXISTS (SELECT 1 FROM ${clock} WHERE ${same})`;
}

/** What brings all clocks under the keys of their rows. Nothing may wait to be folded. */
export function leaveRowidsSql(plan: TablePlan): string[] {
  const keys = plan.keyNames.map((name) => `t.${name}`).join(", ");
  return [
    `INSERT INTO ${plan.clock} SELECT ${keys}, ${rowidClockSql(plan)} FROM ${plan.table} AS t WHERE ${hasNoKeyedClockSql(plan)}`,
    `DELETE FROM patina_span WHERE n = ${plan.n}`,
  ];
}

/**
 * Rows that a transaction inserts one after the other by the same statement, carried out many to a
 * statement: most of what a statement of one row costs is its call, and the journal that SQLite
 * keeps of it. A row waits only where nothing can be said against it: its key is above all keys of
 * the table, and nothing else is asked of it. So whoever inserts it need not be told, and before any
 * other statement is run it is in the table.
 */
import { foldCase } from "../../core/crdt/parse-schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Capture } from "./capture.ts";
import { placeholders } from "./clock-table.ts";
import { type Db, runWith, type StatementCache } from "./db.ts";
import type { PlainInsert } from "./plain-insert.ts";
import type { SqlValue } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";

/** Rows of one statement; a power of two. */
const mostRows = 32;
/** Statements of wider tables cost more than their calls. */
const mostColumns = 32;
/** As do longer texts. */
const mostUnits = 1024;

/** Parameters are put together here: a list that grows is copied again and again. */
const room: SqlValue[] = Array.from({ length: mostRows * mostColumns }, () => null);

export class WaitingInserts {
  readonly #statements: StatementCache;
  readonly #capture: Capture;
  /** The statement that was run last, if rows of it may wait. */
  #insert: PlainInsert | null = null;
  /** No key of its table is above; NaN: not asked for yet. */
  #greatest = Number.NaN;
  #rows: SqlValue[][] = [];

  constructor(statements: StatementCache, capture: Capture) {
    this.#statements = statements;
    this.#capture = capture;
  }

  /** Nothing waits, and nothing was run. */
  forget(): void {
    this.#insert = null;
    if (this.#rows.length > 0) this.#rows = [];
  }

  /** A statement was run, and nothing after it. */
  ran(insert: PlainInsert): void {
    if (!insert.mayWait) return;
    this.#insert = insert;
    this.#greatest = Number.NaN;
  }

  /** @returns whether the row waits now; else its statement is to be run. @throws what SQLite has against rows that waited */
  take(insert: PlainInsert, given: readonly Value[]): boolean {
    if (insert !== this.#insert) return false;
    const { plan } = insert;
    const row = insert.rowOf(given);
    if (row === null || !isHarmless(plan, row)) return false;
    if (Number.isNaN(this.#greatest)) this.#greatest = this.#greatestKey(plan);
    const key = row[0] as number;
    if (!(key > this.#greatest)) return false;
    this.#greatest = key;
    // The last row is kept, since whoever comes next may ask what the last statement changed.
    if (this.#rows.length === mostRows) this.#run(plan, 0, mostRows);
    this.#rows.push(row);
    return true;
  }

  /** Brings into the table what waits, as if each row had been inserted alone. @throws what SQLite has against it */
  settle(): void {
    this.#runAll(1);
  }

  /** As `settle`, when no statement comes after it. */
  finish(): void {
    this.#runAll(0);
  }

  /** @param alone how many rows at the end get a statement each. */
  #runAll(alone: number): void {
    const count = this.#rows.length;
    if (count > 0) {
      const { plan } = this.#insert as PlainInsert;
      let from = 0;
      for (let size = mostRows; size >= 1; size >>= 1) {
        if (((count - alone) & size) === 0) continue;
        this.#run(plan, from, from + size);
        from += size;
      }
      for (; from < count; from++) this.#run(plan, from, from + 1);
    }
    this.forget();
  }

  /** Those from position `from` to before `to`. */
  #run(plan: TablePlan, from: number, to: number): void {
    const rows = this.#rows.slice(from, to);
    if (to === this.#rows.length) this.#rows = [];
    let at = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as SqlValue[];
      for (let j = 0; j < row.length; j++) room[at++] = row[j] as SqlValue;
    }
    const isGone = this.#capture.triggers.isGone(plan);
    if (!isGone) this.#capture.foretellRows(plan, rows);
    runWith(this.#statements.get(insertSql(plan, rows.length)), room.slice(0, at));
    if (isGone) for (const row of rows) this.#capture.tell(plan, row, null);
    this.#capture.triggers.inserted(plan, rows.length);
  }

  #greatestKey(plan: TablePlan): number {
    const sql = plan.sql("greatest key", () => {
      return `SELECT max(${plan.keyNames[0]}) FROM ${plan.table}`;
    });
    const greatest = this.#statements.pluck(sql).get();
    return Number.isSafeInteger(greatest) ? (greatest as number) : Number.POSITIVE_INFINITY;
  }
}

/** `count` rows as they are captured: the key, then the data columns. */
function insertSql(plan: TablePlan, count: number): string {
  return plan.sql(`insert ${count} that waited`, () => {
    const names = [...plan.keyNames, ...plan.dataNames];
    return `INSERT INTO ${plan.table} (${names.join(", ")}) VALUES ${placeholders(names.length, count)}`;
  });
}

/** The row alone can break nothing that the table asks of it. */
function isHarmless({ rules, keyNames }: TablePlan, row: readonly SqlValue[]): boolean {
  let units = 0;
  for (let i = 0; i < row.length; i++) {
    const value = row[i];
    if (typeof value === "string") units += value.length;
    else if (value === null && rules.dataColumns[i - keyNames.length]?.notNull === true)
      return false;
  }
  return units <= mostUnits;
}

/**
 * Whether rows of the table may wait: its key tells which of them are new, no row depends on what
 * others say, and no index works out anything, which may fail. There are no triggers.
 */
export function mayWait(db: Db, { schema, uniques }: TablePlan): boolean {
  if (!schema.rowidKey || schema.constraints.length > 0 || uniques.length > 0) return false;
  if (schema.columns.length > mostColumns) return false;
  const columns = new Set(schema.columns.map(({ name }) => foldCase(name)));
  const indexed = db
    .prepare(
      "SELECT l.partial, x.name FROM pragma_index_list(?) AS l, pragma_index_xinfo(l.name) AS x WHERE x.cid <> -1",
    )
    .all(schema.name) as { readonly partial: number; readonly name: string | null }[];
  return indexed.every(({ partial, name }) => partial === 0 && columns.has(foldCase(name ?? "")));
}

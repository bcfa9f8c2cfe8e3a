/**
 * Rows that a transaction inserts one after the other by the same statement, carried out many to a
 * statement: most of what a statement of one row costs is its call, and the journal that SQLite
 * keeps of it. A row waits only where nothing can be said against it: its key is above all keys of
 * the table, and nothing else is asked of it. So whoever inserts it need not be told, and before any
 * other statement is run it is in the table.
 */
import { assert } from "../../core/base/assert.ts";
import { foldCase } from "../../core/crdt/parse-schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Capture } from "./capture.ts";
import { placeholders } from "./clock-table.ts";
import { type Db, runWith, type Statement, type StatementCache } from "./db.ts";
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

const none: never[] = [];

/** Counts them as they begin. */
interface Transactions {
  readonly begun: number;
}

export class WaitingInserts {
  readonly #statements: StatementCache;
  readonly #capture: Capture;
  /** The statement that was run last, if rows of it may wait. */
  #insert: PlainInsert | null = null;
  /** No key of its table is above, nor of those that wait; NaN: not asked for yet. */
  #greatest = Number.NaN;
  /** The greatest key that is in the table. */
  #stored = Number.NaN;
  #rows: SqlValue[][] = none;
  readonly #transactions: Transactions;
  /** In which transaction that was known last; −1: in none. */
  #known = -1;

  constructor(statements: StatementCache, capture: Capture, transactions: Transactions) {
    this.#statements = statements;
    this.#capture = capture;
    this.#transactions = transactions;
  }

  /** A transaction has begun; it may go on where the last one stopped, if none of another kind came between. */
  begin(): void {
    if (this.#known !== this.#transactions.begun - 1) this.forget();
  }

  /** Nothing waits, and nothing was run. */
  forget(): void {
    this.#insert = null;
    this.#rows = none;
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
    if (Number.isNaN(this.#greatest)) this.#stored = this.#greatest = this.#greatestKey(plan);
    const key = row[0] as number;
    if (!(key > this.#greatest)) return false;
    this.#greatest = key;
    // The last row is kept, since whoever comes next may ask what the last statement changed.
    if (this.#rows.length === mostRows) this.#run(insert, 0, mostRows);
    if (this.#rows.length === 0) this.#rows = [row];
    else this.#rows.push(row);
    return true;
  }

  /** Brings into the table what waits, as if each row had been inserted alone. @throws what SQLite has against it */
  settle(): void {
    this.#runAll(1);
    this.forget();
  }

  /** As `settle`, when no statement comes after it. */
  finish(): void {
    this.#runAll(0);
    this.#known = this.#transactions.begun;
  }

  /** @param alone how many rows at the end get a statement each. */
  #runAll(alone: number): void {
    const count = this.#rows.length;
    if (count === 0) return;
    const insert = this.#insert as PlainInsert;
    let from = 0;
    for (let size = mostRows; size >= 1; size >>= 1) {
      if (((count - alone) & size) === 0) continue;
      this.#run(insert, from, from + size);
      from += size;
    }
    for (; from < count; from++) this.#run(insert, from, from + 1);
  }

  /** Those from position `from` to before `to`. */
  #run(insert: PlainInsert, from: number, to: number): void {
    const count = to - from;
    const rows = count === this.#rows.length ? this.#rows : this.#rows.slice(from, to);
    if (to === this.#rows.length) this.#rows = none;
    const [first, last] = [rows[0]?.[0] as number, rows[count - 1]?.[0] as number];
    const { plan } = insert;
    // SQLite numbers them so itself, and need not look whether they are there.
    const goesOn =
      first === this.#stored + 1 && last - first === count - 1 && plan.dataNames.length > 0;
    const isGone = this.#capture.triggers.isGone(plan);
    if (!isGone) this.#capture.foretellRows(plan, rows);
    const parameters = together(rows, goesOn ? 1 : 0);
    const { lastInsertRowid } = runWith(this.#statementOf(insert, count, goesOn), parameters);
    assert(lastInsertRowid === last, "rows get the keys that they were inserted with");
    this.#stored = last;
    if (isGone)
      for (let i = 0; i < count; i++) this.#capture.tell(plan, rows[i] as unknown[], null);
    this.#capture.triggers.inserted(plan, count);
  }

  #statementOf({ plan, many }: PlainInsert, count: number, goesOn: boolean): Statement {
    const at = 2 * count + (goesOn ? 1 : 0);
    const known = many[at];
    if (known !== undefined) return known;
    const statement = this.#statements.get(insertSql(plan, count, goesOn));
    many[at] = statement;
    return statement;
  }

  #greatestKey(plan: TablePlan): number {
    const sql = plan.sql("greatest key", () => {
      return `SELECT max(${plan.keyNames[0]}) FROM ${plan.table}`;
    });
    const greatest = this.#statements.pluck(sql).get();
    return Number.isSafeInteger(greatest) ? (greatest as number) : Number.POSITIVE_INFINITY;
  }
}

/** The rows without their first `left` values, end to end. */
function together(rows: readonly SqlValue[][], left: number): SqlValue[] {
  if (rows.length === 1) return (rows[0] as SqlValue[]).slice(left);
  let at = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as SqlValue[];
    for (let j = left; j < row.length; j++) room[at++] = row[j] as SqlValue;
  }
  return room.slice(0, at);
}

/**
 * `count` rows as they are captured: the key, then the data columns. `goesOn`: without their keys. A
 * statement that can neither abort nor call a function keeps no journal; it is doomed when it fails.
 */
function insertSql(plan: TablePlan, count: number, goesOn: boolean): string {
  const names = goesOn ? plan.dataNames : [...plan.keyNames, ...plan.dataNames];
  const or = goesOn ? " OR FAIL" : "";
  return `INSERT${or} INTO ${plan.table} (${names.join(", ")}) VALUES ${placeholders(names.length, count)}`;
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

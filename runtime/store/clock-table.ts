/** Reads and writes clocks of one table, many at once: most of the cost of a statement is the call. */
import { assert } from "../../core/base/assert.ts";
import { type SqlValue, toSql } from "./sql-value.ts";
import type { ClockCell } from "./clock-cell.ts";
import {
  cellAt,
  addSpan,
  type ClockSpan,
  leastSpan,
  mostSpanned,
  readSpans,
  spanClockSql,
  writeSpan,
} from "./clock-spans.ts";
import { allWith, runWith, type StatementCache } from "./db.ts";
import { type ClockPlace, rowidName, rowidOf } from "./rowid-clocks.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";
import type { Value } from "../../core/crdt/value.ts";

/** Rows of one statement. More gains nothing; 64 keys of 64 columns stay below SQLite's 32,766 parameters. */
export const rowsAtOnce = 64;

/**
 * The clocks of these rows, newest first from what is not yet folded; null: none, the row never was.
 * @param rowKeys and `keys` side by side. @param rowids side by side too, where the table has clocks
 * under rowids: of each row that stands in it, else 0; becomes 0 where the clock stands under the key.
 * @param ahead what `readAhead` gave for these and other rows.
 */
export function readClocks(
  statements: StatementCache,
  plan: TablePlan,
  rowKeys: readonly RowKey[],
  keys: readonly (readonly Value[])[],
  rowids: number[] | null = null,
  ahead: ClocksAhead | null = null,
): (ClockCell | null)[] {
  if (rowKeys.length === 1 && plan.rowids === null) {
    return [readClock(statements, plan, rowKeys[0] as RowKey, keys[0] as readonly Value[])];
  }
  const neighbours = plan.byInteger ? readNeighbours(statements, plan, rowKeys) : null;
  if (neighbours !== null) return neighbours;
  const cells: (ClockCell | null)[] = rowKeys.map(() => null);
  const asked = readWaiting(plan, rowKeys, cells, rowids);
  if (plan.rowids === null) {
    readByKey(statements, plan, keys, asked, cells);
    return cells;
  }
  assert(rowids !== null, "who reads clocks that may stand under rowids tells the rowids");
  const byKey = plan.keyed ? asked : asked.filter((i) => rowids[i] === 0);
  if (byKey.length > 0) readByKey(statements, plan, keys, byKey, cells);
  for (const i of byKey) if (cells[i] !== null) rowids[i] = 0;
  const byRowid = asked.filter((i) => rowids[i] !== 0);
  if (ahead === null) readByRowid(statements, plan.rowids, rowids, byRowid, cells);
  else for (const i of byRowid) cells[i] = ahead.cells[(rowids[i] as number) - ahead.first] ?? null;
  return cells;
}

/** What stands under the rowids from `first` on. */
export interface ClocksAhead {
  readonly first: number;
  readonly cells: readonly (ClockCell | null)[];
}

/** Rowids up to so many times as many as are asked for are read in a row. */
const mostSpread = 2;
/** Bounds what is kept of them. */
const mostAhead = 65_536;

/** Reads what stands under `count` rowids from `first` to `last`, of which a transaction tells; null: they lie too far apart. */
export function readAhead(
  statements: StatementCache,
  place: ClockPlace,
  { first, last, count }: { readonly first: number; readonly last: number; readonly count: number },
): ClocksAhead | null {
  const size = last - first + 1;
  if (count === 0 || size > count * mostSpread || size > mostAhead) return null;
  return { first, cells: readRange(statements, place, first, last) };
}

/** The rowids of these rows; 0 for one that does not stand in the table. */
export function readRowids(
  statements: StatementCache,
  plan: TablePlan,
  keys: readonly (readonly Value[])[],
): number[] {
  const rowids: number[] = [];
  const all = keys.map((_, i) => i);
  for (let from = 0; from < keys.length; ) {
    const count = stepOf(keys.length - from);
    const sql = plan.sql(`select rowids ${count}`, () => {
      const on = plan.keyNames.map((name, i) => `t.${name} = column${i + 1}`).join(" AND ");
      return `SELECT t.${rowidName} FROM (VALUES ${placeholders(plan.keyNames.length, count)}) LEFT JOIN ${plan.table} AS t ON ${on}`;
    });
    const found = allWith(
      statements.get(sql).pluck(),
      parametersOf(plan, keys, all, from, count),
    ) as (number | null)[];
    for (const rowid of found) rowids.push(rowidOf(rowid));
    from += count;
  }
  return rowids;
}

/** Takes what waits to be folded. @returns the positions of the others. */
function readWaiting(
  { overlay }: TablePlan,
  rowKeys: readonly RowKey[],
  cells: (ClockCell | null)[],
  rowids: number[] | null,
): number[] {
  const asked: number[] = [];
  for (let i = 0; i < rowKeys.length; i++) {
    const entry = overlay.size === 0 ? undefined : overlay.get(rowKeys[i] as RowKey);
    if (entry === undefined) {
      asked.push(i);
      continue;
    }
    cells[i] = entry.cell;
    if (rowids !== null) rowids[i] = entry.rowid;
  }
  return asked;
}

function readByKey(
  statements: StatementCache,
  plan: TablePlan,
  keys: readonly (readonly Value[])[],
  asked: readonly number[],
  cells: (ClockCell | null)[],
): void {
  for (let from = 0; from < asked.length; ) {
    const count = stepOf(asked.length - from);
    const found = allWith(
      statements.get(selectSql(plan, count)).pluck(),
      parametersOf(plan, keys, asked, from, count),
    ) as (ClockCell | null)[];
    for (let k = 0; k < count; k++) cells[asked[from + k] as number] = found[k] ?? null;
    from += count;
  }
}

function readByRowid(
  statements: StatementCache,
  place: ClockPlace,
  rowids: readonly number[],
  asked: readonly number[],
  cells: (ClockCell | null)[],
): void {
  for (let from = 0; from < asked.length; ) {
    const count = stepOf(asked.length - from);
    const these = asked.slice(from, from + count);
    const found = allWith(
      statements.get(selectSql(place, count)).pluck(),
      these.map((i) => rowids[i] as number),
    ) as (ClockCell | null)[];
    for (let k = 0; k < count; k++) cells[these[k] as number] = found[k] ?? null;
    from += count;
  }
}

/** As `readClocks`, of one row of a table that has no clocks under rowids. */
export function readClock(
  statements: StatementCache,
  plan: TablePlan,
  rowKey: RowKey,
  key: readonly Value[],
): ClockCell | null {
  const waiting = plan.overlay.get(rowKey);
  if (waiting !== undefined) return waiting.cell;
  const select = statements.pluck(selectSql(plan, 1));
  const found = plan.byInteger
    ? select.get(rowKey)
    : select.get(...parametersOf(plan, [key], [0], 0, 1));
  return (found as ClockCell | null | undefined) ?? null;
}

/** Clocks of rows whose INTEGER keys follow each other without a gap, by one walk along them; null if they do not. */
function readNeighbours(
  statements: StatementCache,
  plan: TablePlan,
  rowKeys: readonly RowKey[],
): (ClockCell | null)[] | null {
  const count = rowKeys.length;
  const [first, last] = [rowKeys[0], rowKeys[count - 1]];
  if (count < 8 || typeof first !== "number" || typeof last !== "number") return null;
  if (last - first !== count - 1) return null;
  for (let i = 1; i < count; i++) if (rowKeys[i] !== first + i) return null;
  const cells = readRange(statements, plan, first, last);
  const { overlay } = plan;
  for (let i = 0; overlay.size > 0 && i < count; i++) {
    const entry = overlay.get(first + i);
    if (entry !== undefined) cells[i] = entry.cell;
  }
  return cells;
}

/** Of the rows with keys from `first` to `last`, as the tables have them. */
function readRange(
  statements: StatementCache,
  plan: ClockPlace,
  first: number,
  last: number,
): (ClockCell | null)[] {
  const count = last - first + 1;
  const where = `FROM ${plan.clock} WHERE k0 BETWEEN ? AND ? ORDER BY k0`;
  const all = plan.sql("select neighbouring clocks", () => `SELECT c ${where}`);
  const found = statements.get(all).pluck().all(first, last) as ClockCell[];
  if (found.length === count) return found;
  const cells: (ClockCell | null)[] = Array.from({ length: count }, () => null);
  for (const span of readSpans(statements, plan, first, last, count + 1)) {
    const end = Math.min(last, span.last);
    for (let key = Math.max(first, span.first); key <= end; key++) {
      cells[key - first] = cellAt(span, key);
    }
  }
  if (found.length === 0) return cells;
  const some = plan.sql("select some neighbouring clocks", () => `SELECT k0, c ${where}`);
  const singles = statements.get(some).raw().all(first, last) as [number, ClockCell][];
  for (const [key, cell] of singles) cells[key - first] = cell;
  return cells;
}

/** How many of `left` rows go into the next statement: few statements are prepared, and few run. */
export function stepOf(left: number): number {
  return left >= rowsAtOnce ? rowsAtOnce : left >= 16 ? 16 : left >= 4 ? 4 : 1;
}

function selectSql(plan: ClockPlace, count: number): string {
  return plan.sql(`select clocks ${count}`, () => {
    const { clock, clockKeys, byInteger } = plan;
    if (count === 1) {
      if (!byInteger) {
        return `SELECT c FROM ${clock} WHERE ${clockKeys.map((k) => `${k} = ?`).join(" AND ")}`;
      }
      const single = `(SELECT c FROM ${clock} WHERE k0 = column1)`;
      return `SELECT ifnull(${single}, ${spanClockSql(plan, "column1")}) FROM (VALUES (?))`;
    }
    const on = clockKeys.map((k, i) => `${k} = column${i + 1}`).join(" AND ");
    const cell = byInteger ? `ifnull(c, ${spanClockSql(plan, "column1")})` : "c";
    return `SELECT ${cell} FROM (VALUES ${placeholders(clockKeys.length, count)}) LEFT JOIN ${clock} ON ${on}`;
  });
}

/** `count` groups of `width` parameters. */
export function placeholders(width: number, count: number): string {
  const group = `(${Array.from({ length: width }, () => "?").join(", ")})`;
  return Array.from({ length: count }, () => group).join(", ");
}

function parametersOf(
  plan: ClockPlace,
  keys: readonly (readonly Value[])[],
  asked: readonly number[],
  from: number,
  count: number,
): SqlValue[] {
  const width = plan.keyAffinities.length;
  const parameters: SqlValue[] = [];
  for (let k = 0; k < count; k++) {
    const key = keys[asked[from + k] as number] as readonly Value[];
    for (let j = 0; j < width; j++) {
      parameters.push(toSql(key[j] as Value, plan.keyAffinities[j] ?? "blob"));
    }
  }
  return parameters;
}

const mostRewritten = 1024;

/** Writes clocks, many at once: of neighbours as spans, all others into the clock table. */
export class ClockWriter {
  readonly #statements: StatementCache;
  readonly plan: ClockPlace;
  readonly #full: number;
  #parameters: SqlValue[] = [];
  /** What may become a span: `#count` rows, the last with key `#last`. */
  #count = 0;
  #last = 0;
  #cell = 0;
  #step = 0;
  /** None of them had a clock before. */
  #isNew = false;

  constructor(statements: StatementCache, plan: ClockPlace) {
    this.#statements = statements;
    this.plan = plan;
    this.#full = (plan.clockKeys.length + 1) * rowsAtOnce;
  }

  /** @param isNew the row never was: it has no clock in any table. */
  add(key: readonly Value[], cell: ClockCell, isNew = false): void {
    const [k] = key;
    if (this.plan.byInteger && typeof cell === "number" && typeof k === "number") {
      if (this.#follows(k, cell)) {
        this.#isNew &&= isNew;
        return;
      }
      this.#endSpan();
      this.#isNew = isNew;
      this.#count = 1;
      this.#last = k;
      this.#cell = cell;
    } else {
      this.#endSpan();
      this.#addSingle(key, cell);
    }
  }

  /** @returns whether the row goes on with what may become a span. */
  #follows(key: number, cell: number): boolean {
    if (this.#count === 0 || key !== this.#last + 1 || Math.abs(key) > mostSpanned) return false;
    if (this.#count === 1) this.#step = cell - this.#cell;
    else if (cell !== this.#cell + this.#step * this.#count) return false;
    this.#count++;
    this.#last = key;
    return true;
  }

  #endSpan(): void {
    const [count, last, cell, step] = [this.#count, this.#last, this.#cell, this.#step];
    const first = last - count + 1;
    this.#count = 0;
    if (count >= leastSpan) {
      // In the order in which they came: of one row the last counts.
      this.#writeSingles();
      const span = { first, last, cell, step };
      if (this.#isNew) addSpan(this.#statements, this.plan, span);
      else if (!this.#rewrites(span)) writeSpan(this.#statements, this.plan, span);
      return;
    }
    for (let i = 0; i < count; i++) this.#addSingle([first + i], cell + step * i);
  }

  /** Clocks that all stand alone, but for a few pages, are written where they are: pages that go cost more than their room. */
  #rewrites({ first, last, cell, step }: ClockSpan): boolean {
    const count = last - first + 1;
    if (step !== 0 || count > mostRewritten) return false;
    const sql = this.plan.sql("rewrite clocks", () => {
      return `UPDATE ${this.plan.clock} SET c = ? WHERE k0 BETWEEN ? AND ?`;
    });
    return this.#statements.get(sql).run(cell, first, last).changes === count;
  }

  #addSingle(key: readonly Value[], cell: ClockCell): void {
    const { keyAffinities } = this.plan;
    for (let j = 0; j < key.length; j++) {
      this.#parameters.push(toSql(key[j] as Value, keyAffinities[j] ?? "blob"));
    }
    this.#parameters.push(cell);
    if (this.#parameters.length >= this.#full) this.#writeSingles();
  }

  #writeSingles(): void {
    const width = this.plan.clockKeys.length + 1;
    const parameters = this.#parameters;
    for (let at = 0; at < parameters.length; ) {
      const count = stepOf((parameters.length - at) / width);
      const whole = at === 0 && count * width === parameters.length;
      const these = whole ? parameters : parameters.slice(at, at + count * width);
      runWith(this.#statements.get(replaceSql(this.plan, count)), these);
      at += count * width;
    }
    this.#parameters = [];
  }

  flush(): void {
    this.#endSpan();
    this.#writeSingles();
  }
}

function replaceSql(plan: ClockPlace, count: number): string {
  return plan.sql(`replace clocks ${count}`, () => {
    return `REPLACE INTO ${plan.clock} VALUES ${placeholders(plan.clockKeys.length + 1, count)}`;
  });
}

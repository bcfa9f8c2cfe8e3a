/** Reads and writes clocks of one table, many at once: most of the cost of a statement is the call. */
import { toSql, type SqlValue } from "./sql-value.ts";
import type { ClockCell } from "./clock-cell.ts";
import type { StatementCache } from "./db.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";
import type { Value } from "../../core/crdt/value.ts";

/** Rows of one statement. More gains nothing; 64 keys of 64 columns stay below SQLite's 32,766 parameters. */
export const rowsAtOnce = 64;

/**
 * The clocks of these rows, newest first from what is not yet folded; null: none, the row never was.
 * @param rowKeys and `keys` side by side.
 */
export function readClocks(
  statements: StatementCache,
  plan: TablePlan,
  rowKeys: readonly RowKey[],
  keys: readonly (readonly Value[])[],
): (ClockCell | null)[] {
  const cells: (ClockCell | null)[] = rowKeys.map(() => null);
  const { overlay } = plan;
  const neighbours = overlay.size === 0 ? readNeighbours(statements, plan, rowKeys) : null;
  if (neighbours !== null) return neighbours;
  const asked: number[] = [];
  for (let i = 0; i < rowKeys.length; i++) {
    const entry = overlay.size === 0 ? undefined : overlay.get(rowKeys[i] as RowKey);
    if (entry !== undefined) cells[i] = entry.cell;
    else asked.push(i);
  }
  for (let from = 0; from < asked.length; ) {
    const count = stepOf(asked.length - from);
    const found = statements
      .get(selectSql(plan, count))
      .pluck()
      .all(parametersOf(plan, keys, asked, from, count)) as (ClockCell | null)[];
    for (let k = 0; k < count; k++) cells[asked[from + k] as number] = found[k] ?? null;
    from += count;
  }
  return cells;
}

/** Clocks of rows whose keys follow each other without a gap, by one walk along them; null if they do not, or one is missing. */
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
  const sql = plan.sql("select neighbouring clocks", () => {
    return `SELECT c FROM ${plan.clock} WHERE k0 BETWEEN ? AND ? ORDER BY k0`;
  });
  const found = statements.get(sql).pluck().all(first, last) as ClockCell[];
  return found.length === count ? found : null;
}

/** How many of `left` rows go into the next statement: few statements are prepared, and few run. */
export function stepOf(left: number): number {
  return left >= rowsAtOnce ? rowsAtOnce : left >= 16 ? 16 : left >= 4 ? 4 : 1;
}

function selectSql(plan: TablePlan, count: number): string {
  return plan.sql(`select clocks ${count}`, () => {
    if (count === 1) {
      const where = plan.clockKeys.map((k) => `${k} = ?`).join(" AND ");
      return `SELECT c FROM ${plan.clock} WHERE ${where}`;
    }
    const on = plan.clockKeys.map((k, i) => `${k} = column${i + 1}`).join(" AND ");
    return `SELECT c FROM (VALUES ${placeholders(plan.clockKeys.length, count)}) LEFT JOIN ${plan.clock} ON ${on}`;
  });
}

/** `count` groups of `width` parameters. */
export function placeholders(width: number, count: number): string {
  const group = `(${Array.from({ length: width }, () => "?").join(", ")})`;
  return Array.from({ length: count }, () => group).join(", ");
}

function parametersOf(
  plan: TablePlan,
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

/** Writes clocks into the clock table, many at once. */
export class ClockWriter {
  readonly #statements: StatementCache;
  readonly #plan: TablePlan;
  readonly #full: number;
  #parameters: SqlValue[] = [];

  constructor(statements: StatementCache, plan: TablePlan) {
    this.#statements = statements;
    this.#plan = plan;
    this.#full = (plan.clockKeys.length + 1) * rowsAtOnce;
  }

  add(key: readonly Value[], cell: ClockCell): void {
    const { keyAffinities } = this.#plan;
    for (let j = 0; j < key.length; j++) {
      this.#parameters.push(toSql(key[j] as Value, keyAffinities[j] ?? "blob"));
    }
    this.#parameters.push(cell);
    if (this.#parameters.length < this.#full) return;
    if (!this.#writeRange()) {
      this.#statements.get(replaceSql(this.#plan, rowsAtOnce)).run(this.#parameters);
    }
    this.#parameters = [];
  }

  /**
   * Neighbours that came or went together get their clock by one walk along them. @returns false
   * when they are none, or not all of them stand there: then nothing, or the same, is written again.
   */
  #writeRange(): boolean {
    const parameters = this.#parameters;
    const [first, cell] = parameters;
    const count = parameters.length / 2;
    if (!this.#plan.schema.rowidKey || count < 8 || typeof cell !== "number") return false;
    if (typeof first !== "number") return false;
    for (let i = 0; i < count; i++) {
      if (parameters[2 * i] !== first + i || parameters[2 * i + 1] !== cell) return false;
    }
    const plan = this.#plan;
    const sql =
      cell > 0
        ? plan.sql("clocks of rows that came", () => {
            const key = plan.keyNames[0] as string;
            return `REPLACE INTO ${plan.clock} SELECT ${key}, ? FROM ${plan.table} WHERE ${key} BETWEEN ? AND ?`;
          })
        : plan.sql("clocks of rows that went", () => {
            return `UPDATE ${plan.clock} SET c = ? WHERE k0 BETWEEN ? AND ?`;
          });
    return this.#statements.get(sql).run(cell, first, first + count - 1).changes === count;
  }

  flush(): void {
    if (this.#writeRange()) this.#parameters = [];
    const width = this.#plan.clockKeys.length + 1;
    const parameters = this.#parameters;
    for (let at = 0; at < parameters.length; ) {
      const count = stepOf((parameters.length - at) / width);
      const these = parameters.slice(at, at + count * width);
      this.#statements.get(replaceSql(this.#plan, count)).run(these);
      at += count * width;
    }
    this.#parameters = [];
  }
}

function replaceSql(plan: TablePlan, count: number): string {
  return plan.sql(`replace clocks ${count}`, () => {
    return `REPLACE INTO ${plan.clock} VALUES ${placeholders(plan.clockKeys.length + 1, count)}`;
  });
}

/** Writes what is not yet folded into the clock table. */
export function foldClocks(statements: StatementCache, plan: TablePlan): void {
  if (plan.overlay.size === 0) return;
  const writer = new ClockWriter(statements, plan);
  for (const { key, cell } of plan.overlay.values()) writer.add(key, cell);
  writer.flush();
  plan.overlay.clear();
}

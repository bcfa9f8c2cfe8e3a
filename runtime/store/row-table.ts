/**
 * Reads and writes rows of one replicated table past the capture: what merges do. Values go in
 * normalised and come out exact.
 */
import { assert } from "../../core/base/assert.ts";
import type { Value } from "../../core/crdt/value.ts";
import { placeholders, rowsAtOnce, stepOf } from "./clock-table.ts";
import { allWith, runWith, type StatementCache } from "./db.ts";
import { fromSql, fromSqlExact, isAmbiguous, type SqlValue, toSql } from "./sql-value.ts";
import { rowidName, rowidOf } from "./rowid-clocks.ts";
import type { TablePlan } from "./table-plan.ts";

/** SQLite takes 32,766 parameters; wide tables get fewer rows into one statement. */
const maxParameters = 32_000;

/** The file contradicts itself: damaged, or written by something that is not a node. */
export class CorruptionError extends Error {
  override name = "CorruptionError";
}

/** A row that the table does not have yet; data columns in declared order. */
export interface NewRow {
  readonly key: readonly Value[];
  readonly values: readonly Value[];
}

export class RowTable {
  /** Quoted. */
  readonly name: string;
  readonly #plan: TablePlan;
  readonly #statements: StatementCache;
  readonly #insertAtOnce: number;

  /** @param name the table itself, or another with its columns; quoted. */
  constructor(plan: TablePlan, name: string, statements: StatementCache) {
    this.#plan = plan;
    this.name = name;
    this.#statements = statements;
    const width = plan.keyNames.length + plan.dataNames.length;
    this.#insertAtOnce = Math.max(1, Math.min(rowsAtOnce, Math.floor(maxParameters / width)));
  }

  /** Data columns of these rows; null where one is not there. */
  read(keys: readonly (readonly Value[])[]): (Value[] | null)[] {
    const rows: (Value[] | null)[] = [];
    for (let from = 0; from < keys.length; ) {
      const count = stepOf(keys.length - from);
      const statement = this.#statements.get(this.#selectSql(count));
      const parameters = this.#keyParameters(keys, from, count);
      const found = allWith(statement.raw(), parameters) as unknown[][];
      for (let k = 0; k < count; k++) {
        rows.push(this.#take(keys[from + k] as readonly Value[], found[k] as unknown[]));
      }
      from += count;
    }
    return rows;
  }

  /** The first column tells whether the row is there. */
  #selectSql(count: number): string {
    return this.#plan.sql(`${this.name} select rows ${count}`, () => this.#makeSelect(count));
  }

  #makeSelect(count: number): string {
    const { keyNames, dataNames } = this.#plan;
    const on = keyNames.map((name, i) => `t.${name} = column${i + 1}`).join(" AND ");
    const columns = [`t.${keyNames[0]} IS NOT NULL`, ...dataNames.map((name) => `t.${name}`)];
    return `SELECT ${columns.join(", ")} FROM (VALUES ${placeholders(keyNames.length, count)}) LEFT JOIN ${this.name} AS t ON ${on}`;
  }

  #take(key: readonly Value[], raw: unknown[]): Value[] | null {
    const { dataAffinities } = this.#plan;
    if (raw[0] !== 1) return null;
    const values: Value[] = [];
    for (let i = 0; i < dataAffinities.length; i++) {
      const affinity = dataAffinities[i] ?? "blob";
      if (isAmbiguous(raw[i + 1], affinity)) return this.#takeExact(key);
      values.push(fromSql(raw[i + 1], affinity));
    }
    return values;
  }

  #takeExact(key: readonly Value[]): Value[] {
    const { keyNames, dataNames } = this.#plan;
    const where = keyNames.map((name) => `${name} = ?`).join(" AND ");
    const sql = `SELECT ${dataNames.join(", ")} FROM ${this.name} WHERE ${where} -- exact`;
    const found = this.#statements
      .get(sql)
      .raw()
      .safeIntegers()
      .get(this.#keyParameters([key], 0, 1));
    assert(Array.isArray(found), "the row was there a moment ago");
    return found.map(fromSqlExact);
  }

  /** @returns their rowids; 0 where one is too large, and in a table that has none. */
  insert(rows: readonly NewRow[]): number[] {
    const rowids: number[] = [];
    for (let from = 0; from < rows.length; ) {
      const count = Math.min(stepOf(rows.length - from), this.#insertAtOnce);
      const { lastInsertRowid } = runWith(
        this.#statements.get(this.#insertSql(count)),
        this.#rowParameters(rows, from, count),
      );
      const last = this.#plan.rowids === null ? 0 : rowidOf(lastInsertRowid);
      const inRow = last !== 0 && (count === 1 || this.#isGreatest(last));
      for (let k = 1; k <= count; k++) rowids.push(inRow ? rowidOf(last - count + k) : 0);
      from += count;
    }
    return rowids;
  }

  /** Rows get the rowids above the greatest that there is, unless some row has the last one that there can be. */
  #isGreatest(rowid: number): boolean {
    const sql = `SELECT max(${rowidName}) FROM ${this.name}`;
    return this.#statements.pluck(sql).get() === rowid;
  }

  #insertSql(count: number): string {
    return this.#plan.sql(`${this.name} insert rows ${count}`, () => this.#makeInsert(count));
  }

  #makeInsert(count: number): string {
    const { keyNames, dataNames } = this.#plan;
    const names = [...keyNames, ...dataNames];
    return `INSERT INTO ${this.name} (${names.join(", ")}) VALUES ${placeholders(names.length, count)}`;
  }

  #rowParameters(rows: readonly NewRow[], from: number, count: number): SqlValue[] {
    const { keyAffinities, dataAffinities } = this.#plan;
    const parameters: SqlValue[] = [];
    for (let k = 0; k < count; k++) {
      const { key, values } = rows[from + k] as NewRow;
      for (let i = 0; i < keyAffinities.length; i++) {
        parameters.push(toSql(key[i] as Value, keyAffinities[i] ?? "blob"));
      }
      for (let i = 0; i < dataAffinities.length; i++) {
        parameters.push(toSql(values[i] as Value, dataAffinities[i] ?? "blob"));
      }
    }
    return parameters;
  }

  /** @param columns data columns, by position. */
  update(key: readonly Value[], columns: readonly number[], values: readonly Value[]): void {
    assert(columns.length > 0, "an update sets something");
    const { keyNames, dataNames, dataAffinities } = this.#plan;
    const sql = this.#plan.sql(`${this.name} update ${columns.join(",")}`, () => {
      const set = columns.map((i) => `${dataNames[i]} = ?`).join(", ");
      const where = keyNames.map((name) => `${name} = ?`).join(" AND ");
      return `UPDATE ${this.name} SET ${set} WHERE ${where}`;
    });
    const parameters = columns.map((i) => toSql(values[i] as Value, dataAffinities[i] ?? "blob"));
    parameters.push(...this.#keyParameters([key], 0, 1));
    const { changes } = runWith(this.#statements.get(sql), parameters);
    assert(changes === 1, "a row that is updated is there");
  }

  /** Writes the key of a row over itself, in the form that it has here. @returns whether the row was found. */
  rewriteKey(key: readonly Value[]): boolean {
    const { keyNames } = this.#plan;
    const sql = this.#plan.sql(`${this.name} rewrite key`, () => {
      const set = keyNames.map((name) => `${name} = ?`);
      return `UPDATE ${this.name} SET ${set.join(", ")} WHERE ${set.join(" AND ")}`;
    });
    const parameters = this.#keyParameters([key], 0, 1);
    return this.#statements.get(sql).run([...parameters, ...parameters]).changes === 1;
  }

  remove(key: readonly Value[]): void {
    const { keyNames } = this.#plan;
    const sql = this.#plan.sql(`${this.name} delete row`, () => {
      return `DELETE FROM ${this.name} WHERE ${keyNames.map((name) => `${name} = ?`).join(" AND ")}`;
    });
    const { changes } = runWith(this.#statements.get(sql), this.#keyParameters([key], 0, 1));
    assert(changes === 1, "a row that is deleted is there");
  }

  #keyParameters(keys: readonly (readonly Value[])[], from: number, count: number): SqlValue[] {
    const { keyAffinities } = this.#plan;
    const parameters: SqlValue[] = [];
    for (let k = 0; k < count; k++) {
      const key = keys[from + k] as readonly Value[];
      for (let i = 0; i < keyAffinities.length; i++) {
        parameters.push(toSql(key[i] as Value, keyAffinities[i] ?? "blob"));
      }
    }
    return parameters;
  }
}

export function describeKey(key: readonly Value[]): string {
  return key
    .map((value) => {
      if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString("hex")}'`;
      if (typeof value === "object" && value !== null) return String(value.real);
      return typeof value === "string" ? JSON.stringify(value) : String(value);
    })
    .join(", ");
}

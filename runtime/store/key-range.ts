/** Rows of a table by ranges of canonical key bytes: digests of ranges, and rows for repair. */
import { decodeKey, encodeKeyText, keyBytes, keyText } from "../../core/crdt/key.ts";
import { addRow, Row } from "../../core/crdt/row.ts";
import { exportRow } from "../../core/crdt/row-exchange.ts";
import { StateSum } from "../../core/crdt/state-hash.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { RangeDigest, RowState } from "../../core/node/store.ts";
import { type ClockCell, takeValues, unpackCell } from "./clock-cell.ts";
import { type ClockOfKey, mostSpanned, withSpans } from "./clock-spans.ts";
import type { Engine } from "./engine.ts";
import { fromSql, fromSqlExact, isAmbiguous, type SqlValue, toSql } from "./sql-value.ts";
import type { StoredRow } from "./row-store.ts";
import { hasNoKeyedClockSql, rowidClockSql } from "./rowid-clocks.ts";
import { CorruptionError, describeKey } from "./row-table.ts";
import type { TablePlan } from "./table-plan.ts";

/** What a row state takes in a message beside key and cells, about. */
const rowOverheadBytes = 32;

/** Rows read at once. */
const batchRows = 512;

/** Keys in the order of their bytes, from `from` on, with their clocks. Nothing may wait to be folded. */
export class KeyRange {
  readonly #engine: Engine;
  readonly #plan: TablePlan;
  readonly #to: string;
  readonly #from: string;

  /** @param to empty: to the end. */
  constructor(engine: Engine, plan: TablePlan, from: Uint8Array, to: Uint8Array) {
    this.#engine = engine;
    this.#plan = plan;
    this.#from = keyText(from);
    this.#to = keyText(to);
  }

  /** Batches of rows, tombstones included; values of the living are read when `values` says so. */
  *batches(values: boolean): Generator<Row[]> {
    let after: readonly Value[] | null = null;
    for (;;) {
      const found = this.#read(after);
      if (found.length === 0) return;
      after = (found.at(-1) as ClockOfKey)[0];
      const rows: Row[] = [];
      let ended = found.length < batchRows;
      for (const [key, cell] of found) {
        const text = encodeKeyText(key);
        if (text < this.#from) continue;
        if (this.#to !== "" && text >= this.#to) {
          ended = true;
          break;
        }
        const row = new Row(this.#plan.rules, text, key);
        unpackCell(this.#plan, cell, row, this.#engine.origins);
        rows.push(row);
      }
      if (values) this.#readValues(rows);
      this.#engine.origins.trim();
      if (rows.length > 0) yield rows;
      if (ended) return;
    }
  }

  #readValues(rows: readonly Row[]): void {
    const living = rows.filter((row) => row.alive);
    const stored = this.#engine.rows(this.#plan).read(living.map((row) => row.key));
    living.forEach((row, i) => takeValues(row, (stored[i] as StoredRow).values));
  }

  #read(after: readonly Value[] | null): readonly ClockOfKey[] {
    const { clock, clockKeys, byInteger, rowids } = this.#plan;
    const begin = after ?? this.#firstKey();
    const where = begin === null ? "" : `WHERE ${beyond(clockKeys, after !== null)}`;
    const found = this.#select(clockKeys, `c FROM ${clock}`, where, begin ?? []);
    if (rowids !== null) return this.#withRowids(found, begin, after !== null);
    if (!byInteger) return found;
    const least = begin === null ? -mostSpanned : (begin[0] as number | bigint);
    const from = after === null || typeof least === "bigint" ? least : least + 1;
    return withSpans(this.#engine.statements, this.#plan, found, from, batchRows);
  }

  /** @param keyed clocks under keys: those under rowids come between them. */
  #withRowids(
    keyed: readonly ClockOfKey[],
    begin: readonly Value[] | null,
    isAfter: boolean,
  ): readonly ClockOfKey[] {
    const plan = this.#plan;
    const names = plan.keyNames.map((name) => `t.${name}`);
    const conditions = [hasNoKeyedClockSql(plan)];
    const parameters = [...(begin ?? [])];
    if (begin !== null) conditions.push(beyond(names, isAfter));
    // Else the walk might go on far beyond what is taken of it.
    const last = keyed.length < batchRows ? undefined : keyed.at(-1);
    if (last !== undefined) {
      conditions.push(`(${names.join(", ")}) < (${names.map(() => "?").join(", ")})`);
      parameters.push(...last[0]);
    }
    const from = `${rowidClockSql(plan)} FROM ${plan.table} AS t`;
    const found = this.#select(names, from, `WHERE ${conditions.join(" AND ")}`, parameters);
    if (found.length === 0) return keyed;
    for (const [key, cell] of found) {
      if (cell !== null) continue;
      throw new CorruptionError(`row ${describeKey(key)} of ${plan.table} has no clock`);
    }
    const all = [...keyed, ...found].map((clock) => ({ clock, text: encodeKeyText(clock[0]) }));
    all.sort((a, b) => (a.text < b.text ? -1 : 1));
    return all.slice(0, batchRows).map(({ clock }) => clock);
  }

  /** Keys and their clocks, in order. @param names of the key columns. @param begin values for `where`. */
  #select(
    names: readonly string[],
    from: string,
    where: string,
    begin: readonly Value[],
  ): ClockOfKey[] {
    const { keyAffinities } = this.#plan;
    const list = names.join(", ");
    const sql = `SELECT ${list}, ${from} ${where} ORDER BY ${list} LIMIT ${batchRows}`;
    const parameters: SqlValue[] = begin.map((value, i) =>
      toSql(value, keyAffinities[i % keyAffinities.length] ?? "blob"),
    );
    const raw = this.#engine.statements
      .get(sql)
      .raw()
      .safeIntegers(false)
      .all(parameters) as unknown[][];
    const ambiguous = raw.some((row) =>
      keyAffinities.some((affinity, i) => isAmbiguous(row[i], affinity)),
    );
    const exact = ambiguous
      ? (this.#engine.statements
          .get(`${sql} -- exact`)
          .raw()
          .safeIntegers()
          .all(parameters) as unknown[][])
      : null;
    return raw.map((row, at) => {
      const key = keyAffinities.map((affinity, i) =>
        exact === null ? fromSql(row[i], affinity) : fromSqlExact(exact[at]?.[i]),
      );
      return [key, row[keyAffinities.length] as ClockCell];
    });
  }

  /** Where to begin in the index; null: at its beginning, since `from` is no key's bytes. */
  #firstKey(): readonly Value[] | null {
    if (this.#from === "") return null;
    const key = decodeKey(keyBytes(this.#from), this.#plan.keyAffinities);
    return key !== null && encodeKeyText(key) === this.#from ? key : null;
  }
}

function beyond(names: readonly string[], isAfter: boolean): string {
  return `(${names.join(", ")}) ${isAfter ? ">" : ">="} (${names.map(() => "?").join(", ")})`;
}

export function rangeDigests(
  engine: Engine,
  plan: TablePlan,
  from: Uint8Array,
  to: Uint8Array,
  parts: number,
): RangeDigest[] {
  const range = new KeyRange(engine, plan, from, to);
  let count = 0;
  for (const rows of range.batches(false)) count += rows.length;
  const size = Math.max(1, Math.ceil(count / parts));
  const digests: RangeDigest[] = [];
  let begin = from;
  let sum = new StateSum();
  let inPart = 0;
  for (const rows of range.batches(true)) {
    for (const row of rows) {
      if (inPart === size) {
        digests.push({ from: begin, rows: sum.rows, hash: sum.hex() });
        begin = keyBytes(row.keyText);
        sum = new StateSum();
        inPart = 0;
      }
      inPart++;
      if (row.alive) addRow(plan.rules, row, sum);
    }
  }
  digests.push({ from: begin, rows: sum.rows, hash: sum.hex() });
  return digests;
}

export function readRows(
  engine: Engine,
  plan: TablePlan,
  from: Uint8Array,
  to: Uint8Array,
  maxBytes: number,
): { rows: RowState[]; next: Uint8Array | null } {
  const states: RowState[] = [];
  let bytes = 0;
  for (const rows of new KeyRange(engine, plan, from, to).batches(true)) {
    for (const row of rows) {
      const state = exportRow(plan.rules, row);
      bytes += state.key.length + state.cells.length + rowOverheadBytes;
      if (states.length > 0 && bytes > maxBytes) return { rows: states, next: state.key };
      states.push(state);
    }
  }
  return { rows: states, next: null };
}

/**
 * Clocks of neighbours as one row of `patina_span`: rows whose INTEGER keys follow each other and
 * whose clocks are numbers in equal steps, as those of rows are that one version wrote (step 0) or
 * that versions in a row wrote one each (step 1, or −1 where they deleted them). Spans of a table
 * do not overlap. A clock in the clock table hides what a span says of its row, so that the change
 * of one row splits no span.
 */
import type { ClockCell } from "./clock-cell.ts";
import type { StatementCache } from "./db.ts";
import { CorruptionError } from "./row-table.ts";
import type { ClockPlace } from "./rowid-clocks.ts";
import type { Value } from "../../core/crdt/value.ts";

/** Writing a span costs as much as writing the clocks of so many rows. */
export const leastSpan = 16;

/** Keys beyond it, on either side of 0, are in no span. */
export const mostSpanned = 2 ** 52;

export interface ClockSpan {
  readonly first: number;
  readonly last: number;
  /** Of the first row. */
  readonly cell: number;
  readonly step: number;
}

export function cellAt({ first, cell, step }: ClockSpan, key: number): number {
  return cell + step * (key - first);
}

type SpanRow = readonly [first: number, last: number, cell: number, step: number];

/** Spans that have keys from `first` to `last`, in order, at most `limit`; −1: all. @throws CorruptionError */
export function readSpans(
  statements: StatementCache,
  plan: ClockPlace,
  first: number,
  last: number,
  limit: number,
): ClockSpan[] {
  const sql = plan.sql("spans", () => {
    const before = `SELECT first FROM patina_span WHERE n = ${plan.n} AND first <= ? ORDER BY first DESC LIMIT 1`;
    return (
      `SELECT first, last, c, step FROM patina_span WHERE n = ${plan.n} ` +
      `AND first >= ifnull((${before}), ?) AND first <= ? ORDER BY first LIMIT ?`
    );
  });
  const rows = statements.get(sql).raw().all(first, first, last, limit) as SpanRow[];
  const spans = rows.map((row) => spanOf(plan, row));
  for (let i = 1; i < spans.length; i++) {
    if ((spans[i] as ClockSpan).first <= (spans[i - 1] as ClockSpan).last) throw damaged(plan);
  }
  // The first may end before.
  return spans.length > 0 && (spans[0] as ClockSpan).last < first ? spans.slice(1) : spans;
}

/** @throws CorruptionError for what cannot be one: going along it might take for ever. */
function spanOf(plan: ClockPlace, [first, last, cell, step]: SpanRow): ClockSpan {
  const { known } = plan;
  const whole = [first, last, cell, step].every(Number.isSafeInteger);
  if (!whole || last < first || last - first >= known) throw damaged(plan);
  return { first, last, cell, step };
}

function damaged(plan: ClockPlace): CorruptionError {
  return new CorruptionError(`the clocks of table ${plan.table} are damaged`);
}

/** An SQL expression: the clock of the row with key `key` by its span; NULL: none has it. */
export function spanClockSql(plan: ClockPlace, key: string): string {
  return (
    `(SELECT iif(last >= ${key}, c + step * (${key} - first), NULL) FROM patina_span ` +
    `WHERE n = ${plan.n} AND first <= ${key} ORDER BY first DESC LIMIT 1)`
  );
}

const allOfThem = -1;

/** From now on the rows of `span` have its clocks, whatever they had before. */
export function writeSpan(statements: StatementCache, plan: ClockPlace, span: ClockSpan): void {
  const { first, last } = span;
  const single = plan.sql("remove clocks of a span", () => {
    return `DELETE FROM ${plan.clock} WHERE k0 BETWEEN ? AND ?`;
  });
  statements.get(single).run(first, last);
  let whole = span;
  // What follows without a gap is often the next batch of the same version.
  for (const old of readSpans(statements, plan, first - 1, last, allOfThem)) {
    if (old.last === first - 1) {
      if (old.step !== span.step || cellAt(old, first) !== span.cell) continue;
      whole = { ...span, first: old.first, cell: old.cell };
      remove(statements, plan, old);
      continue;
    }
    remove(statements, plan, old);
    if (old.first < first) addSpan(statements, plan, { ...old, last: first - 1 });
    if (old.last > last) {
      addSpan(statements, plan, { ...old, first: last + 1, cell: cellAt(old, last + 1) });
    }
  }
  addSpan(statements, plan, whole);
}

function remove(statements: StatementCache, { n }: ClockPlace, { first }: ClockSpan): void {
  statements.get("DELETE FROM patina_span WHERE n = ? AND first = ?").run(n, first);
}

/** As `writeSpan`, of rows that have no clock yet. */
export function addSpan(
  statements: StatementCache,
  { n }: ClockPlace,
  { first, last, cell, step }: ClockSpan,
): void {
  statements
    .get("INSERT INTO patina_span VALUES (?, ?, ?, ?, ?)")
    .run(n, first, last, cell, last === first ? 0 : step);
}

/**
 * The clocks of a table in the order of its INTEGER keys, at most `limit`: those of `singles`, which
 * stand alone, and of spans between them. @param from the least key asked for.
 */
export function withSpans(
  statements: StatementCache,
  plan: ClockPlace,
  singles: readonly ClockOfKey[],
  from: number | bigint,
  limit: number,
): readonly ClockOfKey[] {
  if (from > mostSpanned) return singles;
  const least = from < -mostSpanned ? -mostSpanned : Number(from);
  const spans = readSpans(statements, plan, least, mostSpanned, limit);
  if (spans.length === 0) return singles;
  const merged: ClockOfKey[] = [];
  let i = 0;
  for (const span of spans) {
    for (let key = Math.max(least, span.first); key <= span.last; key++) {
      for (; i < singles.length && keyOf(singles[i] as ClockOfKey) < key; i++) {
        merged.push(singles[i] as ClockOfKey);
      }
      const single = singles[i];
      if (single !== undefined && keyOf(single) === key) {
        merged.push(single);
        i++;
      } else merged.push([[key], cellAt(span, key)]);
      if (merged.length >= limit) return merged.slice(0, limit);
    }
  }
  return merged.concat(singles.slice(i)).slice(0, limit);
}

/** A row's key and its clock. */
export type ClockOfKey = readonly [key: readonly Value[], cell: ClockCell];

function keyOf([key]: ClockOfKey): number | bigint {
  return key[0] as number | bigint;
}

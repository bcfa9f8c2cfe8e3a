/** What a local transaction leaves of each row that it touched: before and after, from the captured changes. */
import { assert } from "../../core/base/assert.ts";
import { encodeKeyText, normaliseKey } from "../../core/crdt/key.ts";
import type { Affinity } from "../../core/crdt/schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { CapturedChange } from "./capture.ts";
import { fromSql, fromSqlExact } from "./sql-value.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";

/** A value, or undefined where the transaction did not tell: then it did not change. */
export type MaybeValue = Value | undefined;

export class PendingRow {
  readonly plan: TablePlan;
  readonly key: readonly Value[];
  readonly keyText: string;
  readonly rowKey: RowKey;
  readonly aliveBefore: boolean;
  /** Data columns before the transaction; complete when the row was deleted in it. */
  before: MaybeValue[];
  alive: boolean;
  /** Its life began in the transaction. */
  born = false;
  after: MaybeValue[];

  constructor(
    plan: TablePlan,
    key: readonly Value[],
    keyText: string,
    rowKey: RowKey,
    aliveBefore: boolean,
    before: MaybeValue[],
  ) {
    this.plan = plan;
    this.key = key;
    this.keyText = keyText;
    this.rowKey = rowKey;
    this.aliveBefore = aliveBefore;
    this.alive = aliveBefore;
    this.before = before;
    this.after = before;
  }
}

/** By table, rows in order of their first change. */
export type PendingRows = ReadonlyMap<TablePlan, ReadonlyMap<RowKey, PendingRow>>;

export function pendingRows(changes: readonly CapturedChange[]): PendingRows {
  const tables = new Map<TablePlan, Map<RowKey, PendingRow>>();
  let plan: TablePlan | null = null;
  let rows = new Map<RowKey, PendingRow>();
  for (const change of changes) {
    if (change.plan !== plan) {
      plan = change.plan;
      rows = tables.get(plan) ?? new Map<RowKey, PendingRow>();
      tables.set(plan, rows);
    }
    record(rows, change);
  }
  return tables;
}

function record(rows: Map<RowKey, PendingRow>, { plan, kind, args, exact }: CapturedChange): void {
  const width = plan.keyNames.length + plan.dataNames.length;
  switch (kind) {
    case "insert":
      inserted(rows, plan, args, 0, exact);
      return;
    case "delete":
      deleted(rows, plan, args, exact);
      return;
    case "rekey":
      deleted(rows, plan, args, exact);
      inserted(rows, plan, args, width, exact);
      return;
    case "update":
      updated(rows, plan, args, exact);
      return;
  }
}

function inserted(
  rows: Map<RowKey, PendingRow>,
  plan: TablePlan,
  args: readonly unknown[],
  from: number,
  exact: boolean,
): void {
  const key = readKey(plan, args, from, exact);
  const row = find(rows, plan, key) ?? add(rows, plan, key, false, []);
  row.alive = true;
  row.born = true;
  row.after = readData(plan, args, from + key.length, exact);
}

function deleted(
  rows: Map<RowKey, PendingRow>,
  plan: TablePlan,
  args: readonly unknown[],
  exact: boolean,
): void {
  const key = readKey(plan, args, 0, exact);
  const values = readData(plan, args, key.length, exact);
  const row = find(rows, plan, key);
  if (row === undefined) {
    add(rows, plan, key, true, values).alive = false;
    return;
  }
  if (row.aliveBefore && row.alive && !row.born) {
    // Columns that the transaction had not changed until now are still as they were before it.
    row.before = values.map((value, i) => {
      const before = row.before[i];
      return before === undefined ? value : before;
    });
  }
  row.alive = false;
  row.born = false;
}

function updated(
  rows: Map<RowKey, PendingRow>,
  plan: TablePlan,
  args: readonly unknown[],
  exact: boolean,
): void {
  const i = Number(args[0]);
  const key = readKey(plan, args, 1, exact);
  const affinity = plan.dataAffinities[i] ?? "blob";
  const at = 1 + key.length;
  const row = find(rows, plan, key) ?? add(rows, plan, key, true, []);
  // Where the key changes too, that may have been told first: the row is gone from its old key.
  if (!row.alive) return;
  if (row.after === row.before) row.after = row.before.slice();
  if (!row.born && row.before[i] === undefined) {
    row.before[i] = read(args[at], affinity, exact);
  }
  row.after[i] = read(args[at + 1], affinity, exact);
}

function find(
  rows: ReadonlyMap<RowKey, PendingRow>,
  plan: TablePlan,
  key: readonly Value[],
): PendingRow | undefined {
  return rows.get(plan.rowKey(key, keyTextOf(plan, key)));
}

function add(
  rows: Map<RowKey, PendingRow>,
  plan: TablePlan,
  key: readonly Value[],
  aliveBefore: boolean,
  before: MaybeValue[],
): PendingRow {
  const keyText = keyTextOf(plan, key);
  const rowKey = plan.rowKey(key, keyText);
  const row = new PendingRow(plan, key, keyText, rowKey, aliveBefore, before);
  rows.set(rowKey, row);
  return row;
}

/** Rows of an INTEGER PRIMARY KEY are told apart and sorted by the number itself. */
function keyTextOf(plan: TablePlan, key: readonly Value[]): string {
  return plan.schema.rowidKey ? "" : encodeKeyText(key);
}

function readKey(plan: TablePlan, args: readonly unknown[], from: number, exact: boolean): Value[] {
  const { keyAffinities } = plan;
  const key: Value[] = [];
  for (let i = 0; i < keyAffinities.length; i++) {
    const affinity = keyAffinities[i] ?? "blob";
    const value = read(args[from + i], affinity, exact);
    assert(value !== null, "no key column is NULL");
    key.push(affinity === "blob" ? normaliseKey(value, affinity) : value);
  }
  return key;
}

function readData(
  plan: TablePlan,
  args: readonly unknown[],
  from: number,
  exact: boolean,
): Value[] {
  const { dataAffinities } = plan;
  const values: Value[] = [];
  for (let i = 0; i < dataAffinities.length; i++) {
    values.push(read(args[from + i], dataAffinities[i] ?? "blob", exact));
  }
  return values;
}

function read(raw: unknown, affinity: Affinity, exact: boolean): Value {
  return exact ? fromSqlExact(raw) : fromSql(raw, affinity);
}

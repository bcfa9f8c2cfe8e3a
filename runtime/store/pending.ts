/**
 * What a local transaction leaves of each row that it touched: before and after, from the captured
 * changes. Rows come out one by one in the order of their keys, so that a large transaction does
 * not stand in memory once more.
 */
import { assert } from "../../core/base/assert.ts";
import { encodeKeyText, normaliseKey } from "../../core/crdt/key.ts";
import type { Affinity } from "../../core/crdt/schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { CapturedChanges, CapturedStream } from "./capture.ts";
import { fromSql, fromSqlExact, type SqlValue } from "./sql-value.ts";
import { rowidOf } from "./rowid-clocks.ts";
import type { RowKey, TablePlan } from "./table-plan.ts";

const noValues: Value[] = [];

/** A row's key and its data columns, as `PlainInsert` tells them. */
export type ToldRow = readonly [key: number, ...data: readonly SqlValue[]];

/** One row. A value is undefined where the transaction did not tell: then it did not change. */
export class PendingRow {
  readonly key: readonly Value[];
  readonly keyText: string;
  readonly rowKey: RowKey;
  aliveBefore: boolean;
  /** Data columns before the transaction; complete when the row was deleted in it. */
  before: Value[] = noValues;
  alive: boolean;
  /** Its life began in the transaction. */
  born = false;
  /** Data columns after it; complete when `born`. */
  values: Value[] = noValues;
  /** Before the transaction its clock stands under this rowid, as far as is known; 0: under its key. */
  rowidBefore = 0;
  /** The rowid that it has at the end; 0: none that a clock can stand under. */
  rowid = 0;
  /** Changes that it is made of. */
  touches = 0;
  /** The last data column that was updated; the only one if `touches` is 1. */
  updated = -1;

  constructor(key: readonly Value[], keyText: string, rowKey: RowKey, aliveBefore: boolean) {
    this.key = key;
    this.keyText = keyText;
    this.rowKey = rowKey;
    this.aliveBefore = aliveBefore;
    this.alive = aliveBefore;
  }

  /** It was inserted over a living row with these values. */
  replaces(values: Value[]): void {
    this.aliveBefore = true;
    this.before = values;
    this.touches++;
  }
}

/**
 * All rows that the transaction tells of, where it did nothing but insert them by their INTEGER
 * PRIMARY KEY, in rising order, and nothing in them needs mending; else null.
 */
export function toldRows({ streams, args }: CapturedChanges): readonly ToldRow[] | null {
  const stream = streams[0] as CapturedStream;
  if (!stream.told || !stream.plan.schema.rowidKey) return null;
  const rows = args as readonly ToldRow[];
  for (let i = 1; i < rows.length; i++) {
    if (streams[i] !== stream || (rows[i] as ToldRow)[0] <= (rows[i - 1] as ToldRow)[0])
      return null;
  }
  return rows;
}

/** The row that the only change captured is about; null for the change of a key, which is about two. */
export function onlyRow({ streams, args: all }: CapturedChanges): PendingRow | null {
  const { plan, kind, exact } = streams[0] as CapturedStream;
  if (kind === "rekey") return null;
  const args = all[0] as readonly unknown[];
  const from = keyFrom(plan, kind);
  const isRowid = plan.schema.rowidKey;
  const key = isRowid ? [integerKeyOf(args[from])] : readKey(plan, args, from, exact);
  const keyText = isRowid ? "" : encodeKeyText(key);
  const row = new PendingRow(key, keyText, plan.rowKey(key, keyText), kind !== "insert");
  go(plan, row, kind, args, exact);
  return row;
}

/**
 * What was captured of one table, change by change; a rekey counts as two, of the row that goes
 * and of the one that comes.
 */
export class TouchedRows {
  readonly plan: TablePlan;
  readonly #changes: CapturedChanges;
  readonly #at: number[] = [];
  readonly #kinds: TouchKind[] = [];
  readonly #rowKeys: RowKey[] = [];
  #sorted = true;

  constructor(plan: TablePlan, changes: CapturedChanges) {
    this.plan = plan;
    this.#changes = changes;
  }

  /** Takes change `at` of those captured. */
  add(at: number): void {
    const { kind } = this.#changes.streams[at] as CapturedStream;
    if (kind === "rekey") {
      this.#push(at, "leave");
      this.#push(at, "arrive");
    } else {
      this.#push(at, kind);
    }
  }

  #push(at: number, kind: TouchKind): void {
    const rowKey = this.plan.schema.rowidKey
      ? this.#rowidAt(at, kind)
      : encodeKeyText(this.#keyAt(at, kind));
    const count = this.#rowKeys.length;
    if (count > 0 && (this.#rowKeys[count - 1] as RowKey) >= rowKey) this.#sorted = false;
    this.#at.push(at);
    this.#kinds.push(kind);
    this.#rowKeys.push(rowKey);
  }

  #rowidAt(at: number, kind: TouchKind): number | bigint {
    return integerKeyOf((this.#changes.args[at] as readonly unknown[])[keyFrom(this.plan, kind)]);
  }

  #keyAt(at: number, kind: TouchKind): Value[] {
    const args = this.#changes.args[at] as readonly unknown[];
    return readKey(this.plan, args, keyFrom(this.plan, kind), this.#isExact(at));
  }

  #isExact(at: number): boolean {
    return (this.#changes.streams[at] as CapturedStream).exact;
  }

  /** Between which rowids the rows lie that were there before, and how many there are about. */
  rowidsBefore(): { readonly first: number; readonly last: number; readonly count: number } {
    let [first, last, count] = [Number.POSITIVE_INFINITY, 0, 0];
    for (let n = 0; n < this.#at.length; n++) {
      if (this.#kinds[n] === "insert" || this.#kinds[n] === "arrive") continue;
      const args = this.#changes.args[this.#at[n] as number] as readonly unknown[];
      const rowid = rowidOf(args[args.length - 1]);
      if (rowid === 0) continue;
      if (rowid < first) first = rowid;
      if (rowid > last) last = rowid;
      count++;
    }
    return { first, last, count };
  }

  /** Hands out each row once, in the order of canonical key bytes, some at a time. */
  inBatches(size: number, take: (batch: readonly PendingRow[]) => void): void {
    const order = this.#sorted ? null : this.#order();
    const count = this.#at.length;
    let batch: PendingRow[] = [];
    for (let i = 0; i < count; ) {
      const row = this.#begin(order === null ? i : (order[i] as number));
      for (i++; i < count; i++) {
        const next = order === null ? i : (order[i] as number);
        if ((this.#rowKeys[next] as RowKey) !== row.rowKey) break;
        this.#go(row, next);
      }
      if (!row.alive && !row.aliveBefore) continue;
      batch.push(row);
      if (batch.length < size) continue;
      take(batch);
      batch = [];
    }
    if (batch.length > 0) take(batch);
  }

  /** By key, then as captured. Numbers and bigints compare with each other, texts byte by byte. */
  #order(): Uint32Array {
    const keys = this.#rowKeys;
    return Uint32Array.from(keys.keys()).sort((a, b) => {
      const left = keys[a] as RowKey;
      const right = keys[b] as RowKey;
      return left < right ? -1 : left > right ? 1 : a - b;
    });
  }

  #begin(n: number): PendingRow {
    const at = this.#at[n] as number;
    const kind = this.#kinds[n] as TouchKind;
    const rowKey = this.#rowKeys[n] as RowKey;
    // Rows of an INTEGER PRIMARY KEY are told apart by the number itself.
    const isText = typeof rowKey === "string";
    const key = isText ? this.#keyAt(at, kind) : [rowKey];
    const keyText = isText ? rowKey : "";
    const row = new PendingRow(key, keyText, rowKey, kind !== "insert" && kind !== "arrive");
    this.#go(row, n);
    return row;
  }

  #go(row: PendingRow, n: number): void {
    const at = this.#at[n] as number;
    const kind = this.#kinds[n] as TouchKind;
    const args = this.#changes.args[at] as readonly unknown[];
    go(this.plan, row, kind, args, this.#isExact(at));
  }
}

type TouchKind = "insert" | "delete" | "update" | "leave" | "arrive";

/** Where among a change's arguments the key begins. */
function keyFrom(plan: TablePlan, kind: TouchKind): number {
  if (kind === "update") return 1;
  return kind === "arrive" ? plan.keyNames.length + plan.dataNames.length : 0;
}

function integerKeyOf(raw: unknown): number | bigint {
  return typeof raw === "bigint" ? (fromSqlExact(raw) as number | bigint) : (raw as number);
}

/** Takes one change of the row. */
function go(
  plan: TablePlan,
  row: PendingRow,
  kind: TouchKind,
  args: readonly unknown[],
  exact: boolean,
): void {
  row.touches++;
  if (plan.rowids !== null) {
    row.rowid = rowidOf(args[args.length - 1]);
    if (row.touches === 1 && row.aliveBefore) row.rowidBefore = row.rowid;
  }
  if (kind === "update") {
    update(plan, row, args, exact);
    return;
  }
  const values = readData(plan, args, keyFrom(plan, kind) + row.key.length, exact);
  if (kind === "insert" || kind === "arrive") {
    row.alive = true;
    row.born = true;
    row.values = values;
  } else {
    remove(row, values);
  }
}

function remove(row: PendingRow, values: Value[]): void {
  if (row.aliveBefore && row.alive && !row.born) {
    if (row.before === noValues) row.before = values;
    // Columns that the transaction had not changed until now are still as they were before it.
    else
      for (let i = 0; i < values.length; i++) {
        if (row.before[i] === undefined) row.before[i] = values[i] as Value;
      }
  }
  row.alive = false;
  row.born = false;
}

function update(plan: TablePlan, row: PendingRow, args: readonly unknown[], exact: boolean): void {
  // Where the key changes too, that may have been told first: the row is gone from its old key.
  if (!row.alive) return;
  const i = Number(args[0]);
  const affinity = plan.dataAffinities[i] ?? "blob";
  const at = 1 + row.key.length;
  if (row.before === noValues) row.before = plan.unknown.slice();
  if (row.values === noValues) row.values = plan.unknown.slice();
  row.updated = i;
  if (!row.born && row.before[i] === undefined) row.before[i] = read(args[at], affinity, exact);
  row.values[i] = read(args[at + 1], affinity, exact);
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
  // A copy has exactly the room that it needs; what `push` makes room for is garbage soon.
  const values = plan.unknown.slice();
  for (let i = 0; i < dataAffinities.length; i++) {
    values[i] = read(args[from + i], dataAffinities[i] ?? "blob", exact);
  }
  return values;
}

function read(raw: unknown, affinity: Affinity, exact: boolean): Value {
  return exact ? fromSqlExact(raw) : fromSql(raw, affinity);
}

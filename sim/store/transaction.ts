/**
 * A local transaction on rows in memory: the operations are carried out on copies, and what is
 * left in the end is the net effect. Nothing of the store changes before all of them succeeded.
 */
import { assert } from "../../core/base/assert.ts";
import { compareHlc, type Hlc } from "../../core/clock/hlc.ts";
import type { ActorId } from "../../core/base/ids.ts";
import { netChange, type NetChange } from "../../core/crdt/net-change.ts";
import {
  checkNames,
  dataValue,
  insertedValues,
  keyAlone,
  keyInRow,
  OpError,
  type OpKey,
} from "../../core/crdt/op-values.ts";
import type { Row } from "../../core/crdt/row.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Op } from "../../core/node/store.ts";
import type { MemoryTable } from "./memory-table.ts";

/** A predicate that stands for a CHECK constraint. */
export interface Check {
  readonly name: string;
  readonly table: string;
  holds(row: Readonly<Record<string, Value>>): boolean;
}

/** A row as the transaction has left it so far. */
interface PendingRow {
  readonly table: MemoryTable;
  readonly keyText: string;
  readonly key: readonly Value[];
  readonly before: Row | undefined;
  alive: boolean;
  /** Its life began in this transaction. */
  born: boolean;
  /** Data columns; shared with the row until something is written. */
  values: Value[];
}

const noValues: Value[] = [];

type Columns = Readonly<Record<string, Value>>;

export class Transaction {
  readonly #tables: ReadonlyMap<string, MemoryTable>;
  readonly #checks: readonly Check[];
  #rows: PendingRow[] = [];
  /** Only for transactions of many rows; few are searched one by one. */
  #index: Map<string, PendingRow> | null = null;

  constructor(tables: ReadonlyMap<string, MemoryTable>, checks: readonly Check[]) {
    this.#tables = tables;
    this.#checks = checks;
  }

  /** @throws OpError */
  run(op: Op): void {
    const table = this.#tables.get(op[1]);
    if (table === undefined) throw new OpError("SQLITE_ERROR", `no such table: ${op[1]}`);
    switch (op[0]) {
      case "insert":
        this.#insert(table, op[2]);
        return;
      case "upsert": {
        checkNames(table.rules, op[2]);
        const row = this.#find(table, keyInRow(table.rules, op[2]));
        if (row.alive) this.#set(row, op[2]);
        else this.#insert(table, op[2]);
        return;
      }
      case "update":
        this.#update(table, op[2], op[3]);
        return;
      case "delete":
        this.#deleteKey(table, op[2]);
        return;
      default:
        throw new OpError("SQLITE_ERROR", "no such operation");
    }
  }

  /** What the transaction changed: by table name, then by key. @throws OpError */
  changes(actor: ActorId): NetChange[] {
    let changes: NetChange[] = [];
    for (const row of this.#rows) {
      const change = netChange(row.table.rules, row.before, row, actor);
      if (change === null) continue;
      if (changes.length === 0) changes = [change];
      else changes.push(change);
    }
    return changes.length > 1 ? changes.sort(compareChanges) : changes;
  }

  #insert(table: MemoryTable, columns: Columns): void {
    checkNames(table.rules, columns);
    const row = this.#find(table, keyInRow(table.rules, columns));
    if (row.alive) throw keyTaken(table);
    row.values = insertedValues(table.rules, columns);
    row.alive = true;
    row.born = true;
    this.#check(row);
  }

  #update(table: MemoryTable, keyColumns: Columns, columns: Columns): void {
    const { rules } = table;
    checkNames(rules, columns);
    const at = keyAlone(rules, keyColumns);
    const row = at === null ? null : this.#find(table, at);
    if (row === null || !row.alive) return;
    this.#set(row, columns);
    if (!rules.keyColumns.some((column) => columns[column.name] !== undefined)) return;
    // Another key: the row ends and one with all its columns begins.
    const names = rules.keyColumns.map((column) => column.name);
    const moved = Object.fromEntries(
      names.map((name, i) => [name, columns[name] === undefined ? row.key[i] : columns[name]]),
    );
    const target = this.#find(table, keyInRow(rules, moved as Columns));
    if (target === row) return;
    if (target.alive) throw keyTaken(table);
    target.values = row.values.slice();
    target.alive = true;
    target.born = true;
    this.#delete(row);
  }

  #set(row: PendingRow, columns: Columns): void {
    const { rules } = row.table;
    const values = row.values.slice();
    for (let i = 0; i < values.length; i++) {
      const column = rules.dataColumns[i] as (typeof rules.dataColumns)[number];
      const given = columns[column.name];
      if (given !== undefined) values[i] = dataValue(rules, i, given);
    }
    row.values = values;
    this.#check(row);
  }

  #deleteKey(table: MemoryTable, keyColumns: Columns): void {
    const at = keyAlone(table.rules, keyColumns);
    if (at !== null) this.#delete(this.#find(table, at));
  }

  #delete(row: PendingRow): void {
    row.alive = false;
    row.born = false;
    row.values = noValues;
  }

  #find(table: MemoryTable, { key, keyText }: OpKey): PendingRow {
    const known = this.#lookUp(table, keyText);
    if (known !== undefined) return known;
    const before = table.find(keyText);
    const alive = before?.alive === true;
    const row: PendingRow = {
      table,
      keyText,
      key: before?.key ?? key,
      before,
      alive,
      born: false,
      values: alive ? before.values : noValues,
    };
    // Mostly one alone: as a literal it takes a third of the room that `push` would make.
    if (this.#rows.length === 0) this.#rows = [row];
    else this.#rows.push(row);
    this.#index?.set(indexKey(table, keyText), row);
    return row;
  }

  #lookUp(table: MemoryTable, keyText: string): PendingRow | undefined {
    if (this.#index === null) {
      if (this.#rows.length <= 8) {
        return this.#rows.find((row) => row.table === table && row.keyText === keyText);
      }
      this.#index = new Map();
      for (const row of this.#rows) this.#index.set(indexKey(row.table, row.keyText), row);
    }
    return this.#index.get(indexKey(table, keyText));
  }

  #check(row: PendingRow): void {
    const { name } = row.table.rules;
    for (const check of this.#checks) {
      if (check.table !== name || check.holds(asRecord(row.table, row.key, row.values))) continue;
      throw new OpError("SQLITE_CONSTRAINT_CHECK", `CHECK constraint failed: ${check.name}`);
    }
  }
}

export function asRecord(
  { rules }: MemoryTable,
  key: readonly Value[],
  values: readonly Value[],
): Record<string, Value> {
  const record: Record<string, Value> = {};
  rules.keyColumns.forEach((column, i) => (record[column.name] = key[i] as Value));
  rules.dataColumns.forEach((column, i) => (record[column.name] = values[i] as Value));
  return record;
}

/** The latest stamp of what the changes overwrite. */
export function latestOverwritten(changes: readonly NetChange[]): Hlc | null {
  let latest: Hlc | null = null;
  for (const { overwrites } of changes) {
    if (overwrites !== null && (latest === null || compareHlc(overwrites, latest) > 0)) {
      latest = overwrites;
    }
  }
  return latest;
}

function compareChanges(a: NetChange, b: NetChange): number {
  const tableA = a.change.rules.name;
  const tableB = b.change.rules.name;
  if (tableA !== tableB) return tableA < tableB ? -1 : 1;
  assert(a.change.keyText !== b.change.keyText, "a row changes once in a transaction");
  return a.change.keyText < b.change.keyText ? -1 : 1;
}

function indexKey(table: MemoryTable, keyText: string): string {
  return `${table.rules.name}\0${keyText}`;
}

/**
 * By table, since it always says the same: random work meets it all the time, and taking down the
 * stack, which nobody looks at, would cost more than the transaction.
 */
const keysTaken = new WeakMap<TableRules, OpError>();

function keyTaken({ rules }: MemoryTable): OpError {
  let error = keysTaken.get(rules);
  if (error === undefined) {
    const columns = rules.keyColumns.map((column) => `${rules.name}.${column.name}`);
    const what = `UNIQUE constraint failed: ${columns.join(", ")}`;
    error = new OpError("SQLITE_CONSTRAINT_PRIMARYKEY", what);
    // What was taken down of the stack would keep the run alive that was the first to fail.
    error.stack = `${error.name}: ${what}`;
    keysTaken.set(rules, error);
  }
  return error;
}

/**
 * The merge rules once more, as plainly as they can be said: the state of a row is a function of
 * the set of versions that wrote it. Slow, and with no code of the stores in it, so that a fault
 * in their merge cannot hide here too.
 */
import type { TableSchema } from "../../core/crdt/schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import { compareValues } from "../../core/crdt/value-order.ts";
import { tagValue } from "../../core/trace/tagged-value.ts";
import type { CellWrite } from "../../core/wire/changes.ts";
import { laterThan, rowName, type VersionRecord, type Write, type WrittenRow } from "./history.ts";

/** Living rows: their names with their values in column order. */
export type Rows = ReadonlyMap<string, readonly Value[]>;

/** What the versions which `isHeld` tells of merge to. */
export function modelRows(
  tables: readonly TableSchema[],
  written: Iterable<WrittenRow>,
  isHeld: (version: VersionRecord) => boolean,
): Rows {
  const byName = new Map(tables.map((table) => [table.name, table]));
  const rows = new Map<string, readonly Value[]>();
  for (const { name, table: tableName, writes } of written) {
    const table = byName.get(tableName);
    if (table === undefined) continue;
    const values = modelRow(table, writes, isHeld);
    if (values !== null) rows.set(name, values);
  }
  return rows;
}

/** What a store shows. */
export function storedRows(
  tables: readonly TableSchema[],
  rowsOf: (table: string) => Iterable<readonly Value[]>,
): Rows {
  const rows = new Map<string, readonly Value[]>();
  for (const table of tables) {
    for (const values of rowsOf(table.name)) {
      const key = table.keyColumns.map((i) => values[i] as Value);
      rows.set(rowName(table.name, key), values);
    }
  }
  return rows;
}

/** Equal to the last bit: what is spelled alike is the same. */
export function sameRow(a: readonly Value[], b: readonly Value[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    // Mostly it is the very value, which spares spelling it.
    if (a[i] !== b[i] && valueText(a[i] as Value) !== valueText(b[i] as Value)) return false;
  }
  return true;
}

export function rowText(values: readonly Value[]): string {
  return JSON.stringify(values.map(tagValue));
}

function valueText(value: Value): string {
  return JSON.stringify(tagValue(value));
}

function modelRow(
  table: TableSchema,
  writes: readonly Write[],
  isHeld: (version: VersionRecord) => boolean,
): Value[] | null {
  let causalLength = 0;
  const life: Write[] = [];
  const plain = table.dataColumns.every((i) => table.columns[i]?.policy === "lww");
  for (let i = writes.length - 1; i >= 0; i--) {
    const write = writes[i] as Write;
    // Whatever came before is of older lives.
    if (write.longest < causalLength) break;
    if (write.row.causalLength < causalLength || !isHeld(write.version)) continue;
    // An older life does not count beside a later one.
    if (write.row.causalLength > causalLength) life.length = 0;
    causalLength = write.row.causalLength;
    life.push(write);
    // Whatever came before is stamped below this one, which wrote every column.
    if (plain && write.onTop && write.row.cells.length === table.dataColumns.length) break;
  }
  if (causalLength % 2 === 0) return null;
  const key = life[0]?.row.key ?? [];
  const values: Value[] = [];
  table.columns.forEach((column, i) => {
    const keyAt = table.keyColumns.indexOf(i);
    values.push(keyAt >= 0 ? (key[keyAt] as Value) : modelCell(table, i, column.name, life));
  });
  return values;
}

function modelCell(
  table: TableSchema,
  column: number,
  name: string,
  life: readonly Write[],
): Value {
  const schema = table.columns[column] as TableSchema["columns"][number];
  let best: { version: VersionRecord; value: Value } | null = null;
  let totals: Map<string, { version: VersionRecord; total: Value }> | null = null;
  for (const { version, row } of life) {
    const cell = row.cells.find((c: CellWrite) => c.column === name);
    if (cell === undefined) continue;
    if ("add" in cell) {
      totals ??= new Map();
      const held = totals.get(version.actor);
      if (held === undefined || laterThan(version, held.version)) {
        totals.set(version.actor, { version, total: cell.total });
      }
    } else if (best === null || replaces(schema.policy, version, cell.value, best)) {
      best = { version, value: cell.value };
    }
  }
  const base = best === null ? schema.defaultValue : best.value;
  if (totals === null) return base;
  let sum = BigInt(base as number | bigint);
  for (const { total } of totals.values()) sum += BigInt(total as number | bigint);
  if (sum > 2n ** 63n - 1n) sum = 2n ** 63n - 1n;
  if (sum < -(2n ** 63n)) sum = -(2n ** 63n);
  const number = Number(sum);
  return Number.isSafeInteger(number) ? number : sum;
}

function replaces(
  policy: string,
  version: VersionRecord,
  value: Value,
  held: { version: VersionRecord; value: Value },
): boolean {
  if (policy === "max" || policy === "min") {
    if (value === null || held.value === null) {
      if ((value === null) !== (held.value === null)) return value !== null;
    } else {
      const order = compareValues(value, held.value);
      if (order !== 0) return policy === "max" ? order > 0 : order < 0;
    }
  }
  return laterThan(version, held.version);
}

/** Turns the workloads of a scenario into transactions: seeded random writes, and explicit ones. */
import type { ColumnSchema, TableSchema } from "../core/crdt/schema.ts";
import type { Value } from "../core/crdt/value.ts";
import type { Rng } from "../core/base/rng.ts";
import type { Op } from "../core/node/store.ts";
import { untagValue } from "../core/trace/tagged-value.ts";
import { assert } from "../core/base/assert.ts";
import { fillRow } from "./scenario/parse-workload.ts";
import type { OpJson, Row, Workload } from "./scenario/scenario.ts";

export type RandomWorkload = Extract<Workload, { kind: "random" }>;

/** One in so many inserts is a strict one, which fails where the row is alive. */
const strictInsertEvery = 16;

/** One random transaction. */
export function randomOps(work: RandomWorkload, table: TableSchema, rng: Rng): Op[] {
  const ops: Op[] = [randomOp(work, table, rng)];
  while (ops.length < work.rowsPerTx) ops.push(randomOp(work, table, rng));
  return ops;
}

/** Until the next transaction, in microseconds: half to one and a half times the mean. */
export function randomGapUs(work: RandomWorkload, rng: Rng): number {
  return (1e6 / work.ratePerSec) * (0.5 + rng.unit());
}

function randomOp(work: RandomWorkload, table: TableSchema, rng: Rng): Op {
  const number = rng.below(work.keys);
  const key = keyRow(table, number);
  const { mix } = work;
  const draw = rng.unit() * (mix.insert + mix.update + mix.delete);
  if (draw < mix.delete) return ["delete", table.name, key];
  if (draw < mix.delete + mix.update && table.dataColumns.length > 0) {
    const column = dataColumn(table, rng.below(table.dataColumns.length));
    return ["update", table.name, key, { [column.name]: randomValue(column, work, rng) }];
  }
  const row: Record<string, Value> = { ...key };
  for (let i = 0; i < table.dataColumns.length; i++) {
    const column = dataColumn(table, i);
    row[column.name] = randomValue(column, work, rng);
  }
  return [rng.below(strictInsertEvery) === 0 ? "insert" : "upsert", table.name, row];
}

function dataColumn(table: TableSchema, i: number): ColumnSchema {
  return table.columns[table.dataColumns[i] as number] as ColumnSchema;
}

/** The key columns of row `number`: all told by the number, each in its own type. */
function keyRow(table: TableSchema, number: number): Row {
  const row: Record<string, Value> = {};
  table.keyColumns.forEach((index, position) => {
    const column = table.columns[index] as ColumnSchema;
    // Composite keys: the later columns take few values, so that rows share prefixes.
    const n = position === 0 ? number : number % (position + 2);
    switch (column.affinity) {
      case "text":
        row[column.name] = textKey(n);
        break;
      case "blob":
        row[column.name] = Uint8Array.of(n >>> 16, n >>> 8, n);
        break;
      case "real":
        row[column.name] = n + 0.5;
        break;
      default:
        row[column.name] = n;
    }
  });
  return row;
}

/** Keys come again and again, and a text made anew would be hashed anew by whoever looks it up. */
const textKeys: string[] = [];
const maxTextKeys = 4096;

function textKey(n: number): string {
  while (textKeys.length <= n && textKeys.length < maxTextKeys) {
    textKeys.push(`k${textKeys.length}`);
  }
  return textKeys[n] ?? `k${n}`;
}

const letters = "abcdefghijklmnopqrstuvwxyz";

function randomValue(column: ColumnSchema, work: RandomWorkload, rng: Rng): Value {
  if (!column.notNull && rng.below(10) === 0 && column.policy === "lww") return null;
  switch (column.affinity) {
    case "text": {
      let text = "";
      for (let i = 0; i < work.valueBytes; i++) text += letters[rng.below(26)] as string;
      return text;
    }
    case "blob": {
      const bytes = new Uint8Array(work.valueBytes);
      for (let i = 0; i < bytes.length; i++) bytes[i] = rng.below(256);
      return bytes;
    }
    case "real":
      return rng.below(1_000_000) + 0.25;
    default:
      return rng.below(1_000_000);
  }
}

/** Explicit operations as the store takes them; the scenario was checked when it was read. */
export function expandOps(json: readonly OpJson[]): Op[] {
  const ops: Op[] = [];
  for (const op of json) {
    switch (op[0]) {
      case "insert":
      case "upsert":
        ops.push([op[0], op[1], row(op[2])]);
        break;
      case "update":
        ops.push(["update", op[1], row(op[2]), row(op[3])]);
        break;
      case "delete":
        ops.push(["delete", op[1], row(op[2])]);
        break;
      case "fill":
        for (let i = op[2]; i <= op[3]; i++) {
          ops.push(["upsert", op[1], row(fillRow(op[4], i) as Readonly<Record<string, unknown>>)]);
        }
        break;
    }
  }
  return ops;
}

function row(json: Readonly<Record<string, unknown>>): Row {
  const values: Record<string, Value> = {};
  for (const [column, tagged] of Object.entries(json)) {
    const untagged = untagValue(tagged);
    assert(untagged.ok, "values were checked when the scenario was read");
    values[column] = untagged.value;
  }
  return values;
}

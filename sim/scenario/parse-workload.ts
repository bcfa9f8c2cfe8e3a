/** The `workload` of a scenario file: random writes, explicit transactions, SQL. */
import type { TableSchema } from "../../core/crdt/schema.ts";
import { untagValue } from "../../core/trace/tagged-value.ts";
import {
  at,
  readArray,
  readInteger,
  readNumber,
  readObject,
  readOneOf,
  readString,
  required,
  ScenarioError,
  show,
} from "./json-reader.ts";
import { nearest } from "../../core/base/nearest.ts";
import type { OpJson, RowJson, Workload } from "./scenario.ts";

export interface WorkloadContext {
  readonly durationMs: number;
  readonly tables: readonly TableSchema[];
  /** Initial nodes and those that join. */
  readonly nodeCount: number;
}

/** A fill of this many rows already takes a transaction of hundreds of megabytes. */
const maxFillRows = 1_000_000;

const randomKeys = [
  "kind",
  "fromMs",
  "toMs",
  "ratePerSec",
  "table",
  "keys",
  "mix",
  "rowsPerTx",
  "nodes",
  "valueBytes",
];

export function readWorkload(json: unknown, context: WorkloadContext): Workload[] {
  return readArray(json ?? [], "workload").map((item, i) =>
    readOne(item, `workload[${i}]`, context),
  );
}

function readOne(json: unknown, path: string, context: WorkloadContext): Workload {
  const any = readObject(json, path, [...randomKeys, "atMs", "node", "ops", "statements"]);
  const kind = readOneOf(required(any["kind"], at(path, "kind")), at(path, "kind"), [
    "random",
    "ops",
    "sql",
  ]);
  switch (kind) {
    case "random":
      return readRandom(json, path, context);
    case "ops": {
      const o = readObject(json, path, ["kind", "atMs", "node", "ops"]);
      const ops = readArray(required(o["ops"], at(path, "ops")), at(path, "ops"));
      return {
        kind,
        ...readWhere(o, path, context),
        ops: ops.map((op, i) => readOp(op, `${path}.ops[${i}]`, context.tables)),
      };
    }
    case "sql": {
      const o = readObject(json, path, ["kind", "atMs", "node", "statements"]);
      return {
        kind,
        ...readWhere(o, path, context),
        statements: readArray(
          required(o["statements"], at(path, "statements")),
          at(path, "statements"),
        ),
      };
    }
  }
}

function readWhere(
  o: Readonly<Record<string, unknown>>,
  path: string,
  context: WorkloadContext,
): { atMs: number; node: number } {
  return {
    atMs: readTime(required(o["atMs"], at(path, "atMs")), at(path, "atMs"), context.durationMs),
    node: readNodeNumber(
      required(o["node"], at(path, "node")),
      at(path, "node"),
      context.nodeCount,
    ),
  };
}

/** Milliseconds from the start, up to the run's duration. */
export function readTime(json: unknown, path: string, durationMs: number): number {
  const ms = readNumber(json, path, 0, Infinity);
  if (ms > durationMs) {
    throw new ScenarioError(path, `${ms} is after the end; durationMs is ${durationMs}`);
  }
  return ms;
}

export function readNodeNumber(json: unknown, path: string, nodeCount: number): number {
  const node = readInteger(json, path, 0, Infinity);
  if (node >= nodeCount) {
    throw new ScenarioError(
      path,
      `there is no node ${node}; nodes are numbered 0 to ${nodeCount - 1}`,
    );
  }
  return node;
}

/** `fromMs` and `toMs`, the whole run by default. */
export function readSpan(
  o: Readonly<Record<string, unknown>>,
  path: string,
  durationMs: number,
): { fromMs: number; toMs: number } {
  const fromMs = readTime(o["fromMs"] ?? 0, at(path, "fromMs"), durationMs);
  const toMs = readTime(o["toMs"] ?? durationMs, at(path, "toMs"), durationMs);
  if (fromMs > toMs) {
    throw new ScenarioError(at(path, "fromMs"), `${fromMs} is after toMs ${toMs}; swap them`);
  }
  return { fromMs, toMs };
}

function readRandom(json: unknown, path: string, context: WorkloadContext): Workload {
  const o = readObject(json, path, randomKeys);
  const first = context.tables[0]?.name ?? "";
  const table = readTable(o["table"] ?? first, at(path, "table"), context.tables);
  const mixPath = at(path, "mix");
  const mix = readObject(o["mix"] ?? { insert: 4, update: 5, delete: 1 }, mixPath, [
    "insert",
    "update",
    "delete",
  ]);
  const weight = (key: string): number => readNumber(mix[key] ?? 0, at(mixPath, key), 0, 1e6);
  const weights = { insert: weight("insert"), update: weight("update"), delete: weight("delete") };
  if (weights.insert + weights.update + weights.delete === 0) {
    throw new ScenarioError(mixPath, "at least one of insert, update and delete must be above 0");
  }
  const nodes = o["nodes"] ?? null;
  const keys = readInteger(o["keys"] ?? 100, at(path, "keys"), 1, 1e9);
  return {
    kind: "random",
    ...readSpan(o, path, context.durationMs),
    ratePerSec: readNumber(
      required(o["ratePerSec"], at(path, "ratePerSec")),
      at(path, "ratePerSec"),
      0.001,
      1e6,
    ),
    table: table.name,
    keys,
    mix: weights,
    rowsPerTx: readInteger(o["rowsPerTx"] ?? 1, at(path, "rowsPerTx"), 1, 100_000),
    nodes:
      nodes === null
        ? null
        : readArray(nodes, at(path, "nodes")).map((n, i) =>
            readNodeNumber(n, `${at(path, "nodes")}[${i}]`, context.nodeCount),
          ),
    valueBytes: readInteger(o["valueBytes"] ?? 8, at(path, "valueBytes"), 1, 1_000_000),
  };
}

function readTable(json: unknown, path: string, tables: readonly TableSchema[]): TableSchema {
  const name = readString(json, path);
  const table = tables.find((t) => t.name === name);
  if (table !== undefined) return table;
  const names = tables.map((t) => t.name);
  const near = nearest(name, names);
  const hint = near === null ? `the schema has ${names.join(", ")}` : `did you mean "${near}"?`;
  throw new ScenarioError(path, `there is no table ${show(name)}; ${hint}`);
}

/** What each operation is followed by. */
const opForms = {
  insert: "table, row",
  upsert: "table, row",
  update: "table, key, columns",
  delete: "table, key",
  fill: "table, from, to, row",
} as const;

function readOp(json: unknown, path: string, tables: readonly TableSchema[]): OpJson {
  const list = readArray(json, path);
  const verbs = Object.keys(opForms) as (keyof typeof opForms)[];
  const verb = readOneOf(list[0], `${path}[0]`, verbs);
  const form = opForms[verb];
  if (list.length !== form.split(", ").length + 1) {
    throw new ScenarioError(path, `must be ["${verb}", ${form}]`);
  }
  const table = readTable(list[1], `${path}[1]`, tables);
  switch (verb) {
    case "insert":
    case "upsert":
      return [verb, table.name, readRow(list[2], `${path}[2]`, table, "row")];
    case "update":
      return [
        verb,
        table.name,
        readRow(list[2], `${path}[2]`, table, "key"),
        readRow(list[3], `${path}[3]`, table, "columns"),
      ];
    case "delete":
      return [verb, table.name, readRow(list[2], `${path}[2]`, table, "key")];
    case "fill":
      return readFill(list, path, table);
  }
}

function readFill(list: readonly unknown[], path: string, table: TableSchema): OpJson {
  const from = readInteger(list[2], `${path}[2]`, 0, Number.MAX_SAFE_INTEGER);
  const to = readInteger(list[3], `${path}[3]`, 0, Number.MAX_SAFE_INTEGER);
  if (from > to) throw new ScenarioError(`${path}[2]`, `${from} is after ${to}; swap them`);
  if (to - from >= maxFillRows) {
    throw new ScenarioError(`${path}[3]`, `a fill makes at most ${maxFillRows} rows`);
  }
  const row = list[4];
  readRow(fillRow(row, from), `${path}[4]`, table, "row");
  return ["fill", table.name, from, to, row as Record<string, unknown>];
}

/** The row of a fill for one number: `$i` in text, and `{"$":"i"}` as a number. */
export function fillRow(row: unknown, i: number): unknown {
  if (typeof row !== "object" || row === null) return row;
  const filled: Record<string, unknown> = {};
  for (const [column, value] of Object.entries(row)) {
    if (typeof value === "string") filled[column] = value.replaceAll("$i", String(i));
    else if (isNumberMark(value)) filled[column] = i;
    else filled[column] = value;
  }
  return filled;
}

function isNumberMark(value: unknown): boolean {
  return typeof value === "object" && value !== null && (value as { $?: unknown }).$ === "i";
}

/** `row`: the key and any columns; `key`: the key alone; `columns`: no key columns. */
function readRow(
  json: unknown,
  path: string,
  table: TableSchema,
  part: "row" | "key" | "columns",
): RowJson {
  const keys = table.keyColumns.map((i) => table.columns[i]?.name ?? "");
  const data = table.dataColumns.map((i) => table.columns[i]?.name ?? "");
  const known = part === "row" ? [...keys, ...data] : part === "key" ? keys : data;
  const row = readObject(json, path, known);
  if (part !== "columns") {
    for (const key of keys) {
      required(row[key], at(path, key));
      if (row[key] === null) throw new ScenarioError(at(path, key), "a key is never null");
    }
  }
  for (const [column, value] of Object.entries(row)) {
    const untagged = untagValue(value);
    if (!untagged.ok) throw new ScenarioError(at(path, column), untagged.error);
  }
  return row as RowJson;
}

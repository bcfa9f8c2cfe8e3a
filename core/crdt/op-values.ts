/**
 * The operations of local transactions (`Op`), resolved against a table: names checked, values
 * normalised. Both stores resolve them here, so that they refuse the same ones in the same words.
 */
import { assert } from "../base/assert.ts";
import { roomFor } from "../base/room.ts";
import { normalise } from "./affinity.ts";
import { encodeKeyText, normaliseKey } from "./key.ts";
import type { ColumnSchema } from "./schema.ts";
import { whyNotStored } from "./store-class.ts";
import type { TableRules } from "./table-rules.ts";
import { isInt64, type Value } from "./value.ts";

/** A local operation that cannot be carried out: the transaction fails and changes nothing. */
export class OpError extends Error {
  override name = "OpError";
  /** SQLite's name for it (sqlite.org/rescode.html). */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Columns = Readonly<Record<string, Value>>;

export interface OpKey {
  readonly key: readonly Value[];
  readonly keyText: string;
}

/** The key in a row that is inserted: every key column must be there. @throws OpError */
export function keyInRow(rules: TableRules, row: Columns): OpKey {
  const { keyColumns } = rules;
  const key = roomFor<Value>(keyColumns.length, null);
  for (let i = 0; i < keyColumns.length; i++) {
    const column = keyColumns[i] as ColumnSchema;
    const value = row[column.name];
    if (value === undefined) throw notNull(rules, column);
    key[i] = keyValue(rules, column, value);
  }
  return { key, keyText: encodeKeyText(key) };
}

/**
 * The key object of an update or delete: the key columns, all of them and nothing else.
 * @returns null for a key that no row can have (NULL, or of a class that the column never holds).
 * @throws OpError
 */
export function keyAlone(rules: TableRules, columns: Columns): OpKey | null {
  for (const name of Object.keys(columns)) {
    if (rules.keyColumns.some((column) => column.name === name)) continue;
    const why = `column ${name} is not of the primary key of ${rules.name}`;
    throw new OpError("SQLITE_ERROR", why);
  }
  for (const { name } of rules.keyColumns) {
    if (columns[name] !== undefined) continue;
    throw new OpError("SQLITE_ERROR", `key column ${name} of ${rules.name} is missing`);
  }
  for (let i = 0; i < rules.keyColumns.length; i++) {
    const column = rules.keyColumns[i] as ColumnSchema;
    if (!canHold(rules, column, columns[column.name] as Value)) return null;
  }
  return keyInRow(rules, columns);
}

function canHold(rules: TableRules, column: ColumnSchema, given: Value): boolean {
  if (typeof given === "bigint" && !isInt64(given)) return true;
  const value = normaliseKey(given, column.affinity);
  return value !== null && whyNotStored(rules.schema, column, value) === null;
}

function keyValue(rules: TableRules, column: ColumnSchema, given: Value): Value {
  const value = normalised(rules, column, given, normaliseKey);
  if (value === null) throw notNull(rules, column);
  return value;
}

/** Checks that each name is one of the table's. @throws OpError */
export function checkNames(rules: TableRules, columns: Columns): void {
  for (const name of Object.keys(columns)) {
    if (rules.position(name) !== undefined) continue;
    if (rules.keyColumns.some((column) => column.name === name)) continue;
    throw new OpError("SQLITE_ERROR", `table ${rules.name} has no column named ${name}`);
  }
}

/** Data column `i` as a local write stores it. @throws OpError */
export function dataValue(rules: TableRules, i: number, given: Value): Value {
  const column = rules.dataColumns[i] as ColumnSchema;
  const value = normalised(rules, column, given, normalise);
  if (value === null && column.notNull) throw notNull(rules, column);
  if (column.policy === "counter" && typeof value !== "number" && typeof value !== "bigint") {
    throw mismatch(`column ${column.name} of ${rules.name} counts integers`);
  }
  return value;
}

/** What an inserted row has in each data column: what is given, else the default. @throws OpError */
export function insertedValues(rules: TableRules, row: Columns): Value[] {
  const values = rules.defaults.slice();
  for (let i = 0; i < values.length; i++) {
    const column = rules.dataColumns[i] as ColumnSchema;
    const given = row[column.name];
    if (given !== undefined) values[i] = dataValue(rules, i, given);
    else if (column.notNull && !column.hasDefault) throw notNull(rules, column);
  }
  return values;
}

function normalised(
  rules: TableRules,
  column: ColumnSchema,
  given: Value,
  by: typeof normalise,
): Value {
  let value: Value;
  try {
    value = by(given, column.affinity);
  } catch (error) {
    assert(error instanceof RangeError, "only an integer past 64 bits is refused");
    throw mismatch(`column ${column.name} of ${rules.name}: ${error.message}`);
  }
  if (value !== null && column.policy === "counter" && typeof value === "number") {
    if (!Number.isInteger(value))
      throw mismatch(`column ${column.name} of ${rules.name} counts integers`);
  }
  const why = value === null ? null : whyNotStored(rules.schema, column, value);
  if (why !== null) throw mismatch(why);
  return value;
}

function notNull(rules: TableRules, column: ColumnSchema): OpError {
  const what = `NOT NULL constraint failed: ${rules.name}.${column.name}`;
  return new OpError("SQLITE_CONSTRAINT_NOTNULL", what);
}

function mismatch(why: string): OpError {
  return new OpError("SQLITE_MISMATCH", why);
}

/**
 * Values between SQLite and the core. better-sqlite3 binds every JavaScript number as REAL and
 * hands INTEGERs out as numbers too, so what a number stands for is told by the column's affinity
 * (sqlite.org/datatype3.html, section 3); where that does not tell, the value is read once more
 * with INTEGERs as bigints.
 */
import type { Affinity, ColumnSchema } from "../../core/crdt/schema.ts";
import { integerValue, realValue, type Value } from "../../core/crdt/value.ts";

/** What better-sqlite3 takes and gives. */
export type SqlValue = null | number | bigint | string | Uint8Array;

/** `value`, normalised for the column, as a parameter. */
export function toSql(value: Value, affinity: Affinity): SqlValue {
  switch (typeof value) {
    case "number":
      // A column without affinity would keep the REAL that a number is bound as.
      return affinity === "blob" && Number.isInteger(value) ? BigInt(value) : value;
    case "object":
      return value === null || value instanceof Uint8Array ? value : value.real;
    default:
      return value;
  }
}

const halves = new Int32Array(2);
const whole = new BigInt64Array(halves.buffer);
const lowHalf = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

/** As `BigInt(value)` for safe integers, in a tenth of the time. */
function toBigInt(value: number): bigint {
  halves[lowHalf] = value;
  halves[1 - lowHalf] = Math.floor(value / 4_294_967_296);
  return whole[0] as bigint;
}

/** A parameter that keeps its storage class whatever column or expression it meets. */
export function toSqlExact(value: Value): SqlValue {
  if (typeof value === "number") return Number.isSafeInteger(value) ? toBigInt(value) : value;
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array)
    ? value.real
    : value;
}

/** True when `raw`, read with INTEGERs as numbers, may be one of two values. */
export function isAmbiguous(raw: unknown, affinity: Affinity): boolean {
  if (typeof raw !== "number" || !Number.isInteger(raw)) return false;
  if (affinity === "real") return false;
  return affinity === "blob" || !Number.isSafeInteger(raw);
}

/** A value read with INTEGERs as numbers. The caller has seen to it that it is not ambiguous. */
export function fromSql(raw: unknown, affinity: Affinity): Value {
  if (typeof raw === "number") {
    if (affinity !== "real" && Number.isSafeInteger(raw)) return raw === 0 ? 0 : raw;
    return realValue(raw);
  }
  return plainValue(raw);
}

/** A value read with INTEGERs as bigints, which is exact whatever the column. */
export function fromSqlExact(raw: unknown): Value {
  if (typeof raw === "bigint") return integerValue(raw);
  if (typeof raw === "number") return realValue(raw);
  return plainValue(raw);
}

function plainValue(raw: unknown): Value {
  if (raw === null || typeof raw === "string") return raw;
  // A Buffer is a Uint8Array too, but prints and compares as something else.
  const bytes = raw as Uint8Array;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The declared type of a column of ours that is to keep what `column` keeps. */
export function typeOfAffinity(affinity: Affinity): string {
  switch (affinity) {
    case "integer":
      return "INTEGER";
    case "text":
      return "TEXT";
    case "real":
      return "REAL";
    case "numeric":
      return "NUMERIC";
    case "blob":
      return "BLOB";
  }
}

export function affinitiesOf(columns: readonly ColumnSchema[]): readonly Affinity[] {
  return columns.map((column) => column.affinity);
}

/** Our values to and from better-sqlite3, which tells INTEGER from REAL by bigint and number. */
import { integerValue, realValue, type Value } from "../../core/crdt/value.ts";

export function toSqlite(value: Value): null | bigint | number | string | Uint8Array {
  if (typeof value === "number") return Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === "object" && value !== null && !(value instanceof Uint8Array)) {
    return value.real;
  }
  return value;
}

/** @param type what `typeof()` says; @param value read with safe integers on. */
export function fromSqlite(type: string, value: unknown): Value {
  switch (type) {
    case "null":
      return null;
    case "integer":
      return integerValue(value as bigint);
    case "real":
      return realValue(value as number);
    case "text":
      return value as string;
    case "blob":
      return new Uint8Array(value as Uint8Array);
    default:
      throw new Error(`unknown storage class ${type}`);
  }
}

/**
 * What a column makes of a value (sqlite.org/datatype3.html, sections 3 and 4.2), exactly as SQLite
 * stores it. A value is normalised before it is stamped, compared or sent, so that one value has
 * one form on every node.
 */
import { unreachable } from "../base/assert.ts";
import type { Affinity } from "./schema.ts";
import { realToText, textToNumber } from "./sqlite-number.ts";
import {
  integerValue,
  isInt64,
  realValue,
  storageClassOf,
  type Real,
  type Value,
} from "./value.ts";

/** The affinity of a declared type (section 3.1); the first rule that fits decides. */
export function affinityOf(declaredType: string): Affinity {
  const type = declaredType.toUpperCase();
  if (type.includes("INT")) return "integer";
  if (type.includes("CHAR") || type.includes("CLOB") || type.includes("TEXT")) return "text";
  if (type.includes("BLOB") || type === "") return "blob";
  if (type.includes("REAL") || type.includes("FLOA") || type.includes("DOUB")) return "real";
  return "numeric";
}

/** What a NOT NULL column without a default begins a life with. */
export function zeroOf(affinity: Affinity): Value {
  switch (affinity) {
    case "text":
      return "";
    case "blob":
      return new Uint8Array(0);
    case "real":
      return { real: 0 };
    case "integer":
    case "numeric":
      return 0;
    default:
      return unreachable(affinity);
  }
}

/**
 * `value` as a column of `affinity` stores it. Takes any JavaScript form of a value (−0, a bigint
 * within the safe integers, lone surrogates, NaN) and gives its one canonical form.
 * @throws RangeError for a bigint outside 64 bits, which is no SQLite value.
 */
export function normalise(value: Value, affinity: Affinity): Value {
  if (value === null) return null;
  switch (affinity) {
    case "integer":
    case "numeric":
      return toNumeric(value);
    case "real":
      return toReal(value);
    case "text":
      return toText(value);
    case "blob":
      return canonical(value);
    default:
      return unreachable(affinity);
  }
}

/** The one form of a value that no affinity changes. */
function canonical(value: Value): Value {
  switch (typeof value) {
    case "string":
      return value.isWellFormed() ? value : value.toWellFormed();
    case "number":
      if (Number.isSafeInteger(value)) return value === 0 ? 0 : value;
      return realValue(value);
    case "bigint":
      if (!isInt64(value)) throw new RangeError(`${value} does not fit in 64 bits`);
      return integerValue(value);
    default:
      if (value === null || value instanceof Uint8Array) return value;
      return realValue(value.real);
  }
}

function toNumeric(value: Value): Value {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value === 0 ? 0 : value;
  if (typeof value === "string") {
    const number = textToNumber(value);
    if (number === null) return canonical(value);
    return typeof number === "bigint" ? integerValue(number) : realToNumeric(number);
  }
  const plain = canonical(value);
  if (storageClassOf(plain) !== "real") return plain;
  return realToNumeric(typeof plain === "number" ? plain : (plain as Real).real);
}

/** A REAL without a fraction becomes an INTEGER, but for the two ends of the 64-bit range. */
function realToNumeric(real: number): Value {
  if (!Number.isInteger(real)) return realValue(real);
  const integer = BigInt(real);
  const inside = isInt64(integer) && isInt64(integer - 1n) && isInt64(integer + 1n);
  return inside ? integerValue(integer) : realValue(real);
}

function toReal(value: Value): Value {
  const numeric = toNumeric(value);
  if (typeof numeric === "bigint") return realValue(Number(numeric));
  return typeof numeric === "number" ? realValue(numeric) : numeric;
}

function toText(value: Value): Value {
  const plain = canonical(value);
  if (typeof plain === "string" || plain === null || plain instanceof Uint8Array) return plain;
  if (typeof plain === "object") return realToText(plain.real);
  return Number.isInteger(plain) || typeof plain === "bigint"
    ? plain.toString()
    : realToText(plain);
}

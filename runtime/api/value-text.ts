/** Values as JSON, exactly: an INTEGER is a bare number, a REAL has a fraction or an exponent, a BLOB is a list of bytes. */
import type { Value } from "../../core/crdt/value.ts";

export function valueText(value: Value): string {
  switch (typeof value) {
    case "number":
      // A REAL without a fraction is no plain number here, so this one needs no more.
      return String(value);
    case "string":
      return JSON.stringify(value);
    case "bigint":
      return value.toString();
    default:
      if (value === null) return "null";
      return value instanceof Uint8Array ? `[${value.join(",")}]` : realText(value.real);
  }
}

/** A double as a JSON number that reads as REAL. JSON has no infinity: it is written as null. */
export function realText(real: number): string {
  if (!Number.isFinite(real)) return "null";
  const text = String(real);
  return Number.isInteger(real) && !text.includes("e") ? `${text}.0` : text;
}

/** One line of an answer; `id` counts from 1. */
export function rowLine(id: number, row: readonly Value[]): string {
  let text = `{"row":[${id},[`;
  for (let i = 0; i < row.length; i++) {
    if (i > 0) text += ",";
    text += valueText(row[i] as Value);
  }
  return `${text}]]}\n`;
}

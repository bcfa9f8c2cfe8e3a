/**
 * Statements as clients send them (the form of Corrosion's HTTP API): `"sql"`, `["sql", params]`,
 * `{query, params}` or `{query, named_params}`.
 */
import type { Value } from "../../core/crdt/value.ts";
import type { Parameters } from "./local-transaction.ts";

export interface SqlStatement {
  readonly sql: string;
  readonly parameters: Parameters;
}

/** Null when `given` is no statement. */
export function parseStatement(given: unknown): SqlStatement | null {
  if (typeof given === "string") return { sql: given, parameters: [] };
  if (Array.isArray(given)) {
    const [sql, parameters = []] = given as unknown[];
    return typeof sql === "string" && given.length <= 2 ? withParameters(sql, parameters) : null;
  }
  if (typeof given !== "object" || given === null) return null;
  const { query, params, named_params: named } = given as Record<string, unknown>;
  return typeof query === "string" ? withParameters(query, params ?? named ?? []) : null;
}

function withParameters(sql: string, given: unknown): SqlStatement | null {
  if (Array.isArray(given)) return { sql, parameters: given.map(parameterOf) };
  if (typeof given !== "object" || given === null) return null;
  const named = Object.entries(given).map(
    ([name, value]) => [name.replace(/^[:@$]/, ""), parameterOf(value)] as const,
  );
  return { sql, parameters: Object.fromEntries(named) };
}

/** Booleans are 0 and 1, lists of bytes are BLOBs, anything else with a structure is its JSON. */
function parameterOf(given: unknown): Value {
  switch (typeof given) {
    case "boolean":
      return given ? 1 : 0;
    case "number":
    case "string":
    case "bigint":
      return given;
    default:
      if (given === null || given === undefined) return null;
      if (given instanceof Uint8Array) return given;
      if (Array.isArray(given) && given.every(isByte)) return Uint8Array.from(given as number[]);
      return JSON.stringify(given);
  }
}

function isByte(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}

/**
 * What a transaction asked for, as a few bytes: kept with the answer under an idempotency key, so that
 * the key, sent again with something else, is not answered with what was never asked.
 */
import { createHash } from "node:crypto";
import { isReal, type Value } from "../../core/crdt/value.ts";
import type { Statement } from "../agent/node-service.ts";

/** Enough that nobody meets two requests with the same by accident. */
const printBytes = 16;

/** The same for the same statements and parameters, however a client spelt them in JSON. */
export function requestPrint(statements: readonly Statement[]): Uint8Array {
  const hash = createHash("sha256");
  for (const { sql, parameters } of statements) hash.update(statementText(sql, parameters));
  return new Uint8Array(hash.digest().subarray(0, printBytes));
}

function statementText(sql: string, parameters: Statement["parameters"]): string {
  if (Array.isArray(parameters)) return `${JSON.stringify([sql, parameters.map(plainValue)])}\n`;
  const named = Object.entries(parameters).map(([name, value]) => [name, plainValue(value)]);
  named.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
  return `${JSON.stringify([sql, { named }])}\n`;
}

function plainValue(value: Value): unknown {
  if (typeof value === "bigint") return { int: String(value) };
  if (value instanceof Uint8Array) return { blob: Buffer.from(value).toString("hex") };
  return isReal(value) ? { real: String(value.real) } : value;
}

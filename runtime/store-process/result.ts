/** Statements and results of transactions on their way to the store process and back, and results as they are kept. */
import { deserialize, serialize } from "node:v8";
import {
  type Parameters,
  ServiceError,
  type ServiceErrorCode,
  type Statement,
  type TransactResult,
} from "../agent/node-service.ts";

export interface PlainError {
  readonly code: ServiceErrorCode;
  readonly message: string;
  readonly sqlite: string | null;
  readonly hint: string | null;
}

/** A `TransactResult` whose error is no object of a class. */
export type PlainResult =
  | Extract<TransactResult, { type: "committed" }>
  | (Omit<Extract<TransactResult, { type: "failed" }>, "error"> & { readonly error: PlainError });

export function packResult(result: PlainResult): Uint8Array {
  return serialize(result);
}

export function unpackResult(bytes: Uint8Array): PlainResult {
  return deserialize(bytes) as PlainResult;
}

export function resultOf(plain: PlainResult): TransactResult {
  return plain.type === "failed" ? { ...plain, error: errorOf(plain.error) } : plain;
}

export function errorOf({ code, message, sqlite, hint }: PlainError): ServiceError {
  return new ServiceError(code, message, {
    ...(sqlite === null ? {} : { sqlite }),
    ...(hint === null ? {} : { hint }),
  });
}

/** The result of a transaction of which nothing was done. */
export function failedResult(
  statement: number,
  error: Omit<PlainError, "sqlite" | "hint"> & Partial<PlainError>,
  seconds: number,
): PlainResult {
  return { type: "failed", statement, error: { sqlite: null, hint: null, ...error }, seconds };
}

/** A statement on its way to the store process. */
export type PlainStatement = readonly [sql: string, parameters: Parameters];

export function withoutSigns(list: readonly PlainStatement[]): Statement[] {
  return list.map(([sql, parameters]) => ({ sql, parameters: withoutPrefixes(parameters) }));
}

/** SQLite shows `:a` and `?1`, better-sqlite3 wants `a` and `1`. */
export function withoutPrefixes(parameters: Parameters): Parameters {
  if (Array.isArray(parameters)) return parameters as Parameters;
  const named = Object.entries(parameters).map(
    ([name, value]) => [name.replace(/^[:@$?]/, ""), value] as const,
  );
  return Object.fromEntries(named);
}

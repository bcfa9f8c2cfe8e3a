/** Results of transactions as bytes: written by the store process, read where the client waits. */
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

export function resultOf(bytes: Uint8Array): TransactResult {
  const plain = unpackResult(bytes);
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

/** Statements on their way to the store process. */
export function packStatements(statements: readonly Statement[]): Uint8Array {
  return serialize(statements.map(({ sql, parameters }) => [sql, parameters]));
}

export function unpackStatements(bytes: Uint8Array): Statement[] {
  const list = deserialize(bytes) as [string, Parameters][];
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

/** What holds for every query, wherever it runs: what may be asked, and how values go in and out. */
import type { Value } from "../../core/crdt/value.ts";
import type { Parameters, Statement } from "../agent/node-service.ts";
import { checkRead } from "../store/reader.ts";
import { type SqlValue, toSqlExact } from "../store/sql-value.ts";
import { withoutPrefixes } from "../store-process/result.ts";

export const notReadonly: Error & { readonly notReadonly?: true } = Object.assign(
  new Error("statement is not readonly"),
  { notReadonly: true as const },
);

const writing =
  /^\s*(?:INSERT|UPDATE|DELETE|REPLACE|CREATE|DROP|ALTER|BEGIN|COMMIT|END|SAVEPOINT|RELEASE|ROLLBACK|REINDEX|ANALYZE)\b/i;

/** @throws Error for what writes, or reaches other files. */
export function refuseWrites(sql: string): void {
  if (writing.test(sql)) throw notReadonly;
  checkRead(sql);
}

/** About what a value takes on its way, in bytes. */
export function sizeOf(value: Value): number {
  if (typeof value === "string") return value.length + 8;
  return value instanceof Uint8Array ? value.length + 8 : 8;
}

/** About what statements take on their way, in bytes. */
export function sizeOfStatements(statements: readonly Statement[]): number {
  let bytes = 0;
  for (const { sql, parameters } of statements) {
    bytes += sql.length;
    const values = Array.isArray(parameters) ? parameters : Object.values(parameters);
    for (const value of values as Value[]) bytes += sizeOf(value);
  }
  return bytes;
}

/** Parameters as better-sqlite3 takes them. */
export function bound(parameters: Parameters): SqlValue[] | Record<string, SqlValue> {
  if (Array.isArray(parameters)) return (parameters as Value[]).map(toSqlExact);
  const named = Object.entries(withoutPrefixes(parameters)).map(
    ([name, value]) => [name, toSqlExact(value as Value)] as const,
  );
  return Object.fromEntries(named);
}

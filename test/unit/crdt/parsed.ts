/** Schemas for tests: parsed, or the error that they give. */
import { expect } from "vitest";
import { parseSchema } from "../../../core/crdt/parse-schema.ts";
import type { ColumnSchema, TableSchema } from "../../../core/crdt/schema.ts";

export function parsed(...sql: string[]): readonly TableSchema[] {
  const result = parseSchema(sql);
  if (!result.ok) throw new Error(result.error);
  return result.tables;
}

/** The one table that `sql` declares. */
export function only(sql: string): TableSchema {
  const tables = parsed(sql);
  expect(tables).toHaveLength(1);
  return tables[0] as TableSchema;
}

export function errorOf(...sql: string[]): string {
  const result = parseSchema(sql);
  return result.ok ? "no error" : result.error;
}

export function column(table: TableSchema, name: string): ColumnSchema {
  return table.columns.find((other) => other.name === name) as ColumnSchema;
}

/** `POST /v1/table_stats`: how many rows the named tables hold together. */
import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Value } from "../../core/crdt/value.ts";
import { quoteName } from "../store/schema-source.ts";
import { type ApiContext, permit, principalOf } from "./api-context.ts";
import { jsonBody } from "./json-body.ts";

const body = z.object({ tables: z.array(z.string()).max(10_000) });
const timeoutMs = 60_000;

interface TableStats {
  readonly total_row_count: number;
  readonly invalid_tables: readonly string[];
}

export async function tableStats(ctx: ApiContext, request: FastifyRequest): Promise<TableStats> {
  const { tables } = jsonBody(request, body);
  const known = new Set(ctx.service.schema().tables);
  const valid = tables.filter((table) => known.has(table));
  const statements = valid.map((table) => ({
    sql: `SELECT count(*) FROM ${quoteName(table)}`,
    parameters: [],
  }));
  for (const statement of statements) permit(ctx, principalOf(request), statement);
  ctx.gate.enter();
  try {
    let total = 0;
    for (const statement of statements) {
      const { batches } = await ctx.service.query({ ...statement, timeoutMs });
      for await (const rows of batches) for (const [count] of rows) total += countOf(count);
    }
    return {
      total_row_count: total,
      invalid_tables: tables.filter((table) => !known.has(table)),
    };
  } finally {
    ctx.gate.leave();
  }
}

function countOf(value: Value | undefined): number {
  return typeof value === "number" ? value : 0;
}

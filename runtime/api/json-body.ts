/** Bodies that are no statements: plain JSON, held against a schema. Not for what must be fast. */
import type { FastifyRequest } from "fastify";
import type { z } from "zod";
import { JsonShapeError, JsonSyntaxError } from "./json-text.ts";
import { bodyText } from "./request-options.ts";

/** @throws ApiError, JsonSyntaxError, JsonShapeError */
export function jsonBody<T>(request: FastifyRequest, schema: z.ZodType<T>): T {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bodyText(request));
  } catch (error) {
    if (error instanceof SyntaxError) throw new JsonSyntaxError(error.message);
    throw error;
  }
  const result = schema.safeParse(parsed);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined || issue.path.length === 0 ? "the body" : issue.path.join(".");
  throw new JsonShapeError(`${where}: ${issue?.message ?? "not as expected"}`);
}

/** What `/v1/openapi.json` says: of the API as a whole, and of each route. Shown, never run: the routes check by themselves. */
import swagger from "@fastify/swagger";
import type { FastifyInstance, FastifySchema } from "fastify";
import { errorStatus } from "./api-error.ts";
import packageJson from "../../package.json" with { type: "json" };

export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Patina",
        description: "The HTTP API of a node. docs/http.md tells it in full.",
        version: packageJson.version,
        license: { name: "Apache-2.0" },
      },
      components: {
        securitySchemes: { token: { type: "http", scheme: "bearer" } },
      },
      security: [{ token: [] }],
    },
  });
}

const parameter = {
  description: "A list of bytes is a BLOB; another list or object is its JSON as TEXT.",
  anyOf: [
    { type: "null" },
    { type: "boolean" },
    { type: "number" },
    { type: "string" },
    { type: "array" },
    { type: "object" },
  ],
};
const list = { type: "array", items: parameter };
const byName = {
  type: "object",
  description: "Names carry their sign: :name, @name or $name.",
  additionalProperties: parameter,
};
const statement = {
  oneOf: [
    { type: "string", description: "SQL" },
    {
      type: "array",
      prefixItems: [{ type: "string" }, { oneOf: [list, byName] }],
      minItems: 2,
      maxItems: 2,
    },
    {
      type: "object",
      required: ["query"],
      properties: { query: { type: "string" }, params: list, named_params: byName },
    },
  ],
};

const error = {
  type: "object",
  required: ["error", "code"],
  properties: {
    error: { type: "string" },
    code: { type: "string", enum: Object.keys(errorStatus) },
    hint: { type: "string" },
    sqlite: { type: "string", description: "SQLite's own code" },
  },
};

function json(description: string, schema: object): object {
  return { description, content: { "application/json": { schema } } };
}

function lines(description: string): object {
  return { description, content: { "application/x-ndjson": { schema: { type: "string" } } } };
}

const failed = { "4xx": json("The caller's fault", error), "5xx": json("The node's fault", error) };
const seconds = { type: "number", minimum: 0 };
const real = { type: "number" };
const integer = { type: "integer" };
const text = { type: "string" };
const openToAll = { security: [] };

function described(schema: object): FastifySchema {
  return schema as FastifySchema;
}

function querystring(properties: object): object {
  return { querystring: { type: "object", properties } };
}

const executed = {
  type: "object",
  properties: {
    results: {
      type: "array",
      items: {
        oneOf: [{ type: "object", properties: { rows_affected: integer, time: real } }, error],
      },
    },
    time: real,
    version: { anyOf: [integer, { type: "null" }] },
    actor_id: text,
    peers: { type: "object", properties: { wanted: integer, applied: integer } },
  },
};

const member = {
  type: "object",
  properties: {
    name: text,
    actor_id: text,
    addr: text,
    state: { type: "string", enum: ["alive", "suspect", "down", "left"] },
    incarnation: integer,
    region: text,
    rtt_ms: { anyOf: [real, { type: "null" }] },
  },
};

export const schemas = {
  transactions: described({
    summary: "Runs statements in one transaction",
    ...querystring({
      timeout: { ...seconds, default: 300, description: "Seconds; 0 is no limit" },
      wait: { type: "string", description: "How many peers must have applied it, or all" },
      wait_timeout: { ...seconds, default: 5 },
    }),
    headers: { type: "object", properties: { "idempotency-key": text, traceparent: text } },
    body: { type: "array", items: statement, minItems: 1 },
    response: {
      200: json("Committed", executed),
      202: json("Committed; time ran out before all peers that were waited for had it", executed),
      "4xx": json("Rolled back", executed),
      "5xx": json("Rolled back", executed),
    },
  }),
  queries: described({
    summary: "Runs one statement that reads; the rows as NDJSON",
    ...querystring({ timeout: { ...seconds, default: 60, description: "Seconds; 0 is no limit" } }),
    headers: { type: "object", properties: { "x-patina-min-version": text } },
    body: statement,
    response: {
      200: lines('{"columns":[…]}, {"row":[id,[…]]}…, then {"eoq":{"time":s}} or {"error":…}'),
      ...failed,
    },
  }),
  tableStats: described({
    summary: "Counts rows",
    body: {
      type: "object",
      required: ["tables"],
      properties: { tables: { type: "array", items: text } },
    },
    response: {
      200: json("Rows of all valid tables together", {
        type: "object",
        properties: {
          total_row_count: integer,
          invalid_tables: { type: "array", items: text },
        },
      }),
      ...failed,
    },
  }),
  health: described({
    summary: "Whether the node is within bounds that the caller names",
    ...querystring({
      gaps: integer,
      p99_lag: real,
      max_queue: integer,
      failure_status: { ...integer, default: 503 },
    }),
    response: {
      200: json("Well", {
        type: "object",
        properties: {
          response: {
            type: "object",
            properties: { gaps: integer, members: integer, p99_lag: real, queue_size: integer },
          },
        },
      }),
      ...failed,
    },
  }),
  status: described({
    summary: "What the node knows of itself",
    response: { 200: json("Status", { type: "object" }), ...failed },
  }),
  members: described({
    summary: "The members that the node knows",
    ...querystring({ watch: { type: "boolean", description: "NDJSON, and then each change" } }),
    response: { 200: json("Members", { type: "array", items: member }), ...failed },
  }),
  trace: described({
    summary: "The live trace (docs/trace.md)",
    ...querystring({ planes: { type: "string", description: "Messages of swim, gossip, sync" } }),
    response: { 200: lines("A header, then an event a line"), ...failed },
  }),
  livez: described({ summary: "The process answers", ...openToAll }),
  readyz: described({ summary: "200 when the node takes requests, else 503", ...openToAll }),
  metrics: described({ summary: "Metrics for Prometheus (docs/metrics.md)" }),
  openapi: described({ summary: "This" }),
  backup: described({
    summary: "Writes a consistent copy of the database to a path on the node's machine",
    body: { type: "object", required: ["path"], properties: { path: text } },
    response: { 200: json("Written", { type: "object", properties: { path: text } }), ...failed },
  }),
  reload: described({
    summary: "Re-reads schema, tokens, certificates and log level",
    response: {
      200: json("What changed", {
        type: "object",
        properties: { changes: { type: "array", items: text } },
      }),
      ...failed,
    },
  }),
  later: described({ summary: "Not in this version", response: failed }),
  page: described({ hide: true }),
};

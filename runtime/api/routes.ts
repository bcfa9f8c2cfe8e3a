/** Every route of the API, with what is said of it in `/v1/openapi.json`. */
import { isAbsolute } from "node:path";
import type { FastifyInstance, FastifySchema } from "fastify";
import { z } from "zod";
import { ServiceError } from "../agent/node-service.ts";
import type { Access, ApiContext, Handler } from "./api-context.ts";
import { ApiError } from "./api-error.ts";
import { exchangeOf } from "./exchange.ts";
import { health, livez, readyz } from "./health.ts";
import { jsonBody } from "./json-body.ts";
import { followTrace, watchMembers } from "./live-streams.ts";
import { schemas } from "./openapi.ts";
import { queries } from "./queries.ts";
import { flagOf, queryOf } from "./request-options.ts";
import type { ExchangeHandler } from "./short-way.ts";
import { memberBody, statusBody } from "./status.ts";
import { tableStats } from "./table-stats.ts";
import { transactions } from "./transactions.ts";
import { addPage } from "./page.ts";

/** What is asked most. These routes are reached by the short way too. */
export const shortRoutes: ReadonlyMap<string, ExchangeHandler> = new Map([
  ["/v1/transactions", transactions],
  ["/v1/queries", queries],
]);

export async function addRoutes(app: FastifyInstance, ctx: ApiContext): Promise<void> {
  addCorrosionRoutes(app, ctx);
  addNodeRoutes(app, ctx);
  addAdminRoutes(app, ctx);
  await addPage(app);
}

function addCorrosionRoutes(app: FastifyInstance, ctx: ApiContext): void {
  for (const [path, handler] of shortRoutes) {
    const schema = path === "/v1/queries" ? schemas.queries : schemas.transactions;
    post(app, path, schema, async (request, reply) => {
      await handler(ctx, exchangeOf(request, reply));
      return reply;
    });
  }
  post(app, "/v1/table_stats", schemas.tableStats, (request) => tableStats(ctx, request));
  get(app, "/v1/health", schemas.health, (request, reply) => health(ctx, request, reply));
  const later: Handler = () =>
    Promise.reject(
      new ApiError("not_implemented", "this version has no subscriptions yet", {
        hint: "ask again with /v1/queries",
      }),
    );
  app.post("/v1/subscriptions", { schema: schemas.later }, later);
  app.get("/v1/subscriptions/:id", { schema: schemas.later }, later);
  app.post("/v1/updates/:table", { schema: schemas.later }, later);
}

function addNodeRoutes(app: FastifyInstance, ctx: ApiContext): void {
  get(app, "/v1/status", schemas.status, async () => statusBody(await ctx.service.status()));
  get(app, "/v1/members", schemas.members, async (request, reply) => {
    if (!flagOf(queryOf(request), "watch")) return ctx.service.members().map(memberBody);
    watchMembers(ctx, request, reply);
    return reply;
  });
  app.get(
    "/v1/trace",
    { schema: schemas.trace, config: { access: "reader" }, exposeHeadRoute: false },
    async (request, reply) => {
      followTrace(ctx, request, reply);
      return reply;
    },
  );
  get(app, "/livez", schemas.livez, async (_request, reply) => livez(reply), "open");
  get(app, "/readyz", schemas.readyz, async (_request, reply) => readyz(ctx, reply), "open");
  get(app, "/metrics", schemas.metrics, async (_request, reply) => {
    const text = await ctx.metrics.text(await ctx.service.status());
    return reply.header("content-type", ctx.metrics.contentType).send(text);
  });
  get(app, "/v1/openapi.json", schemas.openapi, async () => app.swagger());
}

const backupBody = z.object({ path: z.string().min(1) });

function addAdminRoutes(app: FastifyInstance, ctx: ApiContext): void {
  const backup: Handler = async (request) => {
    const { path } = jsonBody(request, backupBody);
    if (!isAbsolute(path)) {
      throw new ApiError("bad_parameter", `path is absolute, on the node's machine: ${path}`);
    }
    try {
      await ctx.service.backup(path);
    } catch (error) {
      if (!(error instanceof ServiceError) || error.code !== "sql") throw error;
      throw new ApiError("bad_parameter", error.message);
    }
    return { path };
  };
  const reload: Handler = async () => ({ changes: await ctx.service.reload() });
  post(app, "/v1/backup", schemas.backup, backup, "admin");
  post(app, "/v1/reload", schemas.reload, reload, "admin");
}

function post(
  app: FastifyInstance,
  url: string,
  schema: FastifySchema,
  handler: Handler,
  access: Access = "token",
): void {
  app.post(url, { schema, config: { access } }, handler);
}

function get(
  app: FastifyInstance,
  url: string,
  schema: FastifySchema,
  handler: Handler,
  access: Access = "token",
): void {
  app.get(url, { schema, config: { access } }, handler);
}

const methods = ["GET", "HEAD", "POST"] as const;

/** The methods that a path has. */
export function methodsOf(app: FastifyInstance, url: string): string[] {
  const path = url.replace(/[?#].*$/s, "");
  return methods.filter((method) => app.findRoute({ url: path, method }) !== null);
}

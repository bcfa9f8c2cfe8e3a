/** What the routes of the API share. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { NodeService, Statement } from "../agent/node-service.ts";
import type { Authenticator, Principal } from "../auth/authenticator.ts";
import { whyDenied } from "../auth/rights.ts";
import type { Inspection, SqlInspector } from "../auth/sql-inspector.ts";
import type { ApiConfig } from "../config/node-config.ts";
import type { Logger } from "../observe/logger.ts";
import type { NodeMetrics } from "../observe/metrics.ts";
import type { Spans } from "../observe/spans.ts";
import { ApiError, type ErrorCode } from "./api-error.ts";
import type { Asked } from "./exchange.ts";
import type { Gate } from "./gate.ts";
import type { ParameterBinder } from "./parameter-binder.ts";

export interface ApiContext {
  readonly service: NodeService;
  readonly config: ApiConfig;
  readonly auth: Authenticator;
  readonly inspector: SqlInspector;
  readonly binder: ParameterBinder;
  /** Requests that touch the database. */
  readonly gate: Gate;
  /** Live streams, which stay for as long as their clients like. */
  readonly streams: Gate;
  /** The live streams that are open, to end them when the node stops or their token is revoked. */
  readonly live: Set<Ending>;
  readonly metrics: NodeMetrics;
  readonly spans: Spans;
  readonly log: Logger;
  /** The node is being stopped. */
  stopping: boolean;
}

export interface Ending {
  /** The Authorization header that the stream was begun with. */
  readonly authorization: string | undefined;
  /** Writes the last line. Nothing when it has ended already. */
  end(code: ErrorCode, message: string): void;
}

/** Who must be let in. `open`: everybody; `token`: whoever shows a token; `reader`: who may read every table. */
export type Access = "open" | "token" | "reader" | "admin";

declare module "fastify" {
  interface FastifyRequest {
    /** Null on open routes. */
    principal: Principal | null;
  }
  interface FastifyContextConfig {
    access?: Access;
  }
}

export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;

export function principalOf(request: Pick<Asked, "principal">): Principal {
  if (request.principal === null) throw new ApiError("internal", "a route without a caller");
  return request.principal;
}

/** What a statement does, if the caller may have it done. @throws ApiError */
export function permit(ctx: ApiContext, principal: Principal, { sql }: Statement): Inspection {
  const inspection = ctx.inspector.inspect(sql);
  switch (inspection.type) {
    case "error":
      throw new ApiError("sql", inspection.message, { sqlite: "SQLITE_ERROR" });
    case "refused":
      throw new ApiError("refused", inspection.why, { hint: inspection.hint });
  }
  const denial = whyDenied(principal, inspection);
  if (denial === null) return inspection;
  ctx.metrics.refused("right");
  throw new ApiError("forbidden", denial.why, { hint: denial.hint });
}

/** `POST /v1/transactions`: statements, run in one transaction. */
import type { Statement, TransactResult } from "../agent/node-service.ts";
import { type ApiContext, permit, principalOf } from "./api-context.ts";
import { ApiError, asApiError, type ErrorCode, errorBody } from "./api-error.ts";
import { answerJson, type Asked, type Exchange } from "./exchange.ts";
import {
  badParameter,
  bodyText,
  headerOf,
  idempotencyKeyOf,
  queryOf,
  type QueryString,
  timeoutMsOf,
} from "./request-options.ts";
import { parseStatements } from "./statement-text.ts";
import { realText } from "./value-text.ts";

/**
 * A statement that writes keeps every other writer waiting, so even where the client names no limit
 * there is one; longer work says `timeout=0`.
 */
const defaultTimeoutMs = 300_000;
const defaultWaitMs = 5_000;
/** How long a span of a write waits for the last member. */
const spreadMs = 60_000;

/** Errors for which the statement that was being run is at fault, as far as anybody can say. */
const blamesStatement: ReadonlySet<ErrorCode> = new Set(["sql", "refused", "disk_full"]);

interface Wanted {
  readonly peers: number | "all";
  readonly timeoutMs: number;
}

type Committed = Extract<TransactResult, { type: "committed" }>;

export async function transactions(ctx: ApiContext, exchange: Exchange): Promise<void> {
  const statements = parseStatements(bodyText(exchange));
  const query = queryOf(exchange);
  const timeoutMs = timeoutMsOf(query, "timeout", defaultTimeoutMs);
  const wanted = wantedOf(query);
  const key = idempotencyKeyOf(exchange);
  const span = ctx.spans.write(ctx.spans.active ? headerOf(exchange, "traceparent") : null);
  ctx.gate.enter();
  try {
    if (statements.length === 0) {
      throw new ApiError("no_statements", "at least 1 statement is required");
    }
    const principal = principalOf(exchange);
    const bound = statements.map((statement) => {
      permitWrite(ctx, exchange, statement);
      return ctx.binder.bind(statement);
    });
    const result = await ctx.service.transact({
      statements: bound,
      timeoutMs,
      // A key is the client's own: the same one of another token is another.
      idempotencyKey: key === null ? null : `${principal.name ?? ""}:${key}`,
    });
    if (result.type === "failed") {
      span.failed(result.error.message);
      const told = asStatementError(result.error);
      const statement = blamesStatement.has(told.code) ? result.statement : null;
      fail(ctx, exchange, told, result.seconds, statement);
      return;
    }
    span.committed(result.version, statements.length);
    if (ctx.spans.active && result.version !== null) {
      void ctx.service.waitPeers(result.version, "all", spreadMs).then(
        (peers) => span.spread(peers.applied, peers.wanted),
        () => span.failed("the node stopped before it had spread"),
      );
    }
    const peers = wanted === null ? null : await waitForPeers(ctx, result, wanted);
    const status = peers !== null && peers.applied < peers.wanted ? 202 : 200;
    exchange.takeOver();
    answerJson(exchange.response, status, committedText(result, ctx.service.actorId, peers));
  } catch (error) {
    const told = asStatementError(error);
    if (told.code === "internal")
      ctx.log.error({ err: error }, "a transaction failed unexpectedly");
    span.failed(told.message);
    fail(ctx, exchange, told, 0, null);
  } finally {
    ctx.gate.leave();
  }
}

function permitWrite(ctx: ApiContext, request: Asked, statement: Statement): void {
  const inspection = permit(ctx, principalOf(request), statement);
  if (inspection.type === "statement" && inspection.reads[0] === "sqlite_schema") {
    refusePragma(statement);
  }
}

/** Inside a transaction the store runs no pragmas, not even those that only tell. */
function refusePragma({ sql }: Statement): void {
  if (!/^\s*pragma\b/i.test(sql)) return;
  throw new ApiError("refused", "PRAGMA is no statement of a transaction", {
    hint: "those that only tell something are answered by /v1/queries",
  });
}

function wantedOf(query: QueryString): Wanted | null {
  const { wait } = query;
  const timeoutMs = timeoutMsOf(query, "wait_timeout", defaultWaitMs) ?? 2 ** 31 - 1;
  if (wait === undefined) return null;
  if (wait === "all") return { peers: "all", timeoutMs };
  if (typeof wait !== "string" || !/^\d{1,6}$/.test(wait)) {
    throw badParameter("wait", 'a number of peers, or "all"');
  }
  return { peers: Number(wait), timeoutMs };
}

async function waitForPeers(
  ctx: ApiContext,
  { version }: Committed,
  { peers, timeoutMs }: Wanted,
): Promise<{ readonly wanted: number; readonly applied: number }> {
  if (version !== null) return await ctx.service.waitPeers(version, peers, timeoutMs);
  // Nothing was to be applied, so whoever was asked has done it.
  const wanted = peers === "all" ? 0 : peers;
  return { wanted, applied: wanted };
}

function committedText(
  { results, seconds, version }: Committed,
  actorId: string,
  peers: { readonly wanted: number; readonly applied: number } | null,
): string {
  let text = '{"results":[';
  for (let i = 0; i < results.length; i++) {
    const result = results[i] as Committed["results"][number];
    if (i > 0) text += ",";
    text += `{"rows_affected":${result.rowsAffected},"time":${realText(result.seconds)}}`;
  }
  text += `],"time":${realText(seconds)},"version":${version},"actor_id":"${actorId}"`;
  if (peers !== null) text += `,"peers":{"wanted":${peers.wanted},"applied":${peers.applied}}`;
  return `${text}}`;
}

/** What the store refuses by itself is told as what the API refuses. */
function asStatementError(error: unknown): ApiError {
  const told = asApiError(error);
  return told.code === "sql" && told.sqlite === "SQLITE_AUTH"
    ? new ApiError("refused", told.message, { hint: told.hint })
    : told;
}

/**
 * The body that Corrosion's clients read: one result, which is the error. What is not the fault of a
 * statement is told beside it as well, as everywhere in this API.
 */
function fail(
  ctx: ApiContext,
  exchange: Exchange,
  error: ApiError,
  seconds: number,
  statement: number | null,
): void {
  const body = errorBody(error);
  const again = error.code === "overloaded" || error.code === "shutting_down";
  const result = statement === null ? body : { ...body, statement };
  const aside = error.status === 400 ? "" : `,${JSON.stringify(body).slice(1, -1)}`;
  exchange.takeOver();
  answerJson(
    exchange.response,
    error.status,
    `{"results":[${JSON.stringify(result)}],"time":${realText(seconds)},"version":null,"actor_id":"${ctx.service.actorId}"${aside}}`,
    again ? { "retry-after": "1" } : {},
  );
}

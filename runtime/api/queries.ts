/** `POST /v1/queries`: one statement that reads; its rows as lines, as fast as the client takes them. */
import type { QueryResult, Statement, WholeResult } from "../agent/node-service.ts";
import { type ApiContext, permit, principalOf } from "./api-context.ts";
import { ApiError, asApiError, errorBody } from "./api-error.ts";
import type { Asked, Exchange } from "./exchange.ts";
import { LineStream, ndjson } from "./line-stream.ts";
import { bodyText, minVersionOf, queryOf, timeoutMsOf } from "./request-options.ts";
import { parseStatement } from "./statement-text.ts";
import { realText, rowLine } from "./value-text.ts";

const defaultTimeoutMs = 60_000;
const defaultVersionWaitMs = 5_000;
const noLimitMs = 2 ** 31 - 1;
/** A client that takes nothing for so long is cut off: its query keeps a reader of the database busy. */
const patienceMs = 30_000;
/** Text gathered before it is handed to the connection. */
const pieceLength = 65_536;

export async function queries(ctx: ApiContext, exchange: Exchange): Promise<void> {
  const statement = parseStatement(bodyText(exchange));
  const query = queryOf(exchange);
  const timeoutMs = timeoutMsOf(query, "timeout", defaultTimeoutMs);
  permitRead(ctx, exchange, statement);
  const bound = ctx.binder.bind(statement);
  const least = minVersionOf(exchange);
  ctx.gate.enter();
  const began = performance.now();
  try {
    if (least !== null) {
      const waitMs = timeoutMsOf(query, "timeout", defaultVersionWaitMs) ?? noLimitMs;
      if (!(await ctx.service.waitApplied(least.actorId, least.version, waitMs))) {
        throw new ApiError(
          "version_timeout",
          `version ${least.version} of ${least.actorId} has not been applied here within ${waitMs / 1000} s`,
          { hint: "ask the node that answered the transaction, or wait longer with timeout=" },
        );
      }
    }
    const whole = ctx.service.queryNow(bound);
    if (whole !== null) {
      sendWhole(ctx, whole, exchange, began);
      return;
    }
    const abort = new AbortController();
    const lines = new LineStream(exchange.response, undefined, () => abort.abort());
    const result = await ctx.service.query({ ...bound, timeoutMs, signal: abort.signal });
    await send(ctx, result, lines, exchange, began);
  } finally {
    ctx.gate.leave();
  }
}

function permitRead(ctx: ApiContext, request: Asked, statement: Statement): void {
  const inspection = permit(ctx, principalOf(request), statement);
  const { type } = inspection;
  if ((type === "statement" || type === "opaque") && !inspection.readonly) {
    throw new ApiError("not_readonly", "statement is not readonly", {
      hint: "what writes goes to /v1/transactions",
    });
  }
  if (type === "statement" && inspection.savepoint) {
    throw new ApiError("refused", "a query has no savepoints", {
      hint: "they belong into /v1/transactions",
    });
  }
}

/** What was there at once leaves at once. */
function sendWhole(
  ctx: ApiContext,
  { columns, rows }: WholeResult,
  exchange: Exchange,
  began: number,
): void {
  let text = `{"columns":${JSON.stringify(columns)}}\n`;
  for (let i = 0; i < rows.length; i++) text += rowLine(i + 1, rows[i] as WholeResult["rows"][0]);
  text += eoqLine(began);
  exchange.takeOver();
  ctx.metrics.rowsSent(rows.length);
  exchange.response.writeHead(200, {
    "content-type": ndjson,
    "content-length": Buffer.byteLength(text),
  });
  exchange.response.end(text);
}

function eoqLine(began: number): string {
  return `{"eoq":{"time":${realText((performance.now() - began) / 1000)}}}\n`;
}

/**
 * The first batch decides whether the answer is rows or an error, so nothing is sent before it. What
 * comes in one go leaves in one go: what is gathered is handed over when the source makes us wait.
 */
async function send(
  ctx: ApiContext,
  { columns, batches }: QueryResult,
  lines: LineStream,
  exchange: Exchange,
  began: number,
): Promise<void> {
  const source = batches[Symbol.asyncIterator]();
  let rows = 0;
  let begun = false;
  let text = `{"columns":${JSON.stringify(columns)}}\n`;
  try {
    let next = await source.next();
    exchange.takeOver();
    begun = true;
    while (next.done !== true) {
      for (const row of next.value) {
        text += rowLine(++rows, row);
        if (text.length < pieceLength) continue;
        const inStep = lines.write(text);
        text = "";
        if (!inStep) await patience(lines);
        if (lines.closed) return;
      }
      const coming = source.next();
      const timer = setImmediate(() => {
        if (text !== "") lines.write(text);
        text = "";
      });
      try {
        next = await coming;
      } finally {
        clearImmediate(timer);
      }
      if (lines.closed) return;
      await patience(lines);
    }
    lines.end(`${text}${eoqLine(began)}`);
  } catch (error) {
    if (!begun) throw error;
    const told = asApiError(error);
    if (told.code === "internal") ctx.log.error({ err: error }, "a query failed unexpectedly");
    lines.end(`${text}${JSON.stringify(errorBody(told))}\n`);
    if (told.code === "slow_consumer") lines.destroyAfter(patienceMs);
  } finally {
    ctx.metrics.rowsSent(rows);
    await source.return?.();
  }
}

/** @throws ApiError when the client does not catch up. */
async function patience(lines: LineStream): Promise<void> {
  if (await lines.drained(patienceMs)) return;
  throw new ApiError("slow_consumer", `the client took nothing for ${patienceMs / 1000} s`);
}

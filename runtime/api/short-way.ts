/**
 * The short way of plain requests to the routes that are asked most: what a framework does for every
 * request takes longer than a small query. Whatever is out of the ordinary (parameters in the URL, a
 * long body or one in chunks, a stranger) takes the way through Fastify, which has the same routes.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { admit } from "./admission.ts";
import type { ApiContext } from "./api-context.ts";
import { ApiError, errorBody } from "./api-error.ts";
import { asTold, errorHeaders } from "./error-answer.ts";
import { answerJson, type Exchange } from "./exchange.ts";

export type ExchangeHandler = (ctx: ApiContext, exchange: Exchange) => Promise<void>;

/** Longer bodies are read by Fastify, which holds them against the configured limit as they come. */
const maxBodyBytes = 65_536;
const noQuery = {};

/**
 * @param routes by path; POST alone, for whoever shows a token.
 * @param otherwise takes what does not go the short way, untouched.
 */
export function shortWay(
  ctx: ApiContext,
  routes: ReadonlyMap<string, ExchangeHandler>,
  otherwise: RequestListener,
): RequestListener {
  const longest = Math.min(maxBodyBytes, ctx.config.bodyLimitBytes);
  return (request, response) => {
    const handler = request.method === "POST" ? routes.get(request.url ?? "") : undefined;
    if (handler === undefined || !isPlain(request, longest)) return otherwise(request, response);
    const principal = admit(ctx, "token", request.headers);
    if (principal === null || principal instanceof ApiError) return otherwise(request, response);
    wholeBody(request, (body) => {
      void answer(ctx, handler, new ShortExchange(request, principal, body, response));
    });
  };
}

async function answer(
  ctx: ApiContext,
  handler: ExchangeHandler,
  exchange: ShortExchange,
): Promise<void> {
  const beganMs = performance.now();
  try {
    await handler(ctx, exchange);
  } catch (error) {
    answerFailure(ctx, exchange, error);
  }
  const { statusCode, req } = exchange.response;
  ctx.metrics.answered(req.url as string, statusCode, (performance.now() - beganMs) / 1000);
}

class ShortExchange implements Exchange {
  readonly query = noQuery;
  readonly headers: Exchange["headers"];
  readonly principal: Exchange["principal"];
  readonly body: Buffer;
  readonly response: ServerResponse;
  takenOver = false;

  constructor(
    request: IncomingMessage,
    principal: Exchange["principal"],
    body: Buffer,
    response: ServerResponse,
  ) {
    this.headers = request.headers;
    this.principal = principal;
    this.body = body;
    this.response = response;
  }

  takeOver(): void {
    this.takenOver = true;
  }
}

/** JSON of a length that is known and not great. */
function isPlain({ headers }: IncomingMessage, longest: number): boolean {
  // A length that is no number is not plain either.
  return (
    headers["content-type"] === "application/json" && Number(headers["content-length"]) <= longest
  );
}

/** A client that goes away before its end is not answered. */
function wholeBody(request: IncomingMessage, done: (body: Buffer) => void): void {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  request.on("end", () => {
    done(pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces));
  });
}

function answerFailure(ctx: ApiContext, exchange: ShortExchange, error: unknown): void {
  const { response } = exchange;
  const told = asTold(ctx, error);
  if (exchange.takenOver) {
    response.destroy();
    return;
  }
  const headers = errorHeaders(told, response.req.httpVersionMajor);
  answerJson(response, told.status, JSON.stringify(errorBody(told)), headers);
}

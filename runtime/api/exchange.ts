/** One request and its answer, whoever has read it: Fastify, or the short way (`short-way.ts`). */
import type { IncomingHttpHeaders, ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Principal } from "../auth/authenticator.ts";

/** What was asked. */
export interface Asked {
  readonly headers: IncomingHttpHeaders;
  /** The parameters of the query string, as an object. */
  readonly query: unknown;
  /** A Buffer where there was a body. */
  readonly body: unknown;
  /** Null on open routes. */
  readonly principal: Principal | null;
}

export interface Exchange extends Asked {
  readonly response: ServerResponse;
  /** From here on the route itself answers; what it threw before that is answered for it. */
  takeOver(): void;
}

export function exchangeOf(request: FastifyRequest, reply: FastifyReply): Exchange {
  const { headers, query, body, principal } = request;
  return { headers, query, body, principal, response: reply.raw, takeOver: () => reply.hijack() };
}

const json = "application/json; charset=utf-8";

/** A whole answer of JSON, written at once. */
export function answerJson(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    "content-type": json,
    "content-length": Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

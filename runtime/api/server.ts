/** The HTTP server of a node: who comes in, by which door, to which route, and how it ends. */
import { readFileSync } from "node:fs";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { NodeService } from "../agent/node-service.ts";
import { Authenticator } from "../auth/authenticator.ts";
import { whyNotListen } from "../auth/listen-guard.ts";
import { SqlInspector } from "../auth/sql-inspector.ts";
import type { ApiConfig, TokenConfig } from "../config/node-config.ts";
import type { Logger } from "../observe/logger.ts";
import type { NodeMetrics } from "../observe/metrics.ts";
import { type MetricsServer, startMetricsServer } from "../observe/metrics-server.ts";
import { noSpans, type Spans } from "../observe/spans.ts";
import type { Access, ApiContext } from "./api-context.ts";
import { admit } from "./admission.ts";
import { ApiError, errorBody } from "./api-error.ts";
import { Doors, type DoorTls } from "./doors.ts";
import { readOn } from "./early-answer.ts";
import { asTold, errorHeaders, refuseBroken } from "./error-answer.ts";
import { Gate } from "./gate.ts";
import { ParameterBinder } from "./parameter-binder.ts";
import { describeApi } from "./openapi.ts";
import { mistyped, queryOf } from "./request-options.ts";
import { addRoutes, methodsOf, shortRoutes } from "./routes.ts";
import { shortWay } from "./short-way.ts";

export interface ApiOptions {
  readonly service: NodeService;
  readonly config: ApiConfig;
  readonly log: Logger;
  readonly metrics: NodeMetrics;
  /** Where /metrics is served as well, without tokens. */
  readonly metricsAddr?: string | null;
  readonly spans?: Spans;
}

export interface ApiServer {
  /** "host:port" of each address that it listens on, with the ports that it got. */
  readonly addresses: readonly string[];
  /** Where /metrics is served without tokens; null: nowhere. */
  readonly metricsAddress: string | null;
  /** Whoever shows none of these is turned away from now on. */
  reloadTokens(tokens: readonly TokenConfig[]): void;
  /** New connections see the certificate that is in the files now. @throws ListenError */
  reloadTls(files: { readonly certFile: string; readonly keyFile: string }): void;
  /** Takes no new requests, ends the live streams with a last line, and waits for what is under way, at most `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** The API cannot be served as it is configured: one line that says what to change. */
export class ListenError extends Error {
  override name = "ListenError";
}

const maxStreams = 256;
/** How often a closing server looks whether all is answered. */
const closingEveryMs = 20;

/** @throws ListenError */
export async function startApi(options: ApiOptions): Promise<ApiServer> {
  const { config, service } = options;
  const refusal = whyNotListen(config);
  if (refusal !== null) throw new ListenError(refusal);
  const ctx: ApiContext = {
    service,
    config,
    // When a reload takes the last token away, an API that others reach does not become theirs.
    auth: new Authenticator(config.tokens, whyNotListen({ ...config, tokens: [] }) === null),
    inspector: new SqlInspector(() => service.schema()),
    binder: new ParameterBinder(),
    gate: new Gate(config.maxConcurrent, "requests"),
    streams: new Gate(maxStreams, "live streams"),
    live: new Set(),
    metrics: options.metrics,
    spans: options.spans ?? noSpans,
    log: options.log,
    stopping: false,
  };
  const tls = config.tls === null ? null : readTls(config.tls);
  let made: Doors | null = null;
  const app = fastify({
    bodyLimit: config.bodyLimitBytes,
    exposeHeadRoutes: true,
    requestIdHeader: false,
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => refuseBroken(error, socket),
    serverFactory: (handler) => {
      made = new Doors(shortWay(ctx, shortRoutes, handler), tls);
      return made.http1;
    },
  });
  const doors = made as Doors | null;
  if (doors === null) throw new Error("fastify asked for no server");
  await furnish(app, ctx);
  const { gate, streams } = ctx;
  ctx.metrics.watchOpen(() => ({ requests: gate.inside, streams: streams.inside }));
  const forgetSchema = service.onSchema(() => ctx.inspector.forget());
  const addresses = await listen(doors, config.addrs);
  const metricsServer = await serveMetrics(options).catch((error: unknown) => {
    doors.stopListening();
    doors.destroy();
    throw error;
  });
  return {
    addresses,
    metricsAddress: metricsServer?.address ?? null,
    reloadTokens: (tokens) => {
      ctx.auth.reload(tokens);
      for (const stream of ctx.live) {
        if (ctx.auth.authenticate(stream.authorization) !== null) continue;
        stream.end("unauthorized", "the token was revoked");
      }
    },
    reloadTls: (files) => {
      if (config.tls !== null) doors.rotate(readTls(files));
    },
    close: async (graceMs) => {
      ctx.stopping = true;
      doors.stopListening();
      for (const stream of ctx.live) stream.end("shutting_down", "the node is being stopped");
      const until = performance.now() + graceMs;
      while (ctx.gate.inside > 0 && performance.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, closingEveryMs));
      }
      forgetSchema();
      await metricsServer?.close();
      doors.destroy();
      await app.close();
      ctx.inspector.close();
    },
  };
}

async function listen(doors: Doors, addresses: readonly string[]): Promise<string[]> {
  const bound: string[] = [];
  try {
    for (const address of addresses) bound.push(await doors.listen(address));
    return bound;
  } catch (error) {
    doors.stopListening();
    doors.destroy();
    throw listenError("the API", addresses[bound.length] as string, error);
  }
}

async function serveMetrics(options: ApiOptions): Promise<MetricsServer | null> {
  const { metricsAddr, metrics, service } = options;
  if (metricsAddr === undefined || metricsAddr === null) return null;
  try {
    return await startMetricsServer(metricsAddr, service, metrics);
  } catch (error) {
    throw listenError("/metrics", metricsAddr, error);
  }
}

const listenReasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "the port is in use; stop what uses it, or choose another",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "it takes a privilege that this process lacks; choose a port above 1023",
  ENOTFOUND: "there is no such host",
};

/** @param error of a listening socket. */
export function listenError(what: string, address: string, error: unknown): ListenError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new ListenError(`${what} cannot listen on ${address}: ${listenReasons[code] ?? message}`);
}

function readTls({ certFile, keyFile }: { certFile: string; keyFile: string }): DoorTls {
  try {
    return { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") };
  } catch (error) {
    throw new ListenError(`the API's certificate cannot be read: ${(error as Error).message}`);
  }
}

async function furnish(app: FastifyInstance, ctx: ApiContext): Promise<void> {
  // Bodies are read by the routes, exactly and once; schemas are there to be shown, not to be run.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    /^application\/([a-z0-9.-]+\+)?json\b/i,
    { parseAs: "buffer" },
    (_request, body, done) => done(null, body),
  );
  app.setValidatorCompiler(() => () => true);
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest("principal", null);
  watch(app, ctx);
  app.setErrorHandler((error, _request, reply) => sendError(reply, asTold(ctx, error)));
  app.setNotFoundHandler((request, reply) => {
    const methods = methodsOf(app, request.url);
    if (methods.length === 0) {
      return sendError(
        reply,
        new ApiError("not_found", `there is no ${request.url.replace(/[?#].*$/s, "")} here`, {
          hint: "/v1/openapi.json lists what there is",
        }),
      );
    }
    reply.header("allow", methods.join(", "));
    const what = `${request.method} is no method of it; it has ${methods.join(", ")}`;
    return sendError(reply, new ApiError("method_not_allowed", what));
  });
  await describeApi(app);
  await addRoutes(app, ctx);
  await app.ready();
}

/**
 * Whoever comes is admitted or not, and what was answered is counted. The hooks belong to the routes,
 * because a request tells its route only through a getter that makes a copy each time.
 */
function watch(app: FastifyInstance, ctx: ApiContext): void {
  app.addHook("onRoute", (route) => {
    const access = route.config?.access ?? "token";
    const endpoint = route.url;
    const { properties = {} } = (route.schema?.querystring ?? {}) as { properties?: object };
    const parameters = Object.keys(properties);
    route.onRequest = (request, reply, done) => {
      if (!isAdmitted(ctx, access, request, reply)) return;
      const wrong = mistyped(queryOf(request), parameters);
      if (wrong === null) done();
      else sendError(reply, wrong);
    };
    route.onResponse = (_request, reply, done) => {
      ctx.metrics.answered(endpoint, reply.raw.statusCode, reply.elapsedTime / 1000);
      done();
    };
  });
  // What has no route has these.
  app.addHook("onRequest", (request, reply, done) => {
    if (!request.is404 || isAdmitted(ctx, "token", request, reply)) done();
  });
  app.addHook("onResponse", (request, reply, done) => {
    if (request.is404) {
      ctx.metrics.answered("unknown", reply.raw.statusCode, reply.elapsedTime / 1000);
    }
    done();
  });
}

function isAdmitted(
  ctx: ApiContext,
  access: Access,
  request: FastifyRequest,
  reply: FastifyReply,
): boolean {
  const admitted = admit(ctx, access, request.headers);
  if (!(admitted instanceof ApiError)) {
    request.principal = admitted;
    return true;
  }
  ctx.metrics.refused(admitted.code);
  sendError(reply, admitted);
  return false;
}

function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  const { httpVersionMajor } = reply.request.raw;
  reply.headers(errorHeaders(error, httpVersionMajor));
  // Fastify asks for the connection to be closed after a body that is too large, which HTTP/2 has no header for.
  if (httpVersionMajor === 2) reply.removeHeader("connection");
  readOn(reply.request);
  return reply.code(error.status).send(errorBody(error));
}

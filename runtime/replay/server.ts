/**
 * Serves the visualizer on loopback, and one trace file beside it. Nothing but the page's own
 * files and that trace can be asked for, whatever the path says.
 */
import { createReadStream, statSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { basename } from "node:path";
import type { Assets } from "./bundle.ts";
import { type LiveSources, passOn } from "./live-proxy.ts";
import { safetyHeaders, type Ui, uiOf } from "./ui.ts";

export interface ReplayOptions {
  readonly assets: Assets;
  /** The trace served as /trace; null serves the page alone. */
  readonly trace: string | null;
  /** Live traces passed on as /live/0, /live/1 …; null: none. */
  readonly live: LiveSources | null;
  /** 0 takes any free port. */
  readonly port: number;
  readonly host: string;
}

export interface ReplayServer {
  /** Opens the trace. */
  readonly url: string;
  close(): Promise<void>;
}

const pagePath = "/ui/";
/** Traces may lie anywhere: `?trace=` names them. The server is for whoever started it. */
const mayConnectTo = "'self' http: https:";

/** @throws NodeJS.ErrnoException when the port cannot be taken. */
export async function startReplayServer(options: ReplayOptions): Promise<ReplayServer> {
  const ui = uiOf(options.assets, mayConnectTo);
  const server = createServer((request, response) => answer(request, response, options, ui));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, options.host, resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : options.port;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  const query = queryOf(options);
  return { url: `http://${host}:${port}${pagePath}${query}`, close: () => closeServer(server) };
}

function queryOf({ trace, live }: ReplayOptions): string {
  // Encoded once as a path, and once more as a value in a query.
  if (trace !== null) return `?trace=/trace/${encodeURIComponent(traceName(trace))}`;
  if (live === null) return "";
  return `?live=${live.urls.map((_, i) => `/live/${i}`).join(",")}`;
}

/** The last part of the trace's path in its address. */
function traceName(path: string): string {
  return encodeURIComponent(basename(path));
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ReplayOptions,
  ui: Ui,
): void {
  for (const [name, value] of Object.entries(safetyHeaders(mayConnectTo)))
    response.setHeader(name, value);
  if (!isOurHost(request.headers.host, options.host)) {
    // A name that somebody else resolved to this machine (DNS rebinding) must not read the trace.
    fail(response, 421, "this server answers to its own address only");
    return;
  }
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.setHeader("Allow", "GET, HEAD");
    fail(response, 405, "only GET");
    return;
  }
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  if (path === "/" || path === "/ui") {
    response.writeHead(302, { Location: pagePath }).end();
    return;
  }
  const live = options.live?.urls[liveIndex(path)];
  if (path.startsWith(pagePath)) sendPage(request, response, ui, path.slice(pagePath.length));
  else if (live !== undefined) void passOn(request, response, live, options.live?.token ?? null);
  else if (options.trace !== null && path === `/trace/${traceName(options.trace)}`)
    sendTrace(request, response, options.trace);
  else fail(response, 404, "there is no such thing here");
}

/** Loopback servers answer to loopback names alone. */
function isOurHost(header: string | undefined, host: string): boolean {
  if (!isLoopback(host)) return true;
  return isLoopback((header ?? "").replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1"));
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function liveIndex(path: string): number {
  const [, index] = /^\/live\/(\d{1,4})$/.exec(path) ?? [];
  return index === undefined ? -1 : Number(index);
}

function sendPage(request: IncomingMessage, response: ServerResponse, ui: Ui, path: string): void {
  const { status, headers, body } = ui.answer(path, request.headers["if-none-match"]);
  response.writeHead(status, headers);
  response.end(request.method === "HEAD" ? undefined : (body ?? undefined));
}

/** As it lies on the disk: the page unpacks gzip itself and shows how far it is. */
function sendTrace(request: IncomingMessage, response: ServerResponse, path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) {
    fail(response, 404, "the trace is gone");
    return;
  }
  response.writeHead(200, {
    "Content-Type": "application/octet-stream",
    "Content-Length": size,
    "Cache-Control": "no-store",
  });
  if (request.method === "HEAD") {
    response.end();
    return;
  }
  // A file that still grows is sent up to the length that was announced.
  const stream = createReadStream(path, { end: Math.max(0, size - 1) });
  stream.on("error", () => response.destroy());
  response.on("close", () => stream.destroy());
  if (size === 0) response.end();
  else stream.pipe(response);
}

function fail(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}

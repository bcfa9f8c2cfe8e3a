/**
 * Passes on live traces of nodes: a page may ask its own server alone, and the nodes are elsewhere.
 * The token stays here, unless the page brings one.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";

export interface LiveSources {
  /** Addresses of /v1/trace, of one node or several of a cluster. */
  readonly urls: readonly string[];
  readonly token: string | null;
}

export async function passOn(
  request: IncomingMessage,
  response: ServerResponse,
  url: string,
  token: string | null,
): Promise<void> {
  const own = request.headers.authorization;
  const authorization = own ?? (token === null ? undefined : `Bearer ${token}`);
  const ended = new AbortController();
  response.on("close", () => ended.abort());
  let answer: Response;
  try {
    answer = await fetch(url, {
      headers: authorization === undefined ? {} : { authorization },
      redirect: "error",
      signal: ended.signal,
    });
  } catch {
    if (!response.destroyed)
      response
        .writeHead(502, { "Content-Type": "text/plain; charset=utf-8" })
        .end(`${url} does not answer\n`);
    return;
  }
  response.writeHead(answer.status, {
    "Content-Type": answer.headers.get("content-type") ?? "application/x-ndjson",
    "Cache-Control": "no-store",
  });
  response.flushHeaders();
  if (answer.body === null) {
    response.end();
    return;
  }
  try {
    await pipeline(Readable.fromWeb(answer.body as ReadableStream), response);
  } catch {
    // Either end may go at any time; the page connects again.
    response.destroy();
  }
}

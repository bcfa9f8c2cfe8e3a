/** A stand-in for a node: serves the page and a trace that goes on, as /ui/ and /v1/trace of a node do. */
import { createServer, type ServerResponse } from "node:http";
import { contentSecurityPolicy, readAssets } from "../../runtime/replay/bundle.ts";

export interface LiveServer {
  readonly url: string;
  /** Sends lines to everybody who listens, and to whoever comes later. */
  push(lines: readonly string[]): void;
  /** Ends all streams. */
  end(): void;
  /** What the clients' Authorization headers were. */
  readonly tokens: readonly (string | undefined)[];
  close(): Promise<void>;
}

export async function startLiveServer(): Promise<LiveServer> {
  const assets = readAssets("/v1/trace");
  const listeners = new Set<ServerResponse>();
  const sent: string[] = [];
  const tokens: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    response.setHeader("Content-Security-Policy", contentSecurityPolicy);
    if (request.url === "/v1/trace") {
      tokens.push(request.headers.authorization);
      response.writeHead(200, { "Content-Type": "application/x-ndjson" });
      response.write(sent.join(""));
      listeners.add(response);
      response.on("close", () => listeners.delete(response));
      return;
    }
    const asset = assets.get((request.url ?? "").replace(/^\/ui\//, ""));
    if (asset === undefined) response.writeHead(404).end();
    else response.writeHead(200, { "Content-Type": asset.contentType }).end(asset.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/ui/`,
    tokens,
    push(lines) {
      sent.push(...lines);
      for (const response of listeners) response.write(lines.join(""));
    },
    end() {
      for (const response of listeners) response.end();
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

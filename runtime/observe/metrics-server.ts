/** `/metrics` on an address of its own, without tokens: `telemetry.prometheus_addr`. */
import { createServer } from "node:http";
import type { NodeService } from "../agent/node-service.ts";
import type { NodeMetrics } from "./metrics.ts";

export interface MetricsServer {
  /** "host:port", with the port that it got. */
  readonly address: string;
  close(): Promise<void>;
}

/** @param address "host:port". @throws NodeJS.ErrnoException when it cannot listen there. */
export async function startMetricsServer(
  address: string,
  service: Pick<NodeService, "status">,
  metrics: NodeMetrics,
): Promise<MetricsServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? "").replace(/[?#].*$/s, "");
    if (path !== "/metrics" || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(404, { "content-type": "text/plain" }).end("only GET /metrics is here\n");
      return;
    }
    service
      .status()
      .then((status) => metrics.text(status))
      .then(
        (text) => response.writeHead(200, { "content-type": metrics.contentType }).end(text),
        (error: Error) =>
          response.writeHead(503, { "content-type": "text/plain" }).end(`${error.message}\n`),
      );
  });
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, "$1");
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(Number(address.slice(colon + 1)), host, resolve);
  });
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : 0;
  return {
    address: `${address.slice(0, colon)}:${port}`,
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A small node with the API in front of it, and clients that talk to it as programs do. */
import {
  request as http1Request,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from "node:http";
import { connect, type IncomingHttpHeaders as Http2Headers } from "node:http2";
import { afterEach } from "vitest";
import { type ApiServer, startApi } from "../../../runtime/api/server.ts";
import type { ApiConfig } from "../../../runtime/config/node-config.ts";
import { silentLog } from "../../../runtime/observe/logger.ts";
import { NodeMetrics } from "../../../runtime/observe/metrics.ts";
import type { Spans } from "../../../runtime/observe/spans.ts";
import { SmallNode } from "./small-node.ts";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders | Http2Headers;
  readonly text: string;
}

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
}

export interface Served {
  readonly node: SmallNode;
  readonly api: ApiServer;
  readonly address: string;
  readonly url: string;
}

export const defaultConfig: ApiConfig = {
  addrs: ["127.0.0.1:0"],
  endpointName: null,
  bodyLimitBytes: 64 * 1024 * 1024,
  open: false,
  tls: null,
  tokens: [],
  maxConcurrent: 128,
};

export const kv = "CREATE TABLE kv (k TEXT PRIMARY KEY NOT NULL, v)";

/** To be called inside `describe`; closes after each test what it started. */
export function server(
  config: Partial<ApiConfig> = {},
  schema: readonly string[] = [kv],
): (more?: Partial<ApiConfig>, spans?: Spans) => Promise<Served> {
  let started: (Served & { metrics: NodeMetrics })[] = [];
  afterEach(async () => {
    for (const { api, node, metrics } of started) {
      await api.close(0);
      node.close();
      metrics.close();
    }
    started = [];
  });
  return async (more = {}, spans) => {
    const node = new SmallNode(schema);
    const metrics = new NodeMetrics();
    const api = await startApi({
      service: node,
      config: { ...defaultConfig, ...config, ...more },
      log: silentLog,
      metrics,
      ...(spans === undefined ? {} : { spans }),
    });
    const address = api.addresses[0] as string;
    const served = { node, api, address, url: `http://${address}`, metrics };
    started.push(served);
    return served;
  };
}

export type Client = (served: Served, call: Call) => Promise<Answer>;

/** Plain HTTP/1.1, headers exactly as given. */
export const overHttp1: Client = ({ address }, { method = "GET", path, headers = {}, body }) => {
  const [host, port] = address.split(":") as [string, string];
  return new Promise((resolve, reject) => {
    const request = http1Request(
      { host, port, method, path, headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(parts).toString("utf8");
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      },
    );
    request.on("error", reject);
    request.end(body);
  });
};

/** Cleartext HTTP/2 with prior knowledge, as Corrosion's own client speaks it. */
export const overHttp2: Client = ({ url }, { method = "GET", path, headers = {}, body }) => {
  const session = connect(url);
  return new Promise<Answer>((resolve, reject) => {
    session.on("error", reject);
    const stream = session.request({ ...headers, ":method": method, ":path": path });
    let status = 0;
    let received: Http2Headers = {};
    stream.on("response", (fields) => {
      status = fields[":status"] ?? 0;
      received = fields;
    });
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => parts.push(part));
    stream.on("error", reject);
    stream.on("end", () => {
      resolve({ status, headers: received, text: Buffer.concat(parts).toString("utf8") });
    });
    stream.end(body);
  }).finally(() => session.close());
};

/** What most programs do. */
export const overFetch: Client = async ({ url }, { method = "GET", path, headers = {}, body }) => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: headers as Record<string, string>,
    ...(body === undefined ? {} : { body: body as string }),
  });
  const text = await response.text();
  return { status: response.status, headers: Object.fromEntries(response.headers), text };
};

export const jsonType = { "content-type": "application/json" };

/** A JSON body, posted. */
export function posted(path: string, body: unknown, headers: OutgoingHttpHeaders = {}): Call {
  return { method: "POST", path, headers: { ...jsonType, ...headers }, body: JSON.stringify(body) };
}

export function json(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.text) as Record<string, unknown>;
}

/** The lines of an NDJSON answer. */
export function lines(answer: Answer): Record<string, unknown>[] {
  return answer.text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

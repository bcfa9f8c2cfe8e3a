/** A stand-in for a node: serves the page, and below /v1/trace what the test lets happen on the node. */
import { createServer, type ServerResponse } from "node:http";
import { address } from "../../core/base/ids.ts";
import { type LiveEvent, type LiveNode, LiveTrace } from "../../runtime/observe/live-trace.ts";
import { openUi } from "../../runtime/replay/ui.ts";

export interface LiveServer {
  /** Of the page. */
  readonly url: string;
  /** Of the live trace. */
  readonly traceUrl: string;
  readonly name: string;
  readonly actor: string;
  record(...events: readonly LiveEvent[]): void;
  /** Breaks all streams; until it is taken back new ones are refused. */
  refuse(refused: boolean): void;
  /** What the clients' Authorization headers were. */
  readonly tokens: readonly (string | undefined)[];
  close(): Promise<void>;
}

export interface LiveServerOptions {
  readonly name: string;
  /** Names of the other members. */
  readonly peers: readonly string[];
  /** Without it nobody gets the trace. */
  readonly token?: string;
}

/** Each node's actor, by its name. */
export function actorOf(name: string): string {
  return Buffer.from(name.padEnd(16, "-")).toString("hex");
}

export async function startLiveServer(options: LiveServerOptions): Promise<LiveServer> {
  const { name, peers, token } = options;
  const ui = await openUi();
  const listeners = new Set<ServerResponse>();
  const tokens: (string | undefined)[] = [];
  let refused = false;
  const describe = (of: string): LiveNode => ({ name: of, region: "", actor: actorOf(of) });
  let heads: Readonly<Record<string, number>> = {};
  const state = (): LiveEvent => ({
    k: "state",
    hash: "0".repeat(15) + String(Object.keys(heads).length),
    heads,
    gaps: 0,
    rows: 1,
  });
  const trace = new LiveTrace({
    self: () => ({ ...describe(name), address: address(name) }),
    node: (of) => describe(of),
    schema: () => ["CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT)"],
    present: () => [
      ...peers.map(
        (peer): LiveEvent => ({
          k: "member",
          about: address(peer),
          state: "alive",
          inc: 0,
          epoch: 1,
        }),
      ),
      state(),
    ],
    wanted: () => {},
    now: () => performance.now(),
  });
  const server = createServer((request, response) => {
    if (request.url !== "/v1/trace") {
      const path = (request.url ?? "").replace(/^\/ui\//, "");
      const { status, headers, body } = ui.answer(path, request.headers["if-none-match"]);
      response.writeHead(status, headers).end(body ?? undefined);
      return;
    }
    tokens.push(request.headers.authorization);
    if (refused) response.destroy();
    else if (token !== undefined && request.headers.authorization !== `Bearer ${token}`)
      response.writeHead(401).end('{"error":"a token is needed"}');
    else {
      response.writeHead(200, { "Content-Type": "application/x-ndjson" });
      const stop = trace.subscribe((line) => response.write(line), null);
      listeners.add(response);
      response.on("close", () => {
        stop();
        listeners.delete(response);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  const origin = `http://127.0.0.1:${bound.port}`;
  return {
    url: `${origin}/ui/`,
    traceUrl: `${origin}/v1/trace`,
    name,
    actor: actorOf(name),
    tokens,
    record(...events) {
      for (const event of events) {
        if (event.k === "commit" || event.k === "apply")
          heads = { ...heads, [event.actor]: event.version };
        trace.record(event);
      }
      trace.record(state());
    },
    refuse(now) {
      refused = now;
      if (now) for (const response of listeners) response.destroy();
    },
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A commit of one row, as the node that makes it tells it. */
export function commitOf(name: string, version: number, value: string): LiveEvent {
  return {
    k: "commit",
    actor: actorOf(name),
    version,
    hlc: (1000 + version).toString(16).padStart(12, "0") + "0000",
    changes: [["kv", ["a"], 1, [["v", value]]]],
  };
}

export function applyOf(author: string, version: number): LiveEvent {
  return { k: "apply", actor: actorOf(author), version, via: "gossip", won: 1, lost: 0 };
}

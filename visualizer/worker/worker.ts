/** The page's worker: reads, runs and indexes, so that the page never stands still. */
import { TraceBuilder } from "../model/ingest.ts";
import { buildIndex } from "../model/trace-index.ts";
import { formatBytes, formatCount } from "../model/format.ts";
import { noShift } from "../model/live-window.ts";
import { followLive } from "./live.ts";
import { loadStream } from "./load.ts";
import { buffersOf, type Reply, type Request, type RunSummary } from "./protocol.ts";
import { runInPage } from "./run.ts";

/** The part of a worker's global scope that is used here; the DOM's types describe a window's. */
interface WorkerScope {
  postMessage(message: Reply, transfer: ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: MessageEvent<Request>) => void): void;
}

const progressEveryMs = 50;

export function startWorker(): void {
  const scope = globalThis as unknown as WorkerScope;
  const post = (reply: Reply): void => scope.postMessage(reply, buffersOf(reply));
  scope.addEventListener("message", ({ data }) => {
    handle(data, post).catch((error: unknown) =>
      post({
        type: "failed",
        why: error instanceof Error ? error.message : String(error),
        unauthorized: false,
      }),
    );
  });
}

type Post = (reply: Reply) => void;

async function handle(request: Request, post: Post): Promise<void> {
  switch (request.type) {
    case "file":
      return await load(request.file.stream(), request.file.size, post);
    case "url": {
      const { body, size } = await open(request.url);
      return await load(body, size, post);
    }
    case "live":
      return await followLive(request, post);
    case "run":
      return run(request, post);
  }
}

async function open(
  url: string,
): Promise<{ body: ReadableStream<Uint8Array>; size: number | null }> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch {
    throw new Error(
      `${url} cannot be reached from this page. Either nothing answers there, or this page's security policy or that server's CORS headers forbid it. Download the trace and drop the file here instead.`,
    );
  }
  if (!response.ok || response.body === null)
    throw new Error(`${url} answers ${response.status} ${response.statusText}`.trim());
  const size = Number(response.headers.get("content-length"));
  return { body: response.body, size: size > 0 ? size : null };
}

async function load(
  stream: ReadableStream<Uint8Array>,
  size: number | null,
  post: Post,
): Promise<void> {
  let told = 0;
  const builder = await loadStream(stream, ({ bytes, events }) => {
    const now = performance.now();
    if (now - told < progressEveryMs) return;
    told = now;
    const share = size === null ? null : Math.min(1, bytes / size);
    post({
      type: "progress",
      share,
      text: `${formatCount(events)} events · ${formatBytes(bytes)}`,
    });
  });
  deliver(builder, post, null);
}

function run(request: Extract<Request, { type: "run" }>, post: Post): void {
  const builder = new TraceBuilder();
  let told = 0;
  const summary = runInPage(request, builder, (share, events) => {
    const now = performance.now();
    if (now - told < progressEveryMs) return;
    told = now;
    post({ type: "progress", share, text: `${formatCount(events)} events simulated` });
  });
  builder.end();
  deliver(builder, post, summary);
}

function deliver(builder: TraceBuilder, post: Post, summary: RunSummary | null): void {
  if (!builder.begun) {
    const why = builder.problem?.why ?? "the first line is not a trace header";
    throw new Error(`This is no trace: ${why}.`);
  }
  const trace = builder.snapshot();
  post({
    type: "trace",
    trace,
    index: buildIndex(trace),
    final: true,
    run: summary,
    shift: noShift,
  });
}

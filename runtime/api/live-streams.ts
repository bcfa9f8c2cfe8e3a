/** Streams that go on until the client has enough: members as they change, and the live trace. */
import type { FastifyReply, FastifyRequest } from "fastify";
import type { ApiContext, Ending } from "./api-context.ts";
import { ApiError, type ErrorCode } from "./api-error.ts";
import { LineStream } from "./line-stream.ts";
import { badParameter, queryOf } from "./request-options.ts";
import { memberBody } from "./status.ts";

/** What may wait for a client that reads slowly; past it the stream ends with an error that says so. */
const maxQueuedBytes = 8 * 1024 * 1024;

/** How long the last line of such a client is kept for it. */
const lingerMs = 30_000;

const planes = new Set(["swim", "gossip", "sync"]);

/** `GET /v1/members?watch=true` */
export function watchMembers(ctx: ApiContext, request: FastifyRequest, reply: FastifyReply): void {
  const stream = new LiveStream(ctx, request, reply);
  stream.follow(() => {
    for (const member of ctx.service.members()) stream.line(memberLine(member));
    stream.line('{"ready":true}\n');
    return ctx.service.onMember((member) => stream.line(memberLine(member)));
  });
}

function memberLine(member: Parameters<typeof memberBody>[0]): string {
  return `${JSON.stringify({ member: memberBody(member) })}\n`;
}

/** `GET /v1/trace?planes=gossip,sync` */
export function followTrace(ctx: ApiContext, request: FastifyRequest, reply: FastifyReply): void {
  const shown = planesOf(queryOf(request)["planes"]);
  let last = "";
  const stream = new LiveStream(ctx, request, reply, () => ({ t: timeOf(last), k: "error" }));
  stream.follow(() =>
    ctx.service.onTrace((line) => {
      last = line;
      stream.line(line);
    }, shown),
  );
}

/** Of a trace's line; its header has none. */
function timeOf(line: string): number {
  return Number(/^\{"t":(\d+),/.exec(line)?.[1] ?? "0");
}

function planesOf(given: string | readonly string[] | undefined): ReadonlySet<string> | null {
  if (given === undefined) return null;
  const names = (typeof given === "string" ? given : given.join(",")).split(",").filter(Boolean);
  if (!names.every((name) => planes.has(name))) {
    throw badParameter("planes", "some of swim, gossip and sync, with commas between them");
  }
  return new Set(names);
}

/** Gathers the lines of one turn of the event loop into one write. */
class LiveStream implements Ending {
  readonly #ctx: ApiContext;
  readonly #lines: LineStream;
  #text = "";
  #timer: NodeJS.Immediate | null = null;
  #stop: (() => void) | null = null;
  readonly authorization: string | undefined;
  readonly #head: () => object;

  /** @param head begins the last line, where that is an error. @throws ApiError when there are too many. */
  constructor(
    ctx: ApiContext,
    request: FastifyRequest,
    reply: FastifyReply,
    head: () => object = () => ({}),
  ) {
    this.#head = head;
    ctx.streams.enter();
    this.authorization = request.headers.authorization;
    this.#ctx = ctx;
    reply.hijack();
    this.#lines = new LineStream(reply.raw, { "cache-control": "no-store" }, () => this.#leave());
    ctx.live.add(this);
  }

  /** @param begin tells what there is, and subscribes to what comes; returns how to stop. */
  follow(begin: () => () => void): void {
    const stop = begin();
    this.#flush();
    if (this.#lines.closed) stop();
    else this.#stop = stop;
  }

  line(line: string): void {
    if (this.#lines.closed) return;
    this.#text += line;
    if (this.#lines.queuedBytes + this.#text.length > maxQueuedBytes) {
      this.#text = "";
      this.end("slow_consumer", "the client reads too slowly; connect again to go on");
      this.#lines.destroyAfter(lingerMs);
      return;
    }
    this.#timer ??= setImmediate(() => {
      this.#timer = null;
      this.#flush();
    });
  }

  #flush(): void {
    const text = this.#text;
    this.#text = "";
    if (text !== "") this.#lines.write(text);
  }

  end(code: ErrorCode, message: string): void {
    if (this.#lines.closed) return;
    const { message: error } = new ApiError(code, message);
    this.#lines.end(`${this.#text}${JSON.stringify({ ...this.#head(), error, code })}\n`);
    this.#text = "";
    this.#leave();
  }

  #leave(): void {
    if (!this.#ctx.live.delete(this)) return;
    this.#ctx.streams.leave();
    if (this.#timer !== null) clearImmediate(this.#timer);
    this.#stop?.();
    this.#stop = null;
  }
}

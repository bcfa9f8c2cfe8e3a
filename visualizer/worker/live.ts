/** Follows live traces of one or several nodes for as long as the page wants, through broken connections. */
import { formatDuration } from "../model/format.ts";
import { LiveError, LiveMerge } from "../model/live-merge.ts";
import { LiveWindow } from "../model/live-window.ts";
import { buildIndex } from "../model/trace-index.ts";
import type { Reply } from "./protocol.ts";

/** So many events are kept, the last ones: some 50 MB with their text. */
export const maxLiveEvents = 300_000;

const tellEveryMs = 400;
const retryMs = [500, 1000, 2000, 5000, 10_000] as const;

/** The node wants a token, or a better one. */
class Unauthorized extends Error {}

export interface LiveRequest {
  readonly urls: readonly string[];
  readonly token: string | null;
  readonly maxEvents: number | null;
}

/**
 * Runs until the worker is ended, or until the trace cannot go on.
 * @throws Error with one readable line when nothing could be opened at all.
 */
export async function followLive(
  request: LiveRequest,
  post: (reply: Reply) => void,
): Promise<void> {
  const { urls } = request;
  const follower = new Follower(request, post);
  const timer = setInterval(() => follower.tell(), tellEveryMs);
  try {
    await Promise.all(urls.map((url, source) => follower.follow(url, source)));
  } catch (error) {
    if (!(error instanceof Unauthorized)) throw error;
    post({ type: "failed", why: error.message, unauthorized: true });
  } finally {
    clearInterval(timer);
  }
}

class Follower {
  readonly #request: LiveRequest;
  readonly #post: (reply: Reply) => void;
  readonly #merge: LiveMerge;
  readonly #window: LiveWindow;
  /** By source: what is wrong with its connection; empty: nothing. */
  readonly #troubles: string[];
  #fresh = false;
  #next = 0;

  constructor(request: LiveRequest, post: (reply: Reply) => void) {
    this.#request = request;
    this.#post = post;
    this.#merge = new LiveMerge(request.urls.length);
    this.#window = new LiveWindow(request.maxEvents ?? maxLiveEvents);
    this.#troubles = request.urls.map(() => "");
  }

  async follow(url: string, source: number): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      let why = "the stream ended";
      const before = this.#window.builder.count;
      try {
        await this.#read(url, source);
      } catch (error) {
        if (error instanceof Unauthorized) throw error;
        why = error instanceof Error ? error.message : String(error);
        // A single address that never worked is a mistake; one that worked will come back.
        if (attempt === 0 && this.#request.urls.length === 1 && !this.#window.builder.begun)
          throw error;
      }
      this.#merge.disconnect(source);
      if (this.#window.builder.count > before) attempt = 0;
      const wait = retryMs[Math.min(attempt, retryMs.length - 1)] as number;
      this.#trouble(
        source,
        `${hostOf(url)}: ${why}; trying again in ${formatDuration(wait * 1000)}`,
      );
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }

  async #read(url: string, source: number): Promise<void> {
    const body = await openLive(url, this.#request.token);
    this.#trouble(source, "");
    this.#merge.connect(source);
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        const lines = (rest + value).split("\n");
        rest = lines.pop() ?? "";
        const now = performance.now() * 1000;
        for (const line of lines) this.#merge.take(source, line, now);
        this.#fresh = true;
        this.tell();
      }
    } catch (error) {
      if (error instanceof LiveError) throw error;
      throw new Error("the connection broke off", { cause: error });
    } finally {
      await reader.cancel().catch(() => {});
    }
  }

  #trouble(source: number, text: string): void {
    this.#troubles[source] = text;
    const all = this.#troubles.filter((one) => one !== "");
    this.#post({ type: "link", trouble: all.length === 0 ? null : all.join(" · ") });
  }

  /** Hands over what is new, but never so often that more than a tenth of the time goes into it. */
  tell(): void {
    if (!this.#fresh || performance.now() < this.#next) return;
    this.#window.push(this.#merge.ready(performance.now() * 1000));
    const { builder } = this.#window;
    if (!builder.begun && builder.problem === null) return;
    // With several nodes the last lines wait for each other a little longer.
    this.#fresh = this.#request.urls.length > 1;
    const before = performance.now();
    const trace = builder.snapshot();
    const final = builder.problem !== null;
    const shift = this.#window.takeShift();
    this.#post({ type: "trace", trace, index: buildIndex(trace), final, run: null, shift });
    const after = performance.now();
    this.#next = after + Math.max(tellEveryMs, (after - before) * 10);
  }
}

/** @throws Unauthorized, or Error with one readable line. */
async function openLive(
  url: string,
  token: string | null,
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const headers: Record<string, string> =
    token === null ? {} : { authorization: `Bearer ${token}` };
  let response: Response;
  try {
    response = await fetch(url, { headers, cache: "no-store" });
  } catch {
    throw new Error(
      `${url} cannot be reached from this page. Either nothing answers there, or this page's security policy or that server's CORS headers forbid it. patina replay --live ADDRESS follows any node.`,
    );
  }
  if (response.status === 401)
    throw new Unauthorized(
      token === null
        ? `${hostOf(url)} asks for a token.`
        : `${hostOf(url)} does not take this token.`,
    );
  if (response.status === 403)
    throw new Unauthorized(`This token has no right to the live trace of ${hostOf(url)}.`);
  if (!response.ok || response.body === null)
    throw new Error(`${url} answers ${response.status} ${response.statusText}`.trim());
  return response.body;
}

function hostOf(url: string): string {
  return new URL(url).host;
}

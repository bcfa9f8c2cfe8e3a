/** Gets traces: starts a worker for each, and cancels the one before on the same side. */
import { formatCount } from "../model/format.ts";
import type { Shift } from "../model/live-window.ts";
import type { RunSummary } from "../worker/protocol.ts";
import type { Side } from "./state.ts";
import { Loaded } from "./loaded.ts";
import type { Source } from "./source.ts";
import { request, type TraceReply } from "./worker-client.ts";
import type { Request } from "../worker/protocol.ts";

export interface Arrival {
  readonly run: RunSummary | null;
  /** A new trace, not a longer one of a live stream. */
  readonly first: boolean;
  /** Of a live trace that has forgotten its oldest events since the last one. */
  readonly shift: Shift;
}

export interface SourceEvents {
  onLoading(side: Side, share: number | null, text: string): void;
  onLoaded(side: Side, loaded: Loaded, arrival: Arrival): void;
  /** How the connections of a live trace are; null: well. */
  onLink(side: Side, trouble: string | null): void;
  /** `locked`: a source that a token would open. */
  onFailure(why: string, side: Side, locked: Source | null): void;
}

/** Element that holds a gzipped trace as base64, in a page written by `patina replay --out`. */
export const embeddedId = "patina-trace";

export class Sources {
  readonly #events: SourceEvents;
  readonly #stop = new Map<Side, () => void>();

  constructor(events: SourceEvents) {
    this.#events = events;
  }

  open(source: Source, side: Side, token: string | null): void {
    switch (source.type) {
      case "file":
        this.#events.onFailure(
          `Drop the file ${source.name} on this page: a link cannot hold it.`,
          side,
          null,
        );
        break;
      case "embedded":
        this.#request({ type: "file", file: embeddedTrace() }, source, side);
        break;
      case "url":
        this.#request({ type: "url", url: absolute(source.url) }, source, side);
        break;
      case "live":
        this.#request(
          { type: "live", urls: liveUrls(source.url), token, maxEvents: source.keep },
          source,
          side,
        );
        break;
      case "run":
        this.#request(
          { type: "run", scenario: source.scenario, seed: source.seed, nodes: source.nodes },
          source,
          side,
        );
    }
  }

  openFile(file: File, side: Side): void {
    this.#request({ type: "file", file }, { type: "file", name: file.name }, side);
  }

  cancel(side?: Side): void {
    for (const [key, stop] of this.#stop) {
      if (side !== undefined && side !== key) continue;
      stop();
      this.#stop.delete(key);
    }
  }

  #request(message: Request, source: Source, side: Side): void {
    this.cancel(side);
    let first = true;
    this.#events.onLoading(side, null, "opening");
    const stop = request(message, {
      onProgress: (share, text) => this.#events.onLoading(side, share, text),
      onTrace: (reply) => {
        const loaded = loadedFrom(reply, source);
        this.#events.onLoaded(side, loaded, { run: reply.run, first, shift: reply.shift });
        first = false;
      },
      onLink: (trouble) => this.#events.onLink(side, trouble),
      onFailure: (why, unauthorized) =>
        this.#events.onFailure(why, side, unauthorized ? source : null),
    });
    this.#stop.set(side, stop);
  }
}

function loadedFrom({ trace, index, run }: TraceReply, source: Source): Loaded {
  return new Loaded(trace, index, source, nameOf(trace, source), run?.traceHash ?? null);
}

function nameOf({ header, count }: TraceReply["trace"], source: Source): string {
  if (header.scenario !== null) return header.scenario;
  switch (source.type) {
    case "file":
      return source.name;
    case "url":
      return source.url.replace(/^.*\//, "");
    case "live":
      return "live cluster";
    default:
      return `${formatCount(count)} events`;
  }
}

function liveUrls(list: string): string[] {
  return list
    .split(",")
    .map((url) => url.trim())
    .filter((url) => url !== "")
    .map(absolute);
}

function absolute(url: string): string {
  return new URL(url, document.baseURI).href;
}

export function hasEmbeddedTrace(): boolean {
  return document.getElementById(embeddedId) !== null;
}

function embeddedTrace(): Blob {
  const text = document.getElementById(embeddedId)?.textContent?.trim() ?? "";
  const binary = atob(text);
  return new Blob([Uint8Array.from(binary, (c) => c.charCodeAt(0))]);
}

/**
 * The answering side of anti-entropy: what is held, and versions in windows. Nothing is remembered
 * of a peer between its requests; what does not fit into a window is told back to it.
 * Overflow policy: at most `maxServing` requests are with the store or wait for it; one more is
 * refused at once, and the peer asks elsewhere.
 */
import type { Address } from "../base/ids.ts";
import { type Interval, IntervalSet } from "../base/interval-set.ts";
import type { Effect, StoreResponse } from "../node/event.ts";
import type { IdSource } from "../node/ids.ts";
import type { Chunk, Served, Want } from "../node/store.ts";
import {
  encodeChunks,
  hasSeals,
  encodeDone,
  maxOverwrittenRanges,
  maxRangesPerEntry,
  maxWants,
  type SyncMessage,
  TellWriter,
} from "../wire/sync-messages.ts";
import type { ActorLedger } from "./actor-ledger.ts";
import type { SyncConfig } from "./config.ts";
import type { Ledger } from "./ledger.ts";

/** Requests of all peers together that wait for the store. */
export const maxServing = 64;
/** A page of holdings is sent when it is this long. */
const pageBytes = 32 * 1024;
/** What a peer may ask for in one window, whatever it says. */
const maxServedBytes = 4 * 1024 * 1024;

type Of<T extends SyncMessage["type"]> = Extract<SyncMessage, { type: T }>;

interface ServedRequest {
  readonly peer: Address;
  readonly id: number;
}

export class Serving {
  readonly #ledger: Ledger;
  readonly #config: SyncConfig;
  readonly #ids: IdSource;
  readonly #open = new Map<number, ServedRequest>();
  readonly #page = new TellWriter();

  constructor(ledger: Ledger, config: SyncConfig, ids: IdSource) {
    this.#ledger = ledger;
    this.#config = config;
    this.#ids = ids;
  }

  get size(): number {
    return this.#open.size;
  }

  /** Tells the holdings of all actors in the buckets that differ. */
  ask(from: Address, message: Of<"ask">, out: Effect[]): void {
    const bits = 31 - Math.clz32(message.buckets.length / 2);
    const own = this.#ledger.bucketHashes(bits);
    let page = 0;
    for (const actor of this.#ledger.actors()) {
      const at = this.#ledger.bucketOf(actor, bits) * 2;
      if (own[at] === message.buckets[at] && own[at + 1] === message.buckets[at + 1]) continue;
      this.#tellActor(actor);
      if (this.#page.bytes < pageBytes) continue;
      sendTell(from, this.#page.finish(message.token, page++, false, this.#ledger.hash), out);
    }
    sendTell(from, this.#page.finish(message.token, page, true, this.#ledger.hash), out);
  }

  request(from: Address, message: Of<"request">, out: Effect[]): void {
    if (this.#open.size >= maxServing) {
      sendDone(from, encodeDone(message.id, true, [], []), out);
      out.push({ type: "notify", notice: { type: "overflow", queue: "serving", count: 1 } });
      return;
    }
    const wants = this.#heldOf(message.wants);
    if (wants.length === 0) {
      sendDone(from, encodeDone(message.id, false, [], []), out);
      return;
    }
    const id = this.#ids.next();
    this.#open.set(id, { peer: from, id: message.id });
    const maxBytes = Math.min(message.maxBytes, maxServedBytes);
    out.push({ type: "store", id, request: { type: "serve", wants, maxBytes } });
  }

  /** The store's answer to request `id`; false when that is not one of these. */
  stored(id: number, response: StoreResponse, out: Effect[]): boolean {
    const request = this.#open.get(id);
    if (request === undefined) return false;
    this.#open.delete(id);
    if (response.type === "serve") this.#answer(request, response, out);
    else sendDone(request.peer, encodeDone(request.id, true, [], []), out);
    return true;
  }

  /** Wants of actors that are known here, no further than what is held: the store need not fear absurd ranges. */
  #heldOf(wants: readonly Want[]): Want[] {
    const held: Want[] = [];
    for (const want of wants) {
      const head = this.#ledger.get(want.actor)?.head ?? 0;
      if (want.from > head) continue;
      held.push(want.to <= head ? want : { ...want, to: head });
    }
    return held;
  }

  #tellActor(actor: ActorLedger): void {
    const held = actor.held.ranges();
    const parts = actor.partials().filter(({ have }) => !have.isEmpty);
    // Many ranges are told in several entries of the same actor.
    for (let i = 0; i < held.length || i === 0; i += maxRangesPerEntry) {
      const partial = i > 0 ? [] : parts.slice(0, maxRangesPerEntry).map(toPart);
      if (held.length === 0 && partial.length === 0) return;
      this.#page.add({
        actor: actor.actor,
        held: held.slice(i, i + maxRangesPerEntry),
        partial,
      });
    }
  }

  #answer({ peer, id }: ServedRequest, served: Served, out: Effect[]): void {
    let frame: Chunk[] = [];
    let bytes = 0;
    for (const chunk of served.chunks) {
      if (frame.length > 0 && bytes + chunk.payload.length > this.#config.frameBytes) {
        sendChunks(peer, id, frame, out);
        frame = [];
        bytes = 0;
      }
      frame.push(chunk);
      bytes += chunk.payload.length;
    }
    if (frame.length > 0) sendChunks(peer, id, frame, out);
    const overwritten = served.overwritten.slice(0, maxOverwrittenRanges);
    const rest = served.rest.slice(0, maxWants);
    sendDone(peer, encodeDone(id, false, overwritten, rest), out);
  }
}

function toPart(part: { version: number; count: number; have: IntervalSet }): {
  version: number;
  count: number;
  have: readonly Interval[];
} {
  const { version, count, have } = part;
  return { version, count, have: have.ranges().slice(0, maxRangesPerEntry) };
}

function sendTell(to: Address, bytes: Uint8Array, out: Effect[]): void {
  out.push({ type: "send", to, plane: "sync", reliable: true, kind: "syncSummary", bytes });
}

function sendChunks(to: Address, id: number, chunks: readonly Chunk[], out: Effect[]): void {
  const kind = hasSeals(chunks) ? "sealedChunks" : "syncChunks";
  const bytes = encodeChunks(id, chunks);
  out.push({ type: "send", to, plane: "sync", reliable: true, kind, bytes });
}

function sendDone(to: Address, bytes: Uint8Array, out: Effect[]): void {
  out.push({ type: "send", to, plane: "sync", reliable: true, kind: "syncDone", bytes });
}

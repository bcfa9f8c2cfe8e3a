/**
 * Fetching: from a few peers at once, never asking two for the same thing, because whatever is
 * asked is marked in the books and the marks are exclusive. A peer is asked for its holdings, then
 * for versions in windows of bounded size; when markers came along its holdings are asked for
 * again, since only then is it known what the markers have to wait for (`marker-pool.ts`).
 */
import type { ActorId, Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, Notice, Now } from "../node/event.ts";
import type { VersionRange, Want } from "../node/store.ts";
import { encodeAsk, encodeRequest, type SyncMessage } from "../wire/sync-messages.ts";
import { equalHashes, type WireHash } from "../wire/wire-hash.ts";
import type { SyncConfig } from "./config.ts";
import { type Inbox, maxInboxBytes } from "./inbox.ts";
import { bucketBits, type Ledger } from "./ledger.ts";
import type { MarkerPool } from "./marker-pool.ts";
import { type OpenRequest, Pull } from "./pull.ts";
import { type AskedWant, choosePartWants, chooseWants, unask, wireWants } from "./wants.ts";

/** Tellings in one pull: a peer that changes faster than it is read is left alone for a while. */
const maxRounds = 8;

/** Answers in a row that bring nothing of what the peer said that it holds. */
const maxEmptyAnswers = 3;

/** How a pull ended. */
export interface PullEnd {
  readonly peer: Address;
  readonly versions: number;
  /** The peer broke off or fell silent. */
  readonly failed: boolean;
}

type Of<T extends SyncMessage["type"]> = Extract<SyncMessage, { type: T }>;

export class Pulls {
  readonly #ledger: Ledger;
  readonly #inbox: Inbox;
  readonly #markers: MarkerPool;
  readonly #config: SyncConfig;
  /** Replaced, never changed, so that it may be walked meanwhile. */
  #pulls: readonly Pull[] = [];
  readonly #ended: PullEnd[] = [];
  readonly #firstNumber: number;
  #nextToken: number;
  #nextRequest: number;
  /** Chunks that came although they were here already. */
  duplicates = 0;

  constructor(ledger: Ledger, inbox: Inbox, markers: MarkerPool, config: SyncConfig, rng: Rng) {
    this.#ledger = ledger;
    this.#inbox = inbox;
    this.#markers = markers;
    this.#config = config;
    // An answer to a question of an earlier life, which may have held more, must not pass for one now.
    this.#firstNumber = 1 + rng.uint32();
    this.#nextToken = this.#firstNumber;
    this.#nextRequest = this.#firstNumber;
  }

  get size(): number {
    return this.#pulls.length;
  }

  get openRequests(): number {
    let count = 0;
    for (const pull of this.#pulls) count += pull.requests.length;
    return count;
  }

  isPulling(peer: Address): boolean {
    return this.#find(peer) !== undefined;
  }

  /**
   * Begins to pull from `peer`, or lets a pull in progress look again, unless that knows already
   * that the peer holds `holdings`. False: as many as allowed already.
   */
  begin(
    now: Now,
    peer: Address,
    holdings: WireHash | null,
    urgent: boolean,
    out: Effect[],
  ): boolean {
    const known = this.#find(peer);
    if (known !== undefined) {
      if (holdings !== null) known.since = { hi: holdings.hi, lo: holdings.lo };
      if (urgent) {
        known.urgent = true;
        known.askFromMs = 0;
      }
      return true;
    }
    if (this.#pulls.length >= this.#config.maxPulls || this.#inbox.failing) return false;
    const pull = new Pull(peer, this.#nextToken++, urgent, this.#config.sliceVersions, now.monoMs);
    this.#pulls = [...this.#pulls, pull];
    this.#sendAsk(pull, out);
    return true;
  }

  /** The peer tells a page of its holdings. Returns what is wrong with it, or null. */
  tell(now: Now, from: Address, message: Of<"tell">, out: Effect[]): string | null {
    const pull = this.#find(from);
    if (pull === undefined || pull.stage !== "telling" || pull.token !== message.token) {
      return this.#late(message.token, this.#nextToken);
    }
    if (message.page !== pull.nextPage) return "a page out of order";
    pull.nextPage++;
    pull.touchedMs = now.monoMs;
    for (const entry of message.entries) pull.offer(this.#ledger, entry);
    if (!message.last) return null;
    pull.stage = "fetching";
    pull.told = message.holdings;
    pull.rounds++;
    if (!pull.incomplete) this.#markers.close(now.monoMs, from, pull.offered);
    const fresh = !pull.urgent && pull.offeredVersions <= this.#config.graceVersions;
    pull.askFromMs = fresh ? now.monoMs + this.#config.graceMs : 0;
    this.pump(now, out);
    return null;
  }

  /** Part of an answer. Returns what is wrong with it, or null. */
  chunks(now: Now, from: Address, message: Of<"chunks">): string | null {
    const pull = this.#find(from);
    const request = pull?.requests.find(({ id }) => id === message.id);
    if (pull === undefined || request === undefined) {
      return this.#late(message.id, this.#nextRequest);
    }
    pull.touchedMs = now.monoMs;
    let wrong: string | null = null;
    request.answered ||= message.chunks.length > 0;
    for (const chunk of message.chunks) {
      const { actor, version, index, count } = chunk;
      const ledger = this.#ledger.get(actor);
      const part = ledger?.partial(version);
      const asked = part?.asked.has(index) === true || ledger?.isAsked(version) === true;
      const verdict = this.#ledger.verdict(actor, version, index, count);
      if (verdict === "known") this.duplicates++;
      else if (!asked) wrong = "a chunk that was not asked for";
      else if (verdict === "conflict") {
        wrong = "a chunk whose count is not that of its version";
        this.#inbox.takeContradicting(chunk);
      } else if (this.#inbox.take(chunk, "sync") && index === count - 1) pull.versions++;
    }
    return wrong;
  }

  /** The end of an answer. Returns what is wrong with it, or null. */
  done(now: Now, from: Address, message: Of<"done">, out: Effect[]): string | null {
    const pull = this.#find(from);
    const at = pull?.requests.findIndex(({ id }) => id === message.id) ?? -1;
    if (pull === undefined || at < 0) return this.#late(message.id, this.#nextRequest);
    const [request] = pull.requests.splice(at, 1) as [OpenRequest];
    pull.touchedMs = now.monoMs;
    const { overwritten, rest } = message;
    const answered = request.answered || overwritten.length > 0 || rest.length > 0;
    if (answered) pull.empty = 0;
    // A peer that offers what it does not give is left alone.
    else pull.empty++;
    if (message.failed || pull.empty > maxEmptyAnswers) {
      unask(this.#ledger, request.wants);
      this.#end(pull, true);
      return null;
    }
    this.#mark(now, pull, request, overwritten, out);
    unask(this.#ledger, request.wants);
    this.#offerAgain(pull, request, rest);
    const { sliceVersions, sliceVersionsMax } = this.#config;
    if (rest.length > 0) pull.slice = Math.max(sliceVersions, Math.floor(pull.slice / 2));
    else pull.slice = Math.min(sliceVersionsMax, pull.slice * 2);
    this.pump(now, out);
    return null;
  }

  /** Asks for more wherever there is room, and ends what is done. */
  pump(now: Now, out: Effect[]): void {
    if (this.#blocked) return;
    for (const pull of this.#pulls) {
      if (pull.stage !== "fetching" || now.monoMs < pull.askFromMs) continue;
      while (pull.requests.length < this.#config.requestsPerPeer) {
        if (!this.#request(now, pull, out)) break;
      }
      if (pull.requests.length > 0) continue;
      const waiting = this.#markers.hasOpen(pull.peer) || this.#hasMore(pull);
      if (waiting && pull.rounds < maxRounds) {
        pull.restart(this.#nextToken++, now.monoMs);
        this.#sendAsk(pull, out);
      } else {
        this.#end(pull, false);
      }
    }
  }

  /** Gives up peers that fell silent. */
  expire(now: Now): void {
    for (const pull of this.#pulls) {
      const silent = now.monoMs >= pull.touchedMs + this.#config.answerTimeoutMs;
      if (pull.awaitsAnswer && silent) this.#end(pull, true);
    }
  }

  /** `peer` cannot be reached. */
  giveUp(peer: Address): void {
    const pull = this.#find(peer);
    if (pull !== undefined) this.#end(pull, true);
  }

  /** All pulls end: the store fails. */
  giveUpAll(): void {
    for (const pull of this.#pulls) this.#end(pull, true);
  }

  /** Monotonic time at which `pump` or `expire` has something to do; Infinity if never. */
  nextDueMs(): number {
    let due = Infinity;
    for (const pull of this.#pulls) {
      if (pull.awaitsAnswer) due = Math.min(due, pull.touchedMs + this.#config.answerTimeoutMs);
      else if (!this.#blocked) due = Math.min(due, pull.askFromMs);
    }
    return due;
  }

  /** Pulls that ended since the last call. */
  takeEnded(): readonly PullEnd[] {
    return this.#ended.length === 0 ? this.#ended : this.#ended.splice(0);
  }

  /** A store that cannot keep up is not sent more: the inbox would only drop it. */
  get #blocked(): boolean {
    return this.#inbox.failing || this.#inbox.bytes > maxInboxBytes / 2;
  }

  /** An answer to no open question: late, when the question was this node's; else made up. */
  #late(number: number, next: number): string | null {
    return number >= this.#firstNumber && number < next ? null : "an answer to no question";
  }

  /** Has the peer told of holdings that are neither those of its telling nor held here? */
  #hasMore({ told, since }: Pull): boolean {
    if (since === null || (told !== null && equalHashes(told, since))) return false;
    return !this.#ledger.hasHeld(since);
  }

  #find(peer: Address): Pull | undefined {
    for (const pull of this.#pulls) if (pull.peer === peer) return pull;
    return undefined;
  }

  #sendAsk(pull: Pull, out: Effect[]): void {
    const bits = bucketBitsFor(this.#ledger.actorCount);
    const bytes = encodeAsk(pull.token, this.#ledger.hash, this.#ledger.bucketHashes(bits));
    send(pull.peer, "syncSummary", bytes, out);
  }

  /** One more request; false when there is nothing to ask. */
  #request(now: Now, pull: Pull, out: Effect[]): boolean {
    // Where others offer the same, each peer gets its share.
    const { sliceVersions, requestsPerPeer } = this.#config;
    const share = Math.ceil(pull.offeredVersions / (this.#pulls.length * requestsPerPeer));
    const limit = Math.max(sliceVersions, Math.min(pull.slice, share));
    const wants = chooseWants(this.#ledger, pull.offered, limit);
    if (wants.length === 0) wants.push(...choosePartWants(this.#ledger, pull.parts));
    if (wants.length === 0) return false;
    for (const { ledger, from, to } of wants) {
      out.push(notice({ type: "need", actor: ledger.actor, from, to }));
    }
    const id = this.#nextRequest++;
    if (pull.requests.length === 0) pull.touchedMs = now.monoMs;
    pull.requests.push({ id, wants, answered: false });
    const bytes = encodeRequest(id, this.#config.windowBytes, wireWants(wants));
    send(pull.peer, "syncRequest", bytes, out);
    return true;
  }

  /** Markers wait until all that the peer held is held here. Only what was asked for counts. */
  #mark(
    now: Now,
    pull: Pull,
    request: OpenRequest,
    overwritten: readonly VersionRange[],
    out: Effect[],
  ): void {
    const byActor = wantsByActor(request.wants);
    for (const { actor, from, to } of overwritten) {
      for (const want of byActor.get(actor) ?? none) {
        if (want.from > to || want.to < from) continue;
        const low = Math.max(from, want.from);
        const high = Math.min(to, want.to);
        want.ledger.setAsked(low, high, false);
        for (const [first, last] of want.ledger.wanting(low, high)) {
          this.#markers.add(now.monoMs, pull.peer, want.ledger, first, last);
          pull.versions += last - first + 1;
        }
      }
    }
    const dropped = this.#markers.trim();
    if (dropped > 0) out.push(notice({ type: "overflow", queue: "markers", count: dropped }));
  }

  /** What did not fit is on offer still, as far as it was asked for. */
  #offerAgain(pull: Pull, request: OpenRequest, rest: readonly Want[]): void {
    const byActor = wantsByActor(request.wants);
    for (const { actor, from, to } of rest) {
      for (const want of byActor.get(actor) ?? none) {
        if (want.from > to || want.to < from) continue;
        const low = Math.max(from, want.from);
        const high = Math.min(to, want.to);
        pull.offerRange(want.ledger, low, high);
      }
    }
  }

  #end(pull: Pull, failed: boolean): void {
    this.#pulls = this.#pulls.filter((other) => other !== pull);
    for (const request of pull.requests) unask(this.#ledger, request.wants);
    pull.requests.length = 0;
    // Nobody will say what these markers wait for.
    this.#markers.forgetOpen(pull.peer);
    this.#ended.push({ peer: pull.peer, versions: pull.versions, failed });
  }
}

const none: readonly AskedWant[] = [];

function wantsByActor(wants: readonly AskedWant[]): Map<ActorId, AskedWant[]> {
  const byActor = new Map<ActorId, AskedWant[]>();
  for (const want of wants) {
    const known = byActor.get(want.ledger.actor);
    if (known === undefined) byActor.set(want.ledger.actor, [want]);
    else known.push(want);
  }
  return byActor;
}

/** About four actors a bucket, so that one that differs brings few others along. */
function bucketBitsFor(actors: number): number {
  if (actors <= 4) return 0;
  if (actors <= 16) return 2;
  return actors <= 64 ? 4 : bucketBits;
}

function send(
  to: Address,
  kind: "syncSummary" | "syncRequest",
  bytes: Uint8Array,
  out: Effect[],
): void {
  out.push({ type: "send", to, plane: "sync", reliable: true, kind, bytes });
}

function notice(n: Notice): Effect {
  return { type: "notify", notice: n };
}

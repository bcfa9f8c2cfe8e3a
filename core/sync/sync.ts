/**
 * Anti-entropy as one machine: digests decide with whom there is something to talk about, pulls
 * fetch what is missing, serving answers others, repair mends equal holdings with unequal rows.
 * Whoever hears a digest that it does not know pulls; whoever knows it as its own past answers
 * with its own digest, so that the other pulls; equal ones end the exchange after one message.
 */
import { unreachable } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, MemberState, Notice, Now, StoreResponse } from "../node/event.ts";
import { IdSource, machines } from "../node/ids.ts";
import { TimerSlot } from "../node/timer-slot.ts";
import { decodeMessage } from "../wire/envelope.ts";
import {
  type Digest,
  encodeDigest,
  maxSyncBytes,
  type SyncMessage,
  syncDecoders,
} from "../wire/sync-messages.ts";
import { equalHashes } from "../wire/wire-hash.ts";
import type { SyncConfig } from "./config.ts";
import type { ActorLedger } from "./actor-ledger.ts";
import { Contacts, type Members } from "./contacts.ts";
import type { Inbox, Received } from "./inbox.ts";
import type { Ledger } from "./ledger.ts";
import { MarkerPool } from "./marker-pool.ts";
import { Pulls } from "./pulls.ts";
import { Repair } from "./repair.ts";
import { Serving } from "./serving.ts";
import type { StateView } from "./state-view.ts";

/** A version that could not be read is asked for again after this long, in case of a newer program here or there. */
const forgiveAfterMs = 10_000;
/** Markers of a peer that is gone have this long to be released. */
const goneMarkersMs = 2000;

export interface SyncOptions {
  readonly self: Address;
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly state: StateView;
  readonly members: Members;
  readonly config: SyncConfig;
  readonly rng: Rng;
}

export class Sync {
  readonly #ledger: Ledger;
  readonly #inbox: Inbox;
  readonly #state: StateView;
  readonly #config: SyncConfig;
  readonly #contacts: Contacts;
  readonly #markers = new MarkerPool();
  readonly #pulls: Pulls;
  readonly #serving: Serving;
  readonly #repair: Repair;
  readonly #digestTimer: TimerSlot;
  readonly #workTimer: TimerSlot;
  #forgivenMs = 0;

  constructor(options: SyncOptions) {
    const { self, ledger, inbox, state, members, config, rng } = options;
    const ids = new IdSource(machines.sync);
    this.#ledger = ledger;
    this.#inbox = inbox;
    this.#state = state;
    this.#config = config;
    this.#contacts = new Contacts(self, config, rng.fork("contacts"), members);
    this.#pulls = new Pulls(ledger, inbox, this.#markers, config, rng.fork("pulls"));
    this.#serving = new Serving(ledger, config, ids);
    this.#repair = new Repair(ledger, state, config, ids, rng.fork("repair"));
    this.#digestTimer = new TimerSlot(ids);
    this.#workTimer = new TimerSlot(ids);
  }

  start(now: Now, out: Effect[]): void {
    this.#digestTimer.arm(now.monoMs, this.#contacts.nextDelayMs(), out);
  }

  timer(now: Now, token: number, out: Effect[]): void {
    if (this.#digestTimer.take(token)) {
      for (const peer of this.#contacts.periodic()) this.#sendDigest(peer, null, out);
      this.#digestTimer.arm(now.monoMs, this.#contacts.nextDelayMs(), out);
      this.#forgive(now);
    } else if (!this.#workTimer.take(token)) {
      return;
    }
    this.#work(now, out);
  }

  message(now: Now, from: Address, bytes: Uint8Array, out: Effect[]): void {
    const decoded = decodeMessage(bytes, syncDecoders, maxSyncBytes);
    if (decoded.type === "unknownKind") {
      out.push(notice({ type: "unknown", from, what: "kind" }));
      return;
    }
    if (decoded.type === "rejected") {
      this.#reject(from, decoded.why, out);
      return;
    }
    if (decoded.unknownField) out.push(notice({ type: "unknown", from, what: "field" }));
    const wrong = this.#dispatch(now, from, decoded.message, out);
    if (wrong !== null) this.#reject(from, wrong, out);
    this.#work(now, out);
  }

  /** The store's answer to a request of this machine. */
  stored(now: Now, id: number, response: StoreResponse, out: Effect[]): void {
    if (!this.#serving.stored(id, response, out)) this.#repair.stored(now, id, response, out);
    this.#work(now, out);
  }

  /** The inbox had an answer from the store, or (null) learnt that the store fails. */
  received(now: Now, received: Received | null, out: Effect[]): void {
    if (received === null) {
      this.#pulls.giveUpAll();
    } else if (received.held > 0) {
      this.#contacts.quicken();
      this.#digestTimer.armBy(now.monoMs, this.#config.digestIntervalMs, out);
      if (received.via === "sync") this.#contacts.news();
    }
    if (received === null || received.via === "sync" || this.#busy) this.#work(now, out);
    else this.#inbox.flush(out);
  }

  /** A local transaction is in the books. */
  committed(now: Now, out: Effect[]): void {
    this.#contacts.quicken();
    this.#digestTimer.armBy(now.monoMs, this.#config.digestIntervalMs, out);
  }

  /** A push from `peer` was applied and left versions up to `to` missing. */
  gap(now: Now, peer: Address, ledger: ActorLedger, to: number, out: Effect[]): void {
    this.#contacts.gap(now, peer, ledger, to);
    this.#armWork(now, out);
  }

  /** Broadcast gave up on something that `peer` announced. */
  missed(now: Now, peer: Address, out: Effect[]): void {
    this.#contacts.missed(now, peer);
    this.#armWork(now, out);
  }

  memberChanged(now: Now, about: Address, state: MemberState, out: Effect[]): void {
    this.#contacts.memberChanged(about, state);
    if (state === "down" || state === "left") this.#gone(now, about);
    this.#work(now, out);
  }

  forgotten(about: Address): void {
    this.#contacts.forget(about);
  }

  unreachable(now: Now, peer: Address, out: Effect[]): void {
    this.#gone(now, peer);
    this.#repair.giveUp(now, peer);
    this.#work(now, out);
  }

  /** Sizes of what is bounded. */
  stats(): SyncStats {
    return {
      pulls: this.#pulls.size,
      pullsMax: this.#config.maxPulls,
      openRequests: this.#pulls.openRequests,
      duplicates: this.#pulls.duplicates,
      serving: this.#serving.size,
      markerGroups: this.#markers.groupCount,
      markerRanges: this.#markers.rangeCount,
      urgent: this.#contacts.urgentCount,
      down: this.#contacts.downCount,
    };
  }

  /** Versions that come by broadcast may matter to a pull or to markers. */
  get #busy(): boolean {
    return this.#pulls.size > 0 || this.#markers.groupCount > 0;
  }

  #dispatch(now: Now, from: Address, message: SyncMessage, out: Effect[]): string | null {
    switch (message.type) {
      case "digest":
        this.#compare(now, from, message, out);
        return null;
      case "ask":
        this.#serving.ask(from, message, out);
        // The asker may hold something too.
        if (!this.#ledger.hasHeld(message.holdings)) {
          this.#pulls.begin(now, from, message.holdings, false, out);
        }
        return null;
      case "tell":
        return this.#pulls.tell(now, from, message, out);
      case "request":
        this.#serving.request(from, message, out);
        return null;
      case "chunks":
        return this.#pulls.chunks(now, from, message);
      case "done":
        return this.#pulls.done(now, from, message, out);
      case "tableDigests":
      case "tablesDiffer":
      case "rangeDigests":
      case "rangesDiffer":
      case "rows":
        return this.#repair.message(now, from, message, out);
      default:
        return unreachable(message);
    }
  }

  #compare(now: Now, from: Address, digest: Digest, out: Effect[]): void {
    const own = this.#ledger.hash;
    if (equalHashes(digest.holdings, own)) {
      const comparable =
        !digest.quarantined &&
        !this.#state.quarantined &&
        equalHashes(digest.schema, this.#state.schema);
      if (comparable && !equalHashes(digest.state, this.#state.hash)) {
        this.#repair.begin(now, from, out);
      }
      return;
    }
    this.#contacts.quicken();
    this.#digestTimer.armBy(now.monoMs, this.#config.digestIntervalMs, out);
    if (!this.#ledger.hasHeld(digest.holdings)) {
      this.#pulls.begin(now, from, digest.holdings, digest.news, out);
    }
    // All that the peer holds is held here, but not the other way round: let it pull.
    else if (!digest.reply) this.#sendDigest(from, "reply", out);
  }

  /** Whatever is due. Every entry ends here. */
  #work(now: Now, out: Effect[]): void {
    this.#resumeStore(now);
    this.#pulls.expire(now);
    this.#pulls.pump(now, out);
    this.#releaseMarkers(now);
    this.#closeEnded(out);
    const gapPeer = this.#contacts.takeGap(now);
    if (gapPeer !== null) this.#pulls.begin(now, gapPeer, null, true, out);
    for (const peer of this.#contacts.takeHints(now)) {
      // Whoever is pulled from is the one who had the news.
      if (!this.#pulls.isPulling(peer)) this.#sendDigest(peer, "news", out);
    }
    for (const peer of this.#contacts.takeUrgent(now)) {
      if (!this.#pulls.begin(now, peer, null, true, out)) this.#sendDigest(peer, null, out);
    }
    this.#repair.work(now);
    this.#inbox.flush(out);
    this.#armWork(now, out);
  }

  #armWork(now: Now, out: Effect[]): void {
    let due = Math.min(this.#contacts.nextDueMs(), this.#repair.nextDueMs());
    if (this.#inbox.failing) due = Math.min(due, this.#inbox.retryAtMs);
    else due = Math.min(due, this.#pulls.nextDueMs());
    if (this.#markers.groupCount > 0) due = Math.min(due, now.monoMs + 1000);
    if (due === Infinity) return;
    this.#workTimer.armBy(now.monoMs, Math.max(0, due - now.monoMs), out);
  }

  #resumeStore(now: Now): void {
    if (!this.#inbox.failing || now.monoMs < this.#inbox.retryAtMs) return;
    this.#inbox.resume();
    const peer = this.#contacts.randomAlive(null);
    if (peer !== null) this.#contacts.soon(peer);
  }

  #releaseMarkers(now: Now): void {
    if (this.#markers.groupCount === 0) return;
    this.#markers.settle(now.monoMs);
    if (!this.#inbox.failing) this.#inbox.release(this.#markers.release());
    const expired = this.#markers.expire(now.monoMs - this.#config.markerTimeoutMs);
    if (expired === 0) return;
    // Somebody else may have these versions whole.
    const peer = this.#contacts.randomAlive(null);
    if (peer !== null) this.#contacts.soon(peer);
  }

  #closeEnded(out: Effect[]): void {
    for (const { peer, versions, failed } of this.#pulls.takeEnded()) {
      if (versions > 0) out.push(notice({ type: "synced", peer, versions }));
      if (!failed) continue;
      // What it was asked for is asked of somebody else.
      const other = this.#contacts.randomAlive(peer);
      if (other !== null) this.#contacts.soon(other);
    }
  }

  #gone(now: Now, peer: Address): void {
    this.#pulls.giveUp(peer);
    const { markerTimeoutMs } = this.#config;
    this.#markers.hasten(peer, now.monoMs - markerTimeoutMs + goneMarkersMs);
  }

  #forgive(now: Now): void {
    if (now.monoMs - this.#forgivenMs < forgiveAfterMs) return;
    this.#forgivenMs = now.monoMs;
    this.#ledger.forgiveAll();
  }

  #sendDigest(to: Address, as: "reply" | "news" | null, out: Effect[]): void {
    const digest: Digest = {
      holdings: this.#ledger.hash,
      state: this.#state.hash,
      schema: this.#state.schema,
      quarantined: this.#state.quarantined,
      reply: as === "reply",
      news: as === "news",
    };
    const bytes = encodeDigest(digest);
    out.push({ type: "send", to, plane: "sync", reliable: false, kind: "syncDigest", bytes });
  }

  #reject(from: Address, why: string, out: Effect[]): void {
    out.push(notice({ type: "rejected", from, plane: "sync", why }));
  }
}

/** Sizes of the machine's bounded parts. */
export interface SyncStats {
  readonly pulls: number;
  readonly pullsMax: number;
  readonly openRequests: number;
  readonly duplicates: number;
  readonly serving: number;
  readonly markerGroups: number;
  readonly markerRanges: number;
  readonly urgent: number;
  readonly down: number;
}

function notice(n: Notice): Effect {
  return { type: "notify", notice: n };
}

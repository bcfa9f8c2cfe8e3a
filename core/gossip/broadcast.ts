/**
 * Broadcast of versions as they are committed: best effort, at once; what it misses sync finds.
 * This machine does what both ways of spreading share: it tells duplicates by their header alone,
 * passes a chunk on at its first receipt, before it is applied, and hands it to the inbox.
 */
import { unreachable } from "../base/assert.ts";
import type { ActorId, Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, MemberState, Notice, Now } from "../node/event.ts";
import { IdSource, machines } from "../node/ids.ts";
import type { Chunk } from "../node/store.ts";
import { maxVersion, type Verdict } from "../sync/actor-ledger.ts";
import { decodeMessage, wireVersion } from "../wire/envelope.ts";
import {
  encodePush,
  expressHops,
  gossipDecoders,
  hopsAt,
  markAhead,
  maxGossipBytes,
  peekPush,
  wentAhead,
} from "../wire/gossip-messages.ts";
import { messageKinds } from "../wire/kinds.ts";
import type { GossipConfig } from "./config.ts";
import { Flood } from "./flood.ts";
import { Outbox } from "./outbox.ts";
import { Overlay, type Peers } from "./overlay.ts";
import { findPush, keepPush, type KnownPush } from "./push-memo.ts";
import { type Recent, RecentMessages } from "./recent.ts";
import type { Spreading } from "./spreading.ts";
import { Tree } from "./tree.ts";

/** Where chunks go, and who knows which are here already. */
export interface Intake {
  verdict(actor: ActorId, version: number, index: number, count: number): Verdict;
  /** A chunk whose verdict is `new`. */
  take(now: Now, chunk: Chunk, from: Address, out: Effect[]): void;
  /** Broadcast gave up on something that `peer` announced. */
  missed(now: Now, peer: Address, out: Effect[]): void;
}

export interface BroadcastOptions {
  readonly self: Address;
  readonly config: GossipConfig;
  readonly rng: Rng;
  readonly peers: Peers;
  readonly intake: Intake;
}

/** Sizes of what is bounded, and counts since the start. */
export interface BroadcastStats {
  readonly recent: number;
  readonly recentMax: number;
  readonly recentBytes: number;
  readonly outbox: number;
  readonly missing: number;
  readonly neighbours: number;
  readonly eager: number;
  /** Pushes of what was new here. */
  readonly fresh: number;
  /** Pushes of what was here already. */
  readonly duplicates: number;
}

export class Broadcast {
  readonly #intake: Intake;
  readonly #config: GossipConfig;
  readonly #recent: RecentMessages;
  readonly #outbox: Outbox;
  readonly #overlay: Overlay;
  readonly #spreading: Spreading;
  #fresh = 0;
  #duplicates = 0;

  constructor(options: BroadcastOptions) {
    const { self, config, rng, peers, intake } = options;
    const ids = new IdSource(machines.gossip);
    this.#intake = intake;
    this.#config = config;
    this.#recent = new RecentMessages(config);
    this.#outbox = new Outbox(config.bytesPerSec, ids);
    this.#overlay = new Overlay(self, config, peers, this.#recent);
    const parts = {
      self,
      config,
      rng,
      peers,
      intake,
      ids,
      recent: this.#recent,
      outbox: this.#outbox,
      overlay: this.#overlay,
    };
    this.#spreading = config.mode === "flood" ? new Flood(parts) : new Tree(parts);
  }

  /** A local transaction is durable: its chunks leave now. */
  committed(now: Now, chunks: readonly Chunk[], out: Effect[]): void {
    for (const chunk of chunks) {
      if (this.#recent.find(chunk.actor, chunk.version, chunk.index) !== undefined) continue;
      const push = encodePush(chunk, 1);
      const alone = chunk.count === 1;
      if (alone && this.#spreading.goesAhead(now, chunk.actor, push.length)) markAhead(push);
      this.#spread(now, chunk, push, 0, null, out);
    }
  }

  message(now: Now, from: Address, bytes: Uint8Array, out: Effect[]): void {
    this.#overlay.resume(from);
    // Most messages are pushes, and of those many are duplicates: no need to decode their payload.
    const isPush = bytes[1] === messageKinds.push && bytes[0] === wireVersion;
    let checked = false;
    if (isPush && bytes.length <= maxGossipBytes) {
      const header = peekPush(bytes);
      if (header !== null && header.version <= maxVersion) {
        const { actor, version, index, count } = header;
        const known = this.#recent.find(actor, version, index);
        const verdict =
          known === undefined ? this.#intake.verdict(actor, version, index, count) : "known";
        if (verdict === "known") {
          this.#duplicates++;
          this.#spreading.duplicate(now, known, from, out);
          return;
        }
        if (verdict === "conflict") {
          this.#reject(from, "a chunk whose count is not that of its version", out);
          return;
        }
        const met = findPush(bytes, version);
        if (met !== null) {
          this.#push(now, from, met, bytes, out);
          return;
        }
        checked = true;
      }
    }
    const decoded = decodeMessage(bytes, gossipDecoders, maxGossipBytes);
    if (decoded.type === "unknownKind") {
      out.push(notice({ type: "unknown", from, what: "kind" }));
      return;
    }
    if (decoded.type === "rejected") {
      this.#reject(from, decoded.why, out);
      return;
    }
    const { message, unknownField } = decoded;
    if (message.type === "push") {
      // What could not be judged by its header cannot be a push of ours; take no risk with it.
      if (checked) this.#push(now, from, keepPush(bytes, message.chunk, unknownField), bytes, out);
      else this.#reject(from, "a push whose header cannot be read", out);
      return;
    }
    if (unknownField) out.push(notice({ type: "unknown", from, what: "field" }));
    switch (message.type) {
      case "ihave":
        this.#spreading.ihave(now, from, message.have, out);
        break;
      case "graft":
        this.#spreading.graft(now, from, message.refs, out);
        break;
      case "prune":
        this.#spreading.prune(now, from, out);
        break;
      default:
        unreachable(message);
    }
  }

  timer(now: Now, token: number, out: Effect[]): void {
    if (this.#outbox.timer(now, token, out)) return;
    this.#spreading.timer(now, token, out);
  }

  memberChanged(now: Now, about: Address, state: MemberState, out: Effect[]): void {
    const there = state === "alive" || state === "suspect";
    this.#overlay.memberChanged(about, there);
    if (!there) this.#spreading.gone(now, about, out);
  }

  unreachable(now: Now, peer: Address, out: Effect[]): void {
    this.#overlay.suspend(now.monoMs, peer);
    this.#spreading.unreachable(now, peer, out);
  }

  rtt(peer: Address, rttMs: number): void {
    this.#overlay.rtt(peer, rttMs);
  }

  stats(): BroadcastStats {
    return {
      recent: this.#recent.size,
      recentMax: this.#config.recentMessages,
      recentBytes: this.#recent.bytes,
      outbox: this.#outbox.size,
      missing: this.#spreading.missing,
      neighbours: this.#overlay.size,
      eager: this.#overlay.eagerCount,
      fresh: this.#fresh,
      duplicates: this.#duplicates,
    };
  }

  #push(now: Now, from: Address, push: KnownPush, bytes: Uint8Array, out: Effect[]): void {
    this.#fresh++;
    const { chunk, unknownField } = push;
    if (unknownField) out.push(notice({ type: "unknown", from, what: "field" }));
    const hops = bytes[hopsAt] as number;
    // One that came ahead of the tree has come one hop all the same.
    const next = hops === expressHops ? 2 : hops + 1;
    this.#spread(now, chunk, push.relayed(next), hops, from, out);
    this.#intake.take(now, chunk, from, out);
  }

  #spread(
    now: Now,
    chunk: Chunk,
    bytes: Uint8Array,
    hops: number,
    parent: Address | null,
    out: Effect[],
  ): void {
    const message: Recent = {
      actor: chunk.actor,
      version: chunk.version,
      index: chunk.index,
      count: chunk.count,
      bytes,
      hops,
      parent,
      ahead: wentAhead(bytes),
      told: 0,
      atMs: now.monoMs,
      announcedMs: 0,
      grafted: null,
    };
    this.#recent.add(message);
    this.#overlay.expire(now.monoMs);
    this.#spreading.spread(now, message, out);
  }

  #reject(from: Address, why: string, out: Effect[]): void {
    out.push(notice({ type: "rejected", from, plane: "gossip", why }));
  }
}

function notice(n: Notice): Effect {
  return { type: "notify", notice: n };
}

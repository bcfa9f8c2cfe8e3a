/** What is done with each kind of message, and what is answered. */
import { unreachable } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import {
  beginAck,
  beginNews,
  flagIntroduce,
  flagListing,
  flagRelayed,
  flagReliable,
  type SwimMessage,
} from "../wire/swim-messages.ts";
import type { Claims } from "./claims.ts";
import type { Context } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import type { Joiner } from "./joiner.ts";
import type { Own } from "./own.ts";
import type { Prober } from "./prober.ts";
import type { Relays } from "./relay.ts";

export interface Parts {
  readonly own: Own;
  readonly claims: Claims;
  readonly prober: Prober;
  readonly relays: Relays;
  readonly exchange: Exchange;
  readonly joiner: Joiner;
}

export class Dialogue {
  readonly #context: Context;
  readonly #parts: Parts;

  constructor(context: Context, parts: Parts) {
    this.#context = context;
    this.#parts = parts;
  }

  handle(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    const { exchange, own } = this.#parts;
    own.owed = "nothing";
    if (m.size > 0) this.#context.hearSize(now, m.size);
    this.#dispatch(now, from, m, out);
    if (this.#context.answers.length > 0) exchange.answer(now, from, out);
  }

  #dispatch(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    const { prober, relays, exchange, joiner } = this.#parts;
    switch (m.kind) {
      case "ping":
        this.#ping(now, from, m, out);
        return;
      case "ack":
        this.#ack(now, from, m, out);
        return;
      case "nack":
        prober.nacked(now, from, m.seq, out);
        return;
      case "pingReq":
        relays.request(now, from, m.seq, m.targetHi, m.target, out);
        return;
      case "gossip":
        this.#news(now, from, m, out);
        return;
      case "memberDigest":
        exchange.digest(now, from, m, out);
        return;
      case "memberGroups":
        exchange.groups(now, from, m, (m.flags & flagListing) !== 0, out);
        this.#pay(now, from, false, out);
        return;
      case "join":
        this.#news(now, from, m, out);
        if (!this.#context.leaving) joiner.reply(now, from, out);
        return;
      case "joinReply":
        joiner.replied(now, m, out);
        return;
      default:
        unreachable(m.kind);
    }
  }

  #ping(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    const { seq, source, target, root, flags } = m;
    const context = this.#context;
    const { roster, directory, writer } = context;
    const { claims, own, exchange } = this.#parts;
    claims.hear(now, m.records, out);
    const slot = directory.slotOf(from);
    const known = this.#isKnown(slot, source);
    const selfTag = context.selfTag;
    const misled = target !== selfTag;
    const reliable = (flags & flagReliable) !== 0;
    beginAck(writer, known ? 0 : flagIntroduce, seq, selfTag, roster.root);
    if (misled || own.owed !== "nothing") {
      context.force(roster.selfSlot, misled || own.owed === "identity");
    }
    // Who is accused learns it from whoever it talks to.
    if (known) context.warn(slot);
    context.writeUpdates(now, 1);
    context.send(from, "ack", reliable, out);
    if (known && roster.isPeer(slot)) exchange.compare(now, from, root, out);
  }

  #ack(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    const { seq, source, root, flags } = m;
    const { directory, roster } = this.#context;
    const { claims, prober, relays, exchange } = this.#parts;
    const relayed = (flags & flagRelayed) !== 0;
    // Before the records: they may replace the very identity that was probed.
    const awaited = prober.acked(seq, source);
    if (!awaited && !relayed) relays.acked(now, seq, source, out);
    claims.hear(now, m.records, out);
    this.#pay(now, from, (flags & flagIntroduce) !== 0, out);
    if (relayed) return;
    const slot = directory.slotOf(from);
    if (this.#isKnown(slot, source) && roster.isPeer(slot)) exchange.compare(now, from, root, out);
  }

  #news(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    this.#parts.claims.hear(now, m.records, out);
    this.#pay(now, from, (m.flags & flagIntroduce) !== 0, out);
  }

  /** Tells the sender about this node, as far as it is owed that or asked. */
  #pay(now: Now, to: Address, asked: boolean, out: Effect[]): void {
    const { owed } = this.#parts.own;
    if (!asked && owed === "nothing") return;
    const { writer, selfTag, roster } = this.#context;
    beginNews(writer, "gossip", 0, selfTag);
    this.#context.force(roster.selfSlot, asked || owed === "identity");
    this.#context.writeUpdates(now, 1);
    this.#context.send(to, "gossip", false, out);
  }

  /** The identity held at the slot is the one that speaks. */
  #isKnown(slot: number, tag: number): boolean {
    const entry = this.#context.roster.entryAt(slot);
    return entry >= 0 && this.#context.directory.tagLo(entry) === tag;
  }
}

/**
 * Who is in the cluster, and how they are: SWIM (Das, Gupta, Motivala, DSN 2002) with Lifeguard
 * (Dadgar, Phillips, Currey, DSN 2018), as a deterministic state machine. It is handed messages and
 * timers, and pushes what is to be sent, timed and told to `out`. The rules are section SW of
 * `core/SPEC.md`.
 */
import { assert, unreachable } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, MemberState, Now } from "../node/event.ts";
import {
  beginAck,
  beginNews,
  decodeSwim,
  flagIntroduce,
  flagListing,
  flagRelayed,
  flagReliable,
  type SwimMessage,
} from "../wire/swim-messages.ts";
import { Claims } from "./claims.ts";
import type { SwimConfig } from "./config.ts";
import {
  Context,
  type Counters,
  timerGossip,
  timerJoin,
  timerLeave,
  timerPeriod,
  timerProbe,
  timerReconnect,
  timerRelay,
  timerSuspicion,
} from "./context.ts";
import type { Directory } from "./directory.ts";
import { Exchange } from "./exchange.ts";
import { Gossiper } from "./gossiper.ts";
import type { Identity } from "./identity.ts";
import { Joiner } from "./joiner.ts";
import { Own } from "./own.ts";
import { Prober } from "./prober.ts";
import { maxRelays, Relays } from "./relay.ts";
import type { Member } from "./roster.ts";

export interface MembershipOptions {
  readonly self: Identity;
  readonly config: SwimConfig;
  readonly rng: Rng;
  readonly directory: Directory;
}

export interface QueueSize {
  readonly name: string;
  readonly size: number;
  readonly max: number;
}

export interface MembershipStats {
  readonly queues: readonly QueueSize[];
  readonly alive: number;
  readonly suspect: number;
  readonly down: number;
  readonly left: number;
  readonly health: number;
  readonly counters: Readonly<Counters>;
}

type Phase = "new" | "running" | "leaving" | "left";

/** A timer this late, in periods, means that the process stood still. */
const stallPeriods = 0.5;

export class Membership {
  readonly #context: Context;
  readonly #own: Own;
  readonly #claims: Claims;
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #gossiper: Gossiper;
  readonly #exchange: Exchange;
  readonly #joiner: Joiner;
  #phase: Phase = "new";
  /** Until when a standstill was already made good. */
  #stalledMs = -Infinity;

  constructor(options: MembershipOptions) {
    const { config, directory, rng, self } = options;
    assert(
      config.probeTimeoutMs + config.nackTimeoutMs < config.periodMs,
      "nacks are due within the period",
    );
    this.#context = new Context(config, directory, rng, self);
    this.#own = new Own(this.#context);
    this.#claims = new Claims(this.#context, this.#own);
    this.#prober = new Prober(this.#context, this.#claims);
    this.#relays = new Relays(this.#context, this.#prober);
    this.#gossiper = new Gossiper(this.#context);
    this.#exchange = new Exchange(this.#context, this.#claims);
    this.#joiner = new Joiner(this.#context, this.#claims, this.#prober);
  }

  /** Begins to probe, and to join through `seeds`; without seeds this node is the first. */
  start(now: Now, seeds: readonly Address[], out: Effect[]): void {
    assert(this.#phase === "new", "a membership starts once");
    const context = this.#context;
    this.#phase = "running";
    context.changedMs = now.monoMs;
    context.rumors.add(context.roster.selfSlot, true);
    // Not all at one moment when a fleet starts together.
    context.arm(timerPeriod, now, context.timingRng.unit() * context.config.periodMs, out);
    this.#joiner.start(now, seeds, out);
    this.#settle(now, out);
  }

  /** Members known from elsewhere, taken as alive at incarnation 0 without a word: a warm start. */
  seedMembers(now: Now, identities: Iterable<Identity>, out: Effect[]): void {
    const { directory, roster, probeRng } = this.#context;
    this.#context.rumors.remove(roster.selfSlot);
    roster.reserve(directory.slotCount);
    for (const identity of identities) {
      const entry = directory.intern(identity);
      const slot = directory.slotOfEntry(entry);
      if (slot !== roster.selfSlot && roster.entryAt(slot) < 0) {
        roster.set(slot, entry, "alive", 0, probeRng);
      }
      directory.release(entry);
    }
    this.#context.changedMs = now.monoMs;
    this.#settle(now, out);
  }

  /** A membership message from another node. Bytes that are not one are counted and dropped. */
  message(now: Now, from: Address, bytes: Uint8Array, out: Effect[]): void {
    const context = this.#context;
    if (this.#phase === "left" || this.#phase === "new" || from === context.self.address) return;
    const decoded = decodeSwim(bytes);
    switch (decoded.type) {
      case "message":
        if (decoded.unknownField) {
          context.counters.unknownFields++;
          context.notify({ type: "unknown", from, what: "field" }, out);
        }
        this.#own.refuted = false;
        this.#dispatch(now, from, decoded.message, out);
        if (context.answers.length > 0) this.#exchange.answer(now, from, out);
        this.#settle(now, out);
        return;
      case "unknownKind":
        context.counters.unknownKinds++;
        context.notify({ type: "unknown", from, what: "kind" }, out);
        return;
      case "rejected":
        context.counters.rejected++;
        context.notify({ type: "rejected", from, plane: "swim", why: decoded.why }, out);
        return;
      default:
        unreachable(decoded);
    }
  }

  timer(now: Now, token: number, out: Effect[]): void {
    if (this.#phase === "left" || this.#phase === "new") return;
    const context = this.#context;
    const late = this.#lateness(now, token);
    const timer = context.expire(token);
    if (timer < 0) return;
    if (late > context.config.periodMs * stallPeriods) this.#stalled(now, late, out);
    this.#due(now, timer, out);
    this.#settle(now, out);
  }

  /**
   * A reliable message could not be delivered. That is no verdict: the probe that sent it decides
   * by its own time, and a join is asked again by its timer.
   */
  unreachable(_now: Now, _to: Address, _out: Effect[]): void {
    this.#context.counters.unreachable++;
  }

  /** Tells the others that this node goes of its own will; `left` is told when they had time to hear. */
  leave(now: Now, out: Effect[]): void {
    if (this.#phase !== "running") return;
    const context = this.#context;
    const { roster } = context;
    this.#phase = "leaving";
    context.leaving = true;
    const slot = roster.selfSlot;
    const incarnation = roster.incarnationAt(slot);
    roster.set(slot, context.selfEntry, "left", incarnation, context.probeRng);
    roster.setNote(slot, context.clockSec(now));
    context.rumors.add(slot, false);
    context.fresh = true;
    context.arm(timerLeave, now, roster.peers > 0 ? context.config.leaveLingerMs : 0, out);
    this.#settle(now, out);
  }

  get identity(): Identity {
    return this.#context.self;
  }

  /** The own incarnation. */
  get incarnation(): number {
    return this.#context.roster.incarnationAt(this.#context.roster.selfSlot);
  }

  /** Digest of the whole list: two members with equal lists have equal digests. */
  get digest(): number {
    return this.#context.roster.root;
  }

  /** Members alive or suspect, this node included. */
  get size(): number {
    return this.#context.roster.size;
  }

  /** No seed has answered yet. */
  get joining(): boolean {
    return this.#joiner.joining;
  }

  stateOf(address: Address): MemberState | undefined {
    const { directory, roster } = this.#context;
    const slot = directory.slotOf(address);
    return roster.entryAt(slot) < 0 ? undefined : roster.stateAt(slot);
  }

  memberOf(address: Address): Member | undefined {
    const { directory, roster } = this.#context;
    const slot = directory.slotOf(address);
    return roster.entryAt(slot) < 0 ? undefined : roster.memberAt(slot);
  }

  /** Others that are alive, in code unit order. The same array until that changes; never changed in place. */
  aliveAddresses(): readonly Address[] {
    return this.#context.roster.aliveAddresses();
  }

  /** All that are known, this node included, by address in code unit order. Made anew at each call. */
  members(): Member[] {
    const { roster } = this.#context;
    const members: Member[] = [];
    for (let slot = 0; slot < roster.capacity; slot++) {
      if (roster.entryAt(slot) >= 0) members.push(roster.memberAt(slot));
    }
    return members.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }

  stats(): MembershipStats {
    const { roster, suspicions, rumors, config, health, counters } = this.#context;
    const max = config.maxMembers;
    return {
      queues: [
        { name: "members", size: roster.known, max },
        { name: "rumors", size: rumors.size, max },
        { name: "suspicions", size: suspicions.size, max },
        { name: "relays", size: this.#relays.size, max: maxRelays },
      ],
      alive: roster.size - roster.suspects,
      suspect: roster.suspects,
      down: roster.downs,
      left: roster.lefts,
      health,
      counters: { ...counters },
    };
  }

  /** Gives its identities back to the directory; for hosts that end one replica and go on. */
  dispose(): void {
    this.#phase = "left";
    this.#context.roster.dispose();
  }

  #dispatch(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    if (m.size > 0) this.#context.hearSize(now, m.size);
    switch (m.kind) {
      case "ping":
        this.#ping(now, from, m, out);
        return;
      case "ack":
        this.#ack(now, from, m, out);
        return;
      case "nack":
        this.#prober.nacked(now, from, m.seq, out);
        return;
      case "pingReq":
        this.#relays.request(now, from, m.seq, m.targetHi, m.target, out);
        return;
      case "gossip":
        this.#news(now, from, m, false, out);
        return;
      case "memberDigest":
        this.#exchange.digest(now, from, m, out);
        return;
      case "memberGroups":
        this.#exchange.groups(now, from, m, (m.flags & flagListing) !== 0, out);
        if (this.#own.refuted) this.#introduce(now, from, out);
        return;
      case "join":
        this.#news(now, from, m, false, out);
        if (this.#phase === "running") this.#joiner.reply(now, from, out);
        return;
      case "joinReply":
        this.#joiner.replied(now, m, out);
        return;
      default:
        unreachable(m.kind);
    }
  }

  #ping(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    const { seq, source, target, root, flags } = m;
    const context = this.#context;
    const { roster, directory, writer } = context;
    this.#judgeAll(now, m, false, out);
    const slot = directory.slotOf(from);
    const known = this.#isKnown(slot, source);
    const selfTag = context.selfTag;
    const misled = target !== selfTag;
    const reliable = (flags & flagReliable) !== 0;
    beginAck(writer, known ? 0 : flagIntroduce, seq, selfTag, roster.root);
    if (misled || this.#own.refuted) context.force(roster.selfSlot, misled);
    // Who is accused learns it from whoever it talks to.
    if (known && roster.rankAt(slot) !== 0) context.force(slot, false);
    context.writeUpdates(now, 1);
    context.send(from, "ack", reliable, out);
    if (known && roster.isPeer(slot)) this.#exchange.compare(now, from, root, out);
  }

  #ack(now: Now, from: Address, m: SwimMessage, out: Effect[]): void {
    const { seq, source, root, flags } = m;
    const context = this.#context;
    const relayed = (flags & flagRelayed) !== 0;
    // Before the records: they may replace the very identity that was probed.
    const awaited = this.#prober.acked(seq, source);
    if (!awaited && !relayed) this.#relays.acked(now, seq, source, out);
    this.#judgeAll(now, m, false, out);
    if ((flags & flagIntroduce) !== 0 || this.#own.refuted) this.#introduce(now, from, out);
    if (relayed) return;
    const slot = context.directory.slotOf(from);
    if (this.#isKnown(slot, source) && context.roster.isPeer(slot)) {
      this.#exchange.compare(now, from, root, out);
    }
  }

  #news(now: Now, from: Address, m: SwimMessage, exchanged: boolean, out: Effect[]): void {
    const introduce = (m.flags & flagIntroduce) !== 0;
    this.#judgeAll(now, m, exchanged, out);
    if (introduce || this.#own.refuted) this.#introduce(now, from, out);
  }

  #judgeAll(now: Now, m: SwimMessage, exchanged: boolean, out: Effect[]): void {
    const batch = m.records;
    for (let i = 0; i < batch.length; i++) this.#claims.judge(now, batch, i, exchanged, out);
  }

  /** Tells one member who this node is, whole. */
  #introduce(now: Now, to: Address, out: Effect[]): void {
    const { writer, selfTag, roster } = this.#context;
    beginNews(writer, "gossip", 0, selfTag);
    this.#context.force(roster.selfSlot, true);
    this.#context.writeUpdates(now, 1);
    this.#context.send(to, "gossip", false, out);
  }

  /** The identity held at the slot is the one that speaks. */
  #isKnown(slot: number, tag: number): boolean {
    const entry = this.#context.roster.entryAt(slot);
    return entry >= 0 && this.#context.directory.tagLo(entry) === tag;
  }

  #due(now: Now, timer: number, out: Effect[]): void {
    switch (timer) {
      case timerPeriod:
        this.#context.told.clear();
        this.#forgetOld(now, out);
        this.#own.renewIfDue(now, out);
        this.#prober.period(now, out);
        return;
      case timerProbe:
        this.#prober.timeout(now, out);
        return;
      case timerGossip:
        this.#gossiper.tick(now, out);
        return;
      case timerSuspicion:
        this.#claims.expire(now, out);
        return;
      case timerRelay:
        this.#relays.timer(now, out);
        return;
      case timerReconnect:
        this.#joiner.reconnect(now, out);
        return;
      case timerJoin:
        this.#joiner.ask(now, out);
        return;
      case timerLeave:
        this.#phase = "left";
        this.#context.notify({ type: "left" }, out);
        return;
      default:
        assert(false, "one of the timers above");
    }
  }

  /** After every event: news leaves, and those out of sight are knocked at. */
  #settle(now: Now, out: Effect[]): void {
    const context = this.#context;
    if (this.#phase === "left") return;
    if (context.fresh) {
      context.fresh = false;
      this.#gossiper.soon(now, out);
    } else this.#gossiper.later(now, out);
    this.#joiner.ensureReconnect(now, out);
  }

  #lateness(now: Now, token: number): number {
    const due = this.#context.dueOf(token);
    return due < Infinity ? now.monoMs - Math.max(due, this.#stalledMs) : 0;
  }

  #stalled(now: Now, late: number, out: Effect[]): void {
    this.#context.counters.stalls++;
    this.#stalledMs = now.monoMs;
    this.#prober.abandon();
    this.#claims.postpone(now, late, out);
  }

  /** Those gone for longer than they are remembered are dropped. */
  #forgetOld(now: Now, out: Effect[]): void {
    const { roster, config } = this.#context;
    const sec = this.#context.clockSec(now);
    for (let i = roster.lefts - 1; i >= 0; i--) {
      const slot = roster.leftAt(i);
      if ((sec - roster.noteAt(slot)) * 1000 >= config.leftRetentionMs)
        this.#claims.forget(slot, out);
    }
    for (let i = roster.downs - 1; i >= 0; i--) {
      const slot = roster.downAt(i);
      if ((sec - roster.noteAt(slot)) * 1000 >= config.downRetentionMs)
        this.#claims.forget(slot, out);
    }
  }
}

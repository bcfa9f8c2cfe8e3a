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
import { decodeSwim } from "../wire/swim-messages.ts";
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
import { Dialogue } from "./dialogue.ts";
import type { Directory } from "./directory.ts";
import { Exchange } from "./exchange.ts";
import { Gossiper } from "./gossiper.ts";
import type { Identity } from "./identity.ts";
import { Joiner } from "./joiner.ts";
import { Own } from "./own.ts";
import { Prober } from "./prober.ts";
import { maxRelays, Relays } from "./relay.ts";
import { Retention } from "./retention.ts";
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
  readonly #address: Address;
  readonly #own: Own;
  readonly #claims: Claims;
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #gossiper: Gossiper;
  readonly #joiner: Joiner;
  readonly #retention: Retention;
  readonly #dialogue: Dialogue;
  #phase: Phase = "new";
  /** Until when a standstill was already made good. */
  #stalledMs = -Infinity;

  constructor(options: MembershipOptions) {
    const { config, directory, rng, self } = options;
    assert(
      config.probeTimeoutMs + config.nackTimeoutMs < config.periodMs,
      "nacks are due within the period",
    );
    const context = new Context(config, directory, rng, self);
    this.#context = context;
    this.#address = self.address;
    this.#own = new Own(context);
    this.#retention = new Retention(context);
    this.#claims = new Claims(context, this.#own, this.#retention);
    this.#prober = new Prober(context, this.#claims);
    this.#relays = new Relays(context, this.#prober);
    this.#gossiper = new Gossiper(context);
    this.#joiner = new Joiner(context, this.#claims, this.#prober);
    this.#dialogue = new Dialogue(context, {
      own: this.#own,
      claims: this.#claims,
      prober: this.#prober,
      relays: this.#relays,
      exchange: new Exchange(context, this.#claims),
      joiner: this.#joiner,
    });
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

  /** Other seeds in place of those that it was started with. */
  reseed(now: Now, seeds: readonly Address[], out: Effect[]): void {
    if (this.#phase === "left" || this.#phase === "new") return;
    this.#joiner.reseed(now, seeds, out);
    this.#settle(now, out);
  }

  /** Members known from elsewhere, taken as alive at incarnation 0 without a word: a warm start. */
  seedMembers(now: Now, identities: readonly Identity[], out: Effect[]): void {
    const { directory, roster } = this.#context;
    this.#context.rumors.remove(roster.selfSlot);
    const entries = directory.internAll(identities);
    roster.seedAll(entries);
    for (const entry of entries) directory.release(entry);
    this.#context.changedMs = now.monoMs;
    this.#settle(now, out);
  }

  /** A membership message from another node. Bytes that are not one are counted and dropped. */
  message(now: Now, from: Address, bytes: Uint8Array, out: Effect[]): void {
    const context = this.#context;
    if (this.#phase === "left" || this.#phase === "new" || from === this.#address) return;
    const decoded = decodeSwim(bytes);
    switch (decoded.type) {
      case "message":
        if (decoded.unknownField) {
          context.counters.unknownFields++;
          context.notify({ type: "unknown", from, what: "field" }, out);
        }
        this.#dialogue.handle(now, from, decoded.message, out);
        this.#settle(now, out, context.directory.slotOf(from));
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
    const { periodMs, noticeStalls } = context.config;
    if (noticeStalls && late > periodMs * stallPeriods) this.#stalled(now, late, out);
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

  /** It was asked to leave. */
  get leaving(): boolean {
    return this.#context.leaving;
  }

  stateOf(address: Address): MemberState | undefined {
    const { directory, roster } = this.#context;
    const slot = directory.slotOf(address);
    return roster.entryAt(slot) < 0 ? undefined : roster.stateAt(slot);
  }

  /** Who is known to be at an address, whatever the state. */
  identityOf(address: Address): Identity | undefined {
    const { directory, roster } = this.#context;
    const entry = roster.entryAt(directory.slotOf(address));
    return entry < 0 ? undefined : directory.identityOf(entry);
  }

  /** Of whoever is known to be at an address; the empty string when nobody is. */
  regionOf(address: Address): string {
    return this.identityOf(address)?.region ?? "";
  }

  memberOf(address: Address): Member | undefined {
    const { directory, roster } = this.#context;
    const slot = directory.slotOf(address);
    return roster.entryAt(slot) < 0 ? undefined : roster.memberAt(slot);
  }

  /** How many others are alive. */
  get aliveCount(): number {
    return this.#context.roster.aliveCount;
  }

  /** One of them, by its number in code unit order. */
  aliveAt(index: number): Address {
    return this.#context.roster.aliveAt(index);
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

  #due(now: Now, timer: number, out: Effect[]): void {
    switch (timer) {
      case timerPeriod:
        this.#context.told.clear();
        this.#retention.sweep(now, out);
        this.#own.renewIfDue(now, out);
        this.#prober.tick(now, out);
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
  #settle(now: Now, out: Effect[], from = -1): void {
    const context = this.#context;
    if (this.#phase === "left") return;
    if (context.fresh) {
      context.fresh = false;
      this.#gossiper.soon(now, from, out);
    } else if (context.rumors.size > 0) {
      this.#gossiper.later(now, out);
    }
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
    // And a period in which to hear, since the very timer that was late may be a suspicion's.
    this.#claims.postpone(now, late + this.#context.config.periodMs, out);
  }
}

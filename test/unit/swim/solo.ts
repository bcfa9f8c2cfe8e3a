/** One membership alone, its time and its peers played by the test. */
import { type Address, actorId, address, nodeId } from "../../../core/base/ids.ts";
import type { Effect, MemberState, Notice } from "../../../core/node/event.ts";
import { lanProfile, type SwimConfig } from "../../../core/swim/config.ts";
import { Directory } from "../../../core/swim/directory.ts";
import { type Identity, type Tag, tagOf, writeIdentity } from "../../../core/swim/identity.ts";
import { Membership } from "../../../core/swim/membership.ts";
import { minSuspicionMs } from "../../../core/swim/scale.ts";
import {
  decodeSwim,
  describe,
  encodeSwim,
  type SwimKind,
  type SwimMessageText,
} from "../../../core/wire/swim-messages.ts";
import type { MemberRecord } from "../../../core/wire/swim-records.ts";
import { Writer } from "../../../core/wire/writer.ts";
import { createRng } from "../../../sim/rng.ts";

export interface Sent {
  readonly to: Address;
  readonly reliable: boolean;
  readonly bytes: Uint8Array;
  readonly message: SwimMessageText;
}

/** The identity of a made-up node; the same name gives the same ids. */
export function identity(name: string, more: Partial<Identity> = {}): Identity {
  let hex = "";
  for (const unit of name) hex += unit.charCodeAt(0).toString(16).padStart(2, "0");
  const digits = hex.padStart(32, "0").slice(-32);
  return {
    address: address(name),
    nodeId: nodeId(digits),
    epoch: 1,
    actor: actorId(digits),
    name,
    region: "lab",
    ...more,
  };
}

export function bodyOf(of: Identity): Uint8Array {
  const w = new Writer();
  writeIdentity(w, of);
  return w.finish();
}

export function tag(of: Identity): Tag {
  const into = { hi: 0, lo: 0 };
  tagOf(bodyOf(of), into);
  return into;
}

export function record(
  of: Identity,
  state: MemberState,
  incarnation: number,
  more: { full?: boolean; accusers?: readonly Identity[]; ageSec?: number } = {},
): MemberRecord {
  const { hi, lo } = tag(of);
  return {
    tagHi: hi,
    tagLo: lo,
    state,
    incarnation,
    accusers: (more.accusers ?? []).map((accuser) => tag(accuser).lo),
    ageSec: more.ageSec ?? 0,
    body: more.full === true ? bodyOf(of) : null,
  };
}

export class Solo {
  readonly self: Identity;
  readonly config: SwimConfig;
  readonly directory = new Directory();
  readonly membership: Membership;
  nowMs = 0;
  readonly notices: Notice[] = [];
  #sent: Sent[] = [];
  #timers: { token: number; dueMs: number; order: number }[] = [];
  #order = 0;

  constructor(options: { config?: Partial<SwimConfig>; self?: Identity; seed?: string } = {}) {
    this.self = options.self ?? identity("self");
    this.config = { ...lanProfile, ...options.config };
    this.membership = new Membership({
      self: this.self,
      config: this.config,
      rng: createRng(options.seed ?? "solo"),
      directory: this.directory,
    });
  }

  start(seeds: readonly string[] = []): this {
    this.#do((now, out) => this.membership.start(now, seeds.map(address), out));
    return this;
  }

  reseed(seeds: readonly string[]): this {
    this.#do((now, out) => this.membership.reseed(now, seeds.map(address), out));
    return this;
  }

  /** Starts it in a cluster of these. */
  among(...peers: readonly Identity[]): this {
    this.start();
    this.#do((now, out) => this.membership.seedMembers(now, peers, out));
    return this;
  }

  deliver(from: Identity | string, message: SwimMessageText): this {
    return this.deliverBytes(from, encodeSwim(new Writer(), message));
  }

  deliverBytes(from: Identity | string, bytes: Uint8Array): this {
    const sender = typeof from === "string" ? address(from) : from.address;
    this.#do((now, out) => this.membership.message(now, sender, bytes, out));
    return this;
  }

  /** News from a peer. */
  hear(from: Identity, ...records: readonly MemberRecord[]): this {
    return this.deliver(from, { kind: "gossip", source: tag(from).lo, size: 2, records });
  }

  /** Lets a member be suspected by a peer, and after a while be told dead by it. */
  bury(by: Identity, subject: Identity, incarnation = 0): this {
    this.hear(by, record(subject, "suspect", incarnation, { accusers: [by] }));
    const { periodMs, suspicionFactor } = this.config;
    this.calm(minSuspicionMs(suspicionFactor, this.membership.size, periodMs) / 2);
    return this.hear(by, record(subject, "down", incarnation));
  }

  leave(): this {
    this.#do((now, out) => this.membership.leave(now, out));
    return this;
  }

  /** Lets time pass; every timer comes when it is due. */
  advance(ms: number): this {
    const untilMs = this.nowMs + ms;
    for (;;) {
      this.#timers.sort((a, b) => a.dueMs - b.dueMs || a.order - b.order);
      const next = this.#timers[0];
      if (next === undefined || next.dueMs > untilMs) break;
      this.#timers.shift();
      this.nowMs = Math.max(this.nowMs, next.dueMs);
      this.#do((now, out) => this.membership.timer(now, next.token, out));
    }
    this.nowMs = untilMs;
    return this;
  }

  /** Time passes while all peers answer its pings; what else it sent is dropped. */
  calm(ms: number): this {
    for (let passed = 0; ; passed += 50) {
      for (const ping of this.take("ping")) {
        this.ack(ping, this.membership.identityOf(ping.to) ?? identity(ping.to));
      }
      if (passed >= ms) return this;
      this.advance(50);
    }
  }

  /** Time passes, but the process stands still: timers come late. */
  freeze(ms: number): this {
    this.nowMs += ms;
    return this;
  }

  /** What was sent since the last look, of one kind or all. */
  take(kind?: SwimKind): Sent[] {
    const all = this.#sent;
    this.#sent = [];
    return kind === undefined ? all : all.filter(({ message }) => message.kind === kind);
  }

  /** The record about a member in a message. */
  static about(sent: Sent | undefined, of: Identity): MemberRecord | undefined {
    const { hi, lo } = tag(of);
    return sent?.message.records?.find(({ tagHi, tagLo }) => tagHi === hi && tagLo === lo);
  }

  stateOf(of: Identity): MemberState | undefined {
    return this.membership.stateOf(of.address);
  }

  /** Waits for the next probe's ping, and says what it was. */
  nextProbe(): Sent {
    for (let i = 0; i < 40; i++) {
      const ping = this.take("ping")[0];
      if (ping !== undefined) return ping;
      this.advance(50);
    }
    throw new Error("no probe in two periods");
  }

  /** Answers a ping as its target would. */
  ack(ping: Sent, by: Identity, records: readonly MemberRecord[] = []): this {
    const seq = ping.message.seq ?? 0;
    const root = ping.message.root ?? 0;
    return this.deliver(by, { kind: "ack", seq, source: tag(by).lo, root, size: 2, records });
  }

  #do(action: (now: { monoMs: number; wallMs: number }, out: Effect[]) => void): void {
    const out: Effect[] = [];
    action({ monoMs: this.nowMs, wallMs: 1e12 + this.nowMs }, out);
    for (const effect of out) {
      if (effect.type === "timer") {
        const { token, delayMs } = effect;
        this.#timers.push({ token, dueMs: this.nowMs + delayMs, order: this.#order++ });
      } else if (effect.type === "notify") {
        this.notices.push(effect.notice);
      } else if (effect.type === "send") {
        const decoded = decodeSwim(effect.bytes);
        if (decoded.type !== "message") throw new Error("sends what nobody can read");
        const { to, reliable, bytes } = effect;
        this.#sent.push({ to, reliable, bytes, message: describe(decoded.message) });
      }
    }
  }
}

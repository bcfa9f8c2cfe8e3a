/**
 * What the parts of one membership share: the list, what is suspected and rumored, the timers, and
 * the one way in which records and messages are written.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, Notice, Now } from "../node/event.ts";
import type { MessageKind } from "../wire/kinds.ts";
import { writeRecord } from "../wire/swim-records.ts";
import { Writer } from "../wire/writer.ts";
import type { SwimConfig } from "./config.ts";
import type { Directory } from "./directory.ts";
import type { Identity } from "./identity.ts";
import { Roster } from "./roster.ts";
import { Rumors } from "./rumors.ts";
import { retransmitLimit } from "./scale.ts";
import { Suspicions } from "./suspicions.ts";

/** The timers of membership; a token is (generation · 8 + timer) · 4, as machine 0's tokens are multiples of 4. */
export const timerPeriod = 0;
export const timerProbe = 1;
export const timerGossip = 2;
export const timerSuspicion = 3;
export const timerRelay = 4;
export const timerReconnect = 5;
export const timerJoin = 6;
export const timerLeave = 7;
const timerCount = 8;

/** Which of them a token stands for, whether it is still due or not. */
export function timerOf(token: number): number {
  return (token / 4) % timerCount;
}

/** Ages on the wire are relative, so where this clock begins is free; it leaves room for ages above the uptime. */
const clockOriginSec = 2 ** 30;

/** How long another's larger idea of the cluster's size counts. */
const heardSizeMs = 30_000;

/** Rumors looked at per message: more than fit in a datagram. */
const maxPicked = 160;

/** Probes out of turn that wait; more take their turn. */
const maxUrgent = 16;

/** Answers owed to the sender of one message. */
const maxAnswers = 64;

/** Writers are emptied before each use and never held across a call out, so all memberships share them. */
const writer = new Writer(2048);
const recordWriter = new Writer(2048);
const picked = new Int32Array(maxPicked);

export interface Counters {
  rejected: number;
  unknownKinds: number;
  unknownFields: number;
  /** Short records about members not known here; digests bring those. */
  unknownTags: number;
  /** Records of newcomers refused because the list was full. */
  refused: number;
  refutations: number;
  renewals: number;
  probeFailures: number;
  suspicionsRaised: number;
  exchanges: number;
  stalls: number;
  unreachable: number;
}

export class Context {
  readonly config: SwimConfig;
  readonly directory: Directory;
  readonly roster: Roster;
  readonly suspicions = new Suspicions();
  readonly rumors: Rumors;
  readonly writer = writer;
  readonly probeRng: Rng;
  readonly gossipRng: Rng;
  readonly timingRng: Rng;
  readonly counters: Counters = {
    rejected: 0,
    unknownKinds: 0,
    unknownFields: 0,
    unknownTags: 0,
    refused: 0,
    refutations: 0,
    renewals: 0,
    probeFailures: 0,
    suspicionsRaised: 0,
    exchanges: 0,
    stalls: 0,
    unreachable: 0,
  };

  /** Lifeguard's local health: 0 is well. */
  health = 0;
  /** This node has begun to leave. */
  leaving = false;
  /** There is news that has not been gossiped yet. */
  fresh = false;
  /** When the list changed last, and when another's list was last seen to equal it. */
  changedMs = 0;
  agreedMs = -Infinity;
  /** Slots whose record is owed to the sender of the message at hand. */
  readonly answers: number[] = [];
  /** Suspects to be probed before the others' turn. */
  readonly urgent: number[] = [];
  /** Members answered with an accusation in this period: once each is enough. */
  readonly told = new Set<number>();

  /** The roster's count as of which the two below are right. */
  #selfChanges = -1;
  #self: Identity;
  #selfTag = 0;
  #heardSize = 0;
  #heardMs = 0;
  readonly #forced: number[] = [];
  readonly #forcedFull: boolean[] = [];
  /** By timer: how often it was set or ended, and after all of these when it is due. One array: every event asks for both. */
  readonly #timers: number[] = [];

  constructor(config: SwimConfig, directory: Directory, rng: Rng, self: Identity) {
    assert(
      config.retransmitFactor >= config.gossipFanout,
      "news can be told to a round of members",
    );
    this.config = config;
    this.directory = directory;
    this.#self = self;
    this.roster = new Roster(directory, directory.intern(self));
    this.rumors = new Rumors(this.roster);
    for (let timer = 0; timer < timerCount; timer++) this.#timers.push(0);
    for (let timer = 0; timer < timerCount; timer++) this.#timers.push(Infinity);
    this.probeRng = rng.fork("probe");
    this.gossipRng = rng.fork("gossip");
    this.timingRng = rng.fork("timing");
  }

  get selfEntry(): number {
    return this.roster.selfEntry;
  }

  get self(): Identity {
    if (this.#selfChanges !== this.roster.selfChanges) this.#lookUpSelf();
    return this.#self;
  }

  get selfTag(): number {
    if (this.#selfChanges !== this.roster.selfChanges) this.#lookUpSelf();
    return this.#selfTag;
  }

  #lookUpSelf(): void {
    this.#selfChanges = this.roster.selfChanges;
    this.#self = this.directory.identityOf(this.selfEntry);
    this.#selfTag = this.directory.tagLo(this.selfEntry);
  }

  clockSec(now: Now): number {
    return clockOriginSec + Math.floor(now.monoMs / 1000);
  }

  /** The largest size of the cluster that this node has reason to believe in. */
  clusterSize(now: Now): number {
    const fresh = now.monoMs - this.#heardMs <= heardSizeMs;
    return fresh ? Math.max(this.roster.size, this.#heardSize) : this.roster.size;
  }

  hearSize(now: Now, size: number): void {
    if (size >= this.#heardSize || now.monoMs - this.#heardMs > heardSizeMs) {
      this.#heardSize = size;
      this.#heardMs = now.monoMs;
    }
  }

  /** How often this member tells one piece of news. */
  retransmitLimit(now: Now): number {
    return retransmitLimit(this.config.retransmitFactor, this.clusterSize(now));
  }

  /** Sets a timer anew; an earlier one of the same kind falls through. */
  arm(timer: number, now: Now, delayMs: number, out: Effect[]): void {
    assert(delayMs >= 0 && delayMs < Infinity, "a delay is finite");
    const generation = (this.#timers[timer] as number) + 1;
    this.#timers[timer] = generation;
    this.#timers[timerCount + timer] = now.monoMs + delayMs;
    out.push({ type: "timer", token: (generation * timerCount + timer) * 4, delayMs });
  }

  disarm(timer: number): void {
    this.#timers[timer] = (this.#timers[timer] as number) + 1;
    this.#timers[timerCount + timer] = Infinity;
  }

  /** When the timer is due, or Infinity. */
  dueMs(timer: number): number {
    return this.#timers[timerCount + timer] as number;
  }

  /** When the timer of a token is due, or Infinity if it was set anew since. */
  dueOf(token: number): number {
    const id = token / 4;
    const timer = id % timerCount;
    const current = (id - timer) / timerCount === this.#timers[timer];
    return current ? (this.#timers[timerCount + timer] as number) : Infinity;
  }

  /** The timer that a token stands for, or −1 if it was set anew since; then it is no longer due. */
  expire(token: number): number {
    const id = token / 4;
    const timer = id % timerCount;
    if ((id - timer) / timerCount !== this.#timers[timer]) return -1;
    this.#timers[timerCount + timer] = Infinity;
    return timer;
  }

  notify(notice: Notice, out: Effect[]): void {
    out.push({ type: "notify", notice });
  }

  /** Sends what the writer holds. */
  send(to: Address, kind: MessageKind, reliable: boolean, out: Effect[]): void {
    this.sendBytes(to, kind, reliable, writer.finish(), out);
  }

  sendBytes(
    to: Address,
    kind: MessageKind,
    reliable: boolean,
    bytes: Uint8Array,
    out: Effect[],
  ): void {
    assert(reliable || bytes.length <= this.config.datagramBytes, "a datagram fits the path");
    out.push({ type: "send", to, plane: "swim", reliable, kind, bytes });
  }

  /** The next message carries this member's record, whatever the rumors. */
  force(slot: number, full: boolean): void {
    this.#forced.push(slot);
    this.#forcedFull.push(full);
  }

  /** Lifeguard's buddy system: the next message, which goes to this member, says so if it is accused. */
  warn(slot: number): void {
    if (this.config.tellAccused && this.roster.rankAt(slot) !== 0) this.force(slot, false);
  }

  /** A death that is hearsay is soon looked into. */
  hurry(slot: number): void {
    if (this.urgent.length < maxUrgent && !this.urgent.includes(slot)) this.urgent.push(slot);
  }

  /** Owes the sender of the message at hand what is held about a member. */
  answer(slot: number): void {
    if (this.answers.length < maxAnswers && !this.answers.includes(slot)) this.answers.push(slot);
  }

  /**
   * Ends the message in the writer with the forced records and as many rumors as fit, each counted
   * as sent `copies` times. Returns how many records it wrote.
   */
  writeUpdates(now: Now, copies: number): number {
    const records = recordWriter;
    records.reset();
    let count = 0;
    for (let i = 0; i < this.#forced.length; i++) {
      this.writeMember(records, this.#forced[i] as number, this.#forcedFull[i] as boolean, now);
      count++;
    }
    if (this.rumors.size > 0) count += this.#writeRumors(now, copies);
    this.#forced.length = 0;
    this.#forcedFull.length = 0;
    writer.varint(count);
    if (count === 0) return 0;
    writer.varint(this.clusterSize(now));
    writer.append(records);
    return count;
  }

  /** One record about a known member. */
  writeMember(w: Writer, slot: number, full: boolean, now: Now): void {
    const roster = this.roster;
    const entry = roster.entryAt(slot);
    assert(entry >= 0, "tells of a member that is known");
    const rank = roster.rankAt(slot);
    const suspicion = rank === 1 ? roster.noteAt(slot) : -1;
    writeRecord(
      w,
      this.directory.tagHi(entry),
      this.directory.tagLo(entry),
      rank,
      roster.incarnationAt(slot),
      this.suspicions,
      suspicion,
      rank >= 2 ? Math.max(0, this.clockSec(now) - roster.noteAt(slot)) : 0,
      full ? this.directory.bodyOf(entry) : null,
    );
  }

  #writeRumors(now: Now, copies: number): number {
    const records = recordWriter;
    const room = this.config.datagramBytes - writer.length - 8;
    const limit = this.retransmitLimit(now);
    const candidates = this.rumors.pick(picked, maxPicked);
    let count = 0;
    for (let i = 0; i < candidates; i++) {
      const slot = picked[i] as number;
      if (this.#forced.includes(slot)) continue;
      if (this.rumors.sent(slot) + copies > limit) {
        // So many copies would be too many: it has been told enough.
        this.rumors.remove(slot);
        continue;
      }
      const mark = records.length;
      this.writeMember(records, slot, this.rumors.isFull(slot), now);
      if (records.length > room) {
        records.rewind(mark);
        break;
      }
      this.rumors.advance(slot, copies, limit);
      count++;
    }
    return count;
  }
}

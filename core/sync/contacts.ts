/**
 * Whom to compare holdings with, and when: a random member every now and then, a member that
 * (re)appeared at once, whoever pushed a version that left a gap, some others when a pull brought
 * news (so that what healed one node spreads like a rumor), and now and then a member that is
 * believed to be down, which finds a healed partition whatever membership thinks. When nothing
 * changes the intervals grow, so that agreement is quiet.
 */
import type { Rng } from "../base/rng.ts";
import type { Address } from "../base/ids.ts";
import type { MemberState, Now } from "../node/event.ts";
import type { ActorLedger } from "./actor-ledger.ts";
import type { SyncConfig } from "./config.ts";

/** The members that a replica knows of. */
export interface Members {
  /** How many others are alive. */
  readonly aliveCount: number;
  /** Those, in code unit order, by number. */
  aliveAt(index: number): Address;
}

/** Members to contact at once. Overflow policy: more are passed over; the periodic digest finds them. */
export const maxUrgent = 32;
/** Down members remembered for a try. Overflow policy: a random one is replaced. */
export const maxDown = 256;
/** Suspects remembered. Overflow policy: one more is not, and costs a needless contact. */
const maxSuspects = 1024;
/** Contacts with members that appeared, per change of the cluster's size by itself. */
const contactsPerJoin = 8;
/** Authors with gaps. Overflow policy: more are passed over; the periodic digest finds them. */
const maxGaps = 256;
/** Contacted at the same moment; the rest of the urgent ones follow after `urgentPauseMs`. */
const urgentAtOnce = 3;
const urgentPauseMs = 25;
/** Draws of a random member. */
const draws = 16;
/** A good part is one in so many. */
const troubled = 8;

export class Contacts {
  readonly #self: Address;
  readonly #config: SyncConfig;
  readonly #rng: Rng;
  readonly #members: Members;
  readonly #down: Address[] = [];
  readonly #urgent: Address[] = [];
  /** So that a refuted suspicion is not taken for a member that appeared. */
  readonly #suspects = new Set<Address>();
  #urgentFromMs = 0;
  #intervalMs: number;
  #gapPeer: Address | null = null;
  #gapDueMs = Infinity;
  /** Per author the version up to which some are missing. */
  readonly #gaps = new Map<ActorLedger, number>();
  #missed = false;
  #news = false;
  #hintFromMs = 0;

  constructor(self: Address, config: SyncConfig, rng: Rng, members: Members) {
    this.#self = self;
    this.#config = config;
    this.#rng = rng;
    this.#members = members;
    this.#intervalMs = config.digestIntervalMs;
  }

  get urgentCount(): number {
    return this.#urgent.length;
  }

  get downCount(): number {
    return this.#down.length;
  }

  /** Until the next periodic digest, in ms; spread by a quarter so that nodes do not fall into step. */
  nextDelayMs(): number {
    const spread = this.#intervalMs / 4;
    return this.#intervalMs - spread / 2 + this.#rng.unit() * spread;
  }

  /** Something changed: versions came in, or a peer holds something else. */
  quicken(): void {
    this.#intervalMs = this.#config.digestIntervalMs;
  }

  /** Members for a periodic digest, after which the interval grows. */
  periodic(): Address[] {
    const chosen: Address[] = [];
    const peer = this.randomAlive(null);
    if (peer !== null) chosen.push(peer);
    const down = this.#randomDown();
    if (down !== null) chosen.push(down);
    // While a good part of the members is suspected, most digests go where nobody is.
    if (this.#suspects.size * troubled <= this.#members.aliveCount) {
      const { digestIntervalMaxMs } = this.#config;
      this.#intervalMs = Math.min(this.#intervalMs * 1.5, digestIntervalMaxMs);
    }
    return chosen;
  }

  memberChanged(about: Address, state: MemberState): void {
    if (about === this.#self) return;
    const at = this.#down.indexOf(about);
    if (state === "down") {
      this.#suspects.delete(about);
      if (at >= 0) return;
      if (this.#down.length < maxDown) this.#down.push(about);
      else this.#down[this.#rng.below(maxDown)] = about;
    } else {
      if (at >= 0) {
        this.#down[at] = this.#down[this.#down.length - 1] as Address;
        this.#down.pop();
      }
      if (state === "suspect") {
        if (this.#suspects.size < maxSuspects) this.#suspects.add(about);
      } else if (!this.#suspects.delete(about) && state === "alive") this.#appeared(about);
    }
  }

  /** A new member, or one that was down. When half a cluster appears, each of its nodes needs only a few contacts. */
  #appeared(about: Address): void {
    const alive = this.#members.aliveCount;
    if (alive <= contactsPerJoin || this.#rng.below(alive) < contactsPerJoin) this.soon(about);
  }

  forget(about: Address): void {
    this.#suspects.delete(about);
    const at = this.#down.indexOf(about);
    if (at >= 0) this.#down.splice(at, 1);
  }

  /** Compare with `peer` as soon as there is room. */
  soon(peer: Address): void {
    if (peer === this.#self || this.#urgent.includes(peer)) return;
    if (this.#urgent.length < maxUrgent) this.#urgent.push(peer);
  }

  /** A push from `peer` left versions up to `to` missing: unless they come by themselves, ask. */
  gap(now: Now, peer: Address, ledger: ActorLedger, to: number): void {
    const known = this.#gaps.get(ledger);
    if (known === undefined && this.#gaps.size >= maxGaps) return;
    this.#gaps.set(ledger, Math.max(known ?? 0, to));
    this.#noteGap(now, peer);
  }

  /** Something that `peer` announced did not come. */
  missed(now: Now, peer: Address): void {
    this.#missed = true;
    this.#noteGap(now, peer);
  }

  /** The peer to ask about gaps, when that is due and some are left. */
  takeGap(now: Now): Address | null {
    if (now.monoMs < this.#gapDueMs) return null;
    this.#gapDueMs = Infinity;
    let left = this.#missed;
    this.#missed = false;
    for (const [ledger, to] of this.#gaps) left ||= ledger.wanting(1, to).length > 0;
    this.#gaps.clear();
    return left ? this.#gapPeer : null;
  }

  #noteGap(now: Now, peer: Address): void {
    this.#gapPeer = peer;
    this.#gapDueMs = Math.min(this.#gapDueMs, now.monoMs + this.#config.gapDelayMs);
  }

  /** A pull brought versions that broadcast had not. */
  news(): void {
    this.#news = true;
  }

  /** Members to be told of news now. */
  takeHints(now: Now): Address[] {
    if (!this.#news || now.monoMs < this.#hintFromMs) return [];
    this.#news = false;
    this.#hintFromMs = now.monoMs + this.#config.hintIntervalMs;
    const chosen: Address[] = [];
    for (let i = 0; i < this.#config.hintFanout; i++) {
      const peer = this.randomAlive(null);
      if (peer !== null && !chosen.includes(peer)) chosen.push(peer);
    }
    return chosen;
  }

  /** Urgent members that may be contacted now. */
  takeUrgent(now: Now): Address[] {
    if (this.#urgent.length === 0 || now.monoMs < this.#urgentFromMs) return [];
    this.#urgentFromMs = now.monoMs + urgentPauseMs;
    const chosen: Address[] = [];
    while (chosen.length < urgentAtOnce && this.#urgent.length > 0) {
      const at = this.#rng.below(this.#urgent.length);
      chosen.push(this.#urgent[at] as Address);
      this.#urgent[at] = this.#urgent[this.#urgent.length - 1] as Address;
      this.#urgent.pop();
    }
    return chosen;
  }

  /** Monotonic time at which something is due; Infinity if nothing is. */
  nextDueMs(): number {
    let due = this.#gapDueMs;
    if (this.#news) due = Math.min(due, this.#hintFromMs);
    if (this.#urgent.length > 0) due = Math.min(due, this.#urgentFromMs);
    return due;
  }

  /** A random member other than this node and `but`; null if there is none. */
  randomAlive(but: Address | null): Address | null {
    const count = this.#members.aliveCount;
    if (count === 0) return null;
    // Two of them may be out of the question; a few draws nearly always find another. One that is
    // suspected is the last choice: where many crashed at once, nearly all are.
    let suspect: Address | null = null;
    for (let i = 0; i < draws; i++) {
      const peer = this.#members.aliveAt(this.#rng.below(count));
      if (peer === this.#self || peer === but) continue;
      if (!this.#suspects.has(peer)) return peer;
      suspect = peer;
    }
    return suspect;
  }

  /** A down member, so seldom that the whole cluster keeps to its rate. */
  #randomDown(): Address | null {
    if (this.#down.length === 0) return null;
    const alive = Math.max(1, this.#members.aliveCount);
    const chance = (this.#config.downDigestsPerSec * this.#intervalMs) / 1000 / alive;
    if (this.#rng.unit() >= chance) return null;
    return this.#down[this.#rng.below(this.#down.length)] as Address;
  }
}

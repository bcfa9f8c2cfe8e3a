/**
 * The failure detector's own part (SWIM, section 4.1; Lifeguard, section IV-A): one ping a period,
 * then pings through others and over the reliable path, then a suspicion; and the local health
 * score that slows all this down when the fault seems to be here.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import { beginPing, flagReliable, writePingReq } from "../wire/swim-messages.ts";
import type { Claims } from "./claims.ts";
import { type Context, timerPeriod, timerProbe } from "./context.ts";

const seqs = 0x1_0000;

export class Prober {
  readonly #context: Context;
  readonly #claims: Claims;
  #seq = 0;
  /** The member being probed, or −1 once that is decided. */
  #slot = -1;
  #entry = -1;
  #probeSeq = 0;
  /** Helpers that were asked; those that sent a nack are removed. */
  readonly #helpers: Address[] = [];
  #asked = 0;
  /** How many times its normal length the period goes on. */
  #longer = 0;

  constructor(context: Context, claims: Claims) {
    this.#context = context;
    this.#claims = claims;
    this.#seq = context.probeRng.below(seqs);
  }

  nextSeq(): number {
    this.#seq = (this.#seq + 1) % seqs;
    return this.#seq;
  }

  /**
   * The time of a period is over. Poor health makes a period several times as long; then a ping
   * that judges nobody goes out in between, so that lists are still compared every period.
   */
  tick(now: Now, out: Effect[]): void {
    const { roster, config, probeRng } = this.#context;
    if (this.#longer === 0) {
      this.#period(now, out);
      return;
    }
    this.#longer--;
    this.#context.arm(timerPeriod, now, config.periodMs, out);
    if (roster.peers > 0) this.knock(now, roster.peerAt(probeRng.below(roster.peers)), out);
  }

  #period(now: Now, out: Effect[]): void {
    if (this.#slot >= 0) this.#fail(now, out);
    // After the verdict: a failure makes this very period longer.
    this.#longer = this.#context.health;
    this.#context.arm(timerPeriod, now, this.#context.config.periodMs, out);
    this.#begin(now, out);
  }

  /** The direct ping was not answered in time. */
  timeout(now: Now, out: Effect[]): void {
    const { roster, directory, config, probeRng, selfTag, writer, health } = this.#context;
    if (this.#slot < 0) {
      // Where one is suspected there may be more: this period was decided, begin the next already.
      if (roster.suspects > 0 && health === 0) this.#period(now, out);
      return;
    }
    if (roster.entryAt(this.#slot) !== this.#entry || !roster.isPeer(this.#slot)) {
      this.#slot = -1;
      return;
    }
    this.#ping(now, this.#slot, this.#probeSeq, true, out);
    const hi = directory.tagHi(this.#entry);
    const lo = directory.tagLo(this.#entry);
    // Neighbours in the order of probing, which is shuffled all the time; a few may be of no use.
    const { peers } = roster;
    const first = probeRng.below(peers);
    const tries = Math.min(peers, config.indirectProbes * 4);
    for (let i = 0; i < tries && this.#helpers.length < config.indirectProbes; i++) {
      const slot = roster.peerAt((first + i) % peers);
      const helper = directory.addressOf(slot);
      if (slot === this.#slot || roster.stateAt(slot) !== "alive") continue;
      this.#helpers.push(helper);
      writePingReq(writer, this.#probeSeq, selfTag, hi, lo);
      this.#context.send(helper, "pingReq", false, out);
    }
    this.#asked = this.#helpers.length;
  }

  /** An ack with this number for an identity with this tag. True if it was awaited. */
  acked(seq: number, tag: number): boolean {
    if (this.#slot < 0 || seq !== this.#probeSeq) return false;
    if (this.#context.directory.tagLo(this.#entry) !== tag) return false;
    this.#done();
    this.#context.health = Math.max(0, this.#context.health - 1);
    return true;
  }

  /** A helper could not reach the target either. All of them: no need to wait for the period's end. */
  nacked(now: Now, from: Address, seq: number, out: Effect[]): void {
    if (this.#slot < 0 || seq !== this.#probeSeq) return;
    const at = this.#helpers.indexOf(from);
    if (at < 0) return;
    this.#helpers.splice(at, 1);
    if (this.#helpers.length === 0) this.#fail(now, out);
  }

  /** This node was frozen: the probe under way says nothing about its target. */
  abandon(): void {
    if (this.#slot < 0) return;
    this.#done();
    this.#worsen(1);
  }

  /** A single ping outside the round, its answer read for its news alone. */
  knock(now: Now, slot: number, out: Effect[]): void {
    this.#ping(now, slot, this.nextSeq(), false, out);
  }

  #begin(now: Now, out: Effect[]): void {
    const { roster, config, health, probeRng, urgent } = this.#context;
    assert(this.#slot < 0, "one probe at a time");
    let slot = -1;
    while (slot < 0 && urgent.length > 0) {
      const next = urgent.shift() as number;
      if (roster.entryAt(next) >= 0 && roster.stateAt(next) === "suspect") slot = next;
    }
    if (slot < 0) slot = roster.nextProbe(probeRng);
    if (slot < 0) return;
    this.#slot = slot;
    this.#entry = roster.entryAt(slot);
    this.#probeSeq = this.nextSeq();
    this.#helpers.length = 0;
    this.#asked = 0;
    this.#ping(now, slot, this.#probeSeq, false, out);
    this.#context.arm(timerProbe, now, config.probeTimeoutMs * (health + 1), out);
  }

  #ping(now: Now, slot: number, seq: number, reliable: boolean, out: Effect[]): void {
    const { roster, directory, writer, selfTag } = this.#context;
    const target = directory.tagLo(roster.entryAt(slot));
    beginPing(writer, reliable ? flagReliable : 0, seq, selfTag, target, roster.root);
    this.#context.warn(slot);
    this.#context.writeUpdates(now, 1);
    this.#context.send(directory.addressOf(slot), "ping", reliable, out);
  }

  #fail(now: Now, out: Effect[]): void {
    const { roster, counters } = this.#context;
    const slot = this.#slot;
    const silent = this.#helpers.length;
    const asked = this.#asked;
    this.#done();
    counters.probeFailures++;
    // Helpers that did not even send a nack: the fault may be on this side.
    this.#worsen(asked > 0 ? silent : 1);
    if (roster.entryAt(slot) === this.#entry && roster.isPeer(slot)) {
      this.#claims.accuse(now, slot, out);
    }
  }

  #done(): void {
    this.#slot = -1;
    this.#helpers.length = 0;
    this.#asked = 0;
  }

  #worsen(by: number): void {
    const { config, health } = this.#context;
    this.#context.health = Math.min(config.localHealthMax, health + by);
  }
}

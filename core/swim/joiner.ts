/**
 * Coming in through seeds, and keeping in touch with those that are out of sight. A node asks all
 * its seeds for their lists until one answers. Members that went down, and seeds that were never
 * met, are knocked at from time to time, at a rate that is constant for the cluster as a whole, so
 * that a partition of any length ends by itself.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import { beginMessage } from "../wire/envelope.ts";
import { beginNews, beginPing, type SwimMessage } from "../wire/swim-messages.ts";
import { Writer } from "../wire/writer.ts";
import type { Claims } from "./claims.ts";
import { type Context, timerJoin, timerReconnect } from "./context.ts";
import type { Prober } from "./prober.ts";

/** Seeds asked at one time; of more, as many at random. */
const maxSeedsAsked = 5;

/** What a joiner is told when its seed has answered too many: enough to begin asking others. */
const sampleMembers = 32;

const records = new Writer(4096);

export class Joiner {
  readonly #context: Context;
  readonly #claims: Claims;
  readonly #prober: Prober;
  #seeds: Address[] = [];
  /** True until a seed has answered. */
  #joining = false;
  #retryMs = 0;
  #replyBudget = 0;
  #replyBudgetMs = 0;

  constructor(context: Context, claims: Claims, prober: Prober) {
    this.#context = context;
    this.#claims = claims;
    this.#prober = prober;
  }

  get joining(): boolean {
    return this.#joining;
  }

  start(now: Now, seeds: readonly Address[], out: Effect[]): void {
    this.#seeds = this.#usable(seeds);
    this.#replyBudget = this.#context.config.joinReplyBytesPerSec;
    this.#replyBudgetMs = now.monoMs;
    if (this.#seeds.length > 0) this.#begin(now, out);
  }

  /** Other seeds take the place of the earlier ones; whoever is alone comes in through them. */
  reseed(now: Now, seeds: readonly Address[], out: Effect[]): void {
    const before = new Set(this.#seeds);
    this.#seeds = this.#usable(seeds);
    const { roster, leaving } = this.#context;
    if (this.#seeds.length === 0) this.#joining = false;
    // In company, those not met are knocked at.
    if (this.#seeds.every((seed) => before.has(seed)) || roster.peers > 0 || leaving) return;
    this.#begin(now, out);
  }

  #usable(seeds: readonly Address[]): Address[] {
    const own = this.#context.self.address;
    return [...new Set(seeds)].filter((seed) => seed !== own && seed.length > 0);
  }

  #begin(now: Now, out: Effect[]): void {
    this.#joining = true;
    this.#retryMs = this.#context.config.joinRetryMs;
    this.ask(now, out);
  }

  /** Asks the seeds, and again later while none has answered. */
  ask(now: Now, out: Effect[]): void {
    if (!this.#joining) return;
    const { config, timingRng, writer, roster } = this.#context;
    const chosen = this.#seeds.slice();
    while (chosen.length > maxSeedsAsked) chosen.splice(timingRng.below(chosen.length), 1);
    beginMessage(writer, "join");
    this.#context.force(roster.selfSlot, true);
    this.#context.writeUpdates(now, 1);
    const bytes = writer.finish();
    for (const seed of chosen) this.#context.sendBytes(seed, "join", true, bytes, out);
    const delay = this.#retryMs * (0.75 + timingRng.unit() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, config.joinRetryMaxMs);
    this.#context.arm(timerJoin, now, delay, out);
  }

  /** A joiner told of itself; it gets the whole list, while the budget lasts. */
  reply(now: Now, joiner: Address, out: Effect[]): void {
    const { config, roster, writer, selfTag, gossipRng } = this.#context;
    const since = now.monoMs - this.#replyBudgetMs;
    const earned = (since * config.joinReplyBytesPerSec) / 1000;
    this.#replyBudget = Math.min(config.joinReplyBytesPerSec, this.#replyBudget + earned);
    this.#replyBudgetMs = now.monoMs;
    records.reset();
    let count = 0;
    const tell = (slot: number): void => {
      this.#context.writeMember(records, slot, true, now);
      count++;
    };
    if (this.#replyBudget > 0) {
      for (let slot = 0; slot < roster.capacity; slot++) if (roster.entryAt(slot) >= 0) tell(slot);
    } else {
      tell(roster.selfSlot);
      for (let i = 0; i < sampleMembers && roster.peers > 0; i++) {
        tell(roster.peerAt(gossipRng.below(roster.peers)));
      }
    }
    beginNews(writer, "joinReply", 0, selfTag);
    writer.varint(count);
    writer.varint(this.#context.clusterSize(now));
    writer.append(records);
    this.#replyBudget -= writer.length;
    this.#context.send(joiner, "joinReply", true, out);
  }

  /** A seed's list. */
  replied(now: Now, m: SwimMessage, out: Effect[]): void {
    for (let i = 0; i < m.records.length; i++) this.#claims.judge(now, m.records, i, true, out);
    if (this.#context.roster.peers > 0) this.#joining = false;
  }

  /** Keeps knocking while somebody is out of sight. */
  ensureReconnect(now: Now, out: Effect[]): void {
    const { roster, config, timingRng } = this.#context;
    if (roster.downs === 0 && this.#seeds.length === 0) return;
    if (this.#context.dueMs(timerReconnect) < Infinity || this.#context.leaving) return;
    if (roster.downs === 0 && (this.#joining || !this.#seedsUnmet())) return;
    const meanMs = (1000 * roster.size) / config.reconnectsPerSec;
    this.#context.arm(timerReconnect, now, meanMs * (0.5 + timingRng.unit()), out);
  }

  /** Knocks at one member or seed out of sight. */
  reconnect(now: Now, out: Effect[]): void {
    const { roster, timingRng } = this.#context;
    const seeds = this.#joining ? [] : this.#seeds.filter((seed) => this.#isUnmet(seed));
    const candidates = roster.downs + seeds.length;
    if (candidates === 0) return;
    const choice = timingRng.below(candidates);
    if (choice < roster.downs) this.#prober.knock(now, roster.downAt(choice), out);
    else this.#knockAtSeed(now, seeds[choice - roster.downs] as Address, out);
  }

  #seedsUnmet(): boolean {
    for (const seed of this.#seeds) if (this.#isUnmet(seed)) return true;
    return false;
  }

  #isUnmet(seed: Address): boolean {
    const { directory, roster } = this.#context;
    return roster.entryAt(directory.slotOf(seed)) < 0;
  }

  /** Who is there is not known, so no tag is right, and the answer tells its identity. */
  #knockAtSeed(now: Now, seed: Address, out: Effect[]): void {
    const { writer, roster, selfTag } = this.#context;
    assert(seed !== this.#context.self.address, "no node knocks at itself");
    beginPing(writer, 0, this.#prober.nextSeq(), selfTag, 0, roster.root);
    this.#context.force(roster.selfSlot, true);
    this.#context.writeUpdates(now, 1);
    this.#context.send(seed, "ping", false, out);
  }
}

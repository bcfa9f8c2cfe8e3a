/**
 * Spreads rumors: to a few members every interval, as in SWIM, but what a silent time did not use
 * may be spent at once. So a lone rumor crosses the cluster in a few network delays, while a flood
 * of them costs no more than the interval allows.
 */
import type { Effect, Now } from "../node/event.ts";
import { beginNews } from "../wire/swim-messages.ts";
import { type Context, timerGossip } from "./context.ts";

export class Gossiper {
  readonly #context: Context;
  readonly #targets: number[] = [];
  /** Datagrams that may be sent at `#countedMs`, up to the burst. */
  #allowance: number;
  #countedMs = 0;

  constructor(context: Context) {
    this.#context = context;
    this.#allowance = context.config.gossipBurst;
  }

  /** There is news. `from`: the slot of whoever told it, who need not be told again; or −1. */
  soon(now: Now, from: number, out: Effect[]): void {
    if (this.#context.roster.peers === 0) return;
    const { gossipIntervalMs, gossipFanout } = this.#context.config;
    this.#earn(now);
    if (this.#allowance >= gossipFanout) {
      const most = this.#context.retransmitLimit(now);
      this.#spread(now, Math.min(most, Math.floor(this.#allowance)), from, out);
      return;
    }
    if (this.#context.dueMs(timerGossip) < Infinity) return;
    const missing = gossipFanout - this.#allowance;
    this.#context.arm(timerGossip, now, (missing * gossipIntervalMs) / gossipFanout, out);
  }

  /** There are rumors, but none that is in haste. */
  later(now: Now, out: Effect[]): void {
    const { rumors, roster, config } = this.#context;
    if (rumors.size === 0 || roster.peers === 0) return;
    if (this.#context.dueMs(timerGossip) < Infinity) return;
    this.#context.arm(timerGossip, now, config.gossipIntervalMs, out);
  }

  /** The interval is over. */
  tick(now: Now, out: Effect[]): void {
    this.#earn(now);
    this.#spread(now, this.#context.config.gossipFanout, -1, out);
  }

  #spread(now: Now, targets: number, except: number, out: Effect[]): void {
    const { rumors, config, writer, selfTag, directory } = this.#context;
    if (rumors.size === 0) return;
    this.#pickTargets(targets, except);
    const copies = this.#targets.length;
    if (copies === 0) return;
    beginNews(writer, "gossip", 0, selfTag);
    if (this.#context.writeUpdates(now, copies) > 0) {
      this.#allowance = Math.max(0, this.#allowance - copies);
      const bytes = writer.finish();
      for (const slot of this.#targets) {
        this.#context.sendBytes(directory.addressOf(slot), "gossip", false, bytes, out);
      }
    }
    if (rumors.size > 0) this.#context.arm(timerGossip, now, config.gossipIntervalMs, out);
  }

  #earn(now: Now): void {
    const { gossipIntervalMs, gossipFanout, gossipBurst } = this.#context.config;
    const earned = ((now.monoMs - this.#countedMs) * gossipFanout) / gossipIntervalMs;
    this.#allowance = Math.min(gossipBurst, this.#allowance + earned);
    this.#countedMs = now.monoMs;
  }

  /** Different peers, alive or suspect: who is accused must hear of it. */
  #pickTargets(count: number, except: number): void {
    const { roster, gossipRng } = this.#context;
    const targets = this.#targets;
    targets.length = 0;
    const peers = roster.peers;
    if (peers <= count + 1) {
      for (let i = 0; i < peers && targets.length < count; i++) {
        const slot = roster.peerAt(i);
        if (slot !== except) targets.push(slot);
      }
      return;
    }
    while (targets.length < count) {
      const slot = roster.peerAt(gossipRng.below(peers));
      if (slot !== except && !targets.includes(slot)) targets.push(slot);
    }
  }
}

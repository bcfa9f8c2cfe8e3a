/**
 * Spreads rumors. News goes out at once to a few members if nothing was sent lately, and otherwise
 * at the next interval: a lone rumor crosses the cluster in a few network delays, while a flood of
 * them costs no more than the interval allows.
 */
import type { Effect, Now } from "../node/event.ts";
import { beginNews } from "../wire/swim-messages.ts";
import { type Context, timerGossip } from "./context.ts";

export class Gossiper {
  readonly #context: Context;
  #sentMs = -Infinity;
  readonly #targets: number[] = [];

  constructor(context: Context) {
    this.#context = context;
  }

  /** There is news. */
  soon(now: Now, out: Effect[]): void {
    if (this.#context.dueMs(timerGossip) < Infinity) return;
    const { config } = this.#context;
    const waited = now.monoMs - this.#sentMs;
    if (waited >= config.gossipIntervalMs) this.send(now, out);
    else this.#context.arm(timerGossip, now, config.gossipIntervalMs - waited, out);
  }

  send(now: Now, out: Effect[]): void {
    const { rumors, config, writer, selfTag, directory } = this.#context;
    this.#pickTargets();
    if (rumors.size === 0 || this.#targets.length === 0) return;
    this.#sentMs = now.monoMs;
    beginNews(writer, "gossip", 0, selfTag);
    this.#context.writeUpdates(now, this.#targets.length);
    const bytes = writer.finish();
    for (const slot of this.#targets) {
      this.#context.sendBytes(directory.addressOf(slot), "gossip", false, bytes, out);
    }
    if (rumors.size > 0) this.#context.arm(timerGossip, now, config.gossipIntervalMs, out);
  }

  /** Different peers, alive or suspect: who is accused must hear of it. */
  #pickTargets(): void {
    const { roster, config, gossipRng } = this.#context;
    const targets = this.#targets;
    targets.length = 0;
    const peers = roster.peers;
    if (peers <= config.gossipFanout) {
      for (let i = 0; i < peers; i++) targets.push(roster.peerAt(i));
      return;
    }
    while (targets.length < config.gossipFanout) {
      const slot = roster.peerAt(gossipRng.below(peers));
      if (!targets.includes(slot)) targets.push(slot);
    }
  }
}

/**
 * Pinging on behalf of others (SWIM's ping-req) and saying so when it fails (Lifeguard's nack).
 */
import type { Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import { beginAck, beginPing, flagRelayed, writeNack } from "../wire/swim-messages.ts";
import { type Context, timerRelay } from "./context.ts";
import type { Prober } from "./prober.ts";

/** Requests in hand; more are dropped, and their senders ask others too. */
export const maxRelays = 128;

interface Relay {
  readonly origin: Address;
  readonly originSeq: number;
  readonly seq: number;
  readonly tag: number;
  readonly nackAtMs: number;
  nacked: boolean;
}

export class Relays {
  readonly #context: Context;
  readonly #prober: Prober;
  /** In the order of their nacks. */
  #relays: Relay[] = [];
  overflowed = 0;

  constructor(context: Context, prober: Prober) {
    this.#context = context;
    this.#prober = prober;
  }

  get size(): number {
    return this.#relays.length;
  }

  request(
    now: Now,
    origin: Address,
    originSeq: number,
    targetHi: number,
    targetLo: number,
    out: Effect[],
  ): void {
    const { directory, roster, config, writer, selfTag } = this.#context;
    const entry = directory.entryByTag(targetHi, targetLo);
    const slot = entry < 0 ? -1 : directory.slotOfEntry(entry);
    // Not known, replaced, or this very node under an earlier identity: there is nobody to reach.
    if (slot < 0 || slot === roster.selfSlot || roster.entryAt(slot) !== entry) {
      writeNack(writer, originSeq);
      this.#context.send(origin, "nack", false, out);
      return;
    }
    if (this.#relays.length >= maxRelays) {
      this.overflowed++;
      return;
    }
    const seq = this.#prober.nextSeq();
    const nackAtMs = now.monoMs + config.nackTimeoutMs;
    this.#relays.push({ origin, originSeq, seq, tag: targetLo, nackAtMs, nacked: false });
    beginPing(writer, 0, seq, selfTag, targetLo, roster.root);
    this.#context.warn(slot);
    this.#context.writeUpdates(now, 1);
    this.#context.send(directory.addressOf(slot), "ping", false, out);
    if (this.#relays.length === 1) this.#context.arm(timerRelay, now, config.nackTimeoutMs, out);
  }

  /** An ack for one of the pings made here. */
  acked(now: Now, seq: number, tag: number, out: Effect[]): void {
    const index = this.#relays.findIndex((relay) => relay.seq === seq && relay.tag === tag);
    if (index < 0) return;
    const { origin, originSeq } = this.#relays[index] as Relay;
    this.#relays.splice(index, 1);
    const { writer, roster } = this.#context;
    beginAck(writer, flagRelayed, originSeq, tag, roster.root);
    this.#context.writeUpdates(now, 1);
    this.#context.send(origin, "ack", false, out);
  }

  /** Sends the nacks that are due. A late ack is still passed on until another timeout has gone by. */
  timer(now: Now, out: Effect[]): void {
    const { config, writer } = this.#context;
    const keptMs = config.nackTimeoutMs;
    this.#relays = this.#relays.filter((relay) => relay.nackAtMs + keptMs > now.monoMs);
    let nextMs = Infinity;
    for (const relay of this.#relays) {
      if (!relay.nacked && relay.nackAtMs <= now.monoMs + 0.001) {
        relay.nacked = true;
        writeNack(writer, relay.originSeq);
        this.#context.send(relay.origin, "nack", false, out);
      }
      nextMs = Math.min(nextMs, relay.nacked ? relay.nackAtMs + keptMs : relay.nackAtMs);
    }
    if (nextMs < Infinity) {
      this.#context.arm(timerRelay, now, Math.max(0, nextMs - now.monoMs), out);
    }
  }
}

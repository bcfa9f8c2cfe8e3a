/** A node's way out: hands messages to the network, holds them back while its I/O is blocked. */
import type { Effect } from "../../core/node/event.ts";
import { planeIndex } from "../network/packet.ts";
import type { SimNode } from "./node.ts";
import type { World } from "./world-port.ts";

/** Sends held back while the network is blocked; the newest are dropped. */
const maxHeld = 10_000;
/** Messages that a hostile peer has at hand to damage. */
const maxRecent = 64;

export type SendEffect = Extract<Effect, { type: "send" }>;

export class Sender {
  blocked = false;
  /** The node's latest messages, for a hostile peer to mutate; null when nobody wants them. */
  recent: SendEffect[] | null = null;
  readonly #world: World;
  readonly #node: SimNode;
  #held: SendEffect[] = [];

  constructor(world: World, node: SimNode) {
    this.#world = world;
    this.#node = node;
  }

  /** `departUs`: when the handler that sends is done. */
  send(effect: SendEffect, departUs: number): void {
    if (this.recent !== null) this.#remember(effect, this.recent);
    if (this.blocked) this.#hold(effect);
    else this.#handOver(effect, departUs);
  }

  unblock(nowUs: number): void {
    this.blocked = false;
    const held = this.#held;
    this.#held = [];
    for (const effect of held) this.#handOver(effect, nowUs);
  }

  /** The process is gone, and with it what it had not sent. */
  clear(): void {
    this.blocked = false;
    this.recent = null;
    this.#held = [];
  }

  #handOver(effect: SendEffect, departUs: number): void {
    const to = this.#world.receiverOf(effect.to, this.#node);
    if (to < 0) {
      // An address that was never anybody's: a hostile peer's invention.
      if (effect.reliable) this.#world.nobodyAt(this.#node, effect.to, effect.plane);
      return;
    }
    const plane = planeIndex[effect.plane];
    const { n } = this.#node;
    this.#world.network.send(n, to, plane, effect.reliable, effect.kind, effect.bytes, departUs);
  }

  #hold(effect: SendEffect): void {
    if (this.#held.length < maxHeld) this.#held.push(effect);
    else if (effect.reliable) this.#world.nobodyAt(this.#node, effect.to, effect.plane);
  }

  #remember(effect: SendEffect, recent: SendEffect[]): void {
    if (recent.length >= maxRecent) recent.shift();
    recent.push(effect);
  }
}

/**
 * Copies that go ahead of the tree. Around the world a tree is slow where it crosses oceans: it
 * takes detours, and a link that waits for a retransmission holds back what comes behind. So an
 * author also sends each message that fits a datagram straight to one or two members of every
 * other region. Datagrams wait for nothing, and two are seldom lost both; from there the message
 * spreads along the tree of the region. What is lost the tree brings.
 */
import type { ActorId, Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import { copyPush, expressHops } from "../wire/gossip-messages.ts";
import { maxDatagramBytes } from "../wire/limits.ts";
import type { Recent } from "./recent.ts";
import { leastBy, regionsOf } from "./regions.ts";
import type { SpreadingParts } from "./spreading.ts";
import type { Trunk } from "./trunk.ts";

/** One copy for each so many members of a region, the last ones counted in full. */
const membersPerCopy = 8;
/** Copies of one message. Overflow policy: further regions get theirs along the tree alone. */
export const maxExpress = 128;
/** Round trips are looked at again after this long. */
const lookEveryMs = 10_000;
/**
 * The reference's messages shape the tree, and for that they must come along it alone: the first
 * few, and then so few that those who are slow are fewer than one in a hundred.
 */
const firstShaping = 16;
const shapingEvery = 256;

export class Express {
  readonly #parts: SpreadingParts;
  readonly #trunk: Trunk;
  /** Of which list of members, and until when, `#targets` holds. */
  #alive: readonly Address[] | null = null;
  #lookMs = 0;
  #targets: readonly Address[] = [];
  /** This node's messages while it was the reference. */
  #asReference = 0;

  constructor(parts: SpreadingParts, trunk: Trunk) {
    this.#parts = parts;
    this.#trunk = trunk;
  }

  /** Does this node's own message of `bytes` go ahead? Asked once for each, before it is spread. */
  takes(now: Now, actor: ActorId, bytes: number): boolean {
    if (bytes > maxDatagramBytes || this.#parts.outbox.size > 0) return false;
    if (this.#targetsAt(now.monoMs).length === 0) return false;
    if (!this.#trunk.isReference(actor)) return true;
    const nth = this.#asReference++;
    return nth >= firstShaping && nth % shapingEvery !== 0;
  }

  send(now: Now, message: Recent, out: Effect[]): void {
    const bytes = copyPush(message.bytes, expressHops);
    for (const to of this.#targetsAt(now.monoMs)) {
      this.#parts.outbox.sendDatagram(now, to, "push", bytes, out);
    }
  }

  /** The same members for a long time, so that connections to them stand; each author has its own. */
  #targetsAt(monoMs: number): readonly Address[] {
    const { self, config, peers, overlay } = this.#parts;
    const alive = peers.aliveAddresses();
    if (alive === this.#alive && monoMs < this.#lookMs) return this.#targets;
    this.#alive = alive;
    this.#lookMs = monoMs + lookEveryMs;
    this.#targets = [];
    if (config.expressPerRegion === 0) return this.#targets;
    const own = peers.regionOf(self);
    const others = alive.filter((address) => peers.regionOf(address) !== own);
    if (others.length === 0 || !overlay.reachesFar(config.expressRttMs)) return this.#targets;
    const targets: Address[] = [];
    for (const { members } of regionsOf(others, (a) => peers.regionOf(a)).values()) {
      const copies = Math.min(config.expressPerRegion, Math.ceil(members.length / membersPerCopy));
      targets.push(...leastBy(members, self, copies));
    }
    this.#targets = targets.slice(0, maxExpress);
    return this.#targets;
  }
}

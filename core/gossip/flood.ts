/**
 * Epidemic push (Demers and others, PODC 1987), bounded: at its first receipt a message goes to
 * the neighbours in two rings, which alone reaches everybody in the end, and to some random
 * members, which makes it fast; a little later to a few more. Never to one known to have it.
 */
import type { Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, Now } from "../node/event.ts";
import { TimerSlot } from "../node/timer-slot.ts";
import type { Announcement, ChunkRef } from "../wire/gossip-messages.ts";
import type { Recent } from "./recent.ts";
import type { Spreading, SpreadingParts } from "./spreading.ts";

/** Messages that wait for their second round. Overflow policy: the oldest has none. */
const maxRepeats = 4096;
/** Members known to have a message, per message. */
const maxHolders = 16;
/** Ring neighbours pushed to: two rings. */
const ringTargets = 4;

interface Repeat {
  readonly message: Recent;
  readonly dueMs: number;
  /** Pushed to, or heard it from. */
  readonly holders: Address[];
}

export class Flood implements Spreading {
  readonly missing = 0;
  readonly #parts: SpreadingParts;
  readonly #rng: Rng;
  readonly #timer: TimerSlot;
  #repeats: Repeat[] = [];
  readonly #byMessage = new Map<Recent, Repeat>();

  constructor(parts: SpreadingParts) {
    this.#parts = parts;
    this.#rng = parts.rng.fork("flood");
    this.#timer = new TimerSlot(parts.ids);
  }

  spread(now: Now, message: Recent, out: Effect[]): void {
    const { overlay, peers, config } = this.#parts;
    const holders: Address[] = message.parent === null ? [] : [message.parent];
    const alive = peers.aliveAddresses();
    // ⌈log2 n⌉ copies in all reach everybody with the rings' help; some are kept for the second round.
    const fanout = Math.max(2, 32 - Math.clz32(alive.length) - config.repeatFanout);
    let sent = 0;
    for (const { address } of overlay.neighbours()) {
      if (sent >= Math.min(ringTargets, fanout)) break;
      if (holders.includes(address)) continue;
      this.#push(now, message, address, out);
      holders.push(address);
      sent++;
    }
    this.#pushRandom(now, message, holders, fanout - sent, out);
    if (config.repeatFanout === 0 || alive.length <= fanout + 1) return;
    if (this.#repeats.length >= maxRepeats) {
      const oldest = this.#repeats.shift() as Repeat;
      this.#byMessage.delete(oldest.message);
      out.push({ type: "notify", notice: { type: "overflow", queue: "repeats", count: 1 } });
    }
    const repeat = { message, dueMs: now.monoMs + config.repeatDelayMs, holders };
    this.#repeats.push(repeat);
    this.#byMessage.set(message, repeat);
    if (!this.#timer.armed) this.#timer.arm(now.monoMs, config.repeatDelayMs, out);
  }

  duplicate(_now: Now, known: Recent | undefined, from: Address): void {
    if (known === undefined) return;
    const holders = this.#byMessage.get(known)?.holders;
    if (holders !== undefined && holders.length < maxHolders && !holders.includes(from)) {
      holders.push(from);
    }
  }

  timer(now: Now, token: number, out: Effect[]): void {
    if (!this.#timer.take(token)) return;
    const { config } = this.#parts;
    let done = 0;
    for (const { message, dueMs, holders } of this.#repeats) {
      if (dueMs > now.monoMs) break;
      this.#byMessage.delete(message);
      this.#pushRandom(now, message, holders, config.repeatFanout, out);
      done++;
    }
    this.#repeats = this.#repeats.slice(done);
    const next = this.#repeats[0];
    if (next !== undefined) this.#timer.arm(now.monoMs, next.dueMs - now.monoMs, out);
  }

  /** A neighbour that builds a tree announces what it does not push: here everything is pushed, so ask for the rest. */
  ihave(now: Now, from: Address, have: readonly Announcement[], out: Effect[]): void {
    const { intake, recent } = this.#parts;
    const unknown = have.some(
      ({ actor, version, index, count }) =>
        intake.verdict(actor, version, index, count) === "new" &&
        recent.find(actor, version, index) === undefined,
    );
    if (unknown) intake.missed(now, from, out);
  }

  graft(now: Now, from: Address, refs: readonly ChunkRef[], out: Effect[]): void {
    for (const { actor, version, index } of refs) {
      const message = this.#parts.recent.find(actor, version, index);
      if (message !== undefined) this.#push(now, message, from, out);
    }
  }

  /** Flooding is as fast as the network. */
  goesAhead(): boolean {
    return false;
  }

  prune(): void {}

  gone(): void {}

  unreachable(): void {}

  #pushRandom(now: Now, message: Recent, holders: Address[], count: number, out: Effect[]): void {
    const { peers, self } = this.#parts;
    const alive = peers.aliveAddresses();
    if (alive.length === 0) return;
    let left = count;
    // In a small cluster most draws hit holders; then there is nobody left to push to.
    for (let tries = 0; tries < 4 * count && left > 0; tries++) {
      const peer = alive[this.#rng.below(alive.length)] as Address;
      if (peer === self || holders.includes(peer)) continue;
      this.#push(now, message, peer, out);
      holders.push(peer);
      left--;
    }
  }

  #push(now: Now, message: Recent, to: Address, out: Effect[]): void {
    this.#parts.outbox.send(now, to, "push", message.bytes, message.parent === null, out);
  }
}

/**
 * What leaves for the broadcast plane, within a rate. Below the rate everything leaves at once;
 * above it messages wait in order. Overflow policy: past the bound the oldest waiting push that is
 * not this node's own goes, then the oldest of all; sync repairs it.
 */
import { assert } from "../base/assert.ts";
import type { Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import type { IdSource } from "../node/ids.ts";
import { TimerSlot } from "../node/timer-slot.ts";
import { maxDatagramBytes } from "../wire/limits.ts";

export type GossipKind = "push" | "ihave" | "graft" | "prune";

export const maxOutboxMessages = 8192;
export const maxOutboxBytes = 16 * 1024 * 1024;
/** When the rate is used up, it is looked at again after this long. */
const drainMs = 10;

interface Waiting {
  readonly to: Address;
  readonly kind: GossipKind;
  readonly bytes: Uint8Array;
  readonly own: boolean;
}

export class Outbox {
  readonly #bytesPerSec: number;
  readonly #timer: TimerSlot;
  #waiting: Waiting[] = [];
  #head = 0;
  #bytes = 0;
  #budget: number;
  #filledMs = 0;

  constructor(bytesPerSec: number, ids: IdSource) {
    assert(bytesPerSec > 0, "a rate is positive");
    this.#bytesPerSec = bytesPerSec;
    this.#budget = bytesPerSec;
    this.#timer = new TimerSlot(ids);
  }

  get size(): number {
    return this.#waiting.length - this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param own a version of this node's own: it is dropped last. */
  send(
    now: Now,
    to: Address,
    kind: GossipKind,
    bytes: Uint8Array,
    own: boolean,
    out: Effect[],
  ): void {
    if (this.size === 0 && this.#spend(now, bytes.length)) {
      out.push({ type: "send", to, plane: "gossip", reliable: true, kind, bytes });
      return;
    }
    this.#waiting.push({ to, kind, bytes, own });
    this.#bytes += bytes.length;
    this.#trim(out);
    if (!this.#timer.armed) this.#timer.arm(now.monoMs, drainMs, out);
  }

  /** A copy that may be lost: it leaves at once, or, above the rate, not at all. */
  sendDatagram(now: Now, to: Address, kind: GossipKind, bytes: Uint8Array, out: Effect[]): void {
    assert(bytes.length <= maxDatagramBytes, "a datagram fits the path");
    if (this.size > 0 || !this.#spend(now, bytes.length)) return;
    out.push({ type: "send", to, plane: "gossip", reliable: false, kind, bytes });
  }

  timer(now: Now, token: number, out: Effect[]): boolean {
    if (!this.#timer.take(token)) return false;
    while (this.size > 0) {
      const next = this.#waiting[this.#head] as Waiting;
      if (!this.#spend(now, next.bytes.length)) break;
      this.#head++;
      this.#bytes -= next.bytes.length;
      const { to, kind, bytes } = next;
      out.push({ type: "send", to, plane: "gossip", reliable: true, kind, bytes });
    }
    if (this.size > 0) this.#timer.arm(now.monoMs, drainMs, out);
    this.#compact();
    return true;
  }

  /** A message may take the budget below zero, so that one longer than a second's worth leaves too. */
  #spend(now: Now, bytes: number): boolean {
    const elapsedMs = now.monoMs - this.#filledMs;
    if (elapsedMs > 0) {
      const filled = this.#budget + (elapsedMs * this.#bytesPerSec) / 1000;
      this.#budget = Math.min(filled, this.#bytesPerSec);
      this.#filledMs = now.monoMs;
    }
    if (this.#budget <= 0) return false;
    this.#budget -= bytes;
    return true;
  }

  #trim(out: Effect[]): void {
    let count = 0;
    while (this.size > maxOutboxMessages || (this.#bytes > maxOutboxBytes && this.size > 1)) {
      let at = this.#head;
      while (at < this.#waiting.length - 1 && (this.#waiting[at] as Waiting).own) at++;
      if ((this.#waiting[at] as Waiting).own) at = this.#head;
      const [dropped] = this.#waiting.splice(at, 1) as [Waiting];
      this.#bytes -= dropped.bytes.length;
      count++;
    }
    if (count === 0) return;
    out.push({ type: "notify", notice: { type: "overflow", queue: "outbox", count } });
  }

  #compact(): void {
    if (this.#head < 1024 && this.#head * 2 < this.#waiting.length) return;
    this.#waiting = this.#waiting.slice(this.#head);
    this.#head = 0;
  }
}

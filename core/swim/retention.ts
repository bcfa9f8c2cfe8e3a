/**
 * How long those that are gone are remembered, and who is dropped when the list is full. A member
 * that went down is kept for long, so that a partition of a day heals; one that left of its own
 * will only until no stale news of it can be about.
 */
import { assert } from "../base/assert.ts";
import type { Effect, MemberState, Now } from "../node/event.ts";
import type { Context } from "./context.ts";

export class Retention {
  readonly #context: Context;
  /** Nobody is due before this second. */
  #nextSec = 0;

  constructor(context: Context) {
    this.#context = context;
  }

  /** Drops those whose time is over. */
  sweep(now: Now, out: Effect[]): void {
    const { roster } = this.#context;
    if (roster.downs === 0 && roster.lefts === 0) return;
    const sec = this.#context.clockSec(now);
    if (sec < this.#nextSec) return;
    this.#nextSec = Infinity;
    for (let i = roster.lefts - 1; i >= 0; i--) this.#sweepOne(roster.leftAt(i), sec, out);
    for (let i = roster.downs - 1; i >= 0; i--) this.#sweepOne(roster.downAt(i), sec, out);
  }

  /** Somebody is gone since `sinceSec`. */
  note(state: MemberState, sinceSec: number): void {
    this.#nextSec = Math.min(this.#nextSec, sinceSec + this.#keptSec(state));
  }

  /** Gone for so long that it is no longer remembered. */
  isPast(state: MemberState, ageSec: number): boolean {
    return (state === "down" || state === "left") && ageSec >= this.#keptSec(state);
  }

  /** Room for one more: whoever is gone for the longest goes first. False: there is none. */
  makeRoom(state: MemberState, out: Effect[]): boolean {
    const { roster, config } = this.#context;
    if (roster.known < config.maxMembers) return true;
    // One that is gone itself is not worth another's place.
    if (state === "down" || state === "left") return false;
    let oldest = -1;
    for (let i = 0; i < roster.lefts; i++) oldest = this.#older(oldest, roster.leftAt(i));
    for (let i = 0; i < roster.downs; i++) oldest = this.#older(oldest, roster.downAt(i));
    this.#context.notify({ type: "overflow", queue: "members", count: 1 }, out);
    if (oldest < 0) return false;
    this.#forget(oldest, out);
    return true;
  }

  #sweepOne(slot: number, sec: number, out: Effect[]): void {
    const { roster } = this.#context;
    const state = roster.stateAt(slot);
    const since = roster.noteAt(slot);
    if (this.isPast(state, sec - since)) this.#forget(slot, out);
    else this.note(state, since);
  }

  #forget(slot: number, out: Effect[]): void {
    const { roster, rumors, directory } = this.#context;
    assert(!roster.isPeer(slot), "forgets only those that are gone");
    const about = directory.addressOf(slot);
    rumors.remove(slot);
    roster.forget(slot);
    this.#context.notify({ type: "forgotten", about }, out);
  }

  #keptSec(state: MemberState): number {
    const { config } = this.#context;
    return (state === "left" ? config.leftRetentionMs : config.downRetentionMs) / 1000;
  }

  #older(a: number, b: number): number {
    const { roster } = this.#context;
    return a < 0 || roster.noteAt(b) < roster.noteAt(a) ? b : a;
  }
}

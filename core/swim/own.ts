/**
 * What a node does about what is said of itself: it refutes with a higher incarnation, and takes a
 * higher epoch when another identity holds its address.
 */
import { assert } from "../base/assert.ts";
import type { NodeId } from "../base/ids.ts";
import type { Effect, MemberState, Now } from "../node/event.ts";
import type { Context } from "./context.ts";
import { compareIdentity, epochCeiling, type Identity, incarnationCeiling } from "./identity.ts";

/** Between two renewals: doubled each time up to the longest, so that two nodes with one address cannot make a storm. */
const renewAfterMs = 1000;
const renewAfterMaxMs = 60_000;
/** Peace for this long forgives earlier conflicts. */
const renewForgetMs = 300_000;

export class Own {
  readonly #context: Context;
  #renewedMs = -Infinity;
  #waitMs = 0;
  /** The largest epoch that another identity claims at this address, above the own; −1 without one. */
  #claimedEpoch = -1;
  #claimedByOlderSelf = false;
  /** The claim of another node that was told last. */
  #toldNode: NodeId | null = null;
  #toldEpoch = -1;
  /** What the sender of the message at hand is owed: nothing, the own record, or the whole identity. */
  owed: "nothing" | "record" | "identity" = "nothing";

  constructor(context: Context) {
    this.#context = context;
  }

  /** Another says `state` at `incarnation` about this very identity. */
  hear(now: Now, state: MemberState, incarnation: number, out: Effect[]): void {
    const { roster } = this.#context;
    const own = roster.incarnationAt(roster.selfSlot);
    if (this.#context.leaving) {
      // Whatever else is said, it leaves; its word must only be the latest.
      if (incarnation > own) this.#raise(now, incarnation, out);
      return;
    }
    if (state === "alive") {
      // Said by nobody honest: only this node raises its incarnation.
      if (incarnation > own) this.#raise(now, incarnation + 1, out);
      return;
    }
    if (incarnation >= own) {
      this.#worsen();
      this.#context.counters.refutations++;
      this.#raise(now, incarnation + 1, out);
    }
    // Also when the accusation is of the past: whoever still holds it is told what came after.
    if (this.owed === "nothing") this.owed = "record";
  }

  /** Another identity claims this node's address. */
  contested(now: Now, other: Identity, out: Effect[]): void {
    const { self } = this.#context;
    assert(other.address === self.address, "contested is this node's own address");
    if (other.nodeId !== self.nodeId) {
      this.#tellConflict(other, out);
    }
    this.owed = "identity";
    if (compareIdentity(other, self) < 0 || other.epoch <= this.#claimedEpoch) return;
    this.#claimedEpoch = other.epoch;
    this.#claimedByOlderSelf = other.nodeId === self.nodeId;
    this.renewIfDue(now, out);
  }

  /** Once for each claim, however many repeat it. */
  #tellConflict({ address, nodeId, epoch }: Identity, out: Effect[]): void {
    if (this.#toldNode === nodeId && this.#toldEpoch >= epoch) return;
    this.#toldNode = nodeId;
    this.#toldEpoch = epoch;
    this.#context.notify({ type: "identityConflict", address, other: nodeId }, out);
  }

  /** Takes a higher epoch when one is called for and the last renewal is long enough ago. */
  renewIfDue(now: Now, out: Effect[]): void {
    const { self, leaving } = this.#context;
    if (this.#claimedEpoch < self.epoch || leaving) return;
    const since = now.monoMs - this.#renewedMs;
    if (since > renewForgetMs) this.#waitMs = 0;
    if (since < this.#waitMs || this.#claimedEpoch + 1 >= epochCeiling) return;
    const why = this.#claimedByOlderSelf
      ? "met its own earlier identity"
      : "another node claims its address";
    this.#renew(now, this.#claimedEpoch + 1, why, out);
  }

  #renew(now: Now, epoch: number, why: string, out: Effect[]): void {
    const { directory, roster, rumors, self, probeRng } = this.#context;
    assert(epoch > self.epoch, "an epoch only grows");
    const entry = directory.intern({ ...self, epoch });
    roster.set(roster.selfSlot, entry, "alive", 0, probeRng);
    directory.release(entry);
    rumors.add(roster.selfSlot, true);
    this.#context.fresh = true;
    this.#context.changedMs = now.monoMs;
    this.#context.counters.renewals++;
    this.#renewedMs = now.monoMs;
    this.#waitMs = Math.min(Math.max(renewAfterMs, this.#waitMs * 2), renewAfterMaxMs);
    this.#claimedEpoch = -1;
    this.owed = "identity";
    this.#context.notify({ type: "renewed", epoch, why }, out);
  }

  /** To be called with every incarnation that is to stand. */
  #raise(now: Now, incarnation: number, out: Effect[]): void {
    const { roster, rumors, self, probeRng } = this.#context;
    if (incarnation >= incarnationCeiling) {
      // Used up, by damage or malice: a new epoch counts from 0 again.
      if (!this.#context.leaving) this.#renew(now, self.epoch + 1, "incarnations used up", out);
      return;
    }
    const slot = roster.selfSlot;
    assert(incarnation >= roster.incarnationAt(slot), "an incarnation only grows");
    roster.set(slot, this.#context.selfEntry, roster.stateAt(slot), incarnation, probeRng);
    rumors.add(slot, false);
    this.#context.fresh = true;
    this.#context.changedMs = now.monoMs;
  }

  #worsen(): void {
    const context = this.#context;
    context.health = Math.min(context.config.localHealthMax, context.health + 1);
  }
}

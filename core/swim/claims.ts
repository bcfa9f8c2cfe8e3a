/**
 * Judges what is said about members and changes the list accordingly. Three questions in turn:
 * which identity holds the address, which claim about it stands (`precedence.ts`), and, for a
 * death, whether it may be believed at once.
 */
import { assert } from "../base/assert.ts";
import type { Effect, MemberState, Now } from "../node/event.ts";
import type { RecordBatch } from "../wire/swim-records.ts";
import { WireError } from "../wire/wire-error.ts";
import { type Context, timerSuspicion } from "./context.ts";
import { compareIdentity, readIdentity } from "./identity.ts";
import type { Own } from "./own.ts";
import { beats } from "./precedence.ts";
import type { Retention } from "./retention.ts";
import { minSuspicionMs, suspicionMs } from "./scale.ts";
import { hearsay } from "./suspicions.ts";

/** Suspicions that run out this close together are closed in one go. */
const expireTogetherMs = 5;

export class Claims {
  readonly #context: Context;
  readonly #own: Own;
  readonly #retention: Retention;
  readonly #expired: number[] = [];

  constructor(context: Context, own: Own, retention: Retention) {
    this.#context = context;
    this.#own = own;
    this.#retention = retention;
  }

  /**
   * Judges one record. `exchanged`: it tells what the sender's list holds, not news; a death in it
   * is hearsay. Returns the slot it is about, −1 for a short record of one not known, −2 for a
   * record that is refused.
   */
  judge(now: Now, batch: RecordBatch, index: number, exchanged: boolean, out: Effect[]): number {
    const { directory, roster, counters } = this.#context;
    let entry = directory.entryByTag(batch.tagHi[index] as number, batch.tagLo[index] as number);
    if (entry < 0) {
      const body = batch.bodies[index];
      if (!body) {
        counters.unknownTags++;
        return -1;
      }
      entry = this.#introduce(body);
      if (entry < 0) return -2;
    } else {
      // A short record does not introduce: that others of the process know the tag counts for nothing.
      if (!batch.bodies[index] && roster.entryAt(directory.slotOfEntry(entry)) !== entry) {
        if (!this.#heldAbove(entry)) {
          counters.unknownTags++;
          return -1;
        }
      }
      directory.retain(entry);
    }
    const slot = directory.slotOfEntry(entry);
    if (slot === roster.selfSlot) this.#judgeSelf(now, batch, index, entry, out);
    else this.#judgeOther(now, batch, index, entry, slot, exchanged, out);
    directory.release(entry);
    return slot;
  }

  /** Judges all records of a message, as news. */
  hear(now: Now, batch: RecordBatch, out: Effect[]): void {
    for (let i = 0; i < batch.length; i++) this.judge(now, batch, i, false, out);
  }

  /** A probe of this node's own failed: it accuses, or confirms what others say. */
  accuse(now: Now, slot: number, out: Effect[]): void {
    const { roster, counters, selfTag } = this.#context;
    assert(roster.isPeer(slot), "accuses one that is alive or suspect");
    if (roster.stateAt(slot) === "alive") {
      counters.suspicionsRaised++;
      this.#suspect(now, slot, roster.entryAt(slot), roster.incarnationAt(slot), out);
    }
    this.#addAccuser(now, slot, selfTag, out);
  }

  /** Closes the suspicions whose time is up. */
  expire(now: Now, out: Effect[]): void {
    const { suspicions, roster } = this.#context;
    this.#expired.length = 0;
    for (let i = 0; i < suspicions.size; i++) {
      if (suspicions.deadlineAt(i) <= now.monoMs + 0.001) {
        this.#expired.push(suspicions.slotAt(i));
      }
    }
    for (const slot of this.#expired) {
      this.#become(now, slot, roster.entryAt(slot), "down", roster.incarnationAt(slot), 0, out);
      this.#tell(slot, false);
    }
    this.#armSuspicion(now, expireTogetherMs, out);
  }

  /** This node was frozen: what it could not hear in that time counts for nobody's death. */
  postpone(now: Now, byMs: number, out: Effect[]): void {
    this.#context.suspicions.postpone(byMs);
    this.#armSuspicion(now, 0, out);
  }

  /** Interns a whole identity that was read; −1 when it is not one, or there is no room. */
  #introduce(body: Uint8Array): number {
    try {
      return this.#context.directory.internRead(readIdentity(body), body);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#context.counters.rejected++;
      return -1;
    }
  }

  /** The address of `entry` is held here by a larger identity, so that a short record can be judged as stale. */
  #heldAbove(entry: number): boolean {
    const { directory, roster } = this.#context;
    const held = roster.entryAt(directory.slotOfEntry(entry));
    return (
      held >= 0 && compareIdentity(directory.identityOf(held), directory.identityOf(entry)) > 0
    );
  }

  #judgeSelf(now: Now, batch: RecordBatch, index: number, entry: number, out: Effect[]): void {
    const { directory, selfEntry } = this.#context;
    if (entry === selfEntry) {
      this.#own.hear(now, batch.stateAt(index), batch.incarnations[index] as number, out);
    } else {
      this.#own.contested(now, directory.identityOf(entry), out);
    }
  }

  #judgeOther(
    now: Now,
    batch: RecordBatch,
    index: number,
    entry: number,
    slot: number,
    exchanged: boolean,
    out: Effect[],
  ): void {
    const { directory, roster } = this.#context;
    const held = roster.entryAt(slot);
    const state = batch.stateAt(index);
    if (held < 0) {
      this.#admit(now, batch, index, entry, slot, exchanged, out);
      return;
    }
    if (held !== entry) {
      const order = compareIdentity(directory.identityOf(entry), directory.identityOf(held));
      // The same epoch and node with other labels: the larger tag, only so that all agree.
      if (order > 0 || (order === 0 && directory.tagLo(entry) > directory.tagLo(held))) {
        this.#replace(now, batch, index, entry, slot, out);
      } else if (state === "alive") this.#context.answer(slot);
      return;
    }
    const incarnation = batch.incarnations[index] as number;
    const heldState = roster.stateAt(slot);
    const heldIncarnation = roster.incarnationAt(slot);
    if (!beats(state, incarnation, heldState, heldIncarnation)) {
      if (state === heldState && incarnation === heldIncarnation) {
        this.#hearAgain(now, batch, index, slot, out);
      } else if (state === "alive" && heldState === "down") this.#context.answer(slot);
      return;
    }
    this.#change(now, batch, index, entry, slot, exchanged, out);
  }

  /** A claim that stands about an identity that is held. */
  #change(
    now: Now,
    batch: RecordBatch,
    index: number,
    entry: number,
    slot: number,
    exchanged: boolean,
    out: Effect[],
  ): void {
    const { roster } = this.#context;
    const state = batch.stateAt(index);
    const incarnation = batch.incarnations[index] as number;
    const ageSec = batch.agesSec[index] as number;
    if (state === "suspect") {
      this.#suspect(now, slot, entry, incarnation, out);
      this.#addAccusers(now, batch, index, slot, out);
    } else if (
      state === "down" &&
      roster.isPeer(slot) &&
      !this.#credible(now, slot, incarnation, exchanged)
    ) {
      // Seen alive here: let it speak for itself first.
      if (roster.stateAt(slot) === "alive" || incarnation > roster.incarnationAt(slot)) {
        this.#suspect(now, slot, entry, incarnation, out);
      }
      this.#addAccuser(now, slot, hearsay, out);
      // A side that sees it dead is near: the sooner it refutes, the sooner the sides are one.
      this.#context.fresh = true;
      this.#context.hurry(slot);
    } else {
      this.#become(now, slot, entry, state, incarnation, ageSec, out);
      this.#tell(slot, false);
    }
  }

  /**
   * A death is believed at once when it comes as news, that life was suspected here at first hand,
   * and long enough for its refutation to have come: whoever judged waited for the whole of min.
   */
  #credible(now: Now, slot: number, incarnation: number, exchanged: boolean): boolean {
    const { roster, suspicions, config } = this.#context;
    if (!config.weighDeaths) return true;
    if (exchanged || roster.stateAt(slot) !== "suspect") return false;
    if (incarnation !== roster.incarnationAt(slot)) return false;
    const index = roster.noteAt(slot);
    if (now.monoMs - suspicions.startedAt(index) < this.#minMs() / 2) return false;
    return suspicions.accusersAt(index) > 1 || suspicions.accuserAt(index, 0) !== hearsay;
  }

  #minMs(): number {
    const { roster, config } = this.#context;
    return minSuspicionMs(config.suspicionFactor, roster.size, config.periodMs);
  }

  /** The same claim once more: count it as spread, and join its accusers. */
  #hearAgain(now: Now, batch: RecordBatch, index: number, slot: number, out: Effect[]): void {
    const { roster, rumors, suspicions, config } = this.#context;
    if (roster.stateAt(slot) === "suspect") {
      this.#addAccusers(now, batch, index, slot, out);
      // One that lacks an accuser known here has not heard the same.
      const told = batch.accuserCounts[index] as number;
      if (told < suspicions.accusersAt(roster.noteAt(slot))) return;
    }
    // The last round is not saved: it reaches those few whom the first, all at once, has missed.
    const most = this.#context.retransmitLimit(now) - config.gossipFanout;
    if (rumors.has(slot) && rumors.sent(slot) < most) rumors.advance(slot, 1, most + 1);
  }

  /** A newcomer. */
  #admit(
    now: Now,
    batch: RecordBatch,
    index: number,
    entry: number,
    slot: number,
    exchanged: boolean,
    out: Effect[],
  ): void {
    const state = batch.stateAt(index);
    if (this.#retention.isPast(state, batch.agesSec[index] as number)) return;
    if (!this.#retention.makeRoom(state, out)) {
      this.#context.counters.refused++;
      return;
    }
    const incarnation = batch.incarnations[index] as number;
    if (state === "suspect") {
      this.#suspect(now, slot, entry, incarnation, out);
      this.#addAccusers(now, batch, index, slot, out);
    } else {
      this.#become(now, slot, entry, state, incarnation, batch.agesSec[index] as number, out);
    }
    // Whom another lists already others know too; who does not finds it by its digest.
    if (!exchanged) this.#tell(slot, true);
  }

  /** Another identity takes the address over. */
  #replace(
    now: Now,
    batch: RecordBatch,
    index: number,
    entry: number,
    slot: number,
    out: Effect[],
  ): void {
    const { rumors, directory } = this.#context;
    rumors.remove(slot);
    this.#context.notify({ type: "forgotten", about: directory.addressOf(slot) }, out);
    const state = batch.stateAt(index);
    const incarnation = batch.incarnations[index] as number;
    if (state === "suspect") {
      this.#suspect(now, slot, entry, incarnation, out);
      this.#addAccusers(now, batch, index, slot, out);
    } else {
      this.#become(now, slot, entry, state, incarnation, batch.agesSec[index] as number, out);
    }
    this.#tell(slot, batch.bodies[index] !== null);
  }

  #become(
    now: Now,
    slot: number,
    entry: number,
    state: MemberState,
    incarnation: number,
    ageSec: number,
    out: Effect[],
  ): void {
    const { roster, probeRng } = this.#context;
    assert(slot !== roster.selfSlot, "what becomes of this node is its own to say");
    this.#closeSuspicion(slot);
    roster.set(slot, entry, state, incarnation, probeRng);
    if (state === "down" || state === "left") {
      const since = Math.max(0, this.#context.clockSec(now) - ageSec);
      roster.setNote(slot, since);
      this.#retention.note(state, since);
    }
    this.#changed(now, slot, out);
  }

  #suspect(now: Now, slot: number, entry: number, incarnation: number, out: Effect[]): void {
    const { roster, suspicions, probeRng } = this.#context;
    assert(slot !== roster.selfSlot, "no node suspects itself");
    this.#closeSuspicion(slot);
    roster.set(slot, entry, "suspect", incarnation, probeRng);
    roster.setNote(slot, suspicions.open(slot, now.monoMs));
    this.#changed(now, slot, out);
  }

  #changed(now: Now, slot: number, out: Effect[]): void {
    const { roster, directory } = this.#context;
    this.#context.changedMs = now.monoMs;
    const { address, nodeId, epoch } = directory.identityOf(roster.entryAt(slot));
    this.#context.notify(
      {
        type: "member",
        about: address,
        nodeId,
        state: roster.stateAt(slot),
        incarnation: roster.incarnationAt(slot),
        epoch,
      },
      out,
    );
  }

  #tell(slot: number, full: boolean): void {
    this.#context.rumors.add(slot, full);
    this.#context.fresh = true;
  }

  #closeSuspicion(slot: number): void {
    const { roster, suspicions } = this.#context;
    if (roster.entryAt(slot) < 0 || roster.stateAt(slot) !== "suspect") return;
    const index = roster.noteAt(slot);
    const moved = suspicions.close(index);
    if (moved >= 0) roster.setNote(moved, index);
  }

  #addAccusers(now: Now, batch: RecordBatch, index: number, slot: number, out: Effect[]): void {
    const count = batch.accuserCounts[index] as number;
    for (let i = 0; i < count; i++) this.#addAccuser(now, slot, batch.accuserAt(index, i), out);
    if (count === 0) this.#addAccuser(now, slot, hearsay, out);
  }

  /** Joins an accuser, sets the deadline anew and passes on what is new. */
  #addAccuser(now: Now, slot: number, accuser: number, out: Effect[]): void {
    const { roster, suspicions, config } = this.#context;
    const index = roster.noteAt(slot);
    if (!suspicions.accuse(index, accuser)) return;
    const size = roster.size;
    const min = this.#minMs();
    // Of a small cluster nobody else may be there to confirm.
    const wanted = Math.min(config.suspicionConfirmations, Math.max(0, size - 2));
    const confirmed = suspicions.confirmations(index, wanted);
    const timeout = suspicionMs(min, min * config.suspicionMaxFactor, confirmed, wanted);
    suspicions.setDeadline(index, suspicions.startedAt(index) + timeout);
    this.#armSuspicionBy(now, suspicions.deadlineAt(index), 0, out);
    // Worth telling, but it has the suspicion's whole minimum to arrive: no haste.
    this.#context.rumors.add(slot, false);
  }

  #armSuspicion(now: Now, soonestMs: number, out: Effect[]): void {
    this.#context.disarm(timerSuspicion);
    this.#armSuspicionBy(now, this.#context.suspicions.nextDeadline(), soonestMs, out);
  }

  #armSuspicionBy(now: Now, deadlineMs: number, soonestMs: number, out: Effect[]): void {
    if (deadlineMs >= this.#context.dueMs(timerSuspicion)) return;
    this.#context.arm(timerSuspicion, now, Math.max(soonestMs, deadlineMs - now.monoMs), out);
  }
}

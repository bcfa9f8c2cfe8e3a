/**
 * Plumtree (Leitão, Pereira, Rodrigues, SRDS 2007): messages are pushed along eager links and
 * announced along lazy ones. A duplicate makes its link lazy on both sides, so that the eager
 * links become a spanning tree made of the links that were fastest; a message that was announced
 * and did not come makes a link eager again, which mends the tree.
 */
import type { Address } from "../base/ids.ts";
import type { Effect, Now } from "../node/event.ts";
import { TimerSlot } from "../node/timer-slot.ts";
import {
  type Announcement,
  type ChunkRef,
  encodeGraft,
  encodeIhave,
  encodePrune,
  maxRefs,
} from "../wire/gossip-messages.ts";
import { MissingMessages } from "./missing.ts";
import type { Neighbour } from "./overlay.ts";
import type { Recent } from "./recent.ts";
import type { Spreading, SpreadingParts } from "./spreading.ts";

/** Messages to be announced. Overflow policy: they are announced at once. */
const maxAnnounced = maxRefs;

export class Tree implements Spreading {
  readonly #parts: SpreadingParts;
  readonly #missing = new MissingMessages();
  readonly #ihaveTimer: TimerSlot;
  readonly #graftTimer: TimerSlot;
  #announce: Recent[] = [];
  #shortcutFromMs = 0;

  constructor(parts: SpreadingParts) {
    this.#parts = parts;
    this.#ihaveTimer = new TimerSlot(parts.ids);
    this.#graftTimer = new TimerSlot(parts.ids);
  }

  get missing(): number {
    return this.#missing.size;
  }

  spread(now: Now, message: Recent, out: Effect[]): void {
    const { overlay, outbox, config } = this.#parts;
    this.#missing.arrived(message);
    if (message.parent !== null) {
      const parent = overlay.accept(message.parent);
      if (parent !== undefined) {
        parent.eager = true;
        message.told |= parent.bit;
      }
    }
    let lazy = false;
    for (const neighbour of overlay.neighbours()) {
      if ((message.told & neighbour.bit) !== 0) continue;
      if (!neighbour.eager) {
        lazy = true;
        continue;
      }
      message.told |= neighbour.bit;
      outbox.send(now, neighbour.address, "push", message.bytes, message.parent === null, out);
    }
    if (!lazy) return;
    this.#announce.push(message);
    if (this.#announce.length >= maxAnnounced) this.#flush(now, out);
    else if (!this.#ihaveTimer.armed) this.#ihaveTimer.arm(now.monoMs, config.ihaveDelayMs, out);
  }

  duplicate(now: Now, known: Recent | undefined, from: Address, out: Effect[]): void {
    const { overlay, outbox } = this.#parts;
    const neighbour = overlay.find(from);
    if (known !== undefined && neighbour !== undefined) known.told |= neighbour.bit;
    // What came by sync first, or twice over one link, says nothing about the tree.
    if (known === undefined || known.parent === from) return;
    if (neighbour !== undefined) this.#makeLazy(neighbour);
    outbox.send(now, from, "prune", encodePrune(), false, out);
  }

  ihave(now: Now, from: Address, have: readonly Announcement[], out: Effect[]): void {
    const { intake, recent, overlay, config } = this.#parts;
    const neighbour = overlay.find(from);
    let overflow = 0;
    for (const ref of have) {
      const known = recent.find(ref.actor, ref.version, ref.index);
      if (known !== undefined) {
        if (neighbour !== undefined) known.told |= neighbour.bit;
        this.#shorten(now, known, ref.hops, from, out);
        continue;
      }
      if (intake.verdict(ref.actor, ref.version, ref.index, ref.count) !== "new") continue;
      const dueMs = now.monoMs + config.graftDelayMs;
      if (!this.#missing.announced(ref, from, dueMs)) overflow++;
    }
    if (overflow > 0) {
      const notice = { type: "overflow", queue: "missing", count: overflow } as const;
      out.push({ type: "notify", notice });
      intake.missed(now, from, out);
    }
    if (this.#missing.size > 0) this.#graftTimer.armBy(now.monoMs, config.graftDelayMs, out);
  }

  graft(now: Now, from: Address, refs: readonly ChunkRef[], out: Effect[]): void {
    const { overlay, outbox, recent } = this.#parts;
    const neighbour = overlay.accept(from);
    if (neighbour !== undefined) neighbour.eager = true;
    for (const { actor, version, index } of refs) {
      // What is here no more is found by sync.
      const message = recent.find(actor, version, index);
      if (message === undefined) continue;
      if (neighbour !== undefined) message.told |= neighbour.bit;
      outbox.send(now, from, "push", message.bytes, message.parent === null, out);
    }
    if (neighbour === undefined) outbox.send(now, from, "prune", encodePrune(), false, out);
  }

  prune(_now: Now, from: Address): void {
    const neighbour = this.#parts.overlay.find(from);
    if (neighbour !== undefined) this.#makeLazy(neighbour);
  }

  timer(now: Now, token: number, out: Effect[]): void {
    if (this.#ihaveTimer.take(token)) this.#flush(now, out);
    else if (this.#graftTimer.take(token)) this.#graftDue(now, out);
  }

  gone(now: Now, peer: Address, out: Effect[]): void {
    this.#missing.forgetSource(peer);
    this.#armGraft(now, out);
  }

  /** The link carries nothing now. It stays lazy, so that an announcement can bring it back. */
  unreachable(_now: Now, peer: Address): void {
    const neighbour = this.#parts.overlay.find(peer);
    if (neighbour !== undefined) this.#makeLazy(neighbour);
  }

  #makeLazy(neighbour: Neighbour): void {
    neighbour.eager = false;
    this.#parts.overlay.dropIfIdle(neighbour);
  }

  /** Tells the lazy neighbours what they have not been pushed or told. */
  #flush(now: Now, out: Effect[]): void {
    const { overlay, outbox } = this.#parts;
    const messages = this.#announce;
    this.#announce = [];
    let lastList: readonly Recent[] = [];
    let lastBytes: Uint8Array | null = null;
    for (const neighbour of overlay.neighbours()) {
      if (neighbour.eager) continue;
      const list = messages.filter((message) => (message.told & neighbour.bit) === 0);
      if (list.length === 0) continue;
      for (const message of list) message.told |= neighbour.bit;
      // Most neighbours are told the same.
      if (lastBytes === null || !sameItems(list, lastList)) {
        lastBytes = encodeIhave(list);
        lastList = list;
      }
      outbox.send(now, neighbour.address, "ihave", lastBytes, false, out);
    }
  }

  #graftDue(now: Now, out: Effect[]): void {
    const { intake, overlay, outbox, config } = this.#parts;
    const bySource = new Map<Address, ChunkRef[]>();
    for (const missing of this.#missing.due(now.monoMs)) {
      const { actor, version, index, count } = missing.ref;
      if (intake.verdict(actor, version, index, count) !== "new") {
        this.#missing.drop(missing);
        continue;
      }
      const source = missing.sources.shift();
      if (source === undefined) {
        this.#missing.drop(missing);
        const peer = overlay.neighbours()[0];
        if (peer !== undefined) intake.missed(now, peer.address, out);
        continue;
      }
      missing.dueMs = now.monoMs + config.graftRetryMs;
      const refs = bySource.get(source);
      if (refs === undefined) bySource.set(source, [missing.ref]);
      else if (refs.length < maxRefs) refs.push(missing.ref);
    }
    for (const [source, refs] of bySource) {
      const neighbour = overlay.accept(source);
      if (neighbour !== undefined) neighbour.eager = true;
      outbox.send(now, source, "graft", encodeGraft(refs), false, out);
    }
    this.#armGraft(now, out);
  }

  /** The lazy link to `from` would have been much shorter than the one that `known` came by: swap them. */
  #shorten(now: Now, known: Recent, hops: number, from: Address, out: Effect[]): void {
    const { overlay, outbox, config } = this.#parts;
    if (known.hops - (hops + 1) < config.shortcutHops || now.monoMs < this.#shortcutFromMs) return;
    const neighbour = overlay.find(from);
    if (neighbour === undefined || neighbour.eager || known.parent === null) return;
    this.#shortcutFromMs = now.monoMs + config.shortcutIntervalMs;
    neighbour.eager = true;
    outbox.send(now, from, "graft", encodeGraft([]), false, out);
    const parent = overlay.find(known.parent);
    if (parent === undefined) return;
    this.#makeLazy(parent);
    outbox.send(now, parent.address, "prune", encodePrune(), false, out);
  }

  #armGraft(now: Now, out: Effect[]): void {
    if (this.#missing.size === 0) return;
    const due = this.#missing.nextDueMs();
    this.#graftTimer.armBy(now.monoMs, Math.max(0, due - now.monoMs), out);
  }
}

function sameItems<T>(a: readonly T[], b: readonly T[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

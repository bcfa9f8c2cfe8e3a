/**
 * Plumtree (Leitão, Pereira, Rodrigues, SRDS 2007): messages are pushed along eager links and
 * announced along lazy ones. A duplicate makes its link lazy on both sides, so that the eager
 * links become a spanning tree made of the links that were fastest; a message that was announced
 * and did not come makes a link eager again, which mends the tree.
 */
import type { ActorId, Address } from "../base/ids.ts";
import type { Rng } from "../base/rng.ts";
import type { Effect, Now } from "../node/event.ts";
import { TimerSlot } from "../node/timer-slot.ts";
import {
  type Announcement,
  type ChunkRef,
  encodeGraft,
  encodeIhave,
  encodePrune,
  expressHops,
  maxRefs,
} from "../wire/gossip-messages.ts";
import { Express } from "./express.ts";
import { MissingMessages } from "./missing.ts";
import type { Neighbour, Overlay } from "./overlay.ts";
import { Patience } from "./patience.ts";
import type { Recent } from "./recent.ts";
import type { Spreading, SpreadingParts } from "./spreading.ts";
import { Trunk } from "./trunk.ts";

/** Messages to be announced. Overflow policy: they are announced at once. */
const maxAnnounced = maxRefs;

/** The list that the last neighbour was told while several are: filled and emptied within one call. */
const toldLast: Recent[] = [];

export class Tree implements Spreading {
  readonly #parts: SpreadingParts;
  readonly #missing = new MissingMessages();
  readonly #ihaveTimer: TimerSlot;
  readonly #graftTimer: TimerSlot;
  readonly #trunk = new Trunk();
  readonly #patience: Patience;
  readonly #express: Express;
  readonly #rng: Rng;
  readonly #announce: Recent[] = [];
  #shortcutFromMs = 0;

  constructor(parts: SpreadingParts) {
    this.#parts = parts;
    this.#ihaveTimer = new TimerSlot(parts.ids);
    this.#graftTimer = new TimerSlot(parts.ids);
    this.#rng = parts.rng.fork("tree");
    this.#express = new Express(parts, this.#trunk);
    this.#patience = new Patience(parts.config.graftDelayMs);
  }

  get missing(): number {
    return this.#missing.size;
  }

  spread(now: Now, message: Recent, out: Effect[]): void {
    const { overlay, outbox, config } = this.#parts;
    this.#learn(now, message);
    if (message.ahead) this.#trunk.heard(now.monoMs, message.actor);
    else this.#trunk.fresh(now.monoMs, message.actor, message.parent);
    if (message.parent !== null) this.#from(message, message.parent);
    else if (message.ahead) this.#express.send(now, message, out);
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
    else if (!this.#ihaveTimer.armed) {
      const delayMs = config.ihaveDelayMs * (0.5 + this.#rng.unit());
      this.#ihaveTimer.arm(now.monoMs, delayMs, out);
    }
  }

  duplicate(now: Now, known: Recent | undefined, from: Address, out: Effect[]): void {
    const neighbour = this.#parts.overlay.find(from);
    if (known !== undefined && neighbour !== undefined) known.told |= neighbour.bit;
    // What came by sync first says nothing about the tree.
    if (known === undefined) return;
    const hasty = known.grafted;
    if (hasty !== null && from !== known.parent) {
      // It was asked for too early and came both ways: the tree is what it was before.
      known.grafted = null;
      this.#patience.observe(now.monoMs - known.announcedMs);
      if (!this.#trunk.isParent(hasty)) this.#cut(now, hasty, out);
      return;
    }
    if (known.ahead) return;
    const redundant = this.#trunk.duplicate(known.actor, known.parent, from);
    if (redundant !== null) this.#cut(now, redundant, out);
  }

  goesAhead(now: Now, actor: ActorId, bytes: number): boolean {
    return this.#express.takes(now, actor, bytes);
  }

  ihave(now: Now, from: Address, have: readonly Announcement[], out: Effect[]): void {
    const { intake, recent, overlay } = this.#parts;
    const neighbour = overlay.find(from);
    const { delayMs } = this.#patience;
    let overflow = 0;
    for (const ref of have) {
      const known = recent.find(ref.actor, ref.version, ref.index);
      if (known !== undefined) {
        if (neighbour !== undefined) known.told |= neighbour.bit;
        this.#shorten(now, known, ref.ageMs, neighbour, out);
        continue;
      }
      if (intake.verdict(ref.actor, ref.version, ref.index, ref.count) !== "new") continue;
      if (!this.#missing.announced(now.monoMs, ref, from, now.monoMs + delayMs)) overflow++;
    }
    if (overflow > 0) {
      const notice = { type: "overflow", queue: "missing", count: overflow } as const;
      out.push({ type: "notify", notice });
      intake.missed(now, from, out);
    }
    if (this.#missing.size > 0) this.#graftTimer.armBy(now.monoMs, delayMs, out);
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

  prune(now: Now, from: Address, out: Effect[]): void {
    const neighbour = this.#parts.overlay.find(from);
    if (neighbour === undefined) return;
    // Cutting the trunk would cut this node off: the other side is told to keep the link.
    if (neighbour.eager && this.#trunk.isParent(from)) {
      this.#parts.outbox.send(now, from, "graft", encodeGraft([]), false, out);
    } else {
      this.#makeLazy(neighbour);
    }
  }

  timer(now: Now, token: number, out: Effect[]): void {
    if (this.#ihaveTimer.take(token)) this.#flush(now, out);
    else if (this.#graftTimer.take(token)) this.#graftDue(now, out);
  }

  gone(now: Now, peer: Address, out: Effect[]): void {
    this.#trunk.drop(peer);
    this.#missing.forgetSource(peer);
    this.#armGraft(now, out);
  }

  unreachable(_now: Now, peer: Address): void {
    this.#trunk.drop(peer);
  }

  /** `parent` has it, and, unless it sent it ahead of the tree, is a link of the tree. */
  #from(message: Recent, parent: Address): void {
    const { overlay } = this.#parts;
    const ahead = message.hops === expressHops;
    const neighbour = ahead ? overlay.find(parent) : overlay.accept(parent);
    if (neighbour === undefined) return;
    message.told |= neighbour.bit;
    if (!ahead) neighbour.eager = true;
  }

  /** Both sides stop pushing to one another. */
  #cut(now: Now, peer: Address, out: Effect[]): void {
    const neighbour = this.#parts.overlay.find(peer);
    if (neighbour !== undefined) this.#makeLazy(neighbour);
    this.#parts.outbox.send(now, peer, "prune", encodePrune(), false, out);
  }

  #makeLazy(neighbour: Neighbour): void {
    neighbour.eager = false;
    this.#parts.overlay.dropIfIdle(neighbour);
  }

  /** Tells the lazy neighbours what they have not been pushed or told. */
  #flush(now: Now, out: Effect[]): void {
    const { overlay, outbox } = this.#parts;
    const messages = this.#announce;
    let last = 0;
    let lastBytes: Uint8Array | null = null;
    for (const neighbour of overlay.neighbours()) {
      if (neighbour.eager) continue;
      const { bit } = neighbour;
      let count = 0;
      let same = true;
      for (let i = 0; i < messages.length; i++) {
        const message = messages[i] as Recent;
        if ((message.told & bit) !== 0) continue;
        message.told |= bit;
        same &&= count < last && toldLast[count] === message;
        toldLast[count++] = message;
      }
      if (count === 0) continue;
      // Most neighbours are told the same.
      if (lastBytes === null || !same || count !== last) {
        toldLast.length = count;
        lastBytes = encodeIhave(now.monoMs, toldLast);
        last = count;
      }
      outbox.send(now, neighbour.address, "ihave", lastBytes, false, out);
    }
    toldLast.length = 0;
    // One by one: a length of 0 would give back the room that the next ones need.
    while (messages.length > 0) messages.pop();
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
      const source = takeNearest(missing.sources, overlay);
      if (source === undefined) {
        this.#missing.drop(missing);
        const peer = overlay.neighbours()[0];
        if (peer !== undefined) intake.missed(now, peer.address, out);
        continue;
      }
      missing.asked = source;
      missing.dueMs = now.monoMs + Math.max(config.graftRetryMs, this.#patience.delayMs);
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

  /** How long announced messages take to come by themselves. */
  #learn(now: Now, message: Recent): void {
    if (message.parent === null) return;
    const missing = this.#missing.arrived(message);
    if (missing === undefined) {
      this.#patience.observe(0);
      return;
    }
    message.announcedMs = missing.announcedMs;
    message.grafted = missing.asked;
    // One that was asked for and came from there says nothing (Karn's rule).
    if (missing.asked !== message.parent) {
      this.#patience.observe(now.monoMs - missing.announcedMs);
    }
  }

  /**
   * A push over the lazy link `neighbour` would have come `ageMs` before this announcement. When
   * that is earlier than what came, again and again, it takes the place of the parent. Only
   * messages of the reference count, and whoever has one earlier does not have it from here, so
   * the tree stays one.
   */
  #shorten(
    now: Now,
    known: Recent,
    ageMs: number,
    neighbour: Neighbour | undefined,
    out: Effect[],
  ): void {
    const { outbox, config } = this.#parts;
    if (neighbour === undefined || neighbour.eager || known.parent === null || known.ahead) return;
    if (!this.#trunk.isReference(known.actor) || !this.#trunk.isParent(known.parent)) return;
    const gainMs = known.atMs - (now.monoMs - ageMs);
    neighbour.gainMs += (gainMs - neighbour.gainMs) / 4;
    if (neighbour.gainMs < config.shortcutMs || now.monoMs < this.#shortcutFromMs) return;
    this.#shortcutFromMs = now.monoMs + config.shortcutIntervalMs;
    neighbour.gainMs = 0;
    neighbour.eager = true;
    this.#trunk.follow(neighbour.address);
    // The old link is cut when its next duplicate shows that the new one works.
    outbox.send(now, neighbour.address, "graft", encodeGraft([]), false, out);
  }

  #armGraft(now: Now, out: Effect[]): void {
    if (this.#missing.size === 0) return;
    const due = this.#missing.nextDueMs();
    this.#graftTimer.armBy(now.monoMs, Math.max(0, due - now.monoMs), out);
  }
}

/** Of this node's region the first, so that the tree of the region stays one; else the first. */
function takeNearest(sources: Address[], overlay: Overlay): Address | undefined {
  const near = sources.findIndex((source) => overlay.isNear(source));
  return near > 0 ? sources.splice(near, 1)[0] : sources.shift();
}

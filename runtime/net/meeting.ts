/**
 * How two nodes come to one connection. Rules, in the words of the side that was dialled:
 *
 * 1. A session is proven: its certificate covers the address that it calls itself by.
 * 2. No other connection between the two: it is welcomed.
 * 3. Both dial at once: the connection of the node with the smaller address stands. The smaller one
 *    holds the other's hello back until its own dial has come to something, so that a network which
 *    passes in one direction only connects them too.
 * 4. There is a connection: the new one is a duplicate, unless the other side says that it knows of
 *    none (`replace`), or is another instance: it has restarted, and the old connection is dead.
 * 5. The new one is meant to take over (`move`): it is welcomed, the old one ends in good order, and
 *    then the new one is written to. When both sides move, the smaller address's stands.
 *
 * Nothing but hellos travels on a connection before it is welcomed, so none that is refused takes a
 * message with it. Two may be welcomed all the same, when both sides dial names by which they do not
 * recognize each other: then again the one of the smaller address stands, and the other is ended in
 * good order before the first is written to.
 */
import { compareIds } from "../../core/base/ids.ts";
import type { Address } from "../../core/base/ids.ts";
import type { Control, Intent, Introduction } from "./control.ts";
import { protocolVersion } from "./control.ts";
import { addressRefusal } from "./credentials.ts";
import type { Dial } from "./dial.ts";
import { describeCertificate } from "../security/certificate-info.ts";
import type { PeerState, Peers } from "./peers.ts";
import { succeeded } from "./peers.ts";
import { closeCodes } from "./pipe.ts";
import type { Session } from "./session.ts";
import type { Peer } from "./transport.ts";

export interface MeetingOwner {
  readonly peers: Peers;
  readonly self: Introduction;
  /** Turned away: counted and reported. */
  turnedAway(session: Session, why: string): void;
  /** Messages pass. */
  connected(peer: PeerState, session: Session): void;
  /** Makes a connection if something waits for the peer. */
  connect(peer: PeerState, intent: Intent): void;
  /** The attempt failed for a reason that the other side gave, or that we have. */
  dialRefused(session: Session, why: string): void;
}

export class Meeting {
  readonly #owner: MeetingOwner;

  constructor(owner: MeetingOwner) {
    this.#owner = owner;
  }

  /** We were dialled. */
  hello(session: Session, who: Introduction, intent: Intent): void {
    const { self } = this.#owner;
    if (who.instance === self.instance || who.address === self.address) {
      this.#refuse(session, "self", `${self.address} is this very node`);
      return;
    }
    const refusal = this.#refusal(session, who);
    if (refusal !== null) {
      this.#owner.turnedAway(session, refusal);
      this.#refuse(session, "turnedAway", refusal);
      return;
    }
    const peer = this.#owner.peers.of(who.address);
    const old = peer.session;
    if (old !== null) {
      if (intent === "move" && old.instance === who.instance) {
        this.#moved(peer, old, session, who);
        return;
      }
      const stale = intent === "replace" || old.instance !== who.instance || !old.usable;
      if (!stale) {
        this.#refuse(session, "duplicate", "there is a connection already");
        return;
      }
      old.abort(closeCodes.duplicate, "a newer connection takes its place");
    }
    if (peer.dial !== null) {
      if (compareIds(self.address, who.address) < 0) {
        peer.held?.session.abort(closeCodes.duplicate, "a newer connection takes its place");
        peer.held = { session, who };
        return;
      }
      const { dial } = peer;
      peer.dial = null;
      dial.giveUp("the other side's connection is used");
    }
    this.#begin(peer, session, who);
  }

  /** We were dialled for a connection that takes over from `old`. */
  #moved(peer: PeerState, old: Session, session: Session, who: Introduction): void {
    const ours = peer.move !== null && compareIds(this.#owner.self.address, who.address) < 0;
    if (ours || peer.next !== null) {
      this.#refuse(session, "duplicate", "another connection is about to take over");
      return;
    }
    peer.move?.giveUp("the other side's connection takes over");
    peer.move = null;
    this.#takeOver(peer, old, session, who);
  }

  #takeOver(peer: PeerState, old: Session, session: Session, who: Introduction): void {
    session.begin(identify(session, who), who, null);
    peer.next?.end();
    peer.next = session;
    old.end();
  }

  /** We dialled, and are welcome. */
  welcome(session: Session, who: Introduction): void {
    const { self, peers } = this.#owner;
    const to = session.dialledAs as Address;
    const refusal =
      who.instance === self.instance ? "it is this very node" : this.#refusal(session, who);
    if (refusal !== null) {
      if (who.instance !== self.instance) this.#owner.turnedAway(session, refusal);
      this.#owner.dialRefused(session, refusal);
      session.abort(closeCodes.refused, refusal);
      return;
    }
    const dialler = peers.known(to);
    const dial = dialler === undefined ? null : dialOf(dialler, session);
    if (dialler === undefined || dial === null) {
      session.abort(closeCodes.duplicate, "it is not needed any more");
      return;
    }
    if (dialler.dial === dial) dialler.dial = null;
    else dialler.move = null;
    dial.won(session);
    const peer = peers.alias(to, who.address);
    if (peer.dial !== null) {
      const other = peer.dial;
      peer.dial = null;
      other.giveUp("the other side's connection is used");
    }
    for (const state of [dialler, peer]) this.#refuseHeld(state);
    const old = peer.session;
    if (old !== null && dial.intent === "move" && old.instance === who.instance) {
      this.#takeOver(peer, old, session, who);
      return;
    }
    const crossed = old?.usable && old.instance === who.instance && dial.intent !== "replace";
    if (old !== null && crossed) {
      this.#cross(peer, old, session, who);
      return;
    }
    old?.abort(closeCodes.duplicate, "a newer connection takes its place");
    this.#begin(peer, session, who);
  }

  /** `old`, which the other side dialled, and `session`, which we did, are both in use there. */
  #cross(peer: PeerState, old: Session, session: Session, who: Introduction): void {
    session.begin(identify(session, who), who, null);
    if (compareIds(this.#owner.self.address, who.address) < 0) {
      peer.next = session;
      old.end();
    } else {
      session.end();
    }
  }

  /** We dialled, and are not welcome. */
  refused(session: Session, refusal: Extract<Control, { type: "refused" }>): void {
    const { peers } = this.#owner;
    const to = session.dialledAs as Address;
    if (refusal.code !== "duplicate") {
      this.#owner.dialRefused(
        session,
        `it turned this node away, saying ${JSON.stringify(refusal.reason)}`,
      );
      session.abort(closeCodes.done, "refused");
      return;
    }
    const dialler = peers.known(to);
    const dial = dialler?.dial ?? null;
    // Its other connection may have been made, and replaced this dial, while the refusal was under way.
    if (dialler === undefined || dial === null || !dial.has(session)) {
      session.abort(closeCodes.done, "refused");
      return;
    }
    const { certificate } = session.pipe;
    const unproven = certificate === null ? null : addressRefusal(certificate, refusal.address);
    if (unproven !== null) {
      // It may not hand what waits for it to somebody else.
      this.#owner.turnedAway(session, unproven);
      this.#owner.dialRefused(session, unproven);
      session.abort(closeCodes.refused, unproven);
      return;
    }
    dialler.dial = null;
    dial.giveUp("the other side's connection is used");
    const peer = peers.alias(to, refusal.address);
    if (peer.session === null && peer.held === null && peer.dial === null) {
      this.#owner.connect(peer, "replace");
    } else {
      peer.session?.wake();
    }
  }

  /** Our own dial has failed: whoever was held because of it is welcome. @returns whether somebody was. */
  admitHeld(peer: PeerState): boolean {
    const { held } = peer;
    peer.held = null;
    if (held === null || held.session.state !== "meeting") return false;
    this.#begin(peer, held.session, held.who);
    return true;
  }

  #refuseHeld(peer: PeerState): void {
    const { held } = peer;
    peer.held = null;
    if (held !== null && held.session.state === "meeting") {
      this.#refuse(held.session, "duplicate", "this node's own connection is used");
    }
  }

  #begin(peer: PeerState, session: Session, who: Introduction): void {
    this.#use(peer, session);
    session.begin(identify(session, who), who, peer.outbox);
    this.#owner.connected(peer, session);
  }

  /** The session that messages were written to is gone, and another was waiting for that. @returns whether one was. */
  useNext(peer: PeerState): boolean {
    const { next } = peer;
    peer.next = null;
    if (next === null || !next.usable) return false;
    this.#use(peer, next);
    next.writeFrom(peer.outbox);
    this.#owner.connected(peer, next);
    return true;
  }

  #use(peer: PeerState, session: Session): void {
    peer.outbox.restart();
    peer.session = session;
    peer.overflowing.clear();
    succeeded(peer);
  }

  #refusal(session: Session, who: Introduction): string | null {
    const { self } = this.#owner;
    if (who.version !== protocolVersion) {
      return `it speaks version ${who.version} of the protocol, this node ${protocolVersion}`;
    }
    if (who.clusterId !== self.clusterId) {
      return `it belongs to the cluster with id ${who.clusterId}, this node to ${self.clusterId}`;
    }
    const { certificate } = session.pipe;
    return certificate === null ? null : addressRefusal(certificate, who.address);
  }

  #refuse(
    session: Session,
    code: Extract<Control, { type: "refused" }>["code"],
    reason: string,
  ): void {
    session.refuse({ code, address: this.#owner.self.address, reason });
  }
}

/** Whose session it is: of the dial for a connection, or of that for a better one. */
function dialOf(peer: PeerState, session: Session): Dial | null {
  if (peer.dial?.has(session)) return peer.dial;
  return peer.move?.has(session) ? peer.move : null;
}

function identify(session: Session, who: Introduction): Peer {
  const { certificate } = session.pipe;
  return {
    address: who.address,
    name: certificate === null ? null : describeCertificate(certificate).name,
  };
}

/**
 * Moves to a better connection while the present one is in use. A second one is dialled beside it by
 * QUIC; when it is welcomed, the first ends in good order and the second carries what comes after
 * (`meeting.ts`, rule 5): no message is lost or overtaken. Two have reason to move:
 *
 * - A connection over TCP where QUIC did not answer in time, which may have been the bustle of a
 *   start. Whoever dialled it tries QUIC again, soon at first, then ever less often: for where UDP
 *   does not pass, that is in vain.
 * - One over QUIC whose carrier has lost count of time, so that what it loses it sends again far too
 *   late: whichever side notices.
 */
import type { Carrier } from "./pipe.ts";
import { Dial } from "./dial.ts";
import type { DialOwner } from "./dial.ts";
import { firstMoveMs, lastMoveMs } from "./limits.ts";
import type { PeerState } from "./peers.ts";
import type { Session } from "./session.ts";
import type { TransportEvents } from "./transport.ts";

/** So many moves away from TCP are in vain before it is told: one may fail in the bustle of a start. */
const toldAfter = 2;

export class Moves {
  readonly #owner: DialOwner;
  /** Null: there is none to move to. */
  readonly #quic: Carrier | null;
  readonly #events: Pick<TransportEvents, "udp">;

  /** @param carriers in the order of preference */
  constructor(
    owner: DialOwner,
    carriers: readonly Carrier[],
    events: Pick<TransportEvents, "udp">,
  ) {
    this.#owner = owner;
    this.#events = events;
    this.#quic = carriers.find(({ kind }) => kind === "quic") ?? null;
  }

  /** Now and then. One is begun at a time: none of them is urgent. */
  look(peers: Iterable<PeerState>, nowMs: number): void {
    const quic = this.#quic;
    if (quic === null) return;
    for (const peer of peers) {
      if (nowMs < peer.moveAtMs || peer.session === null || !hasReason(peer.session)) continue;
      if (peer.next !== null || peer.dial !== null || peer.move !== null) continue;
      peer.move = new Dial(this.#owner, peer.address, [quic], "move");
      return;
    }
  }

  /** A session is in use from now on. */
  connected(peer: PeerState, session: Session, nowMs: number): void {
    if (session.pipe.kind === "quic") {
      peer.movesFailed = 0;
      if (peer.toldTcp) this.#tell(peer, true);
    }
    peer.moveAtMs = nowMs + waitMs(peer.movesFailed);
  }

  /** @returns whether the dial was a move. */
  failed(peer: PeerState, dial: Dial, nowMs: number): boolean {
    if (peer.move !== dial) return false;
    peer.move = null;
    peer.movesFailed++;
    peer.moveAtMs = nowMs + waitMs(peer.movesFailed);
    const overTcp = peer.session?.pipe.kind === "tcp";
    if (overTcp && !peer.toldTcp && peer.movesFailed >= toldAfter) this.#tell(peer, false);
    return true;
  }

  #tell(peer: PeerState, passes: boolean): void {
    peer.toldTcp = !passes;
    this.#events.udp?.(peer.address, passes);
  }
}

function hasReason(session: Session): boolean {
  if (!session.usable) return false;
  return session.pipe.kind === "quic" ? session.late : session.dialled;
}

function waitMs(failed: number): number {
  return Math.min(firstMoveMs * 2 ** failed, lastMoveMs);
}

/** The peers that this node talks to, by the address that they advertise, and the other names by which they were dialled. */
import type { Address } from "../../core/base/ids.ts";
import type { Dial } from "./dial.ts";
import { maxBackoffMs, minBackoffMs } from "./limits.ts";
import { Outbox } from "./outbox.ts";
import type { Introduction } from "./control.ts";
import type { Session } from "./session.ts";
import type { Channel } from "./transport.ts";

export interface PeerState {
  readonly address: Address;
  readonly outbox: Outbox;
  /** The session that messages travel on: ready, or ending. */
  session: Session | null;
  /** Takes over when `session` has ended in good order. */
  next: Session | null;
  dial: Dial | null;
  /** To a better connection than `session`; see `moves.ts`. */
  move: Dial | null;
  movesFailed: number;
  /** It was told that UDP does not reach this peer. */
  toldTcp: boolean;
  moveAtMs: number;
  /** It dialled while we were dialling: answered when our own dial has come to something. */
  held: { readonly session: Session; readonly who: Introduction } | null;
  failures: number;
  retryAtMs: number;
  why: string;
  /** Channels whose overflow was told since there was room last. */
  readonly overflowing: Set<Channel>;
  /** With kind `auto`: until when TCP is tried at once. */
  tcpUntilMs: number;
}

export class Peers {
  readonly #states = new Map<Address, PeerState>();
  readonly #aliases = new Map<Address, Address>();

  of(address: Address): PeerState {
    const name = this.#aliases.get(address) ?? address;
    let state = this.#states.get(name);
    if (state === undefined) {
      state = {
        address: name,
        outbox: new Outbox(),
        session: null,
        next: null,
        dial: null,
        move: null,
        movesFailed: 0,
        toldTcp: false,
        moveAtMs: 0,
        held: null,
        failures: 0,
        retryAtMs: 0,
        why: "",
        overflowing: new Set(),
        tcpUntilMs: 0,
      };
      this.#states.set(name, state);
    }
    return state;
  }

  known(address: Address): PeerState | undefined {
    return this.#states.get(this.#aliases.get(address) ?? address);
  }

  all(): Iterable<PeerState> {
    return this.#states.values();
  }

  /** Whoever dials `other` from now on means the peer that advertises `address`. What waited for the one waits for the other. */
  alias(other: Address, address: Address): PeerState {
    const to = this.of(address);
    const from = this.#states.get(other);
    if (other === to.address || from === undefined) return to;
    this.#states.delete(other);
    this.#aliases.set(other, to.address);
    to.outbox.take(from.outbox);
    return to;
  }

  /** All names of a peer, the advertised one first. */
  namesOf(peer: PeerState): Address[] {
    const names = [peer.address];
    for (const [other, address] of this.#aliases) if (address === peer.address) names.push(other);
    return names;
  }

  /** Forgets peers of which there is nothing to remember. */
  prune(nowMs: number): void {
    for (const [address, peer] of this.#states) {
      const dialling = peer.dial !== null || peer.move !== null;
      const busy = peer.session !== null || dialling || peer.held !== null;
      if (busy || !peer.outbox.empty || peer.tcpUntilMs > nowMs) continue;
      if (peer.failures > 0 && nowMs < peer.retryAtMs + maxBackoffMs) continue;
      this.#states.delete(address);
      // A name may come to mean another node; it is asked anew.
      for (const name of this.namesOf(peer)) this.#aliases.delete(name);
    }
  }
}

export function failed(peer: PeerState, nowMs: number, why: string): void {
  peer.retryAtMs = nowMs + Math.min(minBackoffMs * 2 ** peer.failures, maxBackoffMs);
  peer.failures = Math.min(peer.failures + 1, 16);
  peer.why = why;
}

export function succeeded(peer: PeerState): void {
  peer.failures = 0;
  peer.retryAtMs = 0;
}

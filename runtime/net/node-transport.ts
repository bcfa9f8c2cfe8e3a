/**
 * The transport of a node: carriers below, peers and their sessions, and the port above. See
 * `transport.ts` for what it promises, `meeting.ts` for how a connection comes about.
 */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { assert } from "../../core/base/assert.ts";
import type { Address } from "../../core/base/ids.ts";
import { maxFrameBytes } from "../../core/wire/limits.ts";
import { isLoopback } from "./address.ts";
import type { Control, Intent, Introduction } from "./control.ts";
import { protocolVersion } from "./control.ts";
import type { Credentials } from "./credentials.ts";
import { crowding } from "./crowding.ts";
import { Dial } from "./dial.ts";
import type { DialOwner } from "./dial.ts";
import { idleMs, maxConnections, rttEveryMs, tcpRememberedMs, tickMs } from "./limits.ts";
import { Meeting } from "./meeting.ts";
import type { MeetingOwner } from "./meeting.ts";
import { Moves } from "./moves.ts";
import { failed, Peers } from "./peers.ts";
import type { PeerState } from "./peers.ts";
import { closeCodes, laneOf } from "./pipe.ts";
import type { Carrier, CarrierOwner, Pipe, PipeEvents } from "./pipe.ts";
import { Resolver } from "./resolver.ts";
import { Session } from "./session.ts";
import { transportStats } from "./stats.ts";
import { Tally } from "./tally.ts";
import type {
  Channel,
  Transport,
  TransportEvents,
  TransportStats,
  TransportTls,
} from "./transport.ts";

/** A carrier whose certificates can be exchanged. */
export interface RotatingCarrier extends Carrier {
  rotate(credentials: Credentials): void;
}

export interface NodeTransportOptions {
  readonly listening: Address;
  readonly advertise: Address;
  readonly clusterId: number;
  readonly events: TransportEvents;
  readonly credentials: Credentials | null;
  /** Makes credentials of what `rotate` is given; throws CertificateError. */
  readonly parse: (tls: TransportTls) => Credentials;
  /** Plaintext beyond this machine is meant. */
  readonly plaintextAnywhere: boolean;
}

/** Below this, whole milliseconds tell too little. */
const pingBelowMs = 10;

export class NodeTransport implements Transport, CarrierOwner, DialOwner, MeetingOwner {
  readonly listening: Address;
  readonly peers = new Peers();
  readonly resolver = new Resolver();
  readonly self: Introduction;
  readonly #options: NodeTransportOptions;
  readonly #events: TransportEvents;
  readonly #tally: Tally;
  readonly #meeting = new Meeting(this);
  readonly #sessions = new Set<Session>();
  readonly #dials = new Map<Session, Dial>();
  /** In the order of preference. Set once, before anything else happens. */
  #carriers: readonly RotatingCarrier[] = [];
  #moves: Moves;
  #credentials: Credentials | null;
  #timer: NodeJS.Timeout | null = null;
  #lookedMs = performance.now();
  #datagramBytes = 0;
  #closing = false;
  #onQuiet: (() => void) | null = null;

  constructor(options: NodeTransportOptions) {
    this.#options = options;
    this.listening = options.listening;
    this.#events = options.events;
    this.#moves = new Moves(this, [], options.events);
    this.#tally = new Tally(options.events);
    this.#credentials = options.credentials;
    this.self = {
      version: protocolVersion,
      clusterId: options.clusterId,
      address: options.advertise,
      instance: randomBytes(16).toString("hex"),
      resetToken: new Uint8Array(0),
    };
  }

  start(carriers: readonly RotatingCarrier[]): void {
    assert(this.#carriers.length === 0 && carriers.length > 0, "carriers are set once");
    this.#carriers = carriers;
    this.#moves = new Moves(this, carriers, this.#events);
    this.#timer = setInterval(() => this.#look(), tickMs);
  }

  // The port

  send(to: Address, channel: Channel, reliable: boolean, bytes: Uint8Array): void {
    assert(bytes.length > 0 && bytes.length <= maxFrameBytes, "a message fits a frame");
    const peer = this.peers.of(to);
    if (!reliable) {
      this.#sendDatagram(peer, channel, bytes);
      return;
    }
    if (this.#closing) {
      this.#tell(peer, [channel], "this node stops");
      return;
    }
    if (!peer.outbox.push(channel, bytes)) {
      if (peer.overflowing.has(channel)) return;
      peer.overflowing.add(channel);
      this.#tell(peer, [channel], "too many bytes wait for it");
      return;
    }
    if (peer.session !== null) peer.session.wake();
    else this.connect(peer, "meet");
  }

  queuedBytes(to: Address): number {
    const peer = this.peers.known(to);
    if (peer === undefined) return 0;
    return peer.outbox.bytes + (peer.session?.usable ? peer.session.pipe.bufferedBytes : 0);
  }

  rotate(tls: TransportTls): void {
    assert(this.#credentials !== null, "a node without TLS has no certificates to rotate");
    const credentials = this.#options.parse(tls);
    this.#credentials = credentials;
    for (const carrier of this.#carriers) carrier.rotate(credentials);
  }

  stats(): TransportStats {
    return transportStats(this.peers.all(), this.#carriers, this.#tally);
  }

  async close(graceMs: number): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const quiet = new Promise<void>((resolve) => {
      this.#onQuiet = resolve;
    });
    const grace = setTimeout(() => this.#onQuiet?.(), graceMs);
    this.#endQuietSessions();
    await quiet;
    clearTimeout(grace);
    if (this.#timer !== null) clearInterval(this.#timer);
    for (const peer of this.peers.all()) {
      const { dial, move } = peer;
      peer.dial = null;
      peer.move = null;
      dial?.giveUp("this node stops");
      move?.giveUp("this node stops");
    }
    for (const session of this.#sessions) session.abort(closeCodes.going, "the node stops");
    await Promise.all(this.#carriers.map((carrier) => carrier.close()));
  }

  // Sending

  #sendDatagram(peer: PeerState, channel: Channel, bytes: Uint8Array): void {
    const datagram = new Uint8Array(bytes.length + 1);
    datagram[0] = laneOf(channel);
    datagram.set(bytes, 1);
    if (peer.session?.usable) {
      this.#tally.datagram(peer.session.datagram(datagram));
    } else if (this.#closing) {
      this.#tally.datagram(false);
    } else {
      for (let dropped = peer.outbox.keepDatagram(datagram); dropped > 0; dropped--) {
        this.#tally.datagram(false);
      }
      if (peer.session === null) this.connect(peer, "meet");
    }
  }

  connect(peer: PeerState, intent: Intent): void {
    if (peer.dial !== null || peer.session !== null || peer.held !== null || this.#closing) return;
    if (peer.move !== null) return;
    const now = performance.now();
    if (peer.address === this.self.address) {
      this.#drop(peer, "it is this very node");
    } else if (now < peer.retryAtMs) {
      this.#drop(peer, peer.why);
    } else if (this.#sessions.size >= maxConnections) {
      this.#drop(peer, "this node has too many connections");
    } else {
      const order = peer.tcpUntilMs > now ? [...this.#carriers].reverse() : this.#carriers;
      peer.dial = new Dial(this, peer.address, order, intent);
    }
  }

  /** What waits for a peer is dropped, and told of. */
  #drop(peer: PeerState, why: string, more: Iterable<Channel> = []): void {
    this.#tell(peer, new Set([...peer.outbox.clear(), ...more]), why);
  }

  /** Later, so that nobody is told before `send` has returned. */
  #tell(peer: PeerState, about: Iterable<Channel>, why: string): void {
    const told = [...about];
    if (told.length === 0) return;
    const names = this.peers.namesOf(peer);
    setImmediate(() => {
      for (const name of names) {
        for (const channel of told) this.#events.unreachable(name, channel, why);
      }
    });
  }

  // What carriers ask

  accepted(pipe: Pipe): PipeEvents | null {
    const why = this.#closing ? "the node stops" : crowding(this.#sessions, pipe.remote);
    if (why !== null) {
      this.handshakeRefused(pipe.remote, why);
      return null;
    }
    const session = new Session(this, null);
    session.attach(pipe);
    this.#sessions.add(session);
    return session;
  }

  rejected(from: string, why: string): void {
    this.#tally.rejected(from, why, performance.now());
  }

  stray(): void {
    this.#tally.stray();
  }

  handshakeRefused(from: string, why: string): void {
    this.#tally.handshakesRefused++;
    this.rejected(from, why);
  }

  get behind(): boolean {
    return this.#events.behind?.() ?? false;
  }

  // What dials and sessions tell

  forbidden(ip: string): string | null {
    return this.#credentials !== null || this.#options.plaintextAnywhere || isLoopback(ip)
      ? null
      : "plaintext is for this machine's own loopback only";
  }

  introduction(pipe: Pipe): Introduction {
    return { ...this.self, resetToken: pipe.resetToken };
  }

  began(session: Session, dial: Dial): void {
    this.#sessions.add(session);
    this.#dials.set(session, dial);
  }

  opened(session: Session): void {
    this.#tally.handshakes++;
    const { certificate } = session.pipe;
    if (this.#credentials !== null) {
      const refusal =
        certificate === null
          ? "it has no certificate"
          : this.#credentials.refusal(certificate, Date.now());
      if (refusal !== null) {
        this.turnedAway(session, refusal);
        if (session.dialled) this.dialRefused(session, refusal);
        session.abort(closeCodes.refused, refusal);
        return;
      }
    }
    if (session.dialled) session.sayHello(this.#dials.get(session)?.intent ?? "meet");
  }

  hello(session: Session, who: Introduction, intent: Intent): void {
    if (this.#closing) session.abort(closeCodes.going, "the node stops");
    else this.#meeting.hello(session, who, intent);
  }

  welcome(session: Session, who: Introduction): void {
    this.#meeting.welcome(session, who);
  }

  refused(session: Session, refusal: Extract<Control, { type: "refused" }>): void {
    this.#meeting.refused(session, refusal);
  }

  /**
   * The carrier's own figure is smooth, but whole milliseconds, so a short one is what a ping took. A
   * ping waits behind what else is sent, and quiche has been seen to tell minutes where a ping took a
   * millisecond: the smaller of the two is nearer to the truth.
   */
  rtt(session: Session, ms: number): void {
    if (session.peer === null) return;
    const carrierMs = session.pipe.rttMs;
    const smooth = carrierMs !== null && carrierMs >= pingBelowMs;
    this.#events.rtt(session.peer.address, smooth ? Math.min(carrierMs, ms) : ms);
  }

  drained(_session: Session): void {
    if (this.#closing) this.#endQuietSessions();
  }

  message(session: Session, channel: Channel, bytes: Uint8Array): void {
    assert(session.peer !== null, "a message comes from somebody known");
    this.#events.message(session.peer, channel, bytes);
  }

  violation(session: Session, why: string): void {
    this.rejected(session.peer?.address ?? session.pipe.remote, why);
  }

  turnedAway(session: Session, why: string): void {
    this.handshakeRefused(session.pipe.remote, why);
  }

  connected(peer: PeerState, session: Session): void {
    this.#dials.delete(session);
    this.#moves.connected(peer, session, performance.now());
    if (session.dialled) {
      const tcp = session.pipe.kind === "tcp" && this.#carriers.length > 1;
      peer.tcpUntilMs = tcp ? performance.now() + tcpRememberedMs : 0;
    }
    for (const datagram of peer.outbox.takeDatagrams()) {
      this.#tally.datagram(session.datagram(datagram));
    }
    this.#tellRtt(session, performance.now());
    this.#tellDatagramBytes();
  }

  dialRefused(session: Session, why: string): void {
    this.#dials.get(session)?.refused(why);
  }

  dialFailed(dial: Dial, why: string): void {
    const peer = this.peers.known(dial.to);
    if (peer === undefined) return;
    if (this.#moves.failed(peer, dial, performance.now())) {
      // It may have come to an end meanwhile.
      if (!peer.outbox.empty) this.connect(peer, "meet");
      return;
    }
    if (peer.dial !== dial) return;
    peer.dial = null;
    if (this.#meeting.admitHeld(peer)) return;
    failed(peer, performance.now(), why);
    this.#drop(peer, why);
  }

  closed(session: Session, clean: boolean, why: string): void {
    this.#sessions.delete(session);
    const dial = this.#dials.get(session);
    this.#dials.delete(session);
    dial?.lost(session, why);
    const peer = session.peer === null ? undefined : this.peers.known(session.peer.address);
    if (peer !== undefined && peer.session === session) {
      peer.session = null;
      const cut = peer.outbox.restart();
      if (this.#meeting.useNext(peer)) {
        if (!clean) this.#tell(peer, new Set([...session.used, ...cut]), why);
      } else if (clean) {
        if (!peer.outbox.empty) this.connect(peer, "meet");
      } else {
        this.#drop(peer, why, new Set([...session.used, ...cut]));
      }
      this.#tellDatagramBytes();
    }
    if (peer?.next === session) peer.next = null;
    for (const state of this.peers.all()) if (state.held?.session === session) state.held = null;
    if (this.#closing) this.#endQuietSessions();
  }

  // Now and then

  #look(): void {
    const now = performance.now();
    // A program that was stopped for a while must not take its own silence for that of others.
    const slackMs = Math.max(0, now - this.#lookedMs - 2 * tickMs);
    this.#lookedMs = now;
    for (const carrier of this.#carriers) carrier.look();
    for (const session of this.#sessions) {
      session.look(now, slackMs);
      if (!session.usable) continue;
      if (now - session.lastUsedMs > idleMs) session.end();
      else if (now >= session.nextRttMs && session.lastUsedMs > session.nextRttMs - rttEveryMs) {
        this.#tellRtt(session, now);
      }
      if (Date.now() > session.validUntilMs) session.end();
    }
    for (const peer of this.peers.all()) {
      if (peer.overflowing.size > 0 && peer.outbox.bytes === 0) peer.overflowing.clear();
    }
    if (!this.#closing) this.#moves.look(this.peers.all(), now);
    this.peers.prune(now);
    this.#tellDatagramBytes();
    if (this.#closing) this.#endQuietSessions();
  }

  #tellRtt(session: Session, now: number): void {
    session.nextRttMs = now + rttEveryMs;
    session.ping();
  }

  #tellDatagramBytes(): void {
    let least = Number.POSITIVE_INFINITY;
    for (const session of this.#sessions) {
      if (session.usable) least = Math.min(least, session.pipe.maxDatagramBytes - 1);
    }
    if (least === this.#datagramBytes || least === Number.POSITIVE_INFINITY) return;
    this.#datagramBytes = least;
    this.#events.datagramBytes(least);
  }

  /** While closing: sessions whose messages have all been handed over end; when all have, it is quiet. */
  #endQuietSessions(): void {
    for (const peer of this.peers.all()) {
      if (peer.session?.usable && peer.outbox.empty) peer.session.end();
    }
    const busy = [...this.#sessions].some((session) => session.peer !== null);
    const dialling = [...this.peers.all()].some((peer) => peer.dial !== null && !peer.outbox.empty);
    if (!busy && !dialling) this.#onQuiet?.();
  }
}

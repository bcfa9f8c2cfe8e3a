/**
 * One QUIC connection: quiche's state machine, fed with packets and time by the carrier, and the
 * lanes of a pipe on its streams.
 */
import { Buffer } from "node:buffer";
import type { X509Certificate } from "node:crypto";
import { performance } from "node:perf_hooks";
import { assert } from "../../../core/base/assert.ts";
import { parseCertificate } from "../../security/certificate-info.ts";
import { formatHostPort, unmapped } from "../address.ts";
import type { Contention } from "../contention.ts";
import { lateRttMs, writeBytes } from "../limits.ts";
import { laneCount } from "../pipe.ts";
import type { CloseCode, Pipe, PipeEvents } from "../pipe.ts";
import { AckDelay } from "./ack-delay.ts";
import { datagramOverheadBytes, minInitialBytes } from "./packets.ts";
import { LaneReader, type LaneSink } from "./lane-reader.ts";
import { Meaning } from "./meaning.ts";
import { PathLength } from "./path-length.ts";
import type { QuicheConnection } from "./quic-config.ts";
import { describeError, endOf } from "./quic-errors.ts";
import { ownLanes } from "./streams.ts";

/** What a pipe needs of its carrier. */
export interface QuicPipeOwner {
  /** Of its timers. */
  readonly contention: Contention;
  dirty(pipe: QuicPipe): void;
  /** The handshake is complete; `events` of a pipe that was accepted are set now. */
  established(pipe: QuicPipe): void;
  /** The handshake failed on this side. */
  handshakeFailed(pipe: QuicPipe, why: string): void;
  /** It is over: its ids are free. */
  ended(pipe: QuicPipe): void;
  /** The next packet's bytes go into this; then `sendPacket` with how many. */
  packetBuffer(bytes: number): Buffer;
  sendPacket(pipe: QuicPipe, bytes: number): void;
  resetTokenOf(connectionId: Uint8Array): Uint8Array;
}

/** Sent in one go; then other connections, and what has arrived, have their turn: a few milliseconds of sealing. */
const maxBurstBytes = 256 * 1024;

/** Packets after a lost one from which quiche knows that it is lost (RFC 9002, section 6.1.1). */
const searchPackets = 3;
/** What was sent to find a lost packet may get lost itself. */
const maxSearches = 3;

const emptyFrame = Buffer.alloc(4);

export class QuicPipe implements Pipe {
  readonly kind = "quic";
  readonly remote: string;
  readonly dialled: boolean;
  readonly ip: string;
  readonly port: number;
  readonly startedMs = performance.now();
  readonly bufferedBytes = 0;
  certificate: X509Certificate | null = null;
  heardMs = performance.now();
  /** When it wants to be called again, by `performance.now()`. */
  deadlineMs = Number.POSITIVE_INFINITY;
  events: PipeEvents | null;
  expectedReset: Uint8Array = new Uint8Array(0);
  opened = false;
  over = false;
  readonly #owner: QuicPipeOwner;
  readonly #outStreams: readonly number[];
  /** The other side's, by lane. */
  readonly #inStreams: readonly number[];
  readonly #reader: LaneReader;
  readonly #path = new PathLength();
  readonly #meaning = new Meaning();
  #connection: QuicheConnection | null = null;
  /** By which the other side calls it. */
  #id: Uint8Array = new Uint8Array(0);
  #info: Parameters<QuicheConnection["recv"]>[1] | null = null;
  #failed = false;
  readonly #ack: AckDelay;
  /** When quiche wants to be called again. */
  #quicheMs = Number.POSITIVE_INFINITY;
  /** Something was sent or received since the path was looked at. */
  #active = true;
  /** How often what was written last is still looked for. */
  #searches = 0;
  /** Why the other side, or a rule, ended it in the midst of reading. */
  #broken: string | null = null;

  constructor(owner: QuicPipeOwner, ip: string, port: number, events: PipeEvents | null) {
    this.#owner = owner;
    this.#ack = new AckDelay(owner.contention);
    this.ip = ip;
    this.port = port;
    this.events = events;
    this.dialled = events !== null;
    this.remote = formatHostPort(unmapped(ip), port);
    this.#outStreams = this.dialled ? ownLanes.dialled : ownLanes.accepted;
    this.#inStreams = this.dialled ? ownLanes.accepted : ownLanes.dialled;
    assert(this.#outStreams.length === laneCount, "each lane has a stream");
    this.#reader = new LaneReader(this.#inStreams, this.#meaning, this.#sink());
  }

  /** The longest packet that is sent. */
  get packetBytes(): number {
    return this.#path.packetBytes;
  }

  get resetToken(): Uint8Array {
    return this.#owner.resetTokenOf(this.#id);
  }

  get maxDatagramBytes(): number {
    return this.packetBytes - datagramOverheadBytes;
  }

  get rttMs(): number | null {
    // Whole milliseconds: 0 is less than one.
    return this.#connection?.pathStats()[0]?.rtt ?? null;
  }

  /** `local` as given when the connection was made: where packets really came from does not matter, their seal does. */
  begin(
    connection: QuicheConnection,
    id: Uint8Array,
    local: { readonly host: string; readonly port: number },
  ): void {
    this.#connection = connection;
    this.#id = id;
    this.#info = { from: { host: this.ip, port: this.port }, to: { ...local } };
    this.#owner.dirty(this);
  }

  // The pipe

  capacity(lane: number): number {
    if (!this.opened || this.over) return 0;
    try {
      return (this.#connection as QuicheConnection).streamCapacity(
        this.#outStreams[lane] as number,
      );
    } catch {
      // The other side has not opened a shared lane yet, or wants no more of it.
      return 0;
    }
  }

  write(lane: number, bytes: Uint8Array): void {
    assert(bytes.length <= writeBytes, "no more is written than capacity allows");
    const taken = (this.#connection as QuicheConnection).streamSend(
      this.#outStreams[lane] as number,
      bytes,
      false,
    );
    assert(taken === bytes.length, "a stream takes what its capacity tells");
    this.#searches = maxSearches;
    this.#ack.wrote();
    this.#owner.dirty(this);
  }

  datagram(bytes: Uint8Array): boolean {
    const connection = this.#connection;
    if (connection === null || !this.opened || this.over) return false;
    if (bytes.length > this.maxDatagramBytes || connection.isDgramSendQueueFull()) return false;
    try {
      connection.dgramSend(bytes);
    } catch {
      return false;
    }
    this.#ack.wrote();
    this.#owner.dirty(this);
    return true;
  }

  wake(): void {
    this.#owner.dirty(this);
  }

  expectReset(token: Uint8Array): void {
    this.expectedReset = token;
  }

  close(code: CloseCode, reason: string): void {
    if (this.over) return;
    this.events = null;
    const connection = this.#connection;
    if (connection !== null) {
      try {
        connection.close(true, code, Buffer.from(reason.slice(0, 200)));
      } catch {
        // It is closed already.
      }
      this.#transmit(connection);
    }
    this.#end();
  }

  // What the carrier brings

  receive(packet: Uint8Array): void {
    const connection = this.#connection;
    if (connection === null || this.over || this.#broken !== null) return;
    const opened = this.opened || connection.isEstablished();
    const excess = this.#meaning.packet(packet.length, opened);
    if (excess !== null) {
      this.#exceeded(excess);
      return;
    }
    try {
      connection.recv(packet, this.#info as Parameters<QuicheConnection["recv"]>[1]);
      this.heardMs = performance.now();
      this.#ack.received(packet.length);
      this.#active = true;
      this.#path.heard();
    } catch (error) {
      // A damaged or forged packet changes nothing; a failed handshake does.
      if (!this.opened) this.#handshakeError(connection, String(error));
    }
    this.#owner.dirty(this);
  }

  #exceeded(why: string): void {
    if (this.opened) {
      this.#break(why);
      this.#owner.dirty(this);
      return;
    }
    this.#owner.handshakeFailed(this, why);
    this.drop(why);
  }

  /**
   * Reads, lets the session write, and sends.
   * @param most bytes of messages that are read: the rest is for another turn.
   * @returns how many were read.
   */
  process(most: number): number {
    const connection = this.#connection;
    if (connection === null || this.over) return 0;
    if (!this.opened && connection.isEstablished()) this.#open(connection);
    let read = false;
    let bytes = 0;
    if (this.opened && !this.over) {
      read = this.#reader.atOnce(connection);
      // What came before its end is all read now.
      const ends = connection.isClosed() || connection.isDraining();
      const room = ends ? Number.POSITIVE_INFINITY : most;
      bytes = this.#reader.messages(connection, room);
      if (bytes >= room) this.#owner.dirty(this);
      if (!this.over && !connection.isClosed()) this.events?.writable();
    }
    if (!this.over) this.#afterReading(connection, read || bytes > 0);
    return bytes;
  }

  #afterReading(connection: QuicheConnection, read: boolean): void {
    if (this.#broken !== null || !this.#ack.mayWait(read)) this.#transmit(connection);
    if (this.#broken !== null) this.#finish(null, this.#broken);
    else if (connection.isClosed() || connection.isDraining()) this.#finish(...endOf(connection));
    else this.#schedule(connection);
  }

  timeout(): void {
    const connection = this.#connection;
    if (connection === null || this.over) return;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    if (performance.now() >= this.#quicheMs) {
      connection.onTimeout();
      if (this.opened && this.#path.timedOut()) this.shrink();
    }
    // What waited to be acknowledged goes too.
    this.#ack.wrote();
    this.#owner.dirty(this);
  }

  /** The other side has restarted and knows nothing of this connection. */
  reset(): void {
    this.#finish(null, "it has restarted");
  }

  /** Ends it without a word, for a handshake that takes too long. */
  drop(why: string): void {
    this.#finish(null, why);
  }

  /** Called every second. @returns whether the length of packets has changed. */
  checkPath(): boolean {
    const connection = this.#connection;
    if (connection === null || !this.opened) return false;
    if (!this.#active && !this.#path.waits) return false;
    this.#active = false;
    this.#checkStreams(connection);
    const stats = connection.pathStats()[0];
    if (stats === undefined) return false;
    if (stats.rtt > lateRttMs && this.#searches > 0) this.#search(connection);
    return this.#path.look(stats, performance.now());
  }

  /**
   * The last packet of what was written is missed by quiche after a round trip or more, as it believes
   * it to be. That of a packet before is seen when three later ones have arrived: here they are.
   */
  #search(connection: QuicheConnection): void {
    this.#searches--;
    for (let packets = 0; packets < searchPackets; packets++) {
      connection.sendAckEliciting();
      this.#transmit(connection);
    }
  }

  /** What comes on a stream without a meaning is never read; the window of one bounds it. */
  #checkStreams(connection: QuicheConnection): void {
    if (!connection.isReadable()) return;
    for (const stream of connection.readable()) {
      if (this.#inStreams.includes(stream)) continue;
      this.#break("it opened a stream that has no meaning");
      this.#owner.dirty(this);
      return;
    }
  }

  /** Packets are too long for the path. */
  shrink(): void {
    if (!this.#path.shrink(performance.now())) return;
    const most = this.maxDatagramBytes;
    try {
      this.#connection?.dgramPurgeOutgoing((bytes) => bytes.length > most);
    } catch {
      // Nothing to purge.
    }
    this.#owner.dirty(this);
  }

  #open(connection: QuicheConnection): void {
    const der = connection.peerCertChain()?.[0];
    this.opened = true;
    this.certificate = der === undefined ? null : parseCertificate(der);
    this.#path.begin(connection.maxSendUdpPayloadSize());
    this.#owner.established(this);
    if (this.over) return;
    for (const stream of this.#outStreams) {
      // Shared lanes are opened by the side that dialled.
      const shared = (stream & 2) === 0;
      if (!shared || this.dialled) connection.streamSend(stream, emptyFrame, false);
    }
    this.events?.opened();
  }

  #sink(): LaneSink {
    const ended = (): boolean => this.over || this.#broken !== null;
    return {
      get ended() {
        return ended();
      },
      data: (lane, bytes) => this.events?.data(lane, bytes),
      datagram: (bytes) => this.events?.datagramReceived(bytes),
      broke: (why) => this.#break(why),
    };
  }

  #break(why: string): void {
    this.#broken = why;
    try {
      this.#connection?.close(true, 1, Buffer.from(why));
    } catch {
      // It is closed already.
    }
  }

  /** Sends what there is; if that is much, the rest in the next turn. */
  #transmit(connection: QuicheConnection): void {
    this.#active = true;
    this.#ack.sent();
    for (let bytes = 0; bytes < maxBurstBytes; ) {
      const buffer = this.#owner.packetBuffer(Math.max(this.packetBytes, minInitialBytes));
      let sent: ReturnType<QuicheConnection["send"]>;
      try {
        sent = connection.send(buffer);
      } catch {
        return;
      }
      if (sent === null) return;
      this.#owner.sendPacket(this, sent[0]);
      bytes += sent[0];
    }
    this.#ack.wrote();
    this.#owner.dirty(this);
  }

  #schedule(connection: QuicheConnection): void {
    const ms = connection.timeout();
    this.#quicheMs = ms === null ? Number.POSITIVE_INFINITY : performance.now() + ms;
    this.deadlineMs = Math.min(this.#quicheMs, this.#ack.dueMs);
  }

  #handshakeError(connection: QuicheConnection, thrown: string): void {
    const local = connection.localError();
    if (local === null && connection.peerError() === null) {
      // Not one packet of a stranger made sense.
      if (!this.dialled) this.#failed = true;
      if (!this.dialled) this.#finish(null, thrown);
      return;
    }
    if (local === null || this.#failed) return;
    this.#failed = true;
    this.#owner.handshakeFailed(this, describeError(local, "ours"));
  }

  #finish(code: number | null, reason: string): void {
    if (this.over) return;
    this.#end();
    const { events } = this;
    this.events = null;
    events?.closed(code, reason);
  }

  #end(): void {
    this.over = true;
    this.deadlineMs = Number.POSITIVE_INFINITY;
    this.#connection = null;
    this.#owner.ended(this);
  }
}

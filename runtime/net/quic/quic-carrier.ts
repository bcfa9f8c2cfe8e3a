/**
 * All QUIC connections of a node over one UDP socket: finds the connection of a packet, makes new
 * ones, keeps strangers at a distance, and drives quiche's clocks. Packets are handled as they come;
 * what is to be sent is gathered until the event loop has read all that was waiting.
 */
import { Buffer } from "node:buffer";
import { createSocket } from "node:dgram";
import type { RemoteInfo, Socket } from "node:dgram";
import { isIPv4, isIPv6 } from "node:net";
import { performance } from "node:perf_hooks";
import { native } from "@matrixai/quic";
import { formatHostPort, unmapped } from "../address.ts";
import type { Credentials } from "../credentials.ts";
import { Door } from "../door.ts";
import { Contention } from "../contention.ts";
import { helloTimeoutMs, maxHandshakes, retryFromHandshakes } from "../limits.ts";
import type { CarrierOwner, PipeEvents } from "../pipe.ts";
import type { RotatingCarrier } from "../node-transport.ts";
import { dialledId, hintedBytes, keyOf, randomId } from "./connection-id.ts";
import { connectionIdBytes, formOf, maxPacketBytes, minInitialBytes } from "./packets.ts";
import { PacketBuffers } from "./packet-buffers.ts";
import { PathProbes } from "./path-probe.ts";
import { makeConfig, setPacketBytes } from "./quic-config.ts";
import type { QuicheConfig } from "./quic-config.ts";
import { QuicPipe } from "./quic-pipe.ts";
import type { QuicPipeOwner } from "./quic-pipe.ts";
import { ReadBudget } from "./read-budget.ts";
import { RetryTokens } from "./retry-token.ts";
import { endsInToken, StatelessResets } from "./stateless-reset.ts";

const { quiche } = native;

/** The kernel's buffers: a burst of long packets fits (the system may allow less). */
const socketBufferBytes = 4 * 1024 * 1024;
/** Packets that wait for the kernel; past it, connections wait too. */
const maxSendQueueBytes = 4 * 1024 * 1024;
/** Connections that ended lately: their stragglers are no strangers. */
const maxEnded = 4096;

type Header = ReturnType<typeof quiche.Header.fromSlice>;

export class QuicCarrier implements RotatingCarrier, QuicPipeOwner {
  readonly kind = "quic";
  readonly contention = new Contention();
  readonly traffic = { bytesSent: 0, bytesReceived: 0 };
  readonly #socket: Socket;
  readonly #owner: CarrierOwner;
  readonly #local: { readonly host: string; readonly port: number };
  readonly #v6: boolean;
  #config: QuicheConfig;
  #resets: StatelessResets;
  readonly #tokens = new RetryTokens();
  readonly #door = new Door();
  readonly #probes: PathProbes;
  readonly #maxBytes: number;
  /** By each connection id that it answers to. */
  readonly #pipes = new Map<string, QuicPipe>();
  /** By where its packets come from, for resets. */
  readonly #byRemote = new Map<string, Set<QuicPipe>>();
  readonly #keys = new Map<QuicPipe, string[]>();
  readonly #handshakes = new Set<QuicPipe>();
  readonly #ended = new Set<string>();
  readonly #budget = new ReadBudget();
  #dirty = new Set<QuicPipe>();
  #flushing: NodeJS.Immediate | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerMs = Number.POSITIVE_INFINITY;
  /** For whom the timer was set. */
  #timerFor: QuicPipe | null = null;
  readonly #buffers = new PacketBuffers((error) => this.#notSent(error));
  #closed = false;

  constructor(socket: Socket, owner: CarrierOwner, credentials: Credentials, maxBytes: number) {
    this.#socket = socket;
    this.#owner = owner;
    const { address, port } = socket.address();
    this.#v6 = isIPv6(address);
    this.#local = { host: address, port };
    this.#config = makeConfig(credentials);
    this.#resets = new StatelessResets(credentials.tls.key);
    this.#maxBytes = Math.min(Math.max(maxBytes, minInitialBytes), maxPacketBytes);
    this.#probes = new PathProbes(this.#maxBytes, (packet, ip, to) => this.#send(packet, ip, to));
    socket.on("message", (packet, from) => this.#packet(packet, from));
    socket.on("error", (error) =>
      this.#owner.rejected(formatHostPort(address, port), String(error)),
    );
  }

  /** @throws Error of the system when the address cannot be used. */
  static async listen(
    host: string,
    port: number,
    owner: CarrierOwner,
    credentials: Credentials,
    maxBytes = maxPacketBytes,
  ): Promise<QuicCarrier> {
    const socket = createSocket({
      type: isIPv6(host) ? "udp6" : "udp4",
      recvBufferSize: socketBufferBytes,
      sendBufferSize: socketBufferBytes,
      // Addresses are resolved before; the socket's own way costs a turn of the event loop a packet.
      lookup: (ip, _options, found) => found(null, ip, isIPv6(ip) ? 6 : 4),
    });
    await new Promise<void>((resolve, reject) => {
      socket.once("error", reject);
      socket.bind({ address: host, port, exclusive: true }, () => {
        socket.off("error", reject);
        resolve();
      });
    });
    return new QuicCarrier(socket, owner, credentials, maxBytes);
  }

  get port(): number {
    return this.#local.port;
  }

  rotate(credentials: Credentials): void {
    this.#config = makeConfig(credentials);
    this.#resets = new StatelessResets(credentials.tls.key);
  }

  dial(ip: string, port: number, events: PipeEvents): QuicPipe {
    const pipe = new QuicPipe(this, this.#dialable(ip), port, events);
    this.#keys.set(pipe, []);
    const known = this.#probes.known(pipe.ip, performance.now());
    const begin = (packetBytes: number): void => {
      if (pipe.over || this.#closed) return;
      this.#connect(pipe, packetBytes);
    };
    if (!this.#v6 && !isIPv4(ip)) {
      setImmediate(() => pipe.drop("this node listens on IPv4, which does not reach it"));
    } else if (known !== null) {
      setImmediate(begin, known);
    } else {
      // The answer may be at hand, and the caller does not expect it before this call has returned.
      setImmediate(() => this.#probes.measure(pipe.ip, port, performance.now(), begin));
    }
    return pipe;
  }

  look(): void {
    const now = performance.now();
    for (const pipe of this.#handshakes) {
      if (now - pipe.startedMs > helloTimeoutMs) pipe.drop("its handshake took too long");
    }
    for (const pipe of this.#keys.keys()) {
      pipe.checkPath();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#flushing !== null) clearImmediate(this.#flushing);
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const pipe of this.#keys.keys()) pipe.drop("the node stops");
    // Packets handed to the socket in this turn leave it in the next.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
    await new Promise<void>((resolve) => {
      this.#socket.close(() => resolve());
    });
  }

  // What pipes ask

  dirty(pipe: QuicPipe): void {
    this.#dirty.add(pipe);
    this.#flushing ??= setImmediate(() => this.#flush());
  }

  established(pipe: QuicPipe): void {
    this.#shook(pipe);
    if (pipe.dialled) return;
    const events = this.#owner.accepted(pipe);
    if (events === null) pipe.close(1, "too many connections");
    else pipe.events = events;
  }

  /** Its handshake is over, one way or the other. */
  #shook(pipe: QuicPipe): void {
    if (this.#handshakes.delete(pipe)) this.#door.end(pipe.ip);
  }

  handshakeFailed(pipe: QuicPipe, why: string): void {
    this.#owner.handshakeRefused(pipe.remote, why);
  }

  ended(pipe: QuicPipe): void {
    this.#shook(pipe);
    this.#dirty.delete(pipe);
    for (const key of this.#keys.get(pipe) ?? []) {
      this.#pipes.delete(key);
      if (this.#ended.size >= maxEnded) this.#ended.clear();
      this.#ended.add(key);
    }
    this.#keys.delete(pipe);
    const there = this.#byRemote.get(pipe.remote);
    there?.delete(pipe);
    if (there?.size === 0) this.#byRemote.delete(pipe.remote);
  }

  packetBuffer(bytes: number): Buffer {
    const slab = this.#buffers.room(bytes);
    return slab.bytes.subarray(slab.used, slab.used + bytes);
  }

  sendPacket(pipe: QuicPipe, bytes: number): void {
    const slab = this.#buffers.room(bytes);
    const at = slab.used;
    slab.used += bytes;
    slab.waiting++;
    this.traffic.bytesSent += bytes;
    this.#socket.send(slab.bytes, at, bytes, pipe.port, pipe.ip, slab.taken);
  }

  /** Most errors are as a lost packet, which is sent again; one tells that packets are too long. */
  #notSent(
    error: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number },
  ): void {
    if (error.code !== "EMSGSIZE" || error.address === undefined) return;
    const remote = formatHostPort(unmapped(error.address), error.port ?? 0);
    for (const pipe of this.#byRemote.get(remote) ?? []) pipe.shrink();
  }

  resetTokenOf(connectionId: Uint8Array): Uint8Array {
    return this.#resets.tokenOf(connectionId);
  }

  // Packets

  #packet(packet: Buffer, from: RemoteInfo): void {
    this.traffic.bytesReceived += packet.length;
    this.#budget.packet();
    switch (formOf(packet)) {
      case "short": {
        const pipe = this.#pipes.get(packet.toString("latin1", 1, 1 + connectionIdBytes));
        if (pipe !== undefined) pipe.receive(packet);
        else this.#stray(packet, from);
        return;
      }
      case "long":
        this.#long(packet, from);
        return;
      default:
        if (this.#probes.received(packet, from.address, from.port, performance.now())) return;
        this.#garbage(from);
    }
  }

  #long(packet: Buffer, from: RemoteInfo): void {
    let header: Header;
    try {
      header = quiche.Header.fromSlice(packet, connectionIdBytes);
    } catch {
      this.#garbage(from);
      return;
    }
    const key = keyOf(header.dcid);
    const pipe = this.#pipes.get(key);
    if (pipe !== undefined) {
      pipe.receive(packet);
      return;
    }
    if (this.#ended.has(key)) return;
    const ours = quiche.versionIsSupported(header.version);
    if (ours && header.ty === quiche.Type.Handshake) {
      this.#owner.stray();
      return;
    }
    const initial = ours && header.ty === quiche.Type.Initial;
    if (!initial || packet.length < minInitialBytes || header.dcid.length < connectionIdBytes) {
      this.#garbage(from);
      return;
    }
    this.#stranger(header, packet, from);
  }

  #garbage(from: RemoteInfo): void {
    this.#owner.rejected(formatHostPort(unmapped(from.address), from.port), "not a packet of ours");
  }

  /** A short packet of no connection: one that its peer forgot, or that ours told us is forgotten. */
  #stray(packet: Buffer, from: RemoteInfo): void {
    const remote = formatHostPort(unmapped(from.address), from.port);
    for (const pipe of this.#byRemote.get(remote) ?? []) {
      if (!endsInToken(packet, pipe.expectedReset)) continue;
      pipe.reset();
      return;
    }
    const now = performance.now();
    const reset = this.#resets.answer(packet, now);
    if (reset !== null) this.#send(reset, from.address, from.port);
    if (!this.#ended.has(packet.toString("latin1", 1, 1 + connectionIdBytes))) {
      this.#owner.stray();
    }
  }

  /** Somebody wants to connect. */
  #stranger(header: Header, packet: Buffer, from: RemoteInfo): void {
    const source = formatHostPort(unmapped(from.address), from.port);
    const now = performance.now();
    const hasToken = header.token !== undefined && header.token.length > 0;
    let firstId: Uint8Array | null = null;
    if (hasToken) {
      firstId = this.#tokens.check(source, header.token as Uint8Array, now);
      if (firstId === null || header.dcid.length !== connectionIdBytes) {
        this.#owner.handshakeRefused(source, "its token is not one of ours");
        return;
      }
    } else if (this.#handshakes.size >= retryFromHandshakes) {
      this.#retry(header, source, from, now);
      return;
    }
    if (this.#handshakes.size >= maxHandshakes) {
      this.#owner.handshakeRefused(source, "too many handshakes at once");
      return;
    }
    const why = this.#door.refusal(from.address, now);
    if (why !== null) {
      this.#owner.handshakeRefused(source, why);
      return;
    }
    this.#accept(header, firstId, packet, from);
  }

  #accept(header: Header, firstId: Uint8Array | null, packet: Buffer, from: RemoteInfo): void {
    const id = firstId === null ? randomId() : Uint8Array.from(header.dcid);
    const pipe = new QuicPipe(this, from.address, from.port, null);
    const sent = Math.min(hintedBytes(header.scid), this.#maxBytes);
    setPacketBytes(this.#config, sent, this.#maxBytes);
    const remote = { host: from.address, port: from.port };
    const connection = quiche.Connection.accept(id, firstId, this.#local, remote, this.#config);
    this.#add(pipe, id);
    // Until the answer arrives there, packets come to the id that the other side chose.
    if (firstId === null) this.#add(pipe, header.dcid);
    this.#handshakes.add(pipe);
    this.#door.begin(pipe.ip);
    pipe.begin(connection, id, this.#local);
    pipe.receive(packet);
  }

  #retry(header: Header, source: string, from: RemoteInfo, now: number): void {
    const token = this.#tokens.make(source, header.dcid, now);
    const out = Buffer.allocUnsafe(minInitialBytes);
    const id = randomId();
    const bytes = quiche.retry(header.scid, header.dcid, id, token, header.version, out);
    this.#send(out.subarray(0, bytes), from.address, from.port);
  }

  #connect(pipe: QuicPipe, carried: number): void {
    const packetBytes = Math.min(carried, this.#maxBytes);
    setPacketBytes(this.#config, packetBytes, packetBytes);
    const id = dialledId(packetBytes);
    const remote = { host: pipe.ip, port: pipe.port };
    this.#add(pipe, id);
    const connection = quiche.Connection.connect(null, id, this.#local, remote, this.#config);
    pipe.begin(connection, id, this.#local);
  }

  #add(pipe: QuicPipe, id: Uint8Array): void {
    const key = keyOf(id);
    this.#pipes.set(key, pipe);
    const keys = this.#keys.get(pipe);
    if (keys === undefined) this.#keys.set(pipe, [key]);
    else keys.push(key);
    const there = this.#byRemote.get(pipe.remote);
    if (there === undefined) this.#byRemote.set(pipe.remote, new Set([pipe]));
    else there.add(pipe);
  }

  /** As the socket's own family writes it. */
  #dialable(ip: string): string {
    return this.#v6 && isIPv4(ip) ? `::ffff:${ip}` : ip;
  }

  #send(bytes: Uint8Array, ip: string, port: number): void {
    if (this.#closed) return;
    this.traffic.bytesSent += bytes.length;
    this.#socket.send(bytes, 0, bytes.length, port, ip, () => undefined);
  }

  // Time

  #flush(): void {
    this.#flushing = null;
    const pipes = this.#dirty;
    this.#dirty = new Set();
    if (this.#socket.getSendQueueSize() > maxSendQueueBytes) {
      // The kernel has enough for now.
      for (const pipe of pipes) this.#dirty.add(pipe);
      setTimeout(() => {
        this.#flushing ??= setImmediate(() => this.#flush());
      }, 1);
      return;
    }
    let left = this.#budget.turn(this.#owner.behind);
    const served: QuicPipe[] = [];
    for (const pipe of pipes) {
      const bytes = pipe.process(left);
      left -= bytes;
      if (bytes > 0 && this.#dirty.delete(pipe)) served.push(pipe);
      if (pipe.deadlineMs < this.#timerMs) this.#arm(pipe);
    }
    // Behind those that were not read in this turn.
    for (const pipe of served) this.#dirty.add(pipe);
    // What was waited for has come: no need to wake up for it.
    const waits = this.#timerFor;
    if (waits !== null && waits.deadlineMs > this.#timerMs) this.#armNext();
  }

  #armNext(): void {
    let next: QuicPipe | null = null;
    for (const pipe of this.#keys.keys()) {
      if (pipe.deadlineMs < (next?.deadlineMs ?? Number.POSITIVE_INFINITY)) next = pipe;
    }
    if (next !== null) this.#arm(next);
  }

  #arm(pipe: QuicPipe): void {
    if (this.#closed) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const { deadlineMs } = pipe;
    this.#timerMs = deadlineMs;
    this.#timerFor = pipe;
    const now = performance.now();
    const ms = Math.min(Math.max(1, Math.ceil(deadlineMs - now)), 0x7fff_ffff);
    this.#timer = setTimeout(() => this.#due(now + ms), ms);
  }

  #due(setForMs: number): void {
    this.#timer = null;
    this.#timerMs = Number.POSITIVE_INFINITY;
    this.#timerFor = null;
    const now = performance.now();
    this.contention.late(Math.max(0, now - setForMs));
    for (const pipe of this.#keys.keys()) if (pipe.deadlineMs <= now) pipe.timeout();
    this.#armNext();
  }
}

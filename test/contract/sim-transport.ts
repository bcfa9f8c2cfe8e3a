/**
 * The Transport port over the simulated network: what `sim/network` does to messages, behind the
 * promises that hosts rely on. Long messages travel in pieces with so many bytes under way, as streams
 * do. Virtual time passes as fast as there is something to do.
 */
import { assert } from "../../core/base/assert.ts";
import type { Address } from "../../core/base/ids.ts";
import type { Plane } from "../../core/node/event.ts";
import { parseHostPort } from "../../runtime/net/address.ts";
import { maxQueuedBytes } from "../../runtime/net/limits.ts";
import type {
  Channel,
  Transport,
  TransportEvents,
  TransportOptions,
  TransportStats,
} from "../../runtime/net/transport.ts";
import { evArrive, evRtt, evUnreachable } from "../../sim/event-kinds.ts";
import { Kernel } from "../../sim/kernel.ts";
import { createLatencyModel } from "../../sim/network/latency.ts";
import { Network } from "../../sim/network/network.ts";
import { type Packet, planeIndex } from "../../sim/network/packet.ts";
import { createRng } from "../../sim/rng.ts";

const channels: readonly Channel[] = ["swim", "gossip", "sync", "host"];
/** What travels as one message of the simulated network. */
const pieceBytes = 64 * 1024;
/** Under way to one peer. */
const windowBytes = 1024 * 1024;
/** Channel, and whether the message ends here. */
const pieceHead = 2;
const eventsPerTurn = 500;
const firstPort = 40_000;

export class SimWorld {
  readonly kernel = new Kernel();
  readonly network: Network;
  /** By number; those that are closed too. */
  readonly #nodes: SimTransport[] = [];
  #pumping = false;

  constructor(seed: string) {
    const latency = createLatencyModel({ min: 1, max: 10 }, () => 0);
    const config = { loss: 0, duplicate: 0, corrupt: 0, bytesPerSec: 0 };
    this.network = new Network(this.kernel, config, latency, createRng(seed), {
      bootOf: (n) => (this.#nodes[n]?.closed === false ? 1 : -1),
      sent: () => {},
      arrived: (packet) => this.#nodes[packet.to]?.arrived(packet),
      dropped: () => {},
      unreachable: (from, to, plane) => this.#nodes[from]?.lost(this.at(to), plane),
    });
  }

  open(options: TransportOptions): Promise<Transport> {
    const port = Number(options.listen.split(":")[1]) || firstPort + this.#nodes.length;
    const address = `127.0.0.1:${port}` as Address;
    const node = new SimTransport(this, this.#nodes.length, options.advertise ?? address, options);
    this.#nodes.push(node);
    return Promise.resolve(node);
  }

  at(n: number): SimTransport {
    const node = this.#nodes[n];
    assert(node !== undefined, "nodes are known by their number");
    return node;
  }

  /** The newest node of an address; names are this machine's. Undefined: there was never one. */
  find(to: Address): SimTransport | undefined {
    const parts = parseHostPort(to);
    if (parts === null || !/^(127\.0\.0\.1|localhost)$/.test(parts.host)) return undefined;
    return this.#nodes.findLast(({ address }) => address === `127.0.0.1:${parts.port}`);
  }

  /** Lets virtual time pass until nothing is due any more. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    setImmediate(() => {
      this.#pumping = false;
      for (let i = 0; i < eventsPerTurn && this.kernel.take(Number.MAX_SAFE_INTEGER); i++) {
        const { kind, a, b, c, ref } = this.kernel;
        if (kind === evArrive) this.network.arrive(ref as Packet);
        else if (kind === evUnreachable) this.network.giveUp(b, a, c);
        else if (kind === evRtt) this.at(a).roundTrip(this.at(ref as number).address, b / 1000);
      }
      if (this.kernel.pending > 0) this.pump();
    });
  }

  /** A node has closed: who talked to it knows. */
  closed(node: SimTransport): void {
    for (const other of this.#nodes) if (other !== node) other.left(node.address);
  }
}

interface Peer {
  readonly queue: { readonly channel: Channel; readonly bytes: Uint8Array; at: number }[];
  /** Bytes of messages in the queue that were not sent yet, and bytes that have not arrived. */
  queued: number;
  underWay: number;
  connected: boolean;
  overflowing: boolean;
  /** Channels that carried something since the last loss. */
  readonly used: Set<Channel>;
  /** Pieces of messages that have not come whole. */
  readonly partial: Map<Channel, Uint8Array[]>;
}

class SimTransport implements Transport {
  readonly listening: Address;
  readonly address: Address;
  closed = false;
  readonly #world: SimWorld;
  readonly #number: number;
  readonly #clusterId: number;
  readonly #events: TransportEvents;
  readonly #peers = new Map<Address, Peer>();
  #closing: (() => void) | null = null;
  readonly #counts = {
    handshakes: 0,
    handshakesRefused: 0,
    datagramsSent: 0,
    datagramsDropped: 0,
    rejected: 0,
    bytesSent: 0,
    bytesReceived: 0,
  };

  constructor(world: SimWorld, number: number, address: Address, options: TransportOptions) {
    this.#world = world;
    this.#number = number;
    this.address = address;
    this.listening = address;
    this.#clusterId = options.clusterId;
    this.#events = options.events;
  }

  send(to: Address, channel: Channel, reliable: boolean, bytes: Uint8Array): void {
    const node = this.#world.find(to);
    if (this.#closing !== null || this.closed) this.#tell(to, [channel], "this node stops");
    else if (node === undefined) this.#tell(to, [channel], "there is nobody of this name");
    else if (node === this) this.#tell(to, [channel], "it is this very node");
    else if (!reliable) this.#datagram(node, channel, bytes);
    else this.#queue(node, channel, bytes);
  }

  #queue(node: SimTransport, channel: Channel, bytes: Uint8Array): void {
    const peer = this.#peer(node.address);
    if (peer.queued > 0 && peer.queued + bytes.length > maxQueuedBytes) {
      if (peer.overflowing) return;
      peer.overflowing = true;
      this.#tell(node.address, [channel], "too many bytes wait for it");
      return;
    }
    peer.queue.push({ channel, bytes, at: 0 });
    peer.queued += bytes.length;
    this.#fill(node, peer);
  }

  #fill(node: SimTransport, peer: Peer): void {
    for (let first = peer.queue[0]; first !== undefined; first = peer.queue[0]) {
      if (peer.underWay >= windowBytes) return;
      const { channel, bytes, at } = first;
      const end = Math.min(bytes.length, at + pieceBytes);
      const piece = new Uint8Array(pieceHead + end - at);
      piece.set([channels.indexOf(channel), end === bytes.length ? 1 : 0]);
      piece.set(bytes.subarray(at, end), pieceHead);
      first.at = end;
      peer.queued -= end - at;
      peer.underWay += end - at;
      if (end === bytes.length) peer.queue.shift();
      peer.used.add(channel);
      this.#put(node, channel, true, piece);
    }
  }

  #datagram(node: SimTransport, channel: Channel, bytes: Uint8Array): void {
    const datagram = new Uint8Array(pieceHead + bytes.length);
    datagram.set([channels.indexOf(channel), 1]);
    datagram.set(bytes, pieceHead);
    this.#counts.datagramsSent++;
    this.#put(node, channel, false, datagram);
  }

  #put(node: SimTransport, channel: Channel, reliable: boolean, bytes: Uint8Array): void {
    const { network, kernel } = this.#world;
    this.#counts.bytesSent += bytes.length;
    const plane = planeIndex[planeOf(channel)];
    network.send(this.#number, node.#number, plane, reliable, "piece", bytes, kernel.nowUs);
    this.#world.pump();
  }

  arrived({ from, reliable, bytes }: Packet): void {
    const sender = this.#world.at(from);
    this.#counts.bytesReceived += bytes.length;
    if (sender.#clusterId !== this.#clusterId) {
      this.#refuse(sender);
      return;
    }
    const peer = this.#meet(sender.address);
    const channel = channels[bytes[0] as number] as Channel;
    const piece = bytes.slice(pieceHead);
    if (!reliable) {
      this.#deliver(sender, channel, piece);
      return;
    }
    const parts = peer.partial.get(channel) ?? [];
    parts.push(piece);
    peer.partial.set(channel, parts);
    if (bytes[1] === 1) {
      peer.partial.delete(channel);
      this.#deliver(sender, channel, parts.length === 1 ? piece : Buffer.concat(parts));
    }
    sender.#acknowledged(this, piece.length);
  }

  #refuse(sender: SimTransport): void {
    const why = `it belongs to the cluster with id ${sender.#clusterId}, this node to ${this.#clusterId}`;
    this.#counts.handshakesRefused++;
    this.#counts.rejected++;
    this.#events.rejected(sender.address, why);
    sender.#drop(this.address, `it turned this node away: another cluster than its own`);
  }

  #deliver(sender: SimTransport, channel: Channel, bytes: Uint8Array): void {
    this.#events.message({ address: sender.address, name: null }, channel, bytes);
  }

  #acknowledged(by: SimTransport, bytes: number): void {
    const peer = this.#meet(by.address);
    peer.underWay -= bytes;
    if (peer.queued === 0) peer.overflowing = false;
    if (!by.closed && !this.closed) this.#fill(by, peer);
    this.#endIfQuiet();
  }

  /** A connection broke: what was under way or waits is lost. */
  lost(node: SimTransport, plane: number): void {
    const peer = this.#peers.get(node.address);
    const used = [...(peer?.used ?? [])].filter((one) => planeIndex[planeOf(one)] === plane);
    if (used.length > 0) this.#drop(node.address, "no answer");
  }

  #drop(address: Address, why: string): void {
    const peer = this.#peers.get(address);
    if (peer === undefined) return;
    const told = new Set([...peer.used, ...peer.queue.map(({ channel }) => channel)]);
    this.#peers.delete(address);
    this.#tell(address, [...told], why);
    this.#endIfQuiet();
  }

  /** A peer has closed in good order. */
  left(address: Address): void {
    const peer = this.#peers.get(address);
    if (peer === undefined) return;
    if (peer.underWay > 0 || peer.queue.length > 0) this.#drop(address, "it has closed");
    else this.#peers.delete(address);
  }

  roundTrip(peer: Address, ms: number): void {
    this.#events.rtt(peer, ms);
  }

  queuedBytes(to: Address): number {
    const peer = this.#peers.get(to);
    return peer === undefined ? 0 : peer.queued + peer.underWay;
  }

  rotate(): void {
    throw new Error("the simulated network has no certificates");
  }

  stats(): TransportStats {
    const peers = [...this.#peers.values()];
    return {
      kind: "plaintext",
      connections: peers.filter(({ connected }) => connected).length,
      connectionsOverTcp: 0,
      queuedBytes: peers.reduce((sum, { queued, underWay }) => sum + queued + underWay, 0),
      ...this.#counts,
    };
  }

  async close(graceMs: number): Promise<void> {
    if (this.closed) return;
    const quiet = new Promise<void>((resolve) => {
      this.#closing = resolve;
    });
    const grace = setTimeout(() => this.#closing?.(), graceMs);
    this.#endIfQuiet();
    await quiet;
    clearTimeout(grace);
    this.closed = true;
    this.#peers.clear();
    this.#world.closed(this);
  }

  #endIfQuiet(): void {
    const busy = [...this.#peers.values()].some(({ queued, underWay }) => queued + underWay > 0);
    if (!busy) this.#closing?.();
  }

  /** Both have heard of each other: from here on it counts as a connection. */
  #meet(address: Address): Peer {
    const peer = this.#peer(address);
    if (!peer.connected) {
      peer.connected = true;
      this.#counts.handshakes++;
      // A datagram of any length that the protocol makes passes.
      this.#events.datagramBytes(1200);
    }
    return peer;
  }

  #peer(address: Address): Peer {
    let peer = this.#peers.get(address);
    if (peer === undefined) {
      peer = {
        queue: [],
        queued: 0,
        underWay: 0,
        connected: false,
        overflowing: false,
        used: new Set(),
        partial: new Map(),
      };
      this.#peers.set(address, peer);
    }
    return peer;
  }

  /** Later, so that nobody is told before `send` has returned. */
  #tell(to: Address, about: readonly Channel[], why: string): void {
    setImmediate(() => {
      for (const channel of about) this.#events.unreachable(to, channel, why);
    });
  }
}

/** What hosts say beside the protocol shares a stream with repair. */
function planeOf(channel: Channel): Plane {
  return channel === "host" ? "sync" : channel;
}

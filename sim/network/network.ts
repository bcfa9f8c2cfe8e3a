/**
 * The simulated network. Datagrams may be lost, doubled, damaged, and overtake one another.
 * Reliable messages arrive whole and in order per link and plane, loss being delay; a partition or
 * a crash breaks their connection, and the sender is told after a time-out. Nothing arrives across
 * a cut that is in force when it is sent or when it would arrive.
 */
import { assert } from "../../core/base/assert.ts";
import type { Rng } from "../../core/base/rng.ts";
import { evArrive, evRtt, evUnreachable } from "../event-kinds.ts";
import type { Kernel } from "../kernel.ts";
import { type CutReason, Cuts } from "./cuts.ts";
import type { LatencyModel } from "./latency.ts";
import { Links } from "./links.ts";
import { Packet } from "./packet.ts";
import type { DropReason } from "./packet.ts";

export interface NetworkConfig {
  readonly loss: number;
  readonly duplicate: number;
  readonly corrupt: number;
  /** Per directed link; 0 is unlimited. */
  readonly bytesPerSec: number;
}

/** What the network asks of, and tells, those who own the nodes. */
export interface NetworkPort {
  /** The number of the node's present life, or −1 while it is down. */
  bootOf(node: number): number;
  sent(packet: Packet): void;
  arrived(packet: Packet): void;
  dropped(packet: Packet, why: DropReason): void;
  unreachable(from: number, to: number, plane: number): void;
}

/** How long a sender waits before it gives up a connection: a handshake with its retries. */
export const unreachableAfterUs = 2_000_000;
/** The first retransmission waits a round trip and the 25 ms for which an ack may be held back (RFC 9002, section 6.2). */
const ackDelayUs = 25_000;
/** Waits double (RFC 9002, section 6.2.1), here up to this… */
const maxRetransmissionWaitUs = 2_000_000;
/** …and a connection on which nothing gets through for this long is given up. */
const idleTimeoutUs = 10_000_000;
/** A stream's bytes travel in packets of this size, each of which may be lost. */
const packetBytes = 1200;
/** What a link's queue holds; more datagrams are dropped. A router's buffer. */
const maxQueuedDatagramBytes = 256 * 1024;
/** What may wait to be sent on a stream before its connection counts as stuck. */
const maxQueuedStreamBytes = 64 * 1024 * 1024;
/** How often a connection tells its round trip. */
const rttEveryUs = 5_000_000;

export class Network {
  readonly cuts = new Cuts();
  messages = 0;
  readonly #kernel: Kernel;
  readonly #config: NetworkConfig;
  readonly #latency: LatencyModel;
  readonly #port: NetworkPort;
  readonly #rng: Rng;
  /** Per sender, so that a node taken away shifts nothing at the others. */
  readonly #rngs: Rng[] = [];
  readonly #links = new Links();
  /** The chance that a stream message of so many packets needs a retransmission. */
  readonly #retransmitChance: number[] = [0];

  constructor(
    kernel: Kernel,
    config: NetworkConfig,
    latency: LatencyModel,
    rng: Rng,
    port: NetworkPort,
  ) {
    this.#kernel = kernel;
    this.#config = config;
    this.#latency = latency;
    this.#rng = rng;
    this.#port = port;
  }

  /** `departUs`: when the sender's handler is done; not before now. */
  send(
    from: number,
    to: number,
    plane: number,
    reliable: boolean,
    kind: string,
    bytes: Uint8Array,
    departUs: number,
  ): void {
    assert(from !== to, "a node sends to others");
    const now = this.#kernel.nowUs;
    const fromBoot = this.#port.bootOf(from);
    assert(fromBoot >= 0, "only a running node sends");
    const packet = new Packet(
      ++this.messages,
      from,
      to,
      plane,
      reliable,
      kind,
      bytes,
      now,
      fromBoot,
      this.#port.bootOf(to),
    );
    this.#port.sent(packet);
    const depart = departUs > now ? departUs : now;
    if (reliable) this.#sendReliable(packet, depart);
    else this.#sendDatagram(packet, depart);
  }

  /** A packet's time has come. */
  arrive(packet: Packet): void {
    const port = this.#port;
    const why = this.cutFor(packet);
    if (why !== null) {
      this.lose(packet, why);
      return;
    }
    // Packets are authenticated (RFC 9001, section 5.3): one that was damaged is thrown away below us.
    if (packet.corrupt) {
      port.dropped(packet, "corrupt");
      return;
    }
    const boot = port.bootOf(packet.to);
    if (boot < 0) {
      this.lose(packet, "dead");
      return;
    }
    if (packet.reliable && !this.#carried(packet, boot)) return;
    port.arrived(packet);
  }

  /** Why a packet cannot get through at this moment. Acknowledgements come back the other way: a stream needs both. */
  cutFor(packet: Packet): CutReason | null {
    if (!this.cuts.active) return null;
    const { from, to } = packet;
    return this.cuts.between(from, to) ?? (packet.reliable ? this.cuts.between(to, from) : null);
  }

  /** A packet is lost on arrival; its connection, if it has one, breaks. */
  lose(packet: Packet, why: DropReason): void {
    this.#port.dropped(packet, why);
    const { link, plane } = packet;
    if (link >= 0 && this.#links.generation(link, plane) === packet.generation) {
      this.#break(link, plane, packet.fromBoot);
    }
  }

  /** Whether the connection that a reliable packet was sent on still stands. */
  #carried(packet: Packet, boot: number): boolean {
    const { link } = packet;
    if (this.#links.generation(link, packet.plane) !== packet.generation) {
      this.#port.dropped(packet, "cut");
      return false;
    }
    // The receiver of this connection is gone; or the sender is, and with it who would retransmit.
    const orphaned = packet.retransmitted && this.#port.bootOf(packet.from) !== packet.fromBoot;
    if (boot !== packet.toBoot || orphaned) {
      this.lose(packet, "dead");
      return false;
    }
    const now = this.#kernel.nowUs;
    if (now >= this.#links.nextRttUs(link) && !packet.retransmitted) {
      this.#links.setNextRttUs(link, now + rttEveryUs);
      const backUs = this.#latency.typicalUs(packet.to, packet.from);
      this.#kernel.schedule(
        now + backUs,
        evRtt,
        packet.from,
        now - packet.sentUs + backUs,
        packet.fromBoot,
        packet.to,
      );
    }
    return true;
  }

  #sendDatagram(packet: Packet, departUs: number): void {
    const { from, to } = packet;
    const config = this.#config;
    const rng = this.#rngOf(from);
    let loss = config.loss;
    if (this.cuts.active) {
      const why = this.cutFor(packet);
      if (why !== null) {
        this.#port.dropped(packet, why);
        return;
      }
      const worse = this.cuts.loss(from, to);
      if (worse > 0) loss = 1 - (1 - loss) * (1 - worse);
    }
    if (loss > 0 && rng.unit() < loss) {
      this.#port.dropped(packet, "loss");
      return;
    }
    let leaves = departUs;
    if (config.bytesPerSec > 0) {
      leaves = this.#transmit(packet, departUs, maxQueuedDatagramBytes);
      if (leaves < 0) {
        this.#port.dropped(packet, "overflow");
        return;
      }
    }
    if (config.corrupt > 0 && rng.unit() < config.corrupt) packet.corrupt = true;
    this.#kernel.schedule(leaves + this.#delayUs(from, to, rng), evArrive, to, 0, 0, packet);
    if (config.duplicate > 0 && rng.unit() < config.duplicate) {
      this.#kernel.schedule(leaves + this.#delayUs(from, to, rng), evArrive, to, 0, 0, packet);
    }
  }

  #sendReliable(packet: Packet, departUs: number): void {
    const { from, to, plane } = packet;
    const link = this.#links.find(from, to);
    packet.link = link;
    packet.generation = this.#links.generation(link, plane);
    let loss = this.#config.loss;
    if (this.cuts.active) {
      const why = this.cutFor(packet);
      if (why !== null) {
        this.lose(packet, why);
        return;
      }
      const worse = this.cuts.loss(from, to);
      if (worse > 0) loss = 1 - (1 - loss) * (1 - worse);
    }
    const rng = this.#rngOf(from);
    let leaves = departUs;
    if (this.#config.bytesPerSec > 0) {
      leaves = this.#transmit(packet, departUs, maxQueuedStreamBytes);
      if (leaves < 0) {
        this.lose(packet, "overflow");
        return;
      }
    }
    const retransmissionUs = loss > 0 ? this.#retransmissionUs(packet, loss, rng) : 0;
    if (retransmissionUs < 0) {
      this.lose(packet, "loss");
      return;
    }
    if (retransmissionUs > 0) packet.retransmitted = true;
    const soonest = leaves + retransmissionUs + this.#delayUs(from, to, rng);
    const at = this.#links.arriveInOrder(link, plane, soonest);
    this.#kernel.schedule(at, evArrive, to, 0, 0, packet);
  }

  /** Extra delay by lost packets of a stream message; −1 if the connection gives up. */
  #retransmissionUs(packet: Packet, loss: number, rng: Rng): number {
    const packets = Math.ceil(packet.bytes.length / packetBytes);
    if (rng.unit() >= this.#chance(packets, loss)) return 0;
    let waitUs = 2 * this.#latency.typicalUs(packet.from, packet.to) + ackDelayUs;
    for (let totalUs = waitUs; totalUs <= idleTimeoutUs; totalUs += waitUs) {
      if (rng.unit() >= loss) return totalUs;
      waitUs = waitUs * 2 < maxRetransmissionWaitUs ? waitUs * 2 : maxRetransmissionWaitUs;
    }
    return -1;
  }

  /** 1 − (1 − loss)^packets; the network's own loss from a table. */
  #chance(packets: number, loss: number): number {
    const own = loss === this.#config.loss;
    const known = own ? this.#retransmitChance[packets] : undefined;
    if (known !== undefined) return known;
    let passes = 1;
    for (let i = 0; i < packets && passes > 1e-6; i++) passes *= 1 - loss;
    if (own) this.#retransmitChance[packets] = 1 - passes;
    return 1 - passes;
  }

  /** When the packet has left a link of limited bandwidth, or −1 if the queue before it is too long. */
  #transmit(packet: Packet, departUs: number, maxQueued: number): number {
    const bytesPerSec = this.#config.bytesPerSec;
    const link = this.#links.find(packet.from, packet.to);
    const start = Math.max(departUs, this.#links.freeAtUs(link));
    if ((start - departUs) * bytesPerSec > maxQueued * 1e6) return -1;
    const freeAtUs = start + (packet.bytes.length * 1e6) / bytesPerSec;
    this.#links.setFreeAtUs(link, freeAtUs);
    return freeAtUs;
  }

  #delayUs(from: number, to: number, rng: Rng): number {
    if (this.cuts.active) {
      const imposed = this.cuts.delayUs(from, to, rng);
      if (imposed >= 0) return imposed;
    }
    return this.#latency.sampleUs(from, to, rng);
  }

  /** What is under way on the connection is lost, and its sender learns of it in a while. */
  #break(link: number, plane: number, senderBoot: number): void {
    if (!this.#links.break(link, plane)) return;
    this.#kernel.schedule(
      this.#kernel.nowUs + unreachableAfterUs,
      evUnreachable,
      plane,
      link,
      senderBoot,
      null,
    );
  }

  /** A reliable message went where nobody is, or nobody listens. */
  sendNowhere(from: number, to: number, plane: number): void {
    this.#break(this.#links.find(from, to), plane, this.#port.bootOf(from));
  }

  /** The time-out after a broken connection has passed. */
  giveUp(link: number, plane: number, senderBoot: number): void {
    this.#links.givenUp(link, plane);
    const from = this.#links.fromOf(link);
    if (this.#port.bootOf(from) === senderBoot) {
      this.#port.unreachable(from, this.#links.toOf(link), plane);
    }
  }

  #rngOf(node: number): Rng {
    let rng = this.#rngs[node];
    if (rng === undefined) {
      rng = this.#rng.fork(String(node));
      this.#rngs[node] = rng;
    }
    return rng;
  }
}

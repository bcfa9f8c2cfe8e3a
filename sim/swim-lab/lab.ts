/**
 * A cluster of memberships alone, on the simulator's virtual time and network: what the figures of
 * `npm run bench swim` are measured on, and what the scenarios of `test/unit/swim` are played on.
 */
import { assert } from "../../core/base/assert.ts";
import { type Address, actorId, address, nodeId } from "../../core/base/ids.ts";
import type { Rng } from "../../core/base/rng.ts";
import type { Effect, Notice, Now } from "../../core/node/event.ts";
import { lanProfile, type SwimConfig } from "../../core/swim/config.ts";
import { timerOf, timerPeriod, timerProbe, timerSuspicion } from "../../core/swim/context.ts";
import { Directory } from "../../core/swim/directory.ts";
import type { Identity } from "../../core/swim/identity.ts";
import { Membership } from "../../core/swim/membership.ts";
import { evArrive, evTimer, evUnreachable } from "../event-kinds.ts";
import { Kernel } from "../kernel.ts";
import { createLatencyModel } from "../network/latency.ts";
import { Network } from "../network/network.ts";
import type { DropReason, Packet } from "../network/packet.ts";
import { createRng, randomHexId } from "../rng.ts";
import { Ledger } from "./ledger.ts";
import { Watch } from "./watch.ts";

export interface LabOptions {
  readonly seed: string;
  readonly nodes: number;
  readonly config?: SwimConfig;
  /** One-way delay, uniform. */
  readonly latencyMs?: { readonly min: number; readonly max: number };
  readonly loss?: number;
  readonly duplicate?: number;
  /** Check every change of every view; costs 13 bytes a pair of nodes. */
  readonly watch?: boolean;
  /** Every node knows all others from the beginning (default), or is alone until told to join. */
  readonly warm?: boolean;
}

/** The LAN in which the figures of other implementations were measured. */
export const lanLatencyMs = { min: 0.25, max: 0.75 };
export const wanLatencyMs = { min: 20, max: 150 };

const evAct = 100;

/** Datagrams that wait for a process that stands still: about what a socket buffer of 1 MiB holds. */
const maxHeld = 8192;

type Held = { readonly from: number; readonly bytes: Uint8Array } | { readonly token: number };

class LabNode {
  readonly index: number;
  identity: Identity;
  membership: Membership | null = null;
  /** −1 while down. */
  boot = -1;
  boots = 0;
  paused = false;
  blocked = false;
  /** Blocked, and whatever sends waits for its first message to leave. */
  stalls = false;
  /** The activities, one bit each, whose message waits to leave. */
  stuck = 0;
  readonly heldMessages: Held[] = [];
  readonly heldTimers: Held[] = [];
  readonly heldSends: Effect[] = [];

  constructor(index: number, identity: Identity) {
    this.index = index;
    this.identity = identity;
  }
}

/**
 * A period and the time-out of its probe are one activity; each other timer is one. A suspicion that
 * runs out is none: it only puts a death in its own list and leaves the telling to others.
 */
function activityOf(token: number): number {
  const timer = timerOf(token);
  if (timer === timerSuspicion) return 0;
  return 1 << (timer === timerProbe ? timerPeriod : timer);
}

export class SwimLab {
  readonly kernel = new Kernel();
  readonly network: Network;
  readonly directory = new Directory();
  readonly nodes: LabNode[] = [];
  readonly traffic = new Ledger();
  readonly watch: Watch | null;
  readonly config: SwimConfig;
  readonly rng: Rng;
  /** Called with every notice of every node. */
  onNotice: ((node: number, notice: Notice, nowMs: number) => void) | null = null;
  /** Called with every message sent. */
  onSend: ((packet: Packet) => void) | null = null;
  /** Called with every message lost. */
  onDrop: ((packet: Packet, why: DropReason) => void) | null = null;
  handled = 0;
  readonly #warm: boolean;
  readonly #out: Effect[] = [];
  readonly #index = new Map<Address, number>();
  // What every message asks of a node, side by side.
  readonly #boots: number[] = [];
  readonly #addresses: Address[] = [];
  readonly #now = { monoMs: 0, wallMs: 0 };
  #faults = 0;

  constructor(options: LabOptions) {
    this.rng = createRng(options.seed);
    this.config = options.config ?? lanProfile;
    this.#warm = options.warm ?? true;
    const loss = options.loss ?? 0;
    const duplicate = options.duplicate ?? 0;
    this.network = new Network(
      this.kernel,
      { loss, duplicate, corrupt: 0, bytesPerSec: 0 },
      createLatencyModel(options.latencyMs ?? lanLatencyMs, () => 0),
      this.rng.fork("network"),
      {
        bootOf: (node) => this.#boots[node] as number,
        sent: (packet) => {
          this.traffic.sent(packet);
          this.onSend?.(packet);
        },
        arrived: (packet) => this.#arrived(packet),
        dropped: (packet: Packet, why: DropReason) => {
          this.traffic.dropped(packet, why);
          this.onDrop?.(packet, why);
        },
        unreachable: (from, to) => this.#unreachable(from, to),
      },
    );
    for (let i = 0; i < options.nodes; i++) this.addNode();
    this.watch = options.watch === false ? null : new Watch(this);
  }

  get nowMs(): number {
    return this.kernel.nowUs / 1000;
  }

  addNode(): LabNode {
    const index = this.nodes.length;
    const rng = this.rng.fork(`identity/${index}`);
    const node = new LabNode(index, {
      address: address(`n${index}`),
      nodeId: nodeId(randomHexId(rng)),
      epoch: 1,
      actor: actorId(randomHexId(rng)),
      name: `n${index}`,
      region: "lab",
    });
    this.nodes.push(node);
    this.#boots.push(-1);
    this.#addresses.push(node.identity.address);
    this.#index.set(node.identity.address, index);
    return node;
  }

  /** Starts every node; warm ones know all others. */
  start(): void {
    const identities = this.nodes.map((node) => node.identity);
    for (const node of this.nodes) this.boot(node.index, [], this.#warm ? identities : null);
  }

  /** Starts a node that is down. Epoch and identity are as `nodes[node].identity` says. */
  boot(index: number, seeds: readonly number[], known: readonly Identity[] | null): void {
    const node = this.node(index);
    assert(node.boot < 0, "boots a node that is down");
    node.boot = node.boots++;
    this.#boots[index] = node.boot;
    const membership = new Membership({
      self: node.identity,
      config: this.config,
      rng: this.rng.fork(`node/${index}/${node.boot}`),
      directory: this.directory,
    });
    node.membership = membership;
    this.watch?.booted(index);
    this.#handle(node, (now, out) => {
      const addresses = seeds.map((seed) => this.node(seed).identity.address);
      membership.start(now, addresses, out);
      if (known !== null) membership.seedMembers(now, known, out);
    });
  }

  crash(index: number): void {
    const node = this.node(index);
    assert(node.boot >= 0, "only a running node crashes");
    this.#stop(node);
  }

  /** Boots again under a higher epoch. `lostDisk`: a new node at the old address, which remembers nothing. */
  restart(index: number, seeds: readonly number[], lostDisk = false): void {
    const node = this.node(index);
    const rng = this.rng.fork(`identity/${index}/${node.boots}`);
    node.identity = lostDisk
      ? { ...node.identity, epoch: 1, nodeId: nodeId(randomHexId(rng)) }
      : { ...node.identity, epoch: node.identity.epoch + 1 };
    this.boot(index, seeds, null);
  }

  leave(index: number): void {
    this.#handle(this.node(index), (now, out, membership) => membership.leave(now, out));
  }

  /** The whole process stands still; what arrives waits. */
  pause(index: number): void {
    this.node(index).paused = true;
  }

  /** What arrived meanwhile is handled before the timers that are due. */
  resume(index: number): void {
    const node = this.node(index);
    node.paused = false;
    this.#drain(node);
  }

  /**
   * Network input and output stand still while timers run. `stalls`: as in a program with a thread
   * for each activity, whose first message does not leave: only suspicions still run out.
   */
  block(index: number, stalls = false): void {
    const node = this.node(index);
    node.blocked = true;
    node.stalls = stalls;
  }

  /** `lateFirst`: activities that waited go on before what lies in the socket is read. */
  unblock(index: number, lateFirst = false): void {
    const node = this.node(index);
    node.blocked = false;
    node.stalls = false;
    node.stuck = 0;
    const sends = node.heldSends.splice(0);
    for (const effect of sends) this.#carryOut(node, effect);
    if (lateFirst) this.#runHeldTimers(node);
    this.#drain(node);
  }

  /** Returns the number by which `network.cuts.lift` ends it. */
  partition(groups: readonly (readonly number[])[], oneway = false): number {
    const id = ++this.#faults;
    this.network.cuts.partition(id, groups, oneway);
    return id;
  }

  heal(id: number): void {
    this.network.cuts.lift(id);
  }

  at(ms: number, action: () => void): void {
    this.kernel.schedule(ms * 1000, evAct, 0, 0, 0, action);
  }

  runUntil(ms: number): void {
    const untilUs = ms * 1000;
    while (this.kernel.take(untilUs)) this.#step();
    this.kernel.advance(untilUs);
  }

  /** Runs until `done`, looked at every `everyMs`; the time of the first look at which it was so, or −1 after `limitMs`. */
  runUntilTrue(done: () => boolean, limitMs: number, everyMs = 50): number {
    for (let at = this.nowMs; at <= limitMs; at += everyMs) {
      this.runUntil(at);
      if (done()) return this.nowMs;
    }
    return -1;
  }

  node(index: number): LabNode {
    const node = this.nodes[index];
    assert(node !== undefined, "a node of the lab");
    return node;
  }

  indexOf(of: Address): number {
    return this.#index.get(of) ?? -1;
  }

  /** Nodes that run. */
  *running(): Generator<LabNode & { membership: Membership }> {
    for (const node of this.nodes) {
      if (node.membership !== null) yield node as LabNode & { membership: Membership };
    }
  }

  /** Hands bytes to a node as if `from` had sent them. */
  inject(to: number, from: Address, bytes: Uint8Array): void {
    this.#handle(this.node(to), (now, out, membership) =>
      membership.message(now, from, bytes, out),
    );
  }

  #step(): void {
    const { kernel } = this;
    switch (kernel.kind) {
      case evArrive:
        this.network.arrive(kernel.ref as Packet);
        return;
      case evTimer: {
        const node = this.node(kernel.a);
        if (node.boot !== kernel.c) return;
        if (node.paused || (node.stalls && this.#isStuck(node, kernel.b)))
          node.heldTimers.push({ token: kernel.b });
        else this.#timer(node, kernel.b);
        return;
      }
      case evUnreachable:
        this.network.giveUp(kernel.b, kernel.a, kernel.c);
        return;
      case evAct:
        (kernel.ref as () => void)();
        return;
      default:
    }
  }

  /** Does this timer belong to an activity that waits? */
  #isStuck(node: LabNode, token: number): boolean {
    return (node.stuck & activityOf(token)) !== 0;
  }

  #arrived(packet: Packet): void {
    const node = this.node(packet.to);
    if (node.paused || node.blocked) {
      if (node.heldMessages.length < maxHeld) {
        node.heldMessages.push({ from: packet.from, bytes: packet.bytes });
      }
    } else this.#message(node, packet.from, packet.bytes);
  }

  #unreachable(from: number, to: number): void {
    const node = this.node(from);
    if (node.membership === null || node.paused) return;
    const { address: peer } = this.node(to).identity;
    const out = this.#out;
    node.membership.unreachable(this.#time(), peer, out);
    this.#flush(node);
  }

  #drain(node: LabNode): void {
    if (node.paused) return;
    if (!node.blocked) {
      for (const held of node.heldMessages.splice(0)) {
        if ("bytes" in held && node.membership !== null) this.#message(node, held.from, held.bytes);
      }
    }
    this.#runHeldTimers(node);
  }

  #runHeldTimers(node: LabNode): void {
    for (const held of node.heldTimers.splice(0)) {
      if ("token" in held && node.membership !== null) this.#timer(node, held.token);
    }
  }

  #message(node: LabNode, from: number, bytes: Uint8Array): void {
    this.handled++;
    const sender = this.#addresses[from] as Address;
    (node.membership as Membership).message(this.#time(), sender, bytes, this.#out);
    this.#flush(node);
  }

  #timer(node: LabNode, token: number): void {
    (node.membership as Membership).timer(this.#time(), token, this.#out);
    if (node.stalls && this.#out.some(({ type }) => type === "send"))
      node.stuck |= activityOf(token);
    this.#flush(node);
  }

  #handle(node: LabNode, action: (now: Now, out: Effect[], membership: Membership) => void): void {
    assert(node.membership !== null, "only a running node acts");
    action(this.#time(), this.#out, node.membership);
    this.#flush(node);
  }

  #time(): Now {
    this.#now.monoMs = this.kernel.nowUs / 1000;
    this.#now.wallMs = this.#now.monoMs;
    return this.#now;
  }

  #flush(node: LabNode): void {
    const out = this.#out;
    for (let i = 0; i < out.length; i++) this.#carryOut(node, out[i] as Effect);
    out.length = 0;
  }

  #carryOut(node: LabNode, effect: Effect): void {
    switch (effect.type) {
      case "send": {
        if (node.blocked) {
          node.heldSends.push(effect);
          return;
        }
        const to = this.#index.get(effect.to);
        if (to === undefined || to === node.index) return;
        this.network.send(node.index, to, 0, effect.reliable, effect.kind, effect.bytes, 0);
        return;
      }
      case "timer":
        this.kernel.schedule(
          this.kernel.nowUs + effect.delayMs * 1000,
          evTimer,
          node.index,
          effect.token,
          node.boot,
          null,
        );
        return;
      case "notify":
        this.#noticed(node, effect.notice);
        return;
      default:
        assert(false, "memberships send, time and notify");
    }
  }

  #noticed(node: LabNode, notice: Notice): void {
    if (notice.type === "renewed") {
      node.identity = { ...node.identity, epoch: notice.epoch };
    }
    this.watch?.noticed(node.index, notice);
    this.onNotice?.(node.index, notice, this.nowMs);
    if (notice.type === "left") {
      this.#stop(node);
    }
  }

  #stop(node: LabNode): void {
    node.boot = -1;
    this.#boots[node.index] = -1;
    node.membership?.dispose();
    node.membership = null;
    node.paused = false;
    node.blocked = false;
    node.heldMessages.length = 0;
    node.heldTimers.length = 0;
    node.heldSends.length = 0;
    this.watch?.crashed(node.index);
  }
}

/**
 * One simulated machine: a replica, its store and disk, its clocks, and the process around them
 * that is busy, slow, paused, blocked, or dead. Arrived packets are handled before due timers, one
 * round after another, as an event loop does it; so a process that was frozen first hears what it
 * missed and only then believes its timers.
 */
import { assert } from "../../core/base/assert.ts";
import { type ActorId, type Address, address, type NodeId } from "../../core/base/ids.ts";
import type { Rng } from "../../core/base/rng.ts";
import type { Effect, Event, Plane } from "../../core/node/event.ts";
import { Replica } from "../../core/node/replica.ts";
import { runStore } from "../../core/node/run-store.ts";
import type { CommitOutcome, Op, Store, StoreSummary } from "../../core/node/store.ts";
import type { Directory } from "../../core/swim/directory.ts";
import type { Identity } from "../../core/swim/identity.ts";
import { evCheckpoint, evFree, evTimer } from "../event-kinds.ts";
import type { Kernel } from "../kernel.ts";
import type { Network } from "../network/network.ts";
import { Packet, planeIndex, planes } from "../network/packet.ts";
import { randomHexId } from "../rng.ts";
import type { DiskFate, NodeSpec } from "../scenario/scenario.ts";
import type { Disk, SqlStore } from "../store-factory.ts";
import * as cost from "./costs.ts";
import { Queue } from "./queue.ts";
import { replicaConfig, type ReplicaProfile } from "./replica-config.ts";
import type { WallClock } from "./wall-clock.ts";
import type { World } from "./world-port.ts";

/** Datagrams that wait for the process; more are dropped, as by a full socket buffer. */
const maxWaitingDatagrams = 4096;
/** Stream messages that wait; a peer that sends more loses its connection. */
const maxWaitingMessages = 65_536;
/** Sends held back while the network is blocked; the newest are dropped. */
const maxHeldSends = 10_000;
/** Transactions that wait for a paused or busy process; more fail. */
const maxWaitingTransactions = 10_000;
/** The store is made safe against power loss this often while it changes. */
const checkpointEveryUs = 500_000;

export type Life = "running" | "paused" | "crashed" | "left";

/** A transaction that a client asks of the node. */
export type Task =
  | { readonly type: "ops"; readonly ops: readonly Op[] }
  | { readonly type: "sql"; readonly statements: readonly unknown[] };

/** What the network tells a process beside messages. */
class Signal {
  readonly event: Event;
  constructor(event: Event) {
    this.event = event;
  }
}

/** The event handed to replicas for messages: one object for all, filled anew each time. */
interface MessageEvent {
  type: "message";
  from: Address;
  plane: Plane;
  bytes: Uint8Array;
}

type SendEffect = Extract<Effect, { type: "send" }>;

export class SimNode {
  readonly n: number;
  readonly name: string;
  readonly region: string;
  readonly address: Address;
  readonly disk: Disk;
  readonly clock: WallClock;
  /** How many times it was started. */
  boot = 0;
  life: Life = "crashed";
  leaving = false;
  blocked = false;
  slowFactor = 1;
  replica: Replica | null = null;
  store: Store | null = null;
  actor: ActorId;
  nodeId: NodeId;
  epoch = 0;
  summary: StoreSummary = { hash: "0000000000000000", rows: 0 };
  /** Kept for a hostile peer to mutate; null when nobody wants it. */
  recentSends: SendEffect[] | null = null;
  // The node's data state in the trace (`state-lines.ts`).
  stateToldUs = -Infinity;
  statePending = false;

  readonly #world: World;
  readonly #kernel: Kernel;
  readonly #network: Network;
  readonly #rng: Rng;
  readonly #inbox = new Queue<Packet | Signal>();
  readonly #due = new Queue<number | Task>();
  readonly #held: SendEffect[] = [];
  readonly #out: Effect[] = [];
  readonly #stored: Event[] = [];
  readonly #now = { monoMs: 0, wallMs: 0 };
  readonly #message: MessageEvent = {
    type: "message",
    from: address(""),
    plane: "swim",
    bytes: new Uint8Array(0),
  };
  #waitingDatagrams = 0;
  #ioLeft = 0;
  #dueLeft = 0;
  #busyUntilUs = 0;
  #freeScheduled = false;
  #checkpointScheduled = false;

  constructor(world: World, n: number, spec: NodeSpec, disk: Disk, clock: WallClock, rng: Rng) {
    this.#world = world;
    this.#kernel = world.kernel;
    this.#network = world.network;
    this.#rng = rng;
    this.n = n;
    this.name = spec.name;
    this.region = spec.region;
    this.address = address(`n${n}`);
    this.disk = disk;
    this.clock = clock;
    this.actor = randomHexId(rng.fork("actor/0")) as ActorId;
    this.nodeId = randomHexId(rng.fork("id/0")) as NodeId;
  }

  /** Up and not on its way out: one of those that must converge. */
  get live(): boolean {
    return (this.life === "running" || this.life === "paused") && !this.leaving;
  }

  get identity(): Identity {
    return {
      address: this.address,
      nodeId: this.nodeId,
      epoch: this.epoch,
      actor: this.actor,
      name: this.name,
      region: this.region,
    };
  }

  /** Opens the disk and takes the identity of a new life; `begin` sets it going. */
  boots(schema: readonly string[], profile: ReplicaProfile, directory: Directory): void {
    assert(this.replica === null, "a node boots when it is down");
    const wallMs = this.clock.read(this.#kernel.nowUs);
    const opened = this.disk.open({
      schema,
      freshActor: randomHexId(this.#rng.fork(`actor/${this.boot}`)) as ActorId,
      freshNodeId: randomHexId(this.#rng.fork(`id/${this.boot}`)) as NodeId,
      wallMs,
    });
    this.boot++;
    this.store = opened.store;
    this.actor = opened.store.actor;
    this.nodeId = opened.nodeId;
    this.epoch = Math.max(opened.lastEpoch + 1, Math.floor(wallMs));
    this.disk.saveEpoch(this.epoch);
    this.summary = opened.store.summary();
    this.life = "running";
    this.leaving = false;
    this.#busyUntilUs = this.#kernel.nowUs;
    this.#freeScheduled = false;
    this.#checkpointScheduled = false;
    this.replica = new Replica({
      self: this.identity,
      actor: this.actor,
      holdings: opened.store.holdings(),
      summary: this.summary,
      config: replicaConfig(profile),
      rng: this.#rng.fork(`replica/${this.boot}`),
      directory,
    });
  }

  /** `known`: members that it is told of beforehand; `seeds`: whom it asks. */
  begin(seeds: readonly Address[], known: readonly Identity[]): void {
    if (known.length > 0) {
      this.#prepareNow();
      this.#out.length = 0;
      this.#replicaRunning().membership.seedMembers(this.#now, known, this.#out);
      this.#carryOut();
    }
    this.#handle({ type: "start", seeds }, cost.timerUs);
    this.#work();
  }

  crash(fate: DiskFate): void {
    assert(this.replica !== null, "a node that is up crashes");
    this.life = "crashed";
    this.leaving = false;
    this.#stop();
    this.disk.crash(fate);
  }

  /** Ends the process in order, after it has left. */
  stop(): void {
    this.life = "left";
    this.leaving = false;
    this.#stop();
    this.disk.crash("kept");
  }

  #stop(): void {
    this.store?.close();
    this.store = null;
    this.replica?.membership.dispose();
    this.replica = null;
    this.blocked = false;
    this.recentSends = null;
    for (let item = this.#inbox.shift(); item !== undefined; item = this.#inbox.shift()) {
      if (item instanceof Packet) this.#network.lose(item, "dead");
    }
    for (let item = this.#due.shift(); item !== undefined; item = this.#due.shift()) {
      if (typeof item === "object") this.#world.writeFailed(this);
    }
    this.#held.length = 0;
    this.#waitingDatagrams = 0;
    this.#ioLeft = 0;
    this.#dueLeft = 0;
  }

  pause(): void {
    assert(this.life === "running", "a running node is paused");
    this.life = "paused";
  }

  resume(): void {
    assert(this.life === "paused", "a paused node is resumed");
    this.life = "running";
    // A new round begins: first what has arrived, then what is due.
    this.#ioLeft = 0;
    this.#dueLeft = 0;
    this.#work();
  }

  block(): void {
    this.blocked = true;
  }

  unblock(): void {
    this.blocked = false;
    const held = this.#held.splice(0);
    for (const effect of held) this.#send(effect);
    this.#work();
  }

  leave(): void {
    assert(this.life === "running", "a running node leaves");
    this.leaving = true;
    this.#inbox.push(new Signal({ type: "leave" }));
    this.#work();
  }

  /** A packet has come to this machine. */
  arrived(packet: Packet): void {
    if (this.#isFree() && !this.blocked) {
      this.#receive(packet);
      return;
    }
    if (packet.reliable) {
      if (this.#inbox.length >= maxWaitingMessages) {
        this.#network.lose(packet, "overflow");
        return;
      }
    } else {
      if (this.#waitingDatagrams >= maxWaitingDatagrams) {
        this.#network.lose(packet, "overflow");
        return;
      }
      this.#waitingDatagrams++;
    }
    this.#inbox.push(packet);
    this.#work();
  }

  signal(event: Event): void {
    this.#inbox.push(new Signal(event));
    this.#work();
  }

  timerDue(token: number): void {
    if (this.#isFree()) {
      this.#handle({ type: "timer", token }, cost.timerUs);
      return;
    }
    this.#due.push(token);
    this.#work();
  }

  /** The handler that kept it busy is done. */
  free(): void {
    this.#freeScheduled = false;
    this.#work();
  }

  /** False when too many wait already. */
  submit(task: Task): boolean {
    if (this.replica === null || this.#due.length >= maxWaitingTransactions) return false;
    this.#due.push(task);
    this.#work();
    return true;
  }

  checkpointDue(): void {
    this.#checkpointScheduled = false;
    if (this.life === "paused") {
      this.#scheduleCheckpoint();
      return;
    }
    try {
      this.store?.checkpoint();
    } catch (error) {
      this.#world.broke(this, error);
      return;
    }
    this.#spend(cost.checkpointUs);
    this.#world.checkpointed(this);
  }

  /** The data changed: it will be made safe at the next beat. */
  dirtied(): void {
    if (!this.#checkpointScheduled) this.#scheduleCheckpoint();
  }

  #scheduleCheckpoint(): void {
    this.#checkpointScheduled = true;
    // Beats differ between nodes, so that torn disks differ too.
    const phaseUs = (this.n * 73_000) % checkpointEveryUs;
    const beats = Math.floor((this.#kernel.nowUs - phaseUs) / checkpointEveryUs) + 1;
    const atUs = phaseUs + beats * checkpointEveryUs;
    this.#kernel.schedule(atUs, evCheckpoint, this.n, 0, this.boot, null);
  }

  #isFree(): boolean {
    return (
      this.life === "running" &&
      this.#kernel.nowUs >= this.#busyUntilUs &&
      this.#due.length === 0 &&
      (this.#inbox.length === 0 || this.blocked)
    );
  }

  /** Takes up waiting work while there is any and nothing keeps the process busy. */
  #work(): void {
    while (this.life === "running") {
      if (this.#kernel.nowUs < this.#busyUntilUs) {
        const waiting = this.#due.length > 0 || (this.#inbox.length > 0 && !this.blocked);
        if (waiting && !this.#freeScheduled) {
          this.#freeScheduled = true;
          this.#kernel.schedule(this.#busyUntilUs, evFree, this.n, 0, this.boot, null);
        }
        return;
      }
      if (!this.#takeUp()) return;
    }
  }

  #takeUp(): boolean {
    if (this.#ioLeft === 0 && this.#dueLeft === 0) {
      this.#ioLeft = this.blocked ? 0 : this.#inbox.length;
      this.#dueLeft = this.#due.length;
    }
    if (this.#ioLeft > 0 && !this.blocked) {
      this.#ioLeft--;
      this.#takeUpInput(this.#inbox.shift());
      return true;
    }
    if (this.#dueLeft > 0) {
      this.#dueLeft--;
      const item = this.#due.shift();
      if (typeof item === "number") this.#handle({ type: "timer", token: item }, cost.timerUs);
      else if (item !== undefined) this.#commit(item);
      return true;
    }
    this.#ioLeft = 0;
    return this.#due.length > 0;
  }

  #takeUpInput(item: Packet | Signal | undefined): void {
    if (item === undefined) return;
    if (item instanceof Signal) {
      this.#handle(item.event, cost.timerUs);
      return;
    }
    if (!item.reliable) this.#waitingDatagrams--;
    // It has waited: a cut that came meanwhile still keeps it out.
    const why = this.#network.cutFor(item);
    if (why === null) this.#receive(item);
    else this.#network.lose(item, why);
  }

  #receive(packet: Packet): void {
    this.#world.received(packet);
    const event = this.#message;
    event.from = this.#world.addressOf(packet.from);
    event.plane = planes[packet.plane] as Plane;
    event.bytes = packet.bytes;
    this.#handle(event, cost.messageUs + (packet.bytes.length * cost.messageUsPerKib) / 1024);
  }

  #commit(task: Task): void {
    const { store } = this;
    assert(store !== null, "a running node has a store");
    const wallMs = this.clock.read(this.#kernel.nowUs);
    let outcome: CommitOutcome;
    try {
      outcome =
        task.type === "ops"
          ? store.commit(wallMs, task.ops)
          : (store as SqlStore).commitSql(wallMs, task.statements);
    } catch (error) {
      this.#world.broke(this, error);
      return;
    }
    if (outcome.type === "failed") {
      this.#spend(cost.commitUs);
      this.#world.writeFailed(this);
      return;
    }
    const { chunks, summary } = outcome;
    let bytes = 0;
    for (const chunk of chunks) bytes += chunk.payload.length;
    this.#world.committed(this, task, chunks, summary);
    const spent = cost.commitUs + (bytes * cost.commitUsPerKib) / 1024;
    if (chunks.length === 0) this.#spend(spent);
    else this.#handle({ type: "committed", chunks, summary }, spent);
  }

  #spend(us: number): void {
    const from = this.#busyUntilUs > this.#kernel.nowUs ? this.#busyUntilUs : this.#kernel.nowUs;
    this.#busyUntilUs = from + us * this.slowFactor;
  }

  #prepareNow(): void {
    const { nowUs } = this.#kernel;
    this.#now.monoMs = nowUs / 1000;
    this.#now.wallMs = this.clock.read(nowUs);
  }

  #replicaRunning(): Replica {
    assert(this.replica !== null, "only a running node handles events");
    return this.replica;
  }

  /** One event, and the answers of the store that it leads to. */
  #handle(event: Event, costUs: number): void {
    this.#spend(costUs);
    const out = this.#out;
    try {
      out.length = 0;
      this.#prepareNow();
      this.#replicaRunning().handle(this.#now, event, out);
      this.#carryOut();
      while (this.#stored.length > 0) {
        const answer = this.#stored.shift() as Event;
        if (this.replica === null) break;
        out.length = 0;
        this.replica.handle(this.#now, answer, out);
        this.#carryOut();
      }
    } catch (error) {
      this.#world.broke(this, error);
    }
  }

  #carryOut(): void {
    const out = this.#out;
    for (let i = 0; i < out.length; i++) {
      const effect = out[i] as Effect;
      switch (effect.type) {
        case "send":
          if (this.recentSends !== null) this.#remember(effect);
          if (this.blocked) this.#hold(effect);
          else this.#send(effect);
          break;
        case "timer":
          this.#kernel.schedule(
            this.#kernel.nowUs + effect.delayMs * 1000,
            evTimer,
            this.n,
            effect.token,
            this.boot,
            null,
          );
          break;
        case "store":
          this.#runStore(effect);
          break;
        case "notify":
          this.#world.noticed(this, effect.notice);
          break;
      }
    }
    out.length = 0;
  }

  #runStore(effect: Extract<Effect, { type: "store" }>): void {
    const { store } = this;
    if (store === null) return;
    const { request } = effect;
    const response = runStore(store, this.#now.wallMs, request);
    let bytes = 0;
    if (request.type === "receive") {
      for (const chunk of request.chunks) bytes += chunk.payload.length;
    } else if (response.type === "serve") {
      for (const chunk of response.chunks) bytes += chunk.payload.length;
    }
    this.#spend(cost.storeUs + (bytes * cost.storeUsPerKib) / 1024);
    this.#world.stored(this, request, response);
    this.#stored.push({ type: "stored", id: effect.id, response });
  }

  #send(effect: SendEffect): void {
    const to = this.#world.numberOf(effect.to);
    if (to < 0) {
      // An address that was never anybody's: a hostile peer's invention.
      if (effect.reliable) this.#world.nobodyAt(this, effect.to, effect.plane);
      return;
    }
    this.#network.send(
      this.n,
      to,
      planeIndex[effect.plane],
      effect.reliable,
      effect.kind,
      effect.bytes,
      this.#busyUntilUs,
    );
  }

  #hold(effect: SendEffect): void {
    if (this.#held.length < maxHeldSends) this.#held.push(effect);
    else if (effect.reliable) this.#world.nobodyAt(this, effect.to, effect.plane);
  }

  #remember(effect: SendEffect): void {
    const recent = this.recentSends as SendEffect[];
    if (recent.length >= 64) recent.shift();
    recent.push(effect);
  }
}

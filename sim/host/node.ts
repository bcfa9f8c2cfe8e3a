/**
 * One simulated machine: a replica, its store and disk, its clocks, and the process around them
 * that is busy, slow, paused, blocked, or dead. Arrived packets are handled before due timers, one
 * round after another, as an event loop does it; so a process that was frozen first hears what it
 * missed and only then believes its timers.
 */
import { assert } from "../../core/base/assert.ts";
import type { ActorId, Address, NodeId } from "../../core/base/ids.ts";
import type { Rng } from "../../core/base/rng.ts";
import { emptySummary } from "../../core/crdt/state-summary.ts";
import type { Effect, Event, Plane } from "../../core/node/event.ts";
import { Replica } from "../../core/node/replica.ts";
import { runStore } from "../../core/node/run-store.ts";
import type { CommitOutcome, Store, StoreSummary } from "../../core/node/store.ts";
import type { Directory } from "../../core/swim/directory.ts";
import type { Identity } from "../../core/swim/identity.ts";
import type { ChunkPool } from "../../core/sync/chunk-pool.ts";
import { evCheckpoint, evFree, evTimer } from "../event-kinds.ts";
import type { Kernel } from "../kernel.ts";
import { Packet, planes } from "../network/packet.ts";
import { randomHexId } from "../rng.ts";
import type { DiskFate, NodeSpec } from "../scenario/scenario.ts";
import type { Disk } from "../store-factory.ts";
import * as cost from "./costs.ts";
import { nextBeatUs } from "./beat.ts";
import { answers, message, now, out, timer } from "./handler.ts";
import { empty } from "./queue.ts";
import { replicaConfig, type ReplicaProfile } from "./replica-config.ts";
import { Sender } from "./sender.ts";
import { runTask, type Task } from "./task.ts";
import { type Item, Signal, Waiting } from "./waiting.ts";
import type { WallClock } from "./wall-clock.ts";
import type { World } from "./world-port.ts";

export type Life = "running" | "paused" | "crashed" | "left";

/** What all replicas of a run have between them. */
export interface SharedByReplicas {
  readonly directory: Directory;
  readonly chunks: ChunkPool;
}

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
  slowFactor = 1;
  replica: Replica | null = null;
  store: Store | null = null;
  actor: ActorId;
  nodeId: NodeId;
  epoch = 0;
  summary: StoreSummary = emptySummary;
  // The node's data state in the trace (`world.ts`).
  stateToldUs = -Infinity;
  statePending = false;

  readonly sender: Sender;
  readonly #world: World;
  readonly #kernel: Kernel;
  readonly #rng: Rng;
  readonly #waiting = new Waiting();
  readonly #busyUntilUs: number[];
  /** How much waits in `#waiting`: mostly nothing, and then nobody need look there. */
  #queued = 0;
  #freeScheduled = false;
  #checkpointScheduled = false;

  constructor(
    world: World,
    n: number,
    at: Address,
    spec: NodeSpec,
    disk: Disk,
    clock: WallClock,
    rng: Rng,
  ) {
    this.#world = world;
    this.#kernel = world.kernel;
    this.#busyUntilUs = world.busyUntilUs;
    this.#rng = rng;
    this.n = n;
    this.name = spec.name;
    this.region = spec.region;
    this.address = at;
    this.disk = disk;
    this.clock = clock;
    this.actor = randomHexId(rng.fork("actor/0")) as ActorId;
    this.nodeId = randomHexId(rng.fork("id/0")) as NodeId;
    this.sender = new Sender(world, this);
  }

  /** Up and not on its way out: one of those that must converge. */
  get live(): boolean {
    return (this.life === "running" || this.life === "paused") && !this.leaving;
  }

  get blocked(): boolean {
    return this.sender.blocked;
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
  boots(schema: readonly string[], profile: ReplicaProfile, shared: SharedByReplicas): void {
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
    this.#busyUntilUs[this.n] = this.#kernel.nowUs;
    this.#freeScheduled = false;
    // What a crash left unsaved is saved with the next beat.
    this.#scheduleCheckpoint();
    this.replica = new Replica({
      self: this.identity,
      actor: this.actor,
      holdings: opened.store.holdings(),
      summary: this.summary,
      config: replicaConfig(profile),
      rng: this.#rng.fork(`replica/${this.boot}`),
      ...shared,
    });
  }

  /** `known`: members that it is told of beforehand; `seeds`: whom it asks. */
  begin(seeds: readonly Address[], known: readonly Identity[]): void {
    if (known.length > 0) {
      this.#prepareNow();
      this.#replicaRunning().membership.seedMembers(now, known, out);
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
    this.sender.clear();
    this.#queued = 0;
    this.#waiting.clear((item) => {
      if (item instanceof Packet) this.#world.network.lose(item, "dead");
      else if (typeof item === "object" && !(item instanceof Signal)) this.#world.writeFailed(this);
    });
  }

  pause(): void {
    assert(this.life === "running", "a running node is paused");
    this.life = "paused";
  }

  resume(): void {
    assert(this.life === "paused", "a paused node is resumed");
    this.life = "running";
    this.#waiting.beginRound();
    this.#work();
  }

  block(): void {
    this.sender.blocked = true;
  }

  unblock(): void {
    this.sender.unblock(this.#kernel.nowUs);
    this.#work();
  }

  leave(): void {
    assert(this.life === "running", "a running node leaves");
    this.leaving = true;
    this.signal({ type: "leave" });
  }

  /** A packet has come to this machine. */
  arrived(packet: Packet): void {
    if (this.#isFree() && !this.sender.blocked) {
      this.#receive(packet);
      return;
    }
    if (this.#waiting.addPacket(packet)) {
      this.#queued++;
      this.#work(true);
    } else this.#world.network.lose(packet, "overflow");
  }

  signal(event: Event): void {
    this.#waiting.addSignal(event);
    this.#queued++;
    this.#work();
  }

  timerDue(token: number): void {
    if (this.#isFree()) {
      this.#fire(token);
      return;
    }
    this.#waiting.addTimer(token);
    this.#queued++;
    this.#work(true);
  }

  /** The handler that kept it busy is done. */
  free(): void {
    this.#freeScheduled = false;
    this.#work(true);
  }

  /** False when it is down or too many wait already. */
  submit(task: Task): boolean {
    if (this.replica === null || !this.#waiting.addTask(task)) return false;
    this.#queued++;
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
      this.#fail(error);
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
    const atUs = nextBeatUs(this.n, this.#kernel.nowUs);
    this.#kernel.schedule(atUs, evCheckpoint, this.n, 0, this.boot, null);
  }

  #isFree(): boolean {
    return (
      this.life === "running" &&
      this.#kernel.nowUs >= (this.#busyUntilUs[this.n] as number) &&
      (this.#queued === 0 || this.#waiting.isIdle(this.sender.blocked))
    );
  }

  /**
   * Takes up waiting work while there is any and nothing keeps the process busy. `last`: the
   * caller is done with this moment, so time may pass until the process is free again.
   */
  #work(last = false): void {
    const { blocked } = this.sender;
    while (this.life === "running") {
      const busyUntilUs = this.#busyUntilUs[this.n] as number;
      if (this.#kernel.nowUs < busyUntilUs) {
        if (this.#freeScheduled || this.#waiting.isIdle(blocked)) return;
        if (last && this.#kernel.skipTo(busyUntilUs)) continue;
        this.#freeScheduled = true;
        this.#kernel.schedule(busyUntilUs, evFree, this.n, 0, this.boot, null);
        return;
      }
      const item = this.#waiting.next(blocked);
      if (item === undefined) return;
      this.#queued--;
      this.#takeUp(item);
    }
  }

  #takeUp(item: Item): void {
    if (typeof item === "number") {
      this.#fire(item);
    } else if (item instanceof Packet) {
      // It has waited: a cut that came meanwhile still keeps it out.
      const why = this.#world.network.cutFor(item);
      if (why === null) this.#receive(item);
      else this.#world.network.lose(item, why);
    } else if (item instanceof Signal) {
      this.#handle(item.event, cost.timerUs);
    } else {
      this.#commit(item);
    }
  }

  #fire(token: number): void {
    timer.token = token;
    this.#handle(timer, cost.timerUs);
  }

  #receive(packet: Packet): void {
    this.#world.received(packet);
    message.from = this.#world.addressOf(packet.from);
    message.plane = planes[packet.plane] as Plane;
    message.bytes = packet.bytes;
    this.#handle(message, cost.messageCost(packet.bytes.length));
  }

  #commit(task: Task): void {
    const { store } = this;
    assert(store !== null, "a running node has a store");
    const wallMs = this.clock.read(this.#kernel.nowUs);
    let outcome: CommitOutcome;
    try {
      outcome = runTask(store, wallMs, task);
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (outcome.type === "failed") {
      this.#spend(cost.commitUs);
      this.#world.writeFailed(this);
      return;
    }
    const { chunks, summary } = outcome;
    this.#world.committed(this, task, chunks, summary);
    const spent = cost.commitCost(chunks);
    if (chunks.length === 0) this.#spend(spent);
    else this.#handle({ type: "committed", chunks, summary }, spent);
  }

  /** A handler threw. The process does nothing more; the run ends. */
  #fail(error: unknown): void {
    empty(out);
    empty(answers);
    this.life = "crashed";
    this.#world.broke(this, error);
  }

  #spend(us: number): void {
    const { nowUs } = this.#kernel;
    const busyUntilUs = this.#busyUntilUs[this.n] as number;
    const from = busyUntilUs > nowUs ? busyUntilUs : nowUs;
    this.#busyUntilUs[this.n] = from + us * this.slowFactor;
  }

  #prepareNow(): void {
    now.set(this.#kernel.nowUs, this.clock);
  }

  #replicaRunning(): Replica {
    assert(this.replica !== null, "only a running node handles events");
    return this.replica;
  }

  /** One event, and the answers of the store that it leads to. */
  #handle(event: Event, costUs: number): void {
    this.#spend(costUs);
    try {
      this.#prepareNow();
      this.#replicaRunning().handle(now, event, out);
      this.#carryOut();
      // Answers may lead to further requests; each is handled after what was asked before it.
      for (let i = 0; i < answers.length; i++) {
        this.#replicaRunning().handle(now, answers[i] as Event, out);
        this.#carryOut();
      }
      empty(answers);
    } catch (error) {
      this.#fail(error);
    }
  }

  #carryOut(): void {
    for (let i = 0; i < out.length; i++) {
      const effect = out[i] as Effect;
      switch (effect.type) {
        case "send":
          this.sender.send(effect, this.#busyUntilUs[this.n] as number);
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
    empty(out);
  }

  #runStore(effect: Extract<Effect, { type: "store" }>): void {
    const { store } = this;
    if (store === null) return;
    const { request } = effect;
    const response = runStore(store, now.wallMs, request);
    this.#spend(cost.storeCost(request, response));
    this.#world.stored(this, request, response);
    answers.push({ type: "stored", id: effect.id, response });
  }
}

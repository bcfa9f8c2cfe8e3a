/**
 * Begins and lifts faults: those that the scenario plans and those of the nemesis. A fault that
 * makes no sense at its moment (the nemesis may have been there before) is passed over.
 */
import { assert, unreachable } from "../core/base/assert.ts";
import type { Address } from "../core/base/ids.ts";
import type { Rng } from "../core/base/rng.ts";
import { evLift } from "./event-kinds.ts";
import type { SimNode } from "./host/node.ts";
import { Hostile } from "./host/hostile.ts";
import { createLatencyModel } from "./network/latency.ts";
import type { Fault, FaultKind } from "./scenario/scenario.ts";
import type { Partitions } from "./partitions.ts";
import type { SimWorld } from "./world.ts";

export interface ActiveFault {
  readonly id: number;
  readonly fault: Fault;
  readonly fromUs: number;
  readonly lift: () => void;
}

/** A graceful leave that takes longer than this is cut short. */
export const leaveWithinUs = 10_000_000;
/** Clusters up to this size know each other as bootstrap nodes; larger ones name three and draw two. */
const smallCluster = 8;

export class Faults {
  /** How many of each kind began. */
  readonly begun: Partial<Record<FaultKind, number>> = {};
  /** As they ran, with their times: what shrinking starts from. */
  readonly ran: { readonly id: number; fault: Fault }[] = [];
  /** Told of partitions that end. */
  watch: Partitions | null = null;
  readonly #world: SimWorld;
  readonly #rng: Rng;
  readonly #active = new Map<number, ActiveFault>();
  #nextId = 1;
  /** Numbers of nodes that planned joins will take; the nemesis's own come after. */
  readonly #reserved: number;

  constructor(world: SimWorld, rng: Rng) {
    this.#world = world;
    this.#rng = rng;
    this.#reserved = world.scenario.faults.filter((fault) => fault.kind === "join").length;
  }

  get active(): readonly ActiveFault[] {
    return [...this.#active.values()];
  }

  /** The fault of this kind in force on a node. */
  on(kind: FaultKind, node: number): ActiveFault | undefined {
    return this.active.find(
      ({ fault }) => fault.kind === kind && "node" in fault && fault.node === node,
    );
  }

  /** Carries out one entry of the scenario or one idea of the nemesis; false if it made no sense now. */
  carryOut(fault: Fault): boolean {
    const before = this.#nextId;
    if (!this.#carryOut(fault)) return false;
    if (fault.kind === "random") return true;
    const atMs = this.#world.kernel.nowUs / 1000;
    // A fault that began is entered with its id, so that its end can be filled in.
    const id = this.#nextId > before ? before : 0;
    this.ran.push({ id, fault: { ...fault, atMs } });
    return true;
  }

  #carryOut(fault: Fault): boolean {
    const world = this.#world;
    switch (fault.kind) {
      case "partition":
        return this.#beginCut(fault, (id) =>
          world.network.cuts.partition(id, fault.groups, fault.oneway),
        );
      case "link": {
        const rng = this.#rng.fork("link");
        const latency =
          fault.latencyMs === null ? null : createLatencyModel(fault.latencyMs, () => 0);
        const delayUs = latency === null ? null : () => latency.sampleUs(fault.from, fault.to, rng);
        return this.#beginCut(fault, (id) =>
          world.network.cuts.link(id, fault.from, fault.to, {
            loss: fault.loss,
            cut: fault.cut,
            delayUs,
          }),
        );
      }
      case "heal":
        for (const { id, fault: cut } of this.active) {
          if (cut.kind === "partition" || cut.kind === "link") this.lift(id);
        }
        return true;
      case "join":
        this.#join(fault);
        return true;
      case "random":
        return false;
      default:
        return this.#carryOutOn(fault, world.nodes[fault.node]);
    }
  }

  #carryOutOn(fault: Extract<Fault, { node: number }>, node: SimNode | undefined): boolean {
    if (node === undefined) return false;
    const up = node.replica !== null;
    switch (fault.kind) {
      case "crash":
        if (!up) return false;
        this.#crash(fault, node);
        return true;
      case "restart": {
        if (up) return false;
        const crash = this.on("crash", node.n);
        if (crash === undefined) this.#restart(node);
        else this.lift(crash.id);
        return true;
      }
      case "pause":
        if (node.life !== "running") return false;
        return this.#beginOn(
          fault,
          node,
          "pause",
          () => node.pause(),
          () => {
            if (node.life === "paused") node.resume();
          },
        );
      case "resume":
        return this.#liftOn("pause", node);
      case "block":
        if (!up || node.blocked) return false;
        return this.#beginOn(
          fault,
          node,
          null,
          () => node.block(),
          () => {
            if (node.replica !== null && node.blocked) node.unblock();
          },
        );
      case "unblock":
        return this.#liftOn("block", node);
      case "clock":
        return this.#beginOn(
          fault,
          node,
          null,
          () => node.clock.jump(fault.jumpMs),
          () => node.clock.jump(-fault.jumpMs),
        );
      case "slow":
        this.#liftOn("slow", node);
        if (fault.factor === 1) return true;
        return this.#beginOn(
          fault,
          node,
          null,
          () => (node.slowFactor = fault.factor),
          () => (node.slowFactor = 1),
        );
      case "leave":
        if (node.life !== "running" || node.leaving) return false;
        this.#leave(node);
        return true;
      case "hostile":
        if (!up) return false;
        return this.#beginHostile(fault, node);
      case "bitrot":
        if (node.store === null || !rot(node)) return false;
        this.#world.lookedOver(node);
        this.#world.rotted = true;
        this.#count("bitrot");
        this.#tell("fault", this.#nextId, fault);
        this.#tell("lift", this.#nextId++, fault);
        this.#world.disturbed();
        return true;
      default:
        return unreachable(fault);
    }
  }

  lift(id: number): void {
    const active = this.#active.get(id);
    if (active === undefined) return;
    const { fault, fromUs } = active;
    if (fault.kind === "partition") this.watch?.ends(fault, fromUs);
    this.#active.delete(id);
    this.#enterEnd(id, fault);
    this.#tell("lift", id, active.fault);
    active.lift();
    this.#world.disturbed();
  }

  /** Where the scenario can say when a fault ends, what ran is entered with its end. */
  #enterEnd(id: number, fault: Fault): void {
    const entry = this.ran.find((ran) => ran.id === id);
    if (entry === undefined) return;
    const nowMs = this.#world.kernel.nowUs / 1000;
    if ("untilMs" in fault) entry.fault = { ...entry.fault, untilMs: nowMs } as Fault;
    else if (fault.kind === "hostile") entry.fault = { ...entry.fault, toMs: nowMs } as Fault;
  }

  liftAll(): void {
    for (const { id } of this.active) this.lift(id);
  }

  /** Whom a node asks for the cluster when it starts. */
  seedsOf(node: SimNode): Address[] {
    const { nodes, scenario } = this.#world;
    // The initial nodes but this one, counted and not listed: there may be ten thousand.
    const initial = scenario.nodes.length;
    const count = node.n < initial ? initial - 1 : initial;
    const other = (i: number): Address => (nodes[i < node.n ? i : i + 1] as SimNode).address;
    if (count <= smallCluster) return Array.from({ length: count }, (_, i) => other(i));
    const seeds = new Set([other(0), other(1), other(2)]);
    const rng = this.#rng.fork(`seeds/${node.n}/${node.boot}`);
    while (seeds.size < 5) seeds.add(other(rng.below(count)));
    return [...seeds];
  }

  #begin(fault: Fault, lift: () => void): number {
    const id = this.#nextId++;
    const { kernel } = this.#world;
    this.#active.set(id, { id, fault, fromUs: kernel.nowUs, lift });
    const untilMs =
      fault.kind === "hostile" ? fault.toMs : "untilMs" in fault ? fault.untilMs : null;
    if (untilMs !== null) kernel.schedule(untilMs * 1000, evLift, id, 0, 0, null);
    this.#count(fault.kind);
    this.#tell("fault", id, fault);
    this.#world.disturbed();
    return id;
  }

  #beginCut(fault: Fault, begin: (id: number) => void): boolean {
    const { cuts } = this.#world.network;
    const id: number = this.#begin(fault, () => assert(cuts.lift(id), "the cut was in force"));
    begin(id);
    return true;
  }

  #beginOn(
    fault: Fault,
    node: SimNode,
    line: "pause" | null,
    begin: () => void,
    end: () => void,
  ): boolean {
    this.#begin(fault, () => {
      if (line === "pause" && node.life === "paused") this.#life(node, "resume");
      end();
    });
    begin();
    if (line !== null) this.#life(node, line);
    return true;
  }

  #liftOn(kind: FaultKind, node: SimNode): boolean {
    const active = this.on(kind, node.n);
    if (active !== undefined) this.lift(active.id);
    return active !== undefined;
  }

  #crash(fault: Extract<Fault, { kind: "crash" }>, node: SimNode): void {
    // What held the process ends with it.
    for (const kind of ["pause", "block", "hostile"] as const) this.#forget(kind, node);
    this.#begin(fault, () => this.#restart(node));
    const t = this.#world.kernel.nowUs;
    this.#world.crash(node, fault.disk);
    this.#world.trace.write({ t, k: "crash", n: node.n, disk: fault.disk });
  }

  /** Ends a fault that has lost its object. */
  #forget(kind: FaultKind, node: SimNode): void {
    const active = this.on(kind, node.n);
    if (active === undefined) return;
    this.#active.delete(active.id);
    this.#tell("lift", active.id, active.fault);
    if (kind === "hostile") active.lift();
  }

  #restart(node: SimNode): void {
    const world = this.#world;
    world.boot(node);
    const t = world.kernel.nowUs;
    world.trace.write({ t, k: "restart", n: node.n, actor: node.actor });
    world.begin(node, this.seedsOf(node), []);
  }

  #join({ name, region, bootstrap, address }: Extract<Fault, { kind: "join" }>): void {
    const world = this.#world;
    const node = world.addNode({ name, region }, address);
    world.boot(node);
    this.#count("join");
    world.trace.write({
      t: world.kernel.nowUs,
      k: "join",
      n: node.n,
      actor: node.actor,
      name: node.name,
      region: node.region,
      ...(address === null ? {} : { address }),
    });
    world.begin(node, bootstrap === null ? this.seedsOf(node) : [world.addressOf(bootstrap)], []);
  }

  #leave(node: SimNode): void {
    for (const kind of ["block", "hostile"] as const) this.#liftOn(kind, node);
    this.#count("leave");
    this.#life(node, "leave");
    this.#world.leave(node);
  }

  #beginHostile(fault: Extract<Fault, { kind: "hostile" }>, node: SimNode): boolean {
    if (this.on("hostile", node.n) !== undefined) return false;
    const rng = this.#rng.fork(`hostile/${this.#nextId}`);
    const hostile = new Hostile(this.#world, node, fault.ratePerSec, rng);
    this.#world.hostile = true;
    this.#begin(fault, () => hostile.stop());
    hostile.start();
    return true;
  }

  #life(node: SimNode, k: "pause" | "resume" | "leave"): void {
    this.#world.trace.write({ t: this.#world.kernel.nowUs, k, n: node.n });
  }

  #tell(k: "fault" | "lift", id: number, fault: Fault): void {
    this.#world.trace.write({ t: this.#world.kernel.nowUs, k, id, fault });
  }

  #count(kind: FaultKind): void {
    this.begun[kind] = (this.begun[kind] ?? 0) + 1;
  }

  /** The number that the nemesis's next joiner takes, if it may have one now. */
  get joinerReady(): boolean {
    const planned = this.#world.scenario.nodes.length + this.#reserved;
    return this.#world.nodes.length >= planned;
  }
}

/** A store that can damage itself for the sake of tests. */
interface Rotting {
  rot(): boolean;
}

function rot(node: SimNode): boolean {
  const store = node.store as unknown as Partial<Rotting>;
  return typeof store.rot === "function" && store.rot();
}

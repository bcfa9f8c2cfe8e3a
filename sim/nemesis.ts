/** The seeded nemesis of the fault kind `random`: begins and ends faults of the listed kinds at its own whim. */
import type { Rng } from "../core/base/rng.ts";
import { shuffle } from "../core/base/rng.ts";
import type { Faults } from "./faults.ts";
import type { SimNode } from "./host/node.ts";
import { regionNames } from "./network/regions.ts";
import type { DiskFate, Fault, NemesisKind } from "./scenario/scenario.ts";
import type { SimWorld } from "./world.ts";

type Plan = Extract<Fault, { kind: "random" }>;

/** Faults of one nemesis in force at a time. */
const maxActive = 4;
/** Nodes that it adds in a run at the most. */
const maxJoins = 2;
/** From a blink to a year and back, in milliseconds. */
const jumpsMs = [-3_600_000, -5000, -300, 300, 5000, 60_000, 3_600_000, 31_536_000_000];
const slowFactors = [10, 100, 500];
const fates: readonly DiskFate[] = ["kept", "kept", "torn", "torn", "lost"];

export class Nemesis {
  readonly plan: Plan;
  readonly #world: SimWorld;
  readonly #faults: Faults;
  readonly #rng: Rng;
  readonly #mine = new Set<number>();
  #joins = 0;
  #leaves = 0;

  constructor(plan: Plan, world: SimWorld, faults: Faults, rng: Rng) {
    this.plan = plan;
    this.#world = world;
    this.#faults = faults;
    this.#rng = rng;
  }

  /** One whim. */
  act(): void {
    const active = this.#faults.active.filter(({ id }) => this.#mine.has(id));
    const rng = this.#rng;
    if (active.length > 0 && (active.length >= maxActive || rng.below(2) === 0)) {
      const { id, fault } = active[rng.below(active.length)] as (typeof active)[number];
      this.#end(id, fault);
      return;
    }
    const kinds = [...this.plan.kinds];
    shuffle(kinds, rng);
    for (const kind of kinds) {
      const fault = this.#invent(kind);
      if (fault === null) continue;
      const known = new Set(this.#faults.active.map(({ id }) => id));
      if (!this.#faults.carryOut(fault)) continue;
      for (const { id } of this.#faults.active) if (!known.has(id)) this.#mine.add(id);
      return;
    }
  }

  /** Its time is over: what it began ends. */
  finish(): void {
    for (const { id, fault } of this.#faults.active) if (this.#mine.has(id)) this.#end(id, fault);
  }

  #end(id: number, fault: Fault): void {
    this.#mine.delete(id);
    const atMs = this.#world.kernel.nowUs / 1000;
    const end = endOf(fault, atMs);
    // Ends that a scenario file can say are said so, for those who shrink the run.
    if (end === null) this.#faults.lift(id);
    else this.#faults.carryOut(end);
  }

  #invent(kind: NemesisKind): Fault | null {
    const atMs = this.#world.kernel.nowUs / 1000;
    const rng = this.#rng;
    const up = this.#world.nodes.filter((node) => node.live && node.life === "running");
    const one = up[rng.below(Math.max(1, up.length))];
    if (one === undefined) return null;
    // Someone must be there to be harmed by the rest.
    const spare = up.length > Math.max(1, Math.floor(this.#world.nodes.length / 2));
    switch (kind) {
      case "partition":
        return this.#inventPartition(atMs);
      case "link":
        return this.#inventLink(atMs, up);
      case "crash":
        if (!spare) return null;
        return { kind, atMs, node: one.n, disk: fates[rng.below(fates.length)] as DiskFate };
      case "pause":
        return spare ? { kind, atMs, node: one.n } : null;
      case "block":
        return spare && !one.blocked ? { kind, atMs, node: one.n } : null;
      case "clock":
        return {
          kind,
          atMs,
          node: one.n,
          jumpMs: jumpsMs[rng.below(jumpsMs.length)] as number,
          untilMs: null,
        };
      case "slow":
        if (this.#faults.on("slow", one.n) !== undefined) return null;
        return {
          kind,
          atMs,
          node: one.n,
          factor: slowFactors[rng.below(slowFactors.length)] as number,
        };
      case "leave":
        // A cluster of two may lose nobody for good.
        if (up.length < 4 || this.#leaves * 3 >= this.#world.nodes.length) return null;
        this.#leaves++;
        return { kind, atMs, node: one.n };
      case "join":
        return this.#inventJoin(atMs);
      case "hostile":
        if (this.#faults.on("hostile", one.n) !== undefined) return null;
        return { kind, atMs, toMs: this.plan.toMs, node: one.n, ratePerSec: 20 };
    }
  }

  #inventPartition(atMs: number): Fault | null {
    const numbers = this.#world.nodes.map((node) => node.n);
    if (numbers.length < 2) return null;
    const rng = this.#rng;
    shuffle(numbers, rng);
    const count = numbers.length > 2 && rng.below(4) === 0 ? 3 : 2;
    const groups: number[][] = Array.from({ length: count }, () => []);
    // One to each group first: none is empty.
    numbers.forEach((n, i) => groups[i < count ? i : rng.below(count)]?.push(n));
    return { kind: "partition", atMs, groups, oneway: rng.below(4) === 0, untilMs: null };
  }

  #inventLink(atMs: number, up: readonly SimNode[]): Fault | null {
    if (up.length < 2) return null;
    const rng = this.#rng;
    const from = rng.below(up.length);
    const to = (from + 1 + rng.below(up.length - 1)) % up.length;
    const ends = { from: (up[from] as SimNode).n, to: (up[to] as SimNode).n };
    const base = {
      kind: "link" as const,
      atMs,
      ...ends,
      loss: 0,
      latencyMs: null,
      cut: false,
      untilMs: null,
    };
    switch (rng.below(3)) {
      case 0:
        return { ...base, loss: 0.3 + 0.1 * rng.below(7) };
      case 1:
        return { ...base, latencyMs: { min: 50, max: 100 * (1 + rng.below(20)) } };
      default:
        return { ...base, cut: true };
    }
  }

  #inventJoin(atMs: number): Fault | null {
    if (this.#joins >= maxJoins || !this.#faults.joinerReady) return null;
    this.#joins++;
    const n = this.#world.nodes.length;
    const geo = "geo" in this.#world.scenario.network.latencyMs;
    const region = geo ? (regionNames[n % regionNames.length] as string) : "local";
    return { kind: "join", atMs, name: `n${n}`, region, bootstrap: null, address: null };
  }
}

/** The entry of a scenario that ends a fault, or null where only lifting it does. */
function endOf(fault: Fault, atMs: number): Fault | null {
  switch (fault.kind) {
    case "crash":
      return { kind: "restart", atMs, node: fault.node };
    case "pause":
      return { kind: "resume", atMs, node: fault.node };
    case "block":
      return { kind: "unblock", atMs, node: fault.node };
    case "slow":
      return { kind: "slow", atMs, node: fault.node, factor: 1 };
    default:
      return null;
  }
}

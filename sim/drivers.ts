/** What drives a run from outside while its first phase lasts: workloads, planned faults, the nemesis. */
import { assert } from "../core/base/assert.ts";
import type { Rng } from "../core/base/rng.ts";
import { parseSchema } from "../core/crdt/parse-schema.ts";
import type { TableSchema } from "../core/crdt/schema.ts";
import { evFault, evNemesis, evWorkload } from "./event-kinds.ts";
import type { Faults } from "./faults.ts";
import type { SimNode } from "./host/node.ts";
import type { Task } from "./host/task.ts";
import { Nemesis } from "./nemesis.ts";
import type { Fault, Workload } from "./scenario/scenario.ts";
import { expandOps, randomGapUs, randomOps, type RandomWorkload } from "./workload.ts";
import type { SimWorld } from "./world.ts";

export class Drivers {
  /** Set when the first phase is over: nothing is driven any more. */
  stopped = false;
  readonly #world: SimWorld;
  readonly #faults: Faults;
  readonly #tables: readonly TableSchema[];
  readonly #nemeses = new Map<number, Nemesis>();
  readonly #workRngs: Rng[] = [];
  readonly #pools = new Map<number, readonly SimNode[]>();
  #poolsFor = 0;

  constructor(world: SimWorld, faults: Faults, rng: Rng) {
    this.#world = world;
    this.#faults = faults;
    const { scenario } = world;
    const schema = parseSchema(scenario.schema);
    assert(schema.ok, "the schema was checked when the scenario was read");
    this.#tables = schema.tables;
    scenario.faults.forEach((fault, i) => {
      if (fault.kind !== "random") return;
      this.#nemeses.set(i, new Nemesis(fault, world, faults, rng.fork(`nemesis/${i}`)));
    });
    scenario.workload.forEach((_, i) => this.#workRngs.push(rng.fork(`workload/${i}`)));
  }

  /** Enters everything that the scenario plans into the kernel. */
  plan(): void {
    const { scenario, kernel } = this.#world;
    scenario.faults.forEach((fault, i) => {
      if (fault.kind === "random") kernel.schedule(fault.fromMs * 1000, evNemesis, i, 0, 0, null);
      else kernel.schedule(fault.atMs * 1000, evFault, i, 0, 0, null);
    });
    scenario.workload.forEach((work, i) => {
      const atUs =
        work.kind === "random"
          ? work.fromMs * 1000 + randomGapUs(work, this.#workRngs[i] as Rng)
          : work.atMs * 1000;
      kernel.schedule(atUs, evWorkload, i, 0, 0, null);
    });
  }

  stop(): void {
    this.stopped = true;
    for (const nemesis of this.#nemeses.values()) nemesis.finish();
  }

  faultDue(index: number): void {
    if (!this.stopped) this.#faults.carryOut(this.#world.scenario.faults[index] as Fault);
  }

  nemesisDue(index: number): void {
    if (this.stopped) return;
    const nemesis = this.#nemeses.get(index) as Nemesis;
    const { toMs, everyMs } = nemesis.plan;
    const { kernel } = this.#world;
    const nowMs = kernel.nowUs / 1000;
    if (nowMs >= toMs) {
      nemesis.finish();
      return;
    }
    nemesis.act();
    kernel.schedule(Math.min(nowMs + everyMs, toMs) * 1000, evNemesis, index, 0, 0, null);
  }

  workloadDue(index: number): void {
    const work = this.#world.scenario.workload[index] as Workload;
    if (work.kind === "random") {
      if (!this.stopped) this.#randomWork(work, index);
      return;
    }
    const task: Task =
      work.kind === "ops"
        ? { type: "ops", ops: expandOps(work.ops), planned: true }
        : { type: "sql", statements: work.statements };
    this.#submit(this.#world.nodes[work.node] as SimNode, task);
  }

  #randomWork(work: RandomWorkload, index: number): void {
    const rng = this.#workRngs[index] as Rng;
    const table = this.#tables.find(({ name }) => name === work.table) as TableSchema;
    const { kernel } = this.#world;
    const nextUs = kernel.nowUs + randomGapUs(work, rng);
    if (nextUs <= work.toMs * 1000) kernel.schedule(nextUs, evWorkload, index, 0, 0, null);
    const draw = rng.unit();
    const ops = randomOps(work, table, rng);
    const node = oneReady(this.#poolOf(work, index), draw);
    if (node !== undefined) this.#submit(node, { type: "ops", ops, planned: false });
  }

  /** The nodes that take the transactions of a workload: worked out anew when there is another node. */
  #poolOf(work: RandomWorkload, index: number): readonly SimNode[] {
    const { nodes } = this.#world;
    if (work.nodes === null) return nodes;
    if (this.#poolsFor !== nodes.length) {
      this.#poolsFor = nodes.length;
      this.#pools.clear();
    }
    let pool = this.#pools.get(index);
    if (pool === undefined) {
      pool = work.nodes.flatMap((n) => nodes[n] ?? []);
      this.#pools.set(index, pool);
    }
    return pool;
  }

  #submit(node: SimNode, task: Task): void {
    if (!node.submit(task)) this.#world.writeFailed(node);
  }
}

/** Of the nodes that take transactions, the one at `draw` (0 to 1) of their number. */
function oneReady(pool: readonly SimNode[], draw: number): SimNode | undefined {
  let ready = 0;
  for (let i = 0; i < pool.length; i++) if (isReady(pool[i] as SimNode)) ready++;
  let left = Math.floor(draw * ready);
  for (let i = 0; i < pool.length; i++) {
    const node = pool[i] as SimNode;
    if (isReady(node) && left-- === 0) return node;
  }
  return undefined;
}

function isReady(node: SimNode): boolean {
  return node.life === "running" && node.live;
}

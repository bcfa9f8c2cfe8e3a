/** How far the sides of each partition had drifted apart when it was lifted: what people ask first. */
import { sameRow, storedRows } from "./check/model.ts";
import type { SimNode } from "./host/node.ts";
import type { PartitionReport } from "./result.ts";
import type { Fault } from "./scenario/scenario.ts";
import type { SimWorld } from "./world.ts";

/** Reports kept; a nemesis may cut the network hundreds of times. */
const maxReports = 16;

export class Partitions {
  readonly reports: PartitionReport[] = [];
  readonly #world: SimWorld;

  constructor(world: SimWorld) {
    this.#world = world;
  }

  /** A partition that began at `fromUs` is about to end. */
  ends(fault: Extract<Fault, { kind: "partition" }>, fromUs: number): void {
    if (this.reports.length >= maxReports) return;
    const live = this.#world.nodes.filter((node) => node.live && node.replica !== null);
    const held = (node: SimNode): number => node.replica?.ledger.heldVersions ?? 0;
    const sorted = [...live].sort((a, b) => held(a) - held(b) || a.n - b.n);
    const fewest = sorted[0];
    const most = sorted.at(-1);
    this.reports.push({
      fromMs: fromUs / 1000,
      toMs: this.#world.kernel.nowUs / 1000,
      groups: fault.groups,
      oneway: fault.oneway,
      states: this.#world.agreement.states,
      versionsApart: fewest === undefined ? 0 : this.#versionsOfAll(live) - held(fewest),
      rowsApart: fewest === undefined || most === undefined ? 0 : rowsApart(fewest, most),
    });
  }

  /** Versions that any of the nodes holds: per author the highest count. */
  #versionsOfAll(nodes: readonly SimNode[]): number {
    const counts = new Map<string, number>();
    for (const node of nodes) {
      for (const { actor, held } of node.replica?.ledger.actors() ?? []) {
        counts.set(actor, Math.max(counts.get(actor) ?? 0, held.count));
      }
    }
    let total = 0;
    for (const count of counts.values()) total += count;
    return total;
  }
}

function rowsApart(a: SimNode, b: SimNode): number {
  if (a.store === null || b.store === null || a === b) return 0;
  const { store: storeA } = a;
  const { store: storeB } = b;
  const rowsA = storedRows(storeA.tables, (table) => storeA.rows(table));
  const rowsB = storedRows(storeB.tables, (table) => storeB.rows(table));
  let apart = 0;
  for (const [name, values] of rowsA) {
    const other = rowsB.get(name);
    if (other === undefined || !sameRow(values, other)) apart++;
  }
  for (const name of rowsB.keys()) if (!rowsA.has(name)) apart++;
  return apart;
}

/** One cluster, one way of spreading: how far, how fast, at how many copies. */
import { createRng } from "../../sim/rng.ts";
import { Fleet, reachedMs, type Write } from "../bench/fleet.ts";
import { mean, quantile, rounded } from "../bench/statistics.ts";
import { eagerGossip, spreadRumor } from "./epidemic.ts";

/**
 * `tree`, `flood`: Patina's, whole replicas in a LAN. `eager`: gossip to four others at the first
 * receipt, in rounds. `push`, `pushPull`: the textbook's epidemics, in rounds.
 */
export type Way = "tree" | "flood" | "eager" | "push" | "pushPull";

export type Cell = Readonly<{
  way: Way;
  nodes: number;
  loss: number;
  /** Share of the nodes that crash at once, just before what is measured. */
  crashed: number;
  seed: string;
}>;

/** Of the running nodes; of those ways that know no time or hops, null. */
export type Row = Readonly<{
  /** Mean share reached by broadcast, without repair. */
  reached: number;
  /** Mean share reached within a minute, by repair too. */
  delivered: number;
  copies: number;
  /** Mean last delivery hop, or rounds. */
  lastHop: number;
  lastP50: number | null;
  lastP99: number | null;
}>;

/** Eager gossip's fanout in the Plumtree paper's comparison. */
export const eagerFanout = 4;
const commits = 60;
const everyMs = 50;
/** So many before the measured ones, of one writer: the tree settles. */
const settling = 40;
const afterMs = 60_000;

export function measure(cell: Cell): Row {
  const { way, nodes, crashed, seed } = cell;
  if (way === "tree" || way === "flood") return measureFleet(cell, way);
  const alive = nodes - Math.round(nodes * crashed);
  const one =
    way === "eager" ? eagerGossip(nodes, eagerFanout, alive, seed) : spreadRumor(nodes, way, seed);
  const { reached, copies, rounds } = one;
  return {
    reached: rounded(reached, 5),
    delivered: rounded(reached, 5),
    copies: rounded(copies, 3),
    lastHop: rounds,
    lastP50: null,
    lastP99: null,
  };
}

function measureFleet({ nodes, loss, crashed, seed }: Cell, mode: "tree" | "flood"): Row {
  const fleet = new Fleet(
    {
      nodes,
      durationMs: 3_600_000,
      network: { latencyMs: { min: 0.25, max: 0.75 }, loss },
      broadcast: mode,
      start: "warm",
    },
    seed,
  );
  const rng = createRng(seed).fork("writers");
  let atMs = 1000;
  for (let i = 0; i < settling; i++, atMs += everyMs) {
    fleet.runUntil(atMs);
    fleet.write(0);
  }
  fleet.runUntil(atMs + 1000);
  crash(fleet, Math.round(nodes * crashed), seed);
  const alive = fleet.nodes.filter((node) => node.live).map(({ n }) => n);
  const before = fleet.mark();
  const skip = fleet.writes.length;
  atMs = fleet.nowMs;
  for (let i = 0; i < commits; i++, atMs += everyMs) {
    fleet.runUntil(atMs);
    fleet.write(alive[rng.below(alive.length)] as number);
  }
  fleet.runUntil(atMs + afterMs);
  return figures(fleet.writes.slice(skip), alive.length - 1, fleet.mark().pushes - before.pushes);
}

/** All but node 0, the writer of the first ones, may crash. */
function crash(fleet: Fleet, count: number, seed: string): void {
  const rng = createRng(seed).fork("crash");
  const { world } = fleet.run;
  for (let left = count; left > 0; ) {
    const node = fleet.nodes[1 + rng.below(fleet.nodes.length - 1)];
    if (node === undefined || !node.live) continue;
    world.crash(node, "kept");
    left--;
  }
}

function figures(writes: readonly Write[], others: number, pushes: number): Row {
  const last = writes.map((write) => reachedMs(write, others) ?? afterMs).toSorted((a, b) => a - b);
  return {
    reached: rounded(mean(writes.map(({ byGossip }) => byGossip / others)), 5),
    delivered: rounded(mean(writes.map(({ appliedUs }) => appliedUs.length / others)), 5),
    copies: rounded(pushes / others / writes.length, 3),
    lastHop: rounded(mean(writes.map(({ lastHop }) => lastHop)), 2),
    lastP50: rounded(quantile(last, 0.5), 2),
    lastP99: rounded(quantile(last, 0.99), 2),
  };
}

/** Nodes all over the world that commit at random, and how long each commit takes to be everywhere. */
import { createLatencyModel } from "../../sim/network/latency.ts";
import { regionIndex, regionNames } from "../../sim/network/regions.ts";
import { createRng } from "../../sim/rng.ts";
import { Fleet, reachedMs } from "../bench/fleet.ts";
import { quantile, rounded } from "../bench/statistics.ts";

export type Cell = Readonly<{
  mode: "tree" | "flood";
  nodes: number;
  loss: number;
  commits: number;
  /** How many of the nodes commit: all, or the first. */
  writers: number;
  /** Of the row that is committed. */
  characters: number;
  seed: string;
}>;

/** Milliseconds from the commit, over all commits: until half, 99 % and all of the nodes had it. */
export type Row = Readonly<{
  halfP50: number;
  halfP99: number;
  mostP50: number;
  mostP99: number;
  allP50: number;
  allP99: number;
  allMax: number;
  /** Of all pairs of commit and node. */
  pairP50: number;
  pairP99: number;
  /** The least that the model allows: straight from the writer to the furthest node, without loss. */
  boundP50: number;
  boundP99: number;
  /** Pushes that arrived, per node and commit. */
  copies: number;
  /** Bytes for broadcast, per node and commit. */
  bytes: number;
  /** Share of pairs of commit and node that came at all, and that came by broadcast. */
  delivered: number;
  byBroadcast: number;
}>;

const perSecond = 200;
/** The tree takes its shape from these, of one writer, before anything is measured. */
const settling = { commits: 100, everyMs: 100 };
const afterMs = 8000;

export function measure({ mode, nodes, loss, commits, writers, characters, seed }: Cell): Row {
  const fleet = new Fleet(
    {
      nodes: Array.from({ length: nodes }, (_, i) => ({ name: `n${i}`, region: regionOf(i) })),
      durationMs: 3_600_000,
      network: { latencyMs: { geo: "world" }, loss },
      broadcast: mode,
      start: "warm",
    },
    seed,
  );
  let atMs = 1000;
  for (let i = 0; i < settling.commits; i++, atMs += settling.everyMs) {
    fleet.runUntil(atMs);
    fleet.write(0);
  }
  fleet.runUntil(atMs + 2000);
  atMs = fleet.nowMs;
  const before = fleet.mark();
  const rng = createRng(seed).fork("writers");
  for (let i = 0; i < commits; i++, atMs += 1000 / perSecond) {
    fleet.runUntil(atMs);
    fleet.write(rng.below(writers), undefined, characters);
  }
  fleet.runUntil(atMs + afterMs);
  return figures(fleet, settling.commits, before);
}

function regionOf(node: number): string {
  return regionNames[node % regionNames.length] as string;
}

function figures(fleet: Fleet, skip: number, before: ReturnType<Fleet["mark"]>): Row {
  const writes = fleet.writes.slice(skip);
  const others = fleet.nodes.length - 1;
  const after = fleet.mark();
  const bounds = boundsMs(fleet.nodes.length);
  const until = (share: number) => {
    const count = Math.ceil(share * others);
    return ascending(writes.map((write) => reachedMs(write, count) ?? afterMs));
  };
  const [half, most, all] = [until(0.5), until(0.99), until(1)];
  const pairs = Float64Array.from(
    writes.flatMap(({ committedUs, appliedUs }) =>
      appliedUs.map((us) => (us - committedUs) / 1000),
    ),
  ).sort();
  const bound = ascending(writes.map(({ node }) => bounds[node] as number));
  const byGossip = writes.reduce((sum, write) => sum + write.byGossip, 0);
  const ms = (sorted: ArrayLike<number>, share: number): number =>
    rounded(quantile(sorted, share), 1);
  return {
    halfP50: ms(half, 0.5),
    halfP99: ms(half, 0.99),
    mostP50: ms(most, 0.5),
    mostP99: ms(most, 0.99),
    allP50: ms(all, 0.5),
    allP99: ms(all, 0.99),
    allMax: ms(all, 1),
    pairP50: ms(pairs, 0.5),
    pairP99: ms(pairs, 0.99),
    boundP50: ms(bound, 0.5),
    boundP99: ms(bound, 0.99),
    copies: rounded((after.pushes - before.pushes) / others / writes.length, 3),
    bytes: rounded((after.bytes - before.bytes) / fleet.nodes.length / writes.length, 0),
    delivered: rounded(pairs.length / others / writes.length, 6),
    byBroadcast: rounded(byGossip / pairs.length, 6),
  };
}

/** From each node to the one that is furthest, as the model has it without queues on the way. */
function boundsMs(nodes: number): number[] {
  const model = createLatencyModel({ geo: "world" }, (n) => regionIndex(regionOf(n)));
  return Array.from({ length: nodes }, (_, from) => {
    let furthest = 0;
    for (let to = 0; to < nodes; to++) {
      if (to !== from) furthest = Math.max(furthest, model.typicalUs(from, to));
    }
    return furthest / 1000;
  });
}

function ascending(values: readonly number[]): Float64Array {
  return Float64Array.from(values).sort();
}

/**
 * The rows about broadcast, measured with whole replicas: every node writes in turn, 100 bytes of
 * text a row, in the same simulated LAN as the rows about membership.
 */
import { type BroadcastFigures, measureBroadcast } from "../../sim/gossip-lab/measure.ts";
import { bySize, type Row, seedsBySize } from "./swim-row.ts";

/** Messages of one seed: enough for the tree to settle and for a median. */
function messagesFor(nodes: number): number {
  return nodes <= 200 ? 100 : 40;
}

const kept = new Map<string, BroadcastFigures>();

function broadcast(mode: "flood" | "tree", nodes: number, seed: string): BroadcastFigures {
  const key = `${mode}/${nodes}/${seed}`;
  let figures = kept.get(key);
  if (figures === undefined) {
    figures = measureBroadcast({
      seed,
      nodes,
      mode,
      latencyMs: { min: 0.25, max: 0.75 },
      profile: "lan",
      loss: 0,
      messages: messagesFor(nodes),
      everyMs: 50,
      valueBytes: 100,
    });
    kept.set(key, figures);
  }
  return figures;
}

/** Infinite when a node got a message by sync alone, or not at all. */
function whole(figures: BroadcastFigures, value: number): number {
  return figures.delivered === 1 && figures.byBroadcast === 1 ? value : Infinity;
}

const seeds = seedsBySize(5, 2, 0);

export const broadcastRows: readonly Row[] = [
  {
    key: "flood-last",
    title: "100 B at the last node, flood, ms",
    digits: 1,
    foca: bySize(486, 766, 1020),
    memberlist: bySize(554, 865, 1163),
    goal: bySize(450, 700, 1000),
    judged: "median",
    measure: (nodes, seed) => {
      const figures = broadcast("flood", nodes, seed);
      return whole(figures, figures.lastMs.p50);
    },
    seeds,
  },
  {
    key: "flood-copies",
    title: "  copies a node and message",
    digits: 2,
    foca: bySize(8, 12, 16),
    memberlist: bySize(12, 16, 20),
    goal: bySize(8, 12, 16),
    judged: "median",
    measure: (nodes, seed) => broadcast("flood", nodes, seed).copies,
    seeds,
  },
  {
    key: "tree-last",
    title: "100 B at the last node, tree, ms",
    digits: 1,
    foca: {},
    memberlist: {},
    goal: bySize(450, 700, 1000),
    judged: "median",
    measure: (nodes, seed) => {
      const figures = broadcast("tree", nodes, seed);
      return whole(figures, figures.lastMs.p50);
    },
    seeds,
  },
  {
    key: "tree-slowest",
    title: "  the slowest message, ms",
    digits: 1,
    foca: {},
    memberlist: {},
    goal: bySize(450, 700, 1000),
    judged: "worst",
    measure: (nodes, seed) => {
      const figures = broadcast("tree", nodes, seed);
      return whole(figures, figures.lastMs.max);
    },
    seeds,
  },
  {
    key: "tree-copies",
    title: "  copies a node and message",
    digits: 2,
    foca: {},
    memberlist: {},
    goal: bySize(1.5, 1.5, 1.5),
    judged: "median",
    measure: (nodes, seed) => broadcast("tree", nodes, seed).copies,
    seeds,
  },
  {
    key: "tree-settled",
    title: "  once settled",
    digits: 2,
    foca: {},
    memberlist: {},
    goal: bySize(1.1, 1.1, 1.1),
    judged: "median",
    measure: (nodes, seed) => broadcast("tree", nodes, seed).copiesSettled,
    seeds,
  },
];

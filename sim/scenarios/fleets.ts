/** Many nodes that come and go. */
import type { BuiltIn } from "./built-in.ts";
import { ordinaryNetwork, range, writes } from "./parts.ts";

export const fleetScenarios: readonly BuiltIn[] = [
  {
    name: "churn-100",
    summary: "A hundred nodes, of which one crashes and one returns every second.",
    nodes: 100,
    minNodes: 20,
    build: (nodes) => ({
      durationMs: 60_000,
      network: { latencyMs: { min: 1, max: 10 }, loss: 0.01 },
      workload: [writes(50_000, 20)],
      faults: range(0, 40).flatMap((i) => {
        const node = (i + 3) % nodes;
        const disk = ["kept", "torn", "lost"][i % 3];
        return [
          { kind: "crash", atMs: 5000 + 1000 * i, node, disk },
          { kind: "restart", atMs: 12_000 + 1000 * i, node },
        ];
      }),
      expect: { convergeWithinMs: 60_000 },
    }),
  },
  {
    name: "join-storm",
    summary: "Fifty nodes ask one node for the cluster within a second.",
    nodes: 3,
    minNodes: 1,
    build: () => ({
      durationMs: 20_000,
      network: { latencyMs: { min: 1, max: 5 } },
      workload: [writes(20_000, 10)],
      faults: range(0, 50).map((i) => ({ kind: "join", atMs: 5000 + 20 * i, bootstrap: 0 })),
    }),
  },
  {
    name: "leave-and-return",
    summary: "Nodes leave in order; one of them returns, others crash while leaving is told.",
    nodes: 6,
    minNodes: 5,
    build: () => ({
      durationMs: 40_000,
      network: ordinaryNetwork,
      workload: [writes(40_000, 30)],
      faults: [
        { kind: "leave", atMs: 8000, node: 1 },
        { kind: "leave", atMs: 8500, node: 2 },
        { kind: "crash", atMs: 8600, node: 3, disk: "kept" },
        { kind: "restart", atMs: 20_000, node: 1 },
        { kind: "restart", atMs: 22_000, node: 3 },
      ],
    }),
  },
  {
    name: "mass-leave",
    summary: "Half of the nodes leave at the same moment.",
    nodes: 12,
    minNodes: 4,
    build: (nodes) => ({
      durationMs: 25_000,
      network: ordinaryNetwork,
      workload: [writes(25_000, 20)],
      faults: range(0, Math.floor(nodes / 2)).map((node) => ({ kind: "leave", atMs: 8000, node })),
    }),
  },
];

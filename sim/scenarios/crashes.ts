/** Processes and disks that fail. */
import type { BuiltIn } from "./built-in.ts";
import { ordinaryNetwork, range, writes } from "./parts.ts";

export const crashScenarios: readonly BuiltIn[] = [
  {
    name: "rolling-restart",
    summary: "Every node is stopped and started once, one after another, under load.",
    nodes: 5,
    minNodes: 2,
    build: (nodes) => ({
      durationMs: 10_000 + 6000 * nodes,
      network: ordinaryNetwork,
      workload: [writes(10_000 + 6000 * nodes, 40)],
      faults: range(0, nodes).flatMap((node) => [
        { kind: "crash", atMs: 5000 + 6000 * node, node, disk: "kept" },
        { kind: "restart", atMs: 8000 + 6000 * node, node },
      ]),
    }),
  },
  crashScenario(
    "crash-torn",
    "torn",
    "Nodes lose power and with it their last commits, which peers may have seen.",
  ),
  crashScenario("crash-lost", "lost", "Nodes come back with empty disks."),
  {
    name: "mass-restart",
    summary:
      "All nodes but one go down together, are found dead, and come back at the same moment.",
    nodes: 8,
    minNodes: 3,
    build: (nodes) => ({
      durationMs: 70_000,
      network: ordinaryNetwork,
      workload: [writes(70_000, 20)],
      faults: range(1, nodes - 1).flatMap((node) => [
        { kind: "crash", atMs: 10_000, node, disk: "kept" },
        { kind: "restart", atMs: 50_000, node },
      ]),
    }),
  },
];

function crashScenario(name: string, disk: string, summary: string): BuiltIn {
  return {
    name,
    summary,
    nodes: 5,
    minNodes: 3,
    build: () => ({
      durationMs: 40_000,
      network: ordinaryNetwork,
      workload: [writes(40_000, 60)],
      faults: [
        { kind: "crash", atMs: 8000, node: 1, disk },
        { kind: "restart", atMs: 9000, node: 1 },
        { kind: "crash", atMs: 15_000, node: 2, disk },
        { kind: "crash", atMs: 20_000, node: 1, disk },
        { kind: "restart", atMs: 28_000, node: 2 },
        { kind: "restart", atMs: 30_000, node: 1 },
      ],
    }),
  };
}

/** Networks that come apart. */
import type { BuiltIn } from "./built-in.ts";
import { ordinaryNetwork, range, writes } from "./parts.ts";

export const partitionScenarios: readonly BuiltIn[] = [
  {
    name: "split-heal",
    summary: "Two sides cut apart for 30 s, both written to until the moment of healing.",
    nodes: 5,
    minNodes: 2,
    build: (nodes) => {
      const first = Math.max(1, Math.floor(nodes * 0.4));
      const left = range(0, first);
      const right = range(first, nodes - first);
      return {
        durationMs: 40_000,
        network: { latencyMs: { min: 1, max: 20 } },
        clocks: { skewMsMax: 250, driftPpmMax: 100 },
        workload: [writes(40_000, 50, { nodes: left }), writes(40_000, 50, { nodes: right })],
        faults: [{ kind: "partition", atMs: 10_000, untilMs: 40_000, groups: [left, right] }],
        expect: { convergeWithinMs: 15_000 },
      };
    },
  },
  {
    name: "one-way-cut",
    summary: "One node is heard by nobody, then hears nobody, for 15 s each.",
    nodes: 5,
    minNodes: 2,
    build: (nodes) => {
      const others = range(1, nodes - 1);
      return {
        durationMs: 45_000,
        network: ordinaryNetwork,
        workload: [writes(45_000, 30)],
        faults: [
          { kind: "partition", atMs: 5000, untilMs: 20_000, groups: [[0], others], oneway: true },
          { kind: "partition", atMs: 25_000, untilMs: 40_000, groups: [others, [0]], oneway: true },
        ],
      };
    },
  },
  {
    name: "flapping-partition",
    summary: "A cut between two sides comes and goes every second, for half a minute.",
    nodes: 5,
    minNodes: 2,
    build: (nodes) => {
      const first = Math.ceil(nodes / 2);
      const groups = [range(0, first), range(first, nodes - first)];
      return {
        durationMs: 40_000,
        network: ordinaryNetwork,
        workload: [writes(40_000, 50)],
        faults: range(0, 15).map((i) => ({
          kind: "partition",
          atMs: 5000 + 2000 * i,
          untilMs: 6000 + 2000 * i,
          groups,
        })),
      };
    },
  },
  {
    name: "minority-islands",
    summary: "Every node alone for 20 s, all of them written to.",
    nodes: 5,
    minNodes: 2,
    build: (nodes) => ({
      durationMs: 35_000,
      network: ordinaryNetwork,
      workload: [writes(35_000, 50)],
      faults: [
        {
          kind: "partition",
          atMs: 10_000,
          untilMs: 30_000,
          groups: range(0, nodes).map((n) => [n]),
        },
      ],
    }),
  },
  {
    name: "long-split",
    summary: "Halves cut for two minutes, long past declaring each other down, then healed.",
    nodes: 8,
    minNodes: 2,
    build: (nodes) => {
      const first = Math.ceil(nodes / 2);
      return {
        durationMs: 140_000,
        network: ordinaryNetwork,
        workload: [writes(130_000, 10)],
        faults: [
          {
            kind: "partition",
            atMs: 10_000,
            untilMs: 130_000,
            groups: [range(0, first), range(first, nodes - first)],
          },
        ],
        expect: { convergeWithinMs: 60_000, falseDeaths: 0 },
      };
    },
  },
  {
    name: "born-apart",
    summary: "Two sides that never met before they are joined: the cut is there from the start.",
    nodes: 6,
    minNodes: 4,
    build: (nodes) => {
      const first = Math.ceil(nodes / 2);
      return {
        durationMs: 30_000,
        network: ordinaryNetwork,
        workload: [writes(30_000, 20)],
        faults: [
          {
            kind: "partition",
            atMs: 0,
            untilMs: 25_000,
            groups: [range(0, first), range(first, nodes - first)],
          },
        ],
        expect: { convergeWithinMs: 60_000 },
      };
    },
  },
];

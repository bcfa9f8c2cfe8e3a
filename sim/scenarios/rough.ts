/** Slow, frozen, deaf and hostile nodes, bad networks, and everything at once. */
import type { BuiltIn } from "./built-in.ts";
import { ordinaryNetwork, range, writes } from "./parts.ts";

export const roughScenarios: readonly BuiltIn[] = [
  {
    name: "slow-node",
    summary: "One node takes a hundred, then a thousand times as long for everything.",
    nodes: 5,
    minNodes: 2,
    build: () => ({
      durationMs: 45_000,
      network: ordinaryNetwork,
      workload: [writes(45_000, 30)],
      faults: [
        { kind: "slow", atMs: 5000, node: 1, factor: 100 },
        { kind: "slow", atMs: 15_000, node: 1, factor: 1000 },
        { kind: "slow", atMs: 35_000, node: 1, factor: 1 },
      ],
    }),
  },
  {
    name: "pause",
    summary: "Processes are frozen for seconds, longer than it takes to believe them dead.",
    nodes: 5,
    minNodes: 3,
    build: () => ({
      durationMs: 60_000,
      network: ordinaryNetwork,
      workload: [writes(60_000, 30)],
      faults: [
        { kind: "pause", atMs: 5000, node: 1 },
        { kind: "resume", atMs: 8000, node: 1 },
        { kind: "pause", atMs: 12_000, node: 2 },
        { kind: "pause", atMs: 15_000, node: 1 },
        { kind: "resume", atMs: 45_000, node: 2 },
        { kind: "resume", atMs: 45_500, node: 1 },
      ],
    }),
  },
  {
    name: "block",
    summary: "Network I/O stands still on some nodes while their timers run on.",
    nodes: 6,
    minNodes: 3,
    build: () => ({
      durationMs: 60_000,
      network: ordinaryNetwork,
      workload: [writes(60_000, 30)],
      faults: [
        { kind: "block", atMs: 5000, node: 1 },
        { kind: "unblock", atMs: 9000, node: 1 },
        { kind: "block", atMs: 15_000, node: 1 },
        { kind: "block", atMs: 16_000, node: 2 },
        { kind: "unblock", atMs: 45_000, node: 1 },
        { kind: "unblock", atMs: 45_000, node: 2 },
      ],
    }),
  },
  {
    name: "lossy-world",
    summary: "Nodes round the globe over links that lose, double and damage packets.",
    nodes: 12,
    minNodes: 2,
    build: () => ({
      durationMs: 60_000,
      network: {
        latencyMs: { geo: "world" },
        loss: 0.1,
        duplicate: 0.01,
        corrupt: 0.01,
        bandwidthBytesPerSec: 1_250_000,
      },
      clocks: { skewMsMax: 500, driftPpmMax: 200 },
      workload: [writes(60_000, 40)],
      expect: { convergeWithinMs: 60_000, falseDeaths: 0 },
    }),
  },
  {
    name: "deaf-node",
    summary:
      "One node can send but not receive for two minutes; nobody healthy may be held for dead.",
    nodes: 12,
    minNodes: 3,
    build: (nodes) => ({
      durationMs: 135_000,
      network: { latencyMs: { min: 0.25, max: 0.75 } },
      workload: [writes(130_000, 5)],
      faults: [
        {
          kind: "partition",
          atMs: 10_000,
          untilMs: 130_000,
          groups: [range(1, nodes - 1), [0]],
          oneway: true,
        },
      ],
      expect: { convergeWithinMs: 60_000, falseDeaths: 0 },
    }),
  },
  {
    name: "one-address",
    summary:
      "A node is set up with another's address; for half a minute either gets half of the mail.",
    nodes: 6,
    minNodes: 3,
    build: (nodes) => ({
      durationMs: 60_000,
      network: ordinaryNetwork,
      workload: [writes(60_000, 20)],
      faults: [
        { kind: "join", atMs: 10_000, bootstrap: 0, address: 1 },
        { kind: "leave", atMs: 40_000, node: nodes },
      ],
      expect: { convergeWithinMs: 60_000 },
    }),
  },
  {
    name: "hostile-peer",
    summary: "A member sends garbage, torn and damaged messages beside its own.",
    nodes: 5,
    minNodes: 3,
    build: () => ({
      durationMs: 40_000,
      network: ordinaryNetwork,
      workload: [writes(40_000, 30)],
      faults: [
        { kind: "hostile", atMs: 5000, toMs: 35_000, node: 1, ratePerSec: 100 },
        { kind: "hostile", atMs: 10_000, toMs: 25_000, node: 2, ratePerSec: 50 },
      ],
      expect: { convergeWithinMs: 60_000 },
    }),
  },
  {
    name: "random-nemesis",
    summary: "A seeded nemesis begins and ends faults of every kind.",
    nodes: 5,
    minNodes: 1,
    build: () => ({
      durationMs: 30_000,
      network: { latencyMs: { min: 1, max: 20 }, loss: 0.02, duplicate: 0.01, corrupt: 0.005 },
      clocks: { skewMsMax: 500, driftPpmMax: 200 },
      workload: [writes(30_000, 20, { keys: 30 })],
      faults: [{ kind: "random", fromMs: 2000, toMs: 28_000, everyMs: 800 }],
      expect: { convergeWithinMs: 60_000 },
    }),
  },
];

/** Wall clocks that lie. */
import type { BuiltIn } from "./built-in.ts";
import { ordinaryNetwork, writes } from "./parts.ts";

const yearMs = 31_536_000_000;

export const clockScenarios: readonly BuiltIn[] = [
  {
    name: "skewed-clocks",
    summary: "Clocks up to a minute apart that drift by up to one percent.",
    nodes: 5,
    minNodes: 2,
    build: () => ({
      durationMs: 40_000,
      network: ordinaryNetwork,
      clocks: { skewMsMax: 60_000, driftPpmMax: 10_000 },
      workload: [writes(40_000, 50)],
    }),
  },
  {
    name: "clock-jump-year",
    summary: "One clock jumps a year ahead and back, another a year into the past.",
    nodes: 5,
    minNodes: 3,
    build: () => ({
      durationMs: 45_000,
      network: ordinaryNetwork,
      workload: [writes(45_000, 50, { keys: 20 })],
      faults: [
        { kind: "clock", atMs: 8000, node: 1, jumpMs: yearMs, untilMs: 25_000 },
        { kind: "clock", atMs: 15_000, node: 2, jumpMs: -yearMs, untilMs: 35_000 },
        { kind: "crash", atMs: 18_000, node: 1, disk: "kept" },
        { kind: "restart", atMs: 20_000, node: 1 },
      ],
    }),
  },
];

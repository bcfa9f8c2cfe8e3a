/** Data that strains merge, versions and bookkeeping. */
import type { BuiltIn } from "./built-in.ts";
import { ordinaryNetwork, range, writes } from "./parts.ts";

/** Tables of several shapes: every key type, link tables, policies. */
const manyShapes = [
  "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT NOT NULL DEFAULT '', n INTEGER)",
  "CREATE TABLE link (a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (b, a))",
  "CREATE TABLE reading (id BLOB NOT NULL PRIMARY KEY, at REAL, raw BLOB, note)",
];

export const dataScenarios: readonly BuiltIn[] = [
  {
    name: "control",
    summary: "No fault at all: what everything else is compared with.",
    nodes: 5,
    minNodes: 1,
    build: () => ({
      durationMs: 30_000,
      workload: [writes(20_000, 50)],
      expect: { convergeWithinMs: 5000 },
    }),
  },
  {
    name: "hot-row",
    summary: "Every node writes the same three rows as fast as it can.",
    nodes: 5,
    minNodes: 2,
    build: () => ({
      durationMs: 20_000,
      network: ordinaryNetwork,
      clocks: { skewMsMax: 250, driftPpmMax: 100 },
      workload: [writes(20_000, 400, { keys: 3 })],
    }),
  },
  {
    name: "delete-reinsert-storm",
    summary: "Rows die and are born again all the time, on both sides of cuts that come and go.",
    nodes: 5,
    minNodes: 2,
    build: (nodes) => {
      const first = Math.ceil(nodes / 2);
      const groups = [range(0, first), range(first, nodes - first)];
      return {
        durationMs: 30_000,
        schema: manyShapes,
        network: ordinaryNetwork,
        workload: ["kv", "link", "reading"].map((table) =>
          writes(30_000, 40, { table, keys: 10, mix: { insert: 4, update: 2, delete: 4 } }),
        ),
        faults: range(0, 4).map((i) => ({
          kind: "partition",
          atMs: 4000 + 6000 * i,
          untilMs: 8000 + 6000 * i,
          groups,
        })),
      };
    },
  },
  {
    name: "large-transaction",
    summary: "Transactions of thousands of rows over a thin, lossy network, cut in their midst.",
    nodes: 4,
    minNodes: 3,
    build: (nodes) => ({
      durationMs: 40_000,
      network: { latencyMs: { min: 5, max: 30 }, loss: 0.02, bandwidthBytesPerSec: 1_250_000 },
      workload: [
        writes(40_000, 10),
        {
          kind: "ops",
          atMs: 5000,
          node: 0,
          ops: [
            [
              "fill",
              "kv",
              1,
              5000,
              { k: "big$i", v: "row $i of a large transaction", n: { $: "i" } },
            ],
          ],
        },
        {
          kind: "ops",
          atMs: 12_000,
          node: 1,
          ops: [["fill", "kv", 2500, 7500, { k: "big$i", v: "row $i once more", n: { $: "i" } }]],
        },
        {
          kind: "ops",
          atMs: 20_000,
          node: 2,
          ops: range(3000, 500).map((i) => ["delete", "kv", { k: `big${i}` }]),
        },
      ],
      faults: [
        {
          kind: "partition",
          atMs: 5400,
          untilMs: 9000,
          groups: [[0], range(1, nodes - 1)],
        },
        { kind: "crash", atMs: 12_300, node: 2, disk: "torn" },
        { kind: "restart", atMs: 14_000, node: 2 },
      ],
    }),
  },
  {
    name: "join-full-cluster",
    summary: "A new node joins a cluster that is full of data, while it is written to.",
    nodes: 5,
    minNodes: 2,
    build: () => ({
      durationMs: 40_000,
      network: ordinaryNetwork,
      workload: [
        {
          kind: "ops",
          atMs: 1000,
          node: 0,
          ops: [["fill", "kv", 1, 10_000, { k: "old$i", v: "value $i", n: { $: "i" } }]],
        },
        writes(40_000, 60, { keys: 2000 }),
      ],
      faults: [{ kind: "join", atMs: 25_000, bootstrap: 1 }],
    }),
  },
  {
    name: "bit-rot",
    summary: "A stored cell changes its value behind the books' back: found by digests, repaired.",
    nodes: 4,
    minNodes: 2,
    build: () => ({
      durationMs: 30_000,
      workload: [writes(15_000, 30)],
      faults: [{ kind: "bitrot", atMs: 20_000, node: 1 }],
      expect: { convergeWithinMs: 60_000 },
    }),
  },
];

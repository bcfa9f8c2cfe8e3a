/**
 * The runs that mutants are hunted with: small and short, each full of one kind of trouble, so that
 * a seed takes a fraction of a second and a fault in the protocol soon meets what it cannot bear.
 */
import { parseScenario } from "../../sim/scenario/parse.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";

const schema = [
  `CREATE TABLE items (
     k TEXT NOT NULL PRIMARY KEY,
     v TEXT NOT NULL DEFAULT 'none',
     n INTEGER,
     hits INTEGER COUNTER NOT NULL DEFAULT 0,
     top INTEGER MAX,
     low INTEGER MIN
   )`,
  "CREATE TABLE links (a TEXT NOT NULL, b INTEGER NOT NULL, PRIMARY KEY (a, b))",
];

const hot = {
  kind: "random",
  table: "items",
  keys: 5,
  ratePerSec: 40,
  mix: { insert: 3, update: 8, delete: 2 },
};
const links = {
  kind: "random",
  table: "links",
  keys: 4,
  ratePerSec: 10,
  mix: { insert: 3, update: 0, delete: 2 },
};

const json: Readonly<Record<string, object>> = {
  /** Few rows, written, deleted and inserted again everywhere at once, over partitions. */
  "hot-rows": {
    nodes: 4,
    durationMs: 6000,
    schema,
    network: { latencyMs: { min: 1, max: 40 }, loss: 0.02, duplicate: 0.02 },
    clocks: { skewMsMax: 300, driftPpmMax: 100 },
    workload: [hot, links],
    faults: [{ kind: "random", everyMs: 500, kinds: ["partition", "link"] }],
  },
  /** Transactions of many rows and several operations on each. */
  "wide-transactions": {
    nodes: 3,
    durationMs: 5000,
    schema,
    workload: [
      { ...hot, ratePerSec: 15, rowsPerTx: 12, keys: 8 },
      { ...links, rowsPerTx: 6, keys: 8 },
    ],
    faults: [{ kind: "random", everyMs: 700, kinds: ["partition", "link"] }],
  },
  /** Versions of several chunks, on links that lose some of them. */
  "large-versions": {
    nodes: 4,
    durationMs: 6000,
    schema,
    network: { latencyMs: { min: 1, max: 20 }, loss: 0.05, bandwidthBytesPerSec: 2_000_000 },
    workload: [{ ...hot, ratePerSec: 3, rowsPerTx: 25, keys: 40, valueBytes: 6000 }, links],
    faults: [{ kind: "random", everyMs: 600, kinds: ["partition", "link", "crash"] }],
  },
  /** Processes die and disks lose what they had. */
  "lost-disks": {
    nodes: 5,
    durationMs: 8000,
    schema,
    workload: [hot, links],
    faults: [{ kind: "random", everyMs: 400, kinds: ["crash", "partition"] }],
  },
  /** Wall clocks jump, up to a year. */
  "wild-clocks": {
    nodes: 3,
    durationMs: 6000,
    schema,
    clocks: { skewMsMax: 2000, driftPpmMax: 500 },
    workload: [{ ...hot, keys: 3 }, links],
    faults: [{ kind: "random", everyMs: 400, kinds: ["clock", "crash", "partition"] }],
  },
  /** Members come, go, freeze, fall silent and are cut off in one direction. */
  "restless-members": {
    nodes: 6,
    durationMs: 12_000,
    schema,
    network: { latencyMs: { min: 1, max: 10 }, loss: 0.03 },
    workload: [{ ...hot, ratePerSec: 2 }],
    faults: [
      {
        kind: "random",
        everyMs: 700,
        kinds: ["crash", "pause", "block", "link", "partition", "leave", "join"],
      },
    ],
    expect: { convergeWithinMs: 60_000 },
  },
  /** Both sides take the other for dead, and one member leaves meanwhile. */
  "long-partition": {
    nodes: 6,
    durationMs: 45_000,
    schema,
    workload: [{ ...hot, ratePerSec: 1 }],
    faults: [
      {
        kind: "partition",
        atMs: 5000,
        groups: [
          [0, 1, 2],
          [3, 4, 5],
        ],
      },
      { kind: "leave", atMs: 30_000, node: 1 },
      { kind: "heal", atMs: 40_000 },
    ],
    expect: { convergeWithinMs: 60_000 },
  },
  /** Halves that have taken each other for dead meet again: nobody who lives may be lost by that. */
  "healing-halves": {
    nodes: 8,
    durationMs: 55_000,
    network: { latencyMs: { min: 1, max: 20 }, loss: 0.05 },
    workload: [{ kind: "random", ratePerSec: 1 }],
    faults: [
      {
        kind: "partition",
        atMs: 5000,
        untilMs: 45_000,
        groups: [
          [0, 1, 2, 3],
          [4, 5, 6, 7],
        ],
      },
    ],
    expect: { convergeWithinMs: 60_000, falseDeaths: 0 },
  },
  /** A member that sends garbage and damaged copies, on a network that damages more. */
  "hostile-bytes": {
    nodes: 4,
    durationMs: 6000,
    schema,
    network: { latencyMs: { min: 1, max: 20 }, loss: 0.02, corrupt: 0.02 },
    workload: [hot, links],
    faults: [{ kind: "random", everyMs: 800, kinds: ["hostile", "partition"] }],
  },
  /** Stored cells change behind the books' back. */
  "bit-rot": {
    nodes: 4,
    durationMs: 8000,
    schema,
    workload: [{ ...hot, toMs: 4000 }],
    faults: [
      { kind: "bitrot", atMs: 5000, node: 1 },
      { kind: "bitrot", atMs: 6000, node: 2 },
    ],
  },
  /** Everything at once. */
  nemesis: {
    nodes: 5,
    durationMs: 10_000,
    schema,
    network: { latencyMs: { min: 1, max: 40 }, loss: 0.02, duplicate: 0.01 },
    clocks: { skewMsMax: 500, driftPpmMax: 200 },
    workload: [hot, links, { ...hot, ratePerSec: 1, rowsPerTx: 20, keys: 40, valueBytes: 6000 }],
    faults: [
      {
        kind: "random",
        everyMs: 500,
        kinds: ["partition", "link", "crash", "pause", "clock", "slow", "block", "leave", "join"],
      },
    ],
    expect: { convergeWithinMs: 60_000 },
  },
};

export const scenarioNames: readonly string[] = Object.keys(json);

/** @throws Error when there is none of the name, or it is none the simulator takes. */
export function mutantScenario(name: string): Scenario {
  const written = json[name];
  if (written === undefined) throw new Error(`no scenario ${name} for mutants`);
  const parsed = parseScenario({ name, ...written }, name);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.scenario;
}

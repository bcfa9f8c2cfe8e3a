import { expect, test } from "vitest";
import { nearest } from "../../../core/base/nearest.ts";
import { parseScenario, parseScenarioText } from "../../../sim/scenario/parse.ts";
import {
  builtIns,
  buildScenario,
  findBuiltIn,
  suggestScenario,
} from "../../../sim/scenarios/built-in.ts";

const small = { nodes: 3, durationMs: 10_000 };

function errorOf(json: unknown): string {
  const parsed = parseScenario(json, "x.json");
  if (parsed.ok) throw new Error("it was taken for valid");
  expect(parsed.error).not.toContain("\n");
  expect(parsed.error.startsWith("x.json: ")).toBe(true);
  return parsed.error.slice("x.json: ".length);
}

function faults(...list: object[]): object {
  return { ...small, faults: list };
}

function ops(...list: unknown[]): object {
  return { ...small, workload: [{ kind: "ops", atMs: 1, node: 0, ops: list }] };
}

test.each([
  [{ ...small, latency: 1 }, "latency: unknown key; the keys known here are name, summary, nodes"],
  [{ ...small, durationMS: 1 }, 'durationMS: unknown key; did you mean "durationMs"?'],
  [{ nodes: 3 }, "durationMs: is required"],
  [{ durationMs: 5 }, "nodes: is required"],
  [{ ...small, nodes: "3" }, 'nodes: must be a number or a list of nodes, not "3"'],
  [{ ...small, nodes: 2.5 }, "nodes: must be a whole number, not 2.5"],
  [{ ...small, nodes: 0 }, "nodes: 0 is out of range; it must be from 1 to 16000"],
  [{ ...small, nodes: [] }, "nodes: must not be empty"],
  [{ ...small, nodes: [{}, { name: "n0" }] }, 'nodes[1].name: "n0" is the name of node 0 already'],
  [{ ...small, durationMs: "10" }, 'durationMs: must be a number, not "10"'],
  [{ ...small, durationMs: 0 }, "durationMs: 0 is out of range"],
  [
    { ...small, network: { loss: 1.5 } },
    "network.loss: 1.5 is out of range; it must be from 0 to 1",
  ],
  [
    { ...small, network: { latency: 5 } },
    'network.latency: unknown key; did you mean "latencyMs"?',
  ],
  [{ ...small, network: { latencyMs: 5 } }, 'network.latencyMs: write {"min": 5, "max": 5}'],
  [{ ...small, network: { latencyMs: { min: 1 } } }, "network.latencyMs.max: is required"],
  [{ ...small, network: { latencyMs: { min: 9, max: 1 } } }, "min 9 is above max 1; swap them"],
  [{ ...small, network: { latencyMs: { min: 1, p99: 1 } } }, "network.latencyMs: must be {"],
  [{ ...small, network: { latencyMs: { median: 5, p99: 1 } } }, "median 5 is above p99 1"],
  [{ ...small, network: { latencyMs: { geo: "mars" } } }, 'the one model known is "world"'],
  [
    { ...small, nodes: [{ region: "fre" }], network: { latencyMs: { geo: "world" } } },
    'nodes[0].region: "fre" is no region of the world model; did you mean "fra"?',
  ],
  [{ ...small, schema: ["CREATE TABLE t (a)"] }, "schema: "],
  [{ ...small, schema: "x" }, "schema: must be a list"],
  [{ ...small, schema: [] }, "schema: has no replicated table"],
  [{ ...small, clocks: { skew: 1 } }, "clocks.skew: unknown key"],
  [{ ...small, expect: { convergeWithin: 1 } }, 'did you mean "convergeWithinMs"?'],
  [{ ...small, profile: "lann" }, 'profile: "lann" is not known; did you mean "lan"?'],
  [{ ...small, workload: {} }, "workload: must be a list"],
  [
    { ...small, workload: [{ kind: "randm" }] },
    'workload[0].kind: "randm" is not known; did you mean',
  ],
  [{ ...small, workload: [{ kind: "random" }] }, "workload[0].ratePerSec: is required"],
  [
    { ...small, workload: [{ kind: "random", ratePerSec: 1, fromMs: 5, toMs: 2 }] },
    "workload[0].fromMs: 5 is after toMs 2; swap them",
  ],
  [
    { ...small, workload: [{ kind: "random", ratePerSec: 1, toMs: 20_000 }] },
    "workload[0].toMs: 20000 is after the end; durationMs is 10000",
  ],
  [
    { ...small, workload: [{ kind: "random", ratePerSec: 1, table: "kw" }] },
    'workload[0].table: there is no table "kw"; did you mean "kv"?',
  ],
  [
    { ...small, workload: [{ kind: "random", ratePerSec: 1, nodes: [0, 3] }] },
    "workload[0].nodes[1]: there is no node 3; nodes are numbered 0 to 2",
  ],
  [
    { ...small, workload: [{ kind: "random", ratePerSec: 1, mix: { insert: 0 } }] },
    "workload[0].mix: at least one of insert, update and delete",
  ],
  [{ ...small, workload: [{ kind: "ops", node: 0, ops: [] }] }, "workload[0].atMs: is required"],
  [ops(["insrt", "kv", {}]), 'workload[0].ops[0][0]: "insrt" is not known; did you mean "insert"?'],
  [ops(["delete", "kv"]), 'workload[0].ops[0]: must be ["delete", table, key]'],
  [ops(["insert", "kv", { k: "a", w: 1 }]), "workload[0].ops[0][2].w: unknown key"],
  [ops(["insert", "kv", { v: "a" }]), "workload[0].ops[0][2].k: is required"],
  [ops(["delete", "kv", { k: null }]), "workload[0].ops[0][2].k: a key is never null"],
  [ops(["update", "kv", { k: "a" }, { k: "b" }]), "workload[0].ops[0][3].k: unknown key"],
  [
    ops(["upsert", "kv", { k: "a", n: true }]),
    "ops[0][2].n: a value is null, a number, a string or",
  ],
  [ops(["upsert", "kv", { k: "a", n: 1e300 }]), "for an integer this large"],
  [ops(["fill", "kv", 5, 2, { k: "$i" }]), "workload[0].ops[0][2]: 5 is after 2; swap them"],
  [ops(["fill", "kv", 0, 2e6, { k: "$i" }]), "a fill makes at most 1000000 rows"],
  [faults({ kind: "partiton", atMs: 1 }), 'faults[0].kind: "partiton" is not known; did you mean'],
  [faults({ kind: "heal" }), "faults[0].atMs: is required"],
  [faults({ kind: "heal", atMs: 10_001 }), "faults[0].atMs: 10001 is after the end"],
  [faults({ kind: "heal", atMs: 1, node: 1 }), "faults[0].node: unknown key"],
  [faults({ kind: "crash", atMs: 1, node: 3 }), "faults[0].node: there is no node 3"],
  [faults({ kind: "crash", atMs: 1, node: -1 }), "faults[0].node: -1 is out of range"],
  [faults({ kind: "crash", atMs: 1, node: 1, disk: "gone" }), 'disk: "gone" is not known'],
  [faults({ kind: "partition", atMs: 1, groups: [[0, 1]] }), "a partition has at least two groups"],
  [
    faults({ kind: "partition", atMs: 1, groups: [[0], []] }),
    "groups[1]: a group must not be empty",
  ],
  [
    faults({
      kind: "partition",
      atMs: 1,
      groups: [
        [0, 1],
        [1, 2],
      ],
    }),
    "faults[0].groups[1]: node 1 is in group 0 already; a node is in one group",
  ],
  [
    faults({ kind: "partition", atMs: 5, untilMs: 2, groups: [[0], [1]] }),
    "faults[0].untilMs: 2 is before atMs 5; swap them",
  ],
  [
    faults({ kind: "link", atMs: 1, from: 0, to: 0, cut: true }),
    "a link has two ends, not 0 twice",
  ],
  [faults({ kind: "link", atMs: 1, from: 0, to: 1 }), "needs one of loss, latencyMs and cut"],
  [faults({ kind: "clock", atMs: 1, node: 0 }), "faults[0].jumpMs: is required"],
  [faults({ kind: "slow", atMs: 1, node: 0, factor: 0 }), "faults[0].factor: 0 is out of range"],
  [faults({ kind: "join", atMs: 1, bootstrap: 3 }), "faults[0].bootstrap: there is no node 3"],
  [faults({ kind: "join", atMs: 1, address: 3 }), "faults[0].address: there is no node 3"],
  [faults({ kind: "random", fromMs: 9, toMs: 2 }), "faults[0].fromMs: 9 is after toMs 2"],
  [faults({ kind: "random", kinds: ["crsh"] }), 'faults[0].kinds[0]: "crsh" is not known; did you'],
])("SI13: %j is refused: %s", (json, error) => {
  expect(errorOf(json)).toContain(error);
});

test("SI13: a file that is no JSON is told as such", () => {
  const parsed = parseScenarioText("{", "broken.json");
  expect(parsed.ok ? "" : parsed.error).toMatch(/^broken\.json: not JSON: [^\n]+$/);
});

test("SI13: what is left out takes its default", () => {
  const parsed = parseScenarioText('{"nodes": 2, "durationMs": 5}', "dir/tiny.json");
  if (!parsed.ok) throw new Error(parsed.error);
  const { name, nodes, network, schema, expect: expected, profile, start } = parsed.scenario;
  expect({ name, nodes, network, expected, profile, start }).toEqual({
    name: "tiny",
    nodes: [
      { name: "n0", region: "local" },
      { name: "n1", region: "local" },
    ],
    network: {
      latencyMs: { min: 1, max: 5 },
      loss: 0,
      duplicate: 0,
      corrupt: 0,
      bandwidthBytesPerSec: null,
    },
    expected: { convergeWithinMs: 30_000, violations: 0 },
    profile: "lan",
    start: "cold",
  });
  expect(schema[0]).toContain("CREATE TABLE kv");
});

test("SI13: a resolved scenario is a scenario file, and reads back as itself", () => {
  for (const builtIn of builtIns) {
    const scenario = buildScenario(builtIn);
    const again = parseScenarioText(JSON.stringify(scenario), "again.json");
    expect(again).toEqual({ ok: true, scenario });
  }
});

test("SI13: built-in scenarios take other numbers of nodes, and say what is too few", () => {
  for (const builtIn of builtIns) {
    for (const nodes of [builtIn.minNodes, builtIn.minNodes + 1, builtIn.nodes + 3]) {
      expect(buildScenario(builtIn, nodes).nodes).toHaveLength(nodes);
    }
    expect(() => buildScenario(builtIn, builtIn.minNodes - 1)).toThrow(RangeError);
  }
});

test("SI13: a name that is nearly right is suggested", () => {
  expect(suggestScenario("split-hael")).toBe("split-heal");
  expect(suggestScenario("zzzzzzzzzzzz")).toBeNull();
  expect(findBuiltIn("control")?.name).toBe("control");
  expect(findBuiltIn("contrl")).toBeNull();
  expect(nearest("latncyMs", ["latencyMs", "loss"])).toBe("latencyMs");
});

test.each([
  [
    [
      { kind: "crash", atMs: 5, node: 1 },
      { kind: "crash", atMs: 9, node: 1 },
    ],
    "faults[1].node: node 1 is crashed already; restart it first at 9 ms (since faults[0])",
  ],
  [[{ kind: "restart", atMs: 5, node: 1 }], "faults[0].node: node 1 is running; crash it first"],
  [[{ kind: "resume", atMs: 5, node: 1 }], "node 1 is running, not paused"],
  [
    [
      { kind: "crash", atMs: 5, node: 1 },
      { kind: "pause", atMs: 6, node: 1 },
    ],
    "node 1 is crashed; only a running node is paused",
  ],
  [
    [
      { kind: "pause", atMs: 5, node: 1 },
      { kind: "leave", atMs: 6, node: 1 },
    ],
    "node 1 is paused; only a running node leaves",
  ],
  [
    [
      { kind: "block", atMs: 5, node: 1 },
      { kind: "block", atMs: 6, node: 1 },
    ],
    "node 1 is blocked already; unblock it first",
  ],
  [[{ kind: "unblock", atMs: 6, node: 1 }], "node 1 is not blocked"],
  [
    [
      { kind: "leave", atMs: 5, node: 1 },
      { kind: "bitrot", atMs: 6, node: 1 },
    ],
    "node 1 is left; its data rots unseen",
  ],
  [
    [
      { kind: "hostile", atMs: 5, toMs: 10, node: 1 },
      { kind: "hostile", atMs: 6, toMs: 20, node: 1 },
    ],
    "node 1 is hostile already",
  ],
  [
    [
      { kind: "crash", atMs: 5, node: 3 },
      { kind: "join", atMs: 6 },
    ],
    "faults[0].node: node 3 joins only at 6 ms",
  ],
  [
    [
      { kind: "join", atMs: 6 },
      { kind: "join", atMs: 5 },
    ],
    "faults[1].atMs: joins are numbered in the order of the list; put the earlier one first",
  ],
  [
    [{ kind: "join", atMs: 6, address: 1 }],
    "faults[0].address: node 3 must leave before the end: two nodes have its address",
  ],
  [
    [
      { kind: "join", atMs: 6, address: 1 },
      { kind: "leave", atMs: 7, node: 3 },
      { kind: "restart", atMs: 8, node: 3 },
    ],
    "faults[0].address: node 3 must leave before the end",
  ],
  [
    [
      { kind: "join", atMs: 6, address: 1 },
      { kind: "leave", atMs: 7, node: 3 },
      { kind: "random", kinds: ["crash"] },
    ],
    "faults[2], which is random, might keep node 3 from leaving",
  ],
])("SI14: %j is refused: %s", (list, error) => {
  expect(errorOf(faults(...list))).toContain(error);
});

test("SI14: a write to a node before it joins is refused", () => {
  const scenario = {
    ...faults({ kind: "join", atMs: 500 }),
    workload: [{ kind: "ops", atMs: 499, node: 3, ops: [] }],
  };
  expect(errorOf(scenario)).toContain("workload[0].node: node 3 joins only at 500 ms");
});

test("SI14: order in the list does not matter, order in time does", () => {
  const crash = { kind: "crash", atMs: 5, node: 1 };
  const restart = { kind: "restart", atMs: 9, node: 1 };
  expect(parseScenario(faults(restart, crash), "x.json").ok).toBe(true);
  expect(parseScenario(faults(crash, { ...restart, atMs: 5 }), "x.json").ok).toBe(true);
  expect(parseScenario(faults({ ...restart, atMs: 5 }, crash), "x.json").ok).toBe(false);
});

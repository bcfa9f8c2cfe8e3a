import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeChanges } from "../../../core/wire/changes.ts";
import { runScenario } from "../../../sim/run.ts";
import { parseScenario } from "../../../sim/scenario/parse.ts";
import type { Scenario } from "../../../sim/scenario/scenario.ts";
import { buildScenario, findBuiltIn } from "../../../sim/scenarios/built-in.ts";
import { reduceList } from "../../../sim/shrink/reduce.ts";
import { shrink } from "../../../sim/shrink/shrink.ts";
import { withoutNode } from "../../../sim/shrink/without-node.ts";
import { faultyStores, forgetsDeletes } from "./faulty-stores.ts";

test("SI26: a list is reduced to those that matter, whichever they are", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(40), { maxLength: 5 }), (needed) => {
      const items = Array.from({ length: 41 }, (_, i) => i);
      const kept = reduceList(items, (fewer) => needed.every((n) => fewer.includes(n)));
      expect(kept).toEqual([...needed].sort((a, b) => a - b));
    }),
  );
});

function nemesis(): Scenario {
  const builtIn = findBuiltIn("random-nemesis");
  if (builtIn === null) throw new Error("random-nemesis is built in");
  return buildScenario(builtIn, 4);
}

const isDelete = (chunk: { payload: Uint8Array }): boolean =>
  decodeChanges(chunk.payload).some((row) => row.causalLength % 2 === 0);

test("SI26: a store that forgets deletes is shown by a few writes on two nodes", () => {
  const storeFactory = forgetsDeletes(isDelete);
  const shrunk = shrink(nemesis(), { seed: "shrink", storeFactory });
  if (shrunk === null) throw new Error("the fault was not found");
  const { scenario, size, check } = shrunk;
  expect(size.writes).toBeLessThanOrEqual(4);
  expect(size.faults).toBeLessThanOrEqual(2);
  // It is a scenario file that fails the same check by its own seed.
  const parsed = parseScenario(JSON.parse(JSON.stringify(scenario)), "small.json");
  if (!parsed.ok) throw new Error(parsed.error);
  const result = runScenario(parsed.scenario, { seed: parsed.scenario.seed ?? "", storeFactory });
  expect(result.ok).toBe(false);
  expect(result.violations.map((violation) => violation.check)).toContain(check);
  // And passes on a store that is whole.
  expect(runScenario(parsed.scenario, { seed: "shrink" }).ok).toBe(true);
});

test("SI26: a run that does not fail is not shrunk", () => {
  expect(shrink({ ...nemesis(), durationMs: 3000, faults: [] }, { seed: "fine" })).toBeNull();
});

test("SI26: a node taken out takes its part in everything with it, and the others move up", () => {
  const parsed = parseScenario(
    {
      nodes: 4,
      durationMs: 100,
      workload: [
        { kind: "random", ratePerSec: 1, nodes: [1, 3] },
        { kind: "random", ratePerSec: 1, nodes: [1] },
        { kind: "ops", atMs: 1, node: 1, ops: [] },
        { kind: "ops", atMs: 1, node: 2, ops: [] },
      ],
      faults: [
        { kind: "partition", atMs: 1, groups: [[0], [1, 2]] },
        { kind: "partition", atMs: 2, groups: [[0], [1]] },
        { kind: "partition", atMs: 3, groups: [[1], [0], [3]], oneway: true },
        { kind: "link", atMs: 4, from: 1, to: 2, cut: true },
        { kind: "link", atMs: 5, from: 0, to: 3, cut: true },
        { kind: "pause", atMs: 6, node: 3 },
        { kind: "crash", atMs: 7, node: 1 },
        { kind: "join", atMs: 8, bootstrap: 3, address: 2 },
        { kind: "leave", atMs: 9, node: 4 },
      ],
    },
    "x",
  );
  if (!parsed.ok) throw new Error(parsed.error);
  const fewer = withoutNode(parsed.scenario, 1);
  expect(fewer?.nodes).toHaveLength(3);
  expect(fewer?.workload.map((work) => ("nodes" in work ? work.nodes : work.node))).toEqual([
    [2],
    1,
  ]);
  expect(
    fewer?.faults.map((fault) => {
      switch (fault.kind) {
        case "partition":
          return fault.groups;
        case "link":
          return [fault.from, fault.to];
        case "join":
          return [fault.bootstrap, fault.address];
        default:
          return "node" in fault ? fault.node : null;
      }
    }),
  ).toEqual([[[0], [1]], [0, 2], 2, [2, 1], 3]);
  expect(withoutNode({ ...parsed.scenario, nodes: [{ name: "n0", region: "" }] }, 0)).toBeNull();
});

test("SI24: a handler that throws is found, told with its place, and ends the run", () => {
  const storeFactory = faultyStores(() => ({
    receive: () => {
      throw new Error("no space left");
    },
  }));
  const result = runScenario(nemesis(), { seed: "1", storeFactory });
  expect(result.ok).toBe(false);
  expect(result.converged).toBe(false);
  expect(result.convergedAfterMs).toBeNull();
  expect(result.virtualMs).toBeLessThan(10_000);
  expect(result.violations).toHaveLength(1);
  const { check, node, detail, repro } = result.violations[0] ?? {};
  expect([check, typeof node, detail]).toEqual([
    "no-crash",
    "number",
    expect.stringContaining("no space left"),
  ]);
  expect(repro).toBe("patina sim random-nemesis --seed 1");
});

/** Two nodes with one address (a pitfall of other systems), in a whole cluster with data. */
import { expect, test } from "vitest";
import type { Check } from "../../../sim/check/check.ts";
import { membershipProblems } from "../../../sim/check/membership.ts";
import { createRun, type Run } from "../../../sim/run.ts";
import { buildScenario, findBuiltIn } from "../../../sim/scenarios/built-in.ts";

const builtIn = findBuiltIn("one-address");
if (builtIn === null) throw new Error("one-address is built in");
const scenario = buildScenario(builtIn);

/** What the two that share n1 tell of: conflicts, and renewals with their times. */
function watch(run: Run): { conflicts: Set<number>; renewals: { n: number; atMs: number }[] } {
  const seen = { conflicts: new Set<number>(), renewals: [] as { n: number; atMs: number }[] };
  const check: Check = {
    noticed: ({ n }, { type }) => {
      if (type === "identityConflict") seen.conflicts.add(n);
      if (type === "renewed") seen.renewals.push({ n, atMs: run.nowUs / 1000 });
    },
  };
  run.world.checks = [...run.world.checks, check];
  return seen;
}

test("SW25: both are told of the conflict, take turns ever more slowly, and harm nobody", () => {
  const run = createRun(scenario, { seed: "1" });
  const { conflicts, renewals } = watch(run);
  run.step(10_000_000);
  const before = run.world.traffic.bytes[0] as number;
  run.step(40_000_000);
  const spent = (run.world.traffic.bytes[0] as number) - before;
  run.step(Infinity);
  expect(run.result().violations).toEqual([]);
  expect(conflicts).toEqual(new Set([1, 6]));
  expect(new Set(renewals.map(({ n }) => n))).toEqual(new Set([1, 6]));
  // Pauses of 1, 2, 4, 8 and 16 s on either side.
  expect(renewals.length).toBeLessThan(15);
  // 30 s of seven nodes; calm costs some 80 a second and node.
  expect(spent / 7 / 30).toBeLessThan(300);
  expect(run.world.nodes[1]?.replica?.membership.members()).toHaveLength(6);
});

test("SI29: mail to the address reaches both, and what a reader is told of a member names which", () => {
  const received = [0, 0, 0, 0, 0, 0, 0];
  const told = new Set<number>();
  let address: unknown = null;
  const run = createRun(scenario, {
    seed: "2",
    trace: (line) => {
      const event = JSON.parse(line) as { k?: string; n: number; about: number; address?: number };
      if (event.k === "recv") received[event.n] = (received[event.n] as number) + 1;
      if (event.k === "member") told.add(event.about);
      if (event.k === "join") address = event.address;
    },
  });
  run.step(40_000_000);
  expect(address).toBe(1);
  expect(told).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  expect(received[6]).toBeGreaterThan(100);
  expect(received[1]).toBeGreaterThan(received[6] as number);
});

test("SI23: an address that lives on under another node is no death missed", () => {
  const run = createRun(scenario, { seed: "3" });
  run.step(Infinity);
  const { nodes } = run.world;
  expect(nodes[6]?.life).toBe("left");
  expect(membershipProblems(nodes)).toEqual([]);
  // The same lists are wrong where it is the other one that is gone.
  const swapped = nodes.map((node) => {
    if (node.n !== 1 && node.n !== 6) return node;
    return Object.create(node, {
      live: { value: node.n === 6 },
      nodeId: { value: node.nodeId },
      epoch: { value: node.epoch },
    }) as typeof node;
  });
  expect(membershipProblems(swapped)[0]?.detail).toMatch(/node 1, which is|old identity of node 6/);
});

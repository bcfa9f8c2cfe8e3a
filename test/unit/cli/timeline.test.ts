import { expect, test } from "vitest";
import { lookAt, slots } from "../../../runtime/cli/timeline.ts";
import type { Moment } from "../../../runtime/cli/timeline.ts";
import { createRun } from "../../../sim/run.ts";
import { parseScenario } from "../../../sim/scenario/parse.ts";

function moment(atMs: number, missing: number[]): Moment {
  return { atMs, missing, versions: 10, rowsApart: 0, rows: 10, states: 1 };
}

test("a slot shows the moment at which the nodes were furthest apart", () => {
  const trouble = moment(15, [0, 7]);
  const strip = slots(
    [moment(0, [0, 0]), moment(11, [1, 1]), trouble, moment(19, [0, 0]), moment(25, [0, 0])],
    30,
    3,
  );
  expect(strip.map((slot) => slot?.atMs)).toEqual([0, 15, 25]);
});

test("a slot without a look shows what was seen last", () => {
  expect(slots([moment(0, [0]), moment(40, [2])], 50, 5).map((slot) => slot?.atMs)).toEqual([
    0, 0, 0, 0, 40,
  ]);
});

test("a look counts what each node lacks, the rows that differ, and the states", () => {
  const parsed = parseScenario(
    {
      nodes: 3,
      durationMs: 5000,
      start: "warm",
      workload: [
        { kind: "ops", atMs: 500, node: 0, ops: [["upsert", "kv", { k: "shared", v: "old" }]] },
        { kind: "ops", atMs: 2000, node: 0, ops: [["upsert", "kv", { k: "shared", v: "new" }]] },
        { kind: "ops", atMs: 2100, node: 0, ops: [["upsert", "kv", { k: "left", v: "x" }]] },
        { kind: "ops", atMs: 2200, node: 2, ops: [["upsert", "kv", { k: "right", v: "x" }]] },
      ],
      faults: [
        { kind: "partition", atMs: 1000, groups: [[0], [1, 2]] },
        { kind: "crash", atMs: 3000, node: 1, disk: "kept" },
      ],
    },
    "look",
  );
  if (!parsed.ok) throw new Error(parsed.error);
  const run = createRun(parsed.scenario, { seed: "look" });
  run.step(900_000);
  expect(lookAt(run)).toEqual({
    atMs: 900,
    missing: [0, 0, 0],
    versions: 1,
    rowsApart: 0,
    rows: 1,
    states: 1,
  });
  run.step(2_900_000);
  expect(lookAt(run)).toEqual({
    atMs: 2900,
    missing: [1, 2, 2],
    versions: 4,
    rowsApart: 3,
    rows: 3,
    states: 2,
  });
  run.step(3_500_000);
  expect(lookAt(run).missing).toEqual([1, null, 2]);
  run.step(Number.POSITIVE_INFINITY);
  expect(lookAt(run)).toMatchObject({
    rowsApart: 0,
    rows: 3,
    states: 1,
    missing: [0, 0, 0],
  });
});

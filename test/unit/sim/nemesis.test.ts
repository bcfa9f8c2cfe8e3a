import { expect, test } from "vitest";
import { createRun } from "../../../sim/run.ts";
import { parseScenario } from "../../../sim/scenario/parse.ts";
import { type NemesisKind, nemesisKinds } from "../../../sim/scenario/scenario.ts";

function run(kinds: readonly NemesisKind[] | undefined, nodes: number, seed: string) {
  const parsed = parseScenario(
    {
      nodes,
      durationMs: 8000,
      faults: [{ kind: "random", toMs: 7000, everyMs: 100, ...(kinds ? { kinds } : {}) }],
    },
    "nemesis",
  );
  if (!parsed.ok) throw new Error(parsed.error);
  return createRun(parsed.scenario, { seed });
}

test.each(nemesisKinds)(
  "SI28: told to do %s it does nothing else, and ends what it began",
  (kind) => {
    const one = run([kind], 5, "n");
    one.step(7_000_000);
    expect(Object.keys(one.faults.begun)).toEqual([kind]);
    expect(one.faults.active).toEqual([]);
    one.step(Infinity);
    expect(one.result().violations).toEqual([]);
  },
);

test("SI28: it does everything by default, and always leaves somebody running", () => {
  const all = run(undefined, 3, "everything");
  for (let us = 0; us <= 7_000_000; us += 50_000) {
    all.step(us);
    const up = all.world.nodes.filter((node) => node.life === "running");
    expect(up.length).toBeGreaterThan(0);
  }
  expect(Object.keys(all.faults.begun).length).toBeGreaterThan(6);
  expect(all.faults.active).toEqual([]);
});

test("SI28: alone with one node it harms it no more than it may", () => {
  const alone = run(undefined, 1, "alone");
  alone.step(Infinity);
  expect(alone.result().ok).toBe(true);
});

/** Seeds of the membership lab that once went wrong, each with its story. */
import { expect, test } from "vitest";
import { crash } from "../../sim/swim-lab/figures.ts";
import { runNemesis } from "../../sim/swim-lab/nemesis.ts";

test("SW09, SW17: nx13: poor health made pings so rare that one member kept a refuted suspicion for 7 s", () => {
  const options = { seed: "nx13", nodes: 40, troubleSec: 60, calmSec: 30, loss: 0.02 };
  const { calmAfterSec, violations } = runNemesis(options);
  expect(violations).toEqual([]);
  expect(calmAfterSec).toBeGreaterThanOrEqual(0);
  expect(calmAfterSec).toBeLessThan(4);
});

test("SW15: swim-7 of a thousand: all had heard a death so often that none told the one it had missed", () => {
  expect(crash({ nodes: 1000, seed: "swim-7" }, 0).spreadSec).toBeLessThan(0.5);
});

import { expect, test } from "vitest";
import { simEngineOptions, tidyUp, youngBytes } from "../../../runtime/cli/sim-engine.ts";

test("clusters of up to 50 nodes get the larger young generation, unknown ones the smaller", () => {
  const large = simEngineOptions(50);
  expect(large).toContain("--max-semi-space-size=128");
  for (const nodes of [51, Infinity]) {
    expect(simEngineOptions(nodes)).toContain("--max-semi-space-size=32");
  }
});

test("garbage of the young generation is let go of when there is more than allowed", () => {
  tidyUp(0);
  const clean = youngBytes();
  let made = 0;
  while (youngBytes() < clean + 100_000) made += Array.from({ length: 100 }, (_, i) => i).length;
  const full = youngBytes();
  tidyUp(0);
  expect(youngBytes()).toBeLessThan(full);
  expect(made).toBeGreaterThan(0);
});

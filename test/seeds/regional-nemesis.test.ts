/** A fleet in four regions of the world under faults of every kind. */
import { expect, test } from "vitest";
import { runScenario } from "../../sim/run.ts";
import { parseScenario } from "../../sim/scenario/parse.ts";

const regions = ["iad", "fra", "syd", "gru"];

test.each(["1", "2", "3", "4"])(
  "GO20, GO21: whatever comes, nodes of several regions agree in the end, seed %s",
  (seed) => {
    const parsed = parseScenario(
      {
        nodes: Array.from({ length: 12 }, (_, i) => ({
          name: `n${i}`,
          region: regions[i % regions.length],
        })),
        durationMs: 30_000,
        network: { latencyMs: { geo: "world" }, loss: 0.02, duplicate: 0.01, corrupt: 0.005 },
        workload: [{ kind: "random", fromMs: 0, toMs: 30_000, ratePerSec: 20, keys: 30 }],
        faults: [{ kind: "random", fromMs: 2000, toMs: 28_000, everyMs: 800 }],
        expect: { convergeWithinMs: 120_000 },
      },
      "regional-nemesis",
    );
    if (!parsed.ok) throw new Error(parsed.error);
    const result = runScenario(parsed.scenario, { seed });
    expect(result.violations).toEqual([]);
    expect(result.ok).toBe(true);
  },
  60_000,
);

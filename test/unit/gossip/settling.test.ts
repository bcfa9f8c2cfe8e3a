/** The tree of a whole simulated cluster: what it costs once it has settled, while round trips are measured. */
import { expect, test } from "vitest";
import { measureBroadcast } from "../../../sim/gossip-lab/measure.ts";

test.each(["a", "b"])(
  "GO19: a hundred nodes that write in turn soon get each message once, seed %s",
  (seed) => {
    const { copies, copiesSettled, delivered } = measureBroadcast({
      seed,
      nodes: 100,
      mode: "tree",
      latencyMs: { min: 0.25, max: 0.75 },
      profile: "lan",
      loss: 0,
      messages: 120,
      everyMs: 100,
      valueBytes: 100,
    });
    expect(delivered).toBe(1);
    expect(copies).toBeLessThan(1.5);
    expect(copiesSettled).toBeLessThan(1.1);
  },
);

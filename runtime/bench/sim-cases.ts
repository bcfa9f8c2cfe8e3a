/** What `npm run bench sim` measures: data scenarios at two sizes, and membership of large clusters. */
import { parseScenario } from "../../sim/scenario/parse.ts";
import type { Scenario } from "../../sim/scenario/scenario.ts";
import { buildScenario, findBuiltIn } from "../../sim/scenarios/built-in.ts";

export interface SimCase {
  readonly name: string;
  readonly nodes: number;
  build(): Scenario;
}

function builtIn(name: string, nodes: number): SimCase {
  return {
    name,
    nodes,
    build() {
      const found = findBuiltIn(name);
      if (found === null) throw new RangeError(`no built-in scenario ${name}`);
      return buildScenario(found, nodes);
    },
  };
}

export const dataCases: readonly SimCase[] = ["control", "split-heal", "random-nemesis"].flatMap(
  (name) => [5, 50].map((nodes) => builtIn(name, nodes)),
);

/** Virtual seconds of a membership run, before the quiet at its end is judged. */
const membershipSeconds = 60;
const crashes = 10;

/** All members known to all at the start; 1 % loss, ten crashes spread over the first half, no data. */
export function membershipCase(nodes: number): SimCase {
  return {
    name: `membership-${nodes}`,
    nodes,
    build() {
      const parsed = parseScenario(
        {
          nodes,
          durationMs: membershipSeconds * 1000,
          start: "warm",
          network: { latencyMs: { min: 0.25, max: 0.75 }, loss: 0.01 },
          faults: Array.from({ length: crashes }, (_, i) => ({
            kind: "crash",
            atMs: 3000 * (i + 1),
            node: Math.floor(((i + 0.5) * nodes) / crashes),
            disk: "kept",
          })),
          expect: { convergeWithinMs: 60_000 },
        },
        `membership-${nodes}`,
      );
      if (!parsed.ok) throw new RangeError(parsed.error);
      return parsed.scenario;
    },
  };
}

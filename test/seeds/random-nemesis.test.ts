/** Runs that once failed, each with its story. A seed is worth as much as the code's draws stay as they are; the story stays. */
import { expect, test } from "vitest";
import { runScenario } from "../../sim/run.ts";
import { buildScenario, findBuiltIn } from "../../sim/scenarios/built-in.ts";

interface Story {
  readonly scenario: string;
  readonly nodes: number;
  readonly seed: string;
  readonly story: string;
}

const stories: readonly Story[] = [
  {
    scenario: "random-nemesis",
    nodes: 3,
    seed: "hunt-21",
    story:
      "a hostile peer's garbage reads as one part of 15,810 of an invented version; everybody keeps it, nobody can complete it, and the run was held for unfinished",
  },
  {
    scenario: "rolling-restart",
    nodes: 5,
    seed: "1",
    story:
      "another identity takes over the address of a member under suspicion, and the suspicion was closed twice",
  },
  {
    scenario: "mass-restart",
    nodes: 8,
    seed: "1",
    story: "seven members come back at once with new identities while all are suspected",
  },
];

test.each(stories)("SI27: $scenario, $seed: $story", ({ scenario, nodes, seed }) => {
  const builtIn = findBuiltIn(scenario);
  if (builtIn === null) throw new Error(`${scenario} is built in`);
  const result = runScenario(buildScenario(builtIn, nodes), { seed });
  expect(result.violations).toEqual([]);
  expect(result.ok).toBe(true);
});

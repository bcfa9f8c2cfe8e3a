/** Each mutant of `npm run sim:mutants` still fits the source: its text is there once, and what comes out is a program. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { mutants } from "../mutants/list.ts";
import { type Mutant, mutate } from "../mutants/mutant.ts";
import { mutantScenario, scenarioNames } from "../mutants/scenarios.ts";
import { root } from "./source-tree.ts";

describe("mutants", () => {
  test.each(mutants)("$name can be put in: $fault", (mutant) => {
    const source = readFileSync(join(root, mutant.file), "utf8");
    expect(mutate(mutant, source)).not.toBe(source);
    expect(mutant.sim.length + mutant.tests.length).toBeGreaterThan(0);
    for (const { scenario } of mutant.sim) expect(scenarioNames).toContain(scenario);
    for (const path of mutant.tests) {
      const folder = path.slice(0, path.lastIndexOf("/"));
      expect(existsSync(join(root, path)) || existsSync(join(root, folder))).toBe(true);
    }
  });

  test("there are at least thirty, each with a name of its own", () => {
    expect(mutants.length).toBeGreaterThanOrEqual(30);
    expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
    for (const { name } of mutants) expect(name).toMatch(/^[a-z]+(-[a-z]+)+$/);
  });

  test("their scenarios are scenarios", () => {
    for (const name of scenarioNames) expect(mutantScenario(name).name).toBe(name);
    expect(() => mutantScenario("none")).toThrow("no scenario none");
  });
});

describe("putting a fault in", () => {
  const example: Mutant = {
    name: "example-fault",
    file: "core/example.ts",
    find: "a < b",
    replace: "a > b",
    fault: "the wrong way round",
    sim: [],
    tests: [],
  };

  test("it replaces the text that is there once", () => {
    expect(mutate(example, "const x: boolean = a < b;")).toBe("const x: boolean = a > b;");
  });

  test("it refuses a text that is missing, that is there twice, and what is no program afterwards", () => {
    expect(() => mutate(example, "const x = a <= b;")).toThrow("does not hold");
    expect(() => mutate(example, "const x = a < b || a < b;")).toThrow("more than once");
    expect(() => mutate({ ...example, replace: "a >" }, "const x = a < b;")).toThrow("no program");
    expect(() => mutate({ ...example, replace: "a < b" }, "const x = a < b;")).toThrow("nothing");
  });
});

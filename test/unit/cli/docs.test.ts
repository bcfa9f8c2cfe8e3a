/** What the README and the pages under docs promise is there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parseScenarioText } from "../../../sim/scenario/parse.ts";
import { builtIns } from "../../../sim/scenarios/built-in.ts";

const pages = [
  "README.md",
  "CHANGELOG.md",
  "core/SPEC.md",
  ...readdirSync("docs")
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

test.each(pages)("every link of %s leads somewhere", (page) => {
  const links = [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)].map(
    ([, to]) => to ?? "",
  );
  expect(links.filter((to) => !existsSync(join(dirname(page), to)))).toEqual([]);
});

test.each(["README.md", "docs/scenario.md"])("the scenario shown in %s is valid", (page) => {
  const examples = [...readFileSync(page, "utf8").matchAll(/```json\n(\{\n[\s\S]*?\n)```/g)].map(
    ([, text]) => text ?? "",
  );
  expect(examples).toHaveLength(1);
  for (const text of examples) expect(parseScenarioText(text, page)).toMatchObject({ ok: true });
});

test("the README names scenarios and scripts that exist", () => {
  const readme = readFileSync("README.md", "utf8");
  const scenarios = [...readme.matchAll(/patina sim ([a-z][\w-]*)(?= )/g)].map(
    ([, name]) => name ?? "",
  );
  expect(scenarios.length).toBeGreaterThan(2);
  const known = builtIns.map(({ name }) => name);
  expect(scenarios.filter((name) => !known.includes(name) && name !== "my-scenario")).toEqual([]);
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8")) as {
    scripts: Record<string, string>;
  };
  const named = [...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name ?? "");
  expect(named.filter((name) => scripts[name] === undefined)).toEqual([]);
});

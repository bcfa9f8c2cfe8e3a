/** What the pages of the experiments say is what their results say. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import {
  filesOf,
  gather,
  gatheredFiles,
  publishedFolder,
  readResults,
} from "../../../experiments/bench/folder.ts";
import { loadAll } from "../../../experiments/bench/registry.ts";
import { recomputed, type Results } from "../../../experiments/bench/results.ts";

const experiments = await loadAll();
const withResults = experiments.flatMap((experiment) => {
  const results = readResults(publishedFolder, experiment.name);
  return results === null ? [] : [{ name: experiment.name, experiment, results }];
});
const read = (...path: string[]): string => readFileSync(join(publishedFolder, ...path), "utf8");

test("there are results", () => {
  expect(withResults.length).toBeGreaterThan(0);
});

test.each(withResults)(
  "claims, page, table and plot of $name follow from its rows",
  ({ experiment, results }) => {
    const again = recomputed(experiment, results);
    expect(again.claims).toEqual(results.claims);
    for (const [file, text] of Object.entries(filesOf(experiment, again))) {
      expect(read(experiment.name, file), `render ${file}`).toBe(text);
    }
  },
);

test.each(withResults)(
  "the results of $name are of all the cells that it has now",
  ({ experiment, results }) => {
    const cells = experiment.cells("full", results.seed);
    expect(results.size).toBe("full");
    expect(results.rows).toHaveLength(cells.length);
    cells.forEach((cell, i) => expect(results.rows[i]).toMatchObject(cell));
  },
);

test.each(withResults)(
  "the page of $name says what a reader looks for",
  ({ experiment, results }) => {
    const page = read(experiment.name, "README.md");
    for (const heading of [
      "**Question.**",
      "**Prediction.**",
      "## Method",
      "## Result",
      "## What it means",
    ]) {
      expect(page).toContain(heading);
    }
    expect(page).toContain("## What differs");
    expect(page).toContain(results.command);
    for (const { text, holds } of results.claims)
      expect(page).toContain(`${holds ? "✓" : "not so:**"} ${text}`);
  },
);

test("the gathered pages follow from the results", () => {
  for (const [file, text] of Object.entries(gatheredFiles(gather(publishedFolder, experiments)))) {
    expect(read(file), `render ${file}`).toBe(text);
  }
});

test("a changed figure is found", () => {
  const { experiment, results } = withResults[0] as (typeof withResults)[number];
  const [first = {}, ...rest] = results.rows;
  const column = Object.keys(first).find(
    (key) => typeof first[key] === "number" && !(key in (experiment.cells("full", "1")[0] ?? {})),
  );
  const changed: Results = { ...results, rows: [{ ...first, [column ?? ""]: 12_345 }, ...rest] };
  expect(filesOf(experiment, recomputed(experiment, changed))["README.md"]).not.toBe(
    read(experiment.name, "README.md"),
  );
});

test("no experiment's folder lacks its template", () => {
  for (const { name } of experiments)
    expect(existsSync(join(publishedFolder, name, "template.md"))).toBe(true);
});

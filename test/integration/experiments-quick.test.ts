/** Every experiment runs, in its small form, to the end: rows, claims, plot and page. */
import { expect, test } from "vitest";
import { filesOf } from "../../experiments/bench/folder.ts";
import { experimentNames, loadExperiment } from "../../experiments/bench/registry.ts";
import { resultsOf } from "../../experiments/bench/results.ts";
import { runCell } from "../../runtime/cli/experiment-cell.ts";

test.each(experimentNames)("%s --quick", async (name) => {
  const experiment = await loadExperiment(name);
  const cells = experiment.cells("quick", "test");
  const done = [];
  for (const [index, cell] of cells.entries()) {
    done.push({ index, ...(await runCell({ experiment: name, cell })) });
  }
  const plan = { experiment: name, size: "quick", seed: "test" } as const;
  const results = resultsOf(experiment, plan, done, process.version);
  expect(results.rows).toHaveLength(cells.length);
  expect(results.claims.length).toBeGreaterThan(0);
  expect(results.claims.filter(({ holds }) => !holds)).toEqual([]);
  const files = filesOf(experiment, results);
  for (const file of ["plot.svg", "README.md"]) {
    expect(files[file]).not.toMatch(/\b(NaN|undefined|Infinity)\b/);
  }
  const again = (await runCell({ experiment: name, cell: cells[0] ?? {} })).row;
  const seeded = Object.keys(again).filter((column) => !experiment.measured.includes(column));
  for (const column of seeded) expect(again[column], column).toEqual(results.rows[0]?.[column]);
});

/** The frame that all experiments share: pages, tables, plots, results. */
import { expect, test } from "vitest";
import { readable } from "../../../experiments/bench/axes.ts";
import { drawFigure } from "../../../experiments/bench/draw.ts";
import { experiment, type Flat, withSeeds } from "../../../experiments/bench/experiment.ts";
import { pageOf } from "../../../experiments/bench/page.ts";
import { csvText, recomputed, resultsOf, resultsText } from "../../../experiments/bench/results.ts";

type Cell = Readonly<{ n: number; seed: string }>;

const doubling = experiment<Cell, Readonly<{ twice: number }>, { total: number }>({
  name: "00-doubling",
  title: "Doubling",
  question: "What is twice n?",
  measured: [],
  cells: (_size, seed) => withSeeds([{ n: 1 }, { n: 2 }], seed, () => 2),
  runCell: ({ n }) => ({ twice: 2 * n }),
  summarise: (rows) => ({ total: rows.reduce((sum, { twice }) => sum + twice, 0) }),
  claims: ({ total }) => [{ text: `All add up to ${total}.`, holds: total === 12 }],
  plot: () => "<svg/>",
  values: ({ total }) => ({ total: String(total) }),
});

const plan = { experiment: "00-doubling", size: "full", seed: "s" } as const;
const done = doubling.cells("full", "s").map((cell, index) => ({
  index,
  cpuSeconds: 0.25,
  row: { ...cell, twice: 2 * Number(cell["n"]) },
}));

test("results are in the order of the cells, whatever the order in which they came", () => {
  const results = resultsOf(doubling, plan, done.toReversed(), "v1");
  expect(results.rows).toEqual([
    { n: 1, seed: "s/1", twice: 2 },
    { n: 1, seed: "s/2", twice: 2 },
    { n: 2, seed: "s/1", twice: 4 },
    { n: 2, seed: "s/2", twice: 4 },
  ]);
  expect(results).toMatchObject({
    command: "patina experiment run 00-doubling --seed s",
    run: { node: "v1", cpuSeconds: 1 },
    claims: [{ text: "All add up to 12.", holds: true }],
  });
  expect(JSON.parse(resultsText(results))).toEqual(results);
  expect(recomputed(doubling, results)).toEqual(results);
});

test("the page fills each gap, and tells of gaps and values that do not meet", () => {
  const results = resultsOf(doubling, plan, done, "v1");
  const page = pageOf(doubling, "# T\n{{total}}\n{{claims}}\n{{run}}\n", results);
  expect(page).toContain(
    "# T\n12\n- ✓ All add up to 12.\n```\nnpx patina experiment run 00-doubling",
  );
  expect(() => pageOf(doubling, "{{totl}}{{claims}}{{run}}", results)).toThrow("{{totl}}");
  expect(() => pageOf(doubling, "{{claims}}{{run}}", results)).toThrow("no gap asks for total");
  const wrong = resultsOf(doubling, plan, done.slice(1), "v1");
  expect(pageOf(doubling, "{{total}}{{claims}}{{run}}", wrong)).toContain("✗ **not so:** All add");
});

test("CSV quotes what needs it and leaves empty what a row lacks", () => {
  const rows: Flat[] = [
    { a: 1, b: 'x,"y"' },
    { a: null, c: true },
  ];
  expect(csvText(rows)).toBe('a,b,c\n1,"x,""y""",\n,,true\n');
});

test("a figure has a mark a point, a legend entry a name, and no number that is none", () => {
  const svg = drawFigure({
    title: "A <b> & c",
    subtitle: "",
    columns: 2,
    panels: [
      {
        title: "lines",
        x: { label: "x", scale: "log" },
        y: { label: "y", scale: "linear" },
        series: [
          {
            name: "one",
            kind: "line",
            colour: "#000",
            points: [
              { x: 1, y: 2, low: 1, high: 3, outliers: [9] },
              { x: 100, y: 4 },
              { x: 1000, y: Infinity },
            ],
          },
        ],
        limits: [{ axis: "y", at: 5, label: "goal" }],
      },
      {
        title: "bars",
        x: { label: "x", scale: "band", categories: ["a", "b"] },
        y: { label: "y", scale: "log" },
        series: [
          {
            name: "two",
            kind: "bars",
            colour: "#111",
            points: [
              { x: "a", y: 10 },
              { x: "b", y: 0 },
            ],
          },
        ],
      },
    ],
  });
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(svg).toContain("A &lt;b&gt; &amp; c");
  // Two marks and their like in the legend.
  expect(svg.match(/translate\(/g)).toHaveLength(3);
  expect(svg.match(/<circle/g)).toHaveLength(1);
  expect(svg.match(/>(one|two|goal)</g)).toHaveLength(3);
});

test("numbers on axes are short", () => {
  expect([0.05, 1.5, 20, 1500, 20_000, 3_000_000, 4e9].map(readable)).toEqual([
    "0.05",
    "1.5",
    "20",
    "1,500",
    "20k",
    "3M",
    "4G",
  ]);
});

/** How long a commit takes to be everywhere on a planet. */
import { type Claim, experiment, type Size, withSeeds } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { type Cell, measure, type Row } from "./measure.ts";
import { plot } from "./plot.ts";

const columns = [
  "halfP50",
  "halfP99",
  "mostP50",
  "mostP99",
  "allP50",
  "allP99",
  "allMax",
  "pairP50",
  "pairP99",
  "boundP50",
  "boundP99",
  "copies",
  "bytes",
  "delivered",
  "byBroadcast",
] as const satisfies readonly (keyof Row)[];

export type Line = Pick<Cell, "mode" | "nodes" | "loss" | "commits"> &
  Readonly<Record<keyof Row, Estimate>>;

export interface Summary {
  readonly lines: readonly Line[];
}

/** The goals: p99 over commits of the time to every node, and copies per node and commit. */
const goalMs = 400;
const goalCopies = 1.3;
/** Reported for Corrosion in production: 99 % of changes are everywhere within a second. */
const corrosionMs = 1000;

function cells(size: Size, seed: string): Cell[] {
  const full: Omit<Cell, "seed">[] = [
    { mode: "tree", nodes: 800, loss: 0.01, commits: 600 },
    { mode: "tree", nodes: 800, loss: 0, commits: 600 },
    { mode: "tree", nodes: 800, loss: 0.05, commits: 600 },
    { mode: "flood", nodes: 800, loss: 0.01, commits: 200 },
  ];
  const quick: Omit<Cell, "seed">[] = [
    { mode: "tree", nodes: 80, loss: 0.01, commits: 100 },
    { mode: "flood", nodes: 80, loss: 0.01, commits: 50 },
  ];
  if (size === "quick") return withSeeds(quick, seed, () => 1);
  return withSeeds(full, seed, ({ mode, loss }) => (mode === "tree" && loss === 0.01 ? 3 : 1));
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const groups = groupBy(rows, ({ mode, nodes, loss }) => `${mode}/${nodes}/${loss}`);
  return {
    lines: Array.from(groups.values(), (group) => {
      const { mode, nodes, loss, commits } = group[0] as Cell;
      const estimates = columns.map((column) => [
        column,
        estimate(group.map((row) => row[column])),
      ]);
      return { mode, nodes, loss, commits, ...Object.fromEntries(estimates) } as Line;
    }),
  };
}

function find({ lines }: Summary, mode: Cell["mode"], loss: number): Line {
  const line = lines.find((each) => each.mode === mode && each.loss === loss);
  if (line === undefined) throw new RangeError(`no line ${mode} ${loss}`);
  return line;
}

function claims(summary: Summary, size: Size): Claim[] {
  const tree = find(summary, "tree", 0.01);
  const flood = find(summary, "flood", 0.01);
  const copies = tree.copies.most;
  const always: Claim[] = [
    {
      text: `Every commit reached every node, and ${(tree.byBroadcast.median * 100).toFixed(2)} % of all deliveries came by broadcast, not by repair.`,
      holds: summary.lines.every(({ delivered }) => delivered.least === 1),
    },
    {
      text: `The tree needs ${tree.copies.median.toFixed(2)} copies a node and commit, flooding ${flood.copies.median.toFixed(1)}.`,
      holds: copies < flood.copies.least,
    },
  ];
  if (size === "quick") return always;
  return [
    ...always,
    {
      text: `At 1 % loss and 200 commits a second a commit is at its last of 800 nodes within ${ms(tree.allP50)} (median) and ${ms(tree.allP99)} (99th percentile; the goal is ${goalMs} ms), with ${tree.copies.median.toFixed(2)} copies a node and commit (the goal is ${goalCopies}).`,
      holds: tree.allP99.median < goalMs && copies <= goalCopies,
    },
    {
      text: `Of all pairs of commit and node, 99 % are served within ${ms(tree.pairP99)}: under ${goalMs} ms, and less than half of the second that is reported for Corrosion.`,
      holds: tree.pairP99.median < goalMs && tree.pairP99.median < corrosionMs / 2,
    },
    {
      text: `Half of the nodes have a commit after ${ms(tree.halfP50)}, 99 % of them after ${ms(tree.mostP50)} (medians over commits).`,
      holds: tree.halfP50.median < tree.mostP50.median,
    },
    {
      text: `Without loss the last node has it after ${ms(find(summary, "tree", 0).allP50)} (median), ${(find(summary, "tree", 0).allP50.median / tree.boundP50.median).toFixed(1)} times the least that the distances allow (${ms(tree.boundP50)}).`,
      holds: find(summary, "tree", 0).allP50.median < 2 * tree.boundP50.median,
    },
  ];
}

function ms({ median }: Estimate): string {
  return `${median.toFixed(0)} ms`;
}

function values(summary: Summary): Record<string, string> {
  const text = ({ median, least, most, n }: Estimate, digits = 0): string =>
    n === 1
      ? median.toFixed(digits)
      : `${median.toFixed(digits)} (${least.toFixed(digits)}–${most.toFixed(digits)})`;
  const table = markdownTable([
    [
      "way, loss",
      "runs × commits",
      "50 % of nodes: p50, p99",
      "99 %: p50, p99",
      "all: p50",
      "all: p99",
      "pairs: p99",
      "bound: p50, p99",
      "copies",
      "bytes",
    ],
    ...summary.lines.map((line) => [
      `${line.mode}, ${line.loss * 100} %`,
      `${line.allP99.n} × ${line.commits}`,
      `${text(line.halfP50)}, ${text(line.halfP99)}`,
      `${text(line.mostP50)}, ${text(line.mostP99)}`,
      text(line.allP50),
      text(line.allP99),
      text(line.pairP99),
      `${text(line.boundP50)}, ${text(line.boundP99)}`,
      text(line.copies, 2),
      text(line.bytes),
    ]),
  ]);
  return { table };
}

export default experiment<Cell, Row, Summary>({
  name: "04-world-wide",
  title: "World-wide propagation",
  question:
    "How long does a commit take to be at half, at 99 % and at all of 800 nodes in 40 regions of the world?",
  measured: [],
  cells,
  weight: ({ nodes, commits, mode }) => nodes * (commits + 100) * (mode === "flood" ? 6 : 1),
  runCell: measure,
  summarise,
  claims,
  plot,
  values,
});

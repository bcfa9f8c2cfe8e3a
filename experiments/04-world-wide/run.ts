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

export type Line = Omit<Cell, "seed"> & Readonly<Record<keyof Row, Estimate>>;

export interface Summary {
  readonly lines: readonly Line[];
}

/** The goals: p99 over commits of the time to every node, and copies per node and commit. */
const goalMs = 400;
const goalCopies = 1.3;
/** Reported for Corrosion in production: 99 % of changes are everywhere within a second. */
const corrosionMs = 1000;
/**
 * Corrosion's broadcast tree in a simulator of its own, without loss: 99 % of messages are at the
 * last of 2,000 nodes after so long, straight ways to everyone take `floorMs`, and each node gets so
 * many copies too many.
 */
const corrosionTree = { allP99: 165, floorMs: 143, duplicates: 3.9 } as const;

/** Loss of the main rows. */
const usual = 0.01;

function cells(size: Size, seed: string): Cell[] {
  const base = { mode: "tree", loss: usual, characters: 100 } as const;
  if (size === "quick") {
    const quick = { ...base, nodes: 80, writers: 80 };
    const two: Omit<Cell, "seed">[] = [
      { ...quick, commits: 100 },
      { ...quick, mode: "flood", commits: 50 },
    ];
    return withSeeds(two, seed, () => 1);
  }
  const full = { ...base, nodes: 800, writers: 800, commits: 600 };
  const all: Omit<Cell, "seed">[] = [
    full,
    { ...full, loss: 0 },
    { ...full, loss: 0.05 },
    { ...full, writers: 1 },
    { ...full, characters: 2000 },
    { ...full, mode: "flood", commits: 200 },
  ];
  return withSeeds(all, seed, (cell) => (cell === full ? 6 : 3));
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const keyOf = (row: Cell): string =>
    [row.mode, row.nodes, row.loss, row.writers, row.characters].join("/");
  return {
    lines: Array.from(groupBy(rows, keyOf).values(), (group) => {
      const { mode, nodes, loss, commits, writers, characters } = group[0] as Cell;
      const estimates = columns.map((column) => [
        column,
        estimate(group.map((row) => row[column])),
      ]);
      const cell = { mode, nodes, loss, commits, writers, characters };
      return { ...cell, ...Object.fromEntries(estimates) } as Line;
    }),
  };
}

/** The line of all nodes that commit short rows, unless told otherwise. */
function find({ lines }: Summary, wanted: Partial<Omit<Cell, "seed">> = {}): Line {
  const line = lines.find((each) => {
    const { mode = "tree", loss = usual, writers = each.nodes, characters = 100 } = wanted;
    const same = each.mode === mode && each.loss === loss && each.writers === writers;
    return same && each.characters === characters;
  });
  if (line === undefined) throw new RangeError(`no line ${JSON.stringify(wanted)}`);
  return line;
}

/** What tells a line from the others. */
export function nameOf({ mode, loss, writers, nodes, characters }: Line): string {
  const parts = [`${mode}, ${loss * 100} %`];
  if (writers < nodes) parts.push("one writer");
  if (characters > 100) parts.push(`${characters.toLocaleString("en-US")} characters`);
  return parts.join(", ");
}

function claims(summary: Summary, size: Size): Claim[] {
  const tree = find(summary);
  const flood = find(summary, { mode: "flood" });
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
  const lossless = find(summary, { loss: 0 });
  const lossy = find(summary, { loss: 0.05 });
  const one = find(summary, { writers: 1 });
  const long = find(summary, { characters: 2000 });
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
      text: `Of the straight way from the writer to the furthest node, ${ms(tree.boundP50)} (median) and ${ms(tree.boundP99)} (99th percentile), that is ${times(tree.allP50, tree.boundP50)} and ${times(tree.allP99, tree.boundP99)} times as long; without loss ${times(lossless.allP50, lossless.boundP50)} and ${times(lossless.allP99, lossless.boundP99)} times.`,
      holds: lossless.allP99.median < 2 * lossless.boundP99.median,
    },
    besideCorrosion(lossless),
    {
      text: `The same goals at 5 % loss: the last node has 99 % of the commits within ${ms(lossy.allP99)}, at ${lossy.copies.median.toFixed(2)} copies.`,
      holds: lossy.allP99.median < goalMs && lossy.copies.most <= goalCopies,
    },
    {
      text: `When one node makes all commits, half of them are everywhere within ${ms(one.allP50)} and 99 % within ${ms(one.allP99)}; rows too long for a datagram, which go along the tree alone, within ${ms(long.allP50)} and ${ms(long.allP99)}.`,
      holds: one.allP50.median < long.allP50.median,
    },
  ];
}

function besideCorrosion({ allP99, boundP99, copies }: Line): Claim {
  const own = allP99.median / boundP99.median;
  const theirs = corrosionTree.allP99 / corrosionTree.floorMs;
  return {
    text: `Without loss 99 % of the commits are at the last node after ${own.toFixed(2)} times the straight way (${ms(allP99)}) with ${(copies.median - 1).toFixed(2)} copies too many; Corrosion's tree, in its makers' simulator with 2,000 nodes, takes ${theirs.toFixed(2)} times (${corrosionTree.allP99} of ${corrosionTree.floorMs} ms) with ${corrosionTree.duplicates}.`,
    holds: own <= theirs && copies.median - 1 <= corrosionTree.duplicates,
  };
}

function times(time: Estimate, bound: Estimate): string {
  return (time.median / bound.median).toFixed(1);
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
      nameOf(line),
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

/** Three ways of broadcasting: reach, time, copies, and what loss and crashes do to them. */
import { type Claim, experiment, type Size, withSeeds } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { type Cell, measure, type Row, type Way } from "./measure.ts";
import { plot } from "./plot.ts";

export interface Line extends Omit<Cell, "seed"> {
  readonly reached: Estimate;
  readonly delivered: Estimate;
  readonly copies: Estimate;
  readonly lastHop: Estimate;
  readonly lastP50: Estimate | null;
  readonly lastP99: Estimate | null;
}

export interface Summary {
  readonly lines: readonly Line[];
}

type Setting = Omit<Cell, "seed">;

const fleetWays = ["tree", "flood"] as const;
/** Where crashes are tried. */
export const crashNodes = 200;

function settings(size: Size): Setting[] {
  const full = size === "full";
  const sizes = full ? [500, 100] : [50];
  const losses = full ? [0.2, 0.1, 0.01] : [];
  const shares = full ? [0.1, 0.3, 0.5, 0.7, 0.9] : [0.5];
  const plain = { loss: 0, crashed: 0 };
  const rounds = full ? [100, 1000, 10_000] : [100, 1000];
  return [
    ...sizes.flatMap((nodes) => fleetWays.map((way) => ({ way, nodes, ...plain }))),
    ...losses.flatMap((loss) => fleetWays.map((way) => ({ way, nodes: 100, loss, crashed: 0 }))),
    ...shares.flatMap((crashed) =>
      [...fleetWays, "eager" as const].map((way) => ({
        way,
        nodes: full ? crashNodes : 50,
        loss: 0,
        crashed,
      })),
    ),
    ...rounds.flatMap((nodes) =>
      (["push", "pushPull", "eager"] as const).map((way) => ({ way, nodes, ...plain })),
    ),
  ];
}

function cells(size: Size, seed: string): Cell[] {
  const isFleet = ({ way }: Setting): boolean => way === "tree" || way === "flood";
  return withSeeds(settings(size), seed, (setting) => {
    if (size === "quick") return isFleet(setting) ? 1 : 5;
    return isFleet(setting) ? 6 : 30;
  });
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const groups = groupBy(
    rows,
    ({ way, nodes, loss, crashed }) => `${way}/${nodes}/${loss}/${crashed}`,
  );
  const lines = Array.from(groups.values(), (group): Line => {
    const { way, nodes, loss, crashed } = group[0] as Cell;
    const times = (key: "lastP50" | "lastP99"): Estimate | null => {
      const known = group.map((row) => row[key]).filter((value) => value !== null);
      return known.length === 0 ? null : estimate(known);
    };
    return {
      way,
      nodes,
      loss,
      crashed,
      reached: estimate(group.map((row) => row.reached)),
      delivered: estimate(group.map((row) => row.delivered)),
      copies: estimate(group.map((row) => row.copies)),
      lastHop: estimate(group.map((row) => row.lastHop)),
      lastP50: times("lastP50"),
      lastP99: times("lastP99"),
    };
  });
  return { lines };
}

export function find(
  { lines }: Summary,
  way: Way,
  nodes: number,
  loss = 0,
  crashed = 0,
): Line | undefined {
  return lines.find(
    (line) =>
      line.way === way && line.nodes === nodes && line.loss === loss && line.crashed === crashed,
  );
}

/** Rounds until all know: log2 n + ln n (Pittel, 1987); log3 n, and O(ln ln n) (Karp and others, FOCS 2000). */
export function theory(way: Way, nodes: number): number {
  return way === "push" ? Math.log2(nodes) + Math.log(nodes) : Math.log(nodes) / Math.log(3);
}

/** r = 1 − e^(−fanout·r): the share that eager gossip reaches when it takes off. */
export function eagerReach(fanout: number): number {
  let reach = 1;
  for (let i = 0; i < 50; i++) reach = 1 - Math.exp(-fanout * reach);
  return reach;
}

/** Published for the simulated LAN: copies and ms of 100 bytes at the last node. */
export const published = {
  100: { focaMs: 486, memberlistMs: 554, focaCopies: 8, memberlistCopies: 12 },
} as const;

function claims(summary: Summary, size: Size): Claim[] {
  const { lines } = summary;
  const fleets = lines.filter(({ way }) => way === "tree" || way === "flood");
  const trees = fleets.filter(({ way, crashed }) => way === "tree" && crashed === 0);
  const lossless = trees.filter(({ loss }) => loss === 0).map(({ copies }) => copies);
  const [least, most] = [
    Math.min(...lossless.map((c) => c.least)),
    Math.max(...lossless.map((c) => c.most)),
  ];
  const always: Claim[] = [
    {
      text: `Without loss the tree spreads at ${least.toFixed(2)} to ${most.toFixed(2)} copies a node and message (the goal: 1.5, and 1.1 once settled); where packets are lost, at ${Math.max(...trees.map(({ copies }) => copies.most)).toFixed(2)} at the most.`,
      holds: most < 1.5,
    },
    {
      text: `Whatever is lost, and when up to 70 % of the nodes crash at once, every message is at every running node within a minute; when 90 % crash, at least ${percent(least90(fleets))} of the deliveries are made.`,
      holds: fleets.every(({ delivered, crashed }) => crashed > 0.7 || delivered.least === 1),
    },
  ];
  if (size === "quick") return always;
  const big = (way: Way): Line => find(summary, way, 10_000) as Line;
  const [push, pushPull, eager] = [big("push"), big("pushPull"), big("eager")];
  const [tree, flood] = [find(summary, "tree", 100) as Line, find(summary, "flood", 100) as Line];
  const { focaMs, memberlistMs, focaCopies, memberlistCopies } = published[100];
  const half = (way: Way): Line => find(summary, way, crashNodes, 0, 0.5) as Line;
  const reach = eagerReach(4);
  return [
    ...always,
    {
      text: `In rounds, push takes ${push.lastHop.median} to reach all of 10,000, within 10 % of log2 n + ln n = ${theory("push", 10_000).toFixed(1)}; push-pull takes ${pushPull.lastHop.median}, and log3 n = ${theory("pushPull", 10_000).toFixed(1)} plus a little.`,
      holds:
        Math.abs(push.lastHop.median / theory("push", 10_000) - 1) < 0.1 &&
        pushPull.lastHop.median < theory("pushPull", 10_000) + 6,
    },
    {
      text: `Eager gossip to four reaches ${(eager.reached.median * 100).toFixed(2)} % of 10,000, as r = 1 − e^(−4r) has it (${(reach * 100).toFixed(2)} %), at ${eager.copies.median.toFixed(2)} copies; the tree reaches all at ${tree.copies.median.toFixed(2)}.`,
      holds: Math.abs(eager.reached.median / reach - 1) < 0.01,
    },
    {
      text: `100 bytes are at the last of 100 nodes after ${ms(tree.lastP50)} along the tree and ${ms(flood.lastP50)} by flooding (foca ${focaMs} ms at ${focaCopies} copies, memberlist ${memberlistMs} at ${memberlistCopies}; flooding here takes ${flood.copies.median.toFixed(1)}).`,
      holds: (tree.lastP50?.median ?? Infinity) < focaMs && flood.copies.median <= focaCopies,
    },
    {
      text: `When half of ${crashNodes} nodes crash at once, broadcast alone still reaches ${percent(half("tree").reached)} of the others along the tree and ${percent(half("flood").reached)} by flooding, before anybody is known to be down; eager gossip to four ${percent(half("eager").reached)}.`,
      holds: half("tree").reached.median > 0.5 && half("flood").reached.median > 0.5,
    },
  ];
}

/** The least share delivered in a run in which nine of ten nodes crashed; all, where there is none. */
function least90(fleets: readonly Line[]): Pick<Estimate, "median"> {
  const shares = fleets
    .filter(({ crashed }) => crashed > 0.7)
    .map(({ delivered }) => delivered.least);
  return { median: Math.min(1, ...shares) };
}

function ms(of: Estimate | null): string {
  return of === null ? "–" : `${of.median.toFixed(1)} ms`;
}

function percent({ median }: Pick<Estimate, "median">): string {
  return `${(median * 100).toFixed(1)} %`;
}

function values({ lines }: Summary): Record<string, string> {
  const text = ({ median, low, high }: Estimate, digits: number, scale = 1): string =>
    low === high
      ? (median * scale).toFixed(digits)
      : `${(median * scale).toFixed(digits)} (${(low * scale).toFixed(digits)}–${(high * scale).toFixed(digits)})`;
  const table = markdownTable([
    [
      "way, nodes",
      "loss",
      "crashed",
      "runs",
      "reached by broadcast, %",
      "in the end, %",
      "copies",
      "last hop or rounds",
      "last node p50, ms",
      "p99, ms",
    ],
    ...lines.map((line) => [
      `${line.way}, ${line.nodes.toLocaleString("en")}`,
      `${line.loss * 100} %`,
      `${line.crashed * 100} %`,
      String(line.reached.n),
      text(line.reached, 2, 100),
      text(line.delivered, 2, 100),
      text(line.copies, 2),
      text(line.lastHop, 1),
      line.lastP50 === null ? "" : text(line.lastP50, 1),
      line.lastP99 === null ? "" : text(line.lastP99, 1),
    ]),
  ]);
  return { table, crashNodes: String(crashNodes) };
}

export default experiment<Cell, Row, Summary>({
  name: "03-broadcast",
  title: "Broadcast",
  question:
    "How far, how fast and at how many copies do flooding, eager gossip and a tree carry a message, under loss and when many nodes crash at once?",
  measured: [],
  cells,
  weight: ({ way, nodes }) => (way === "tree" ? nodes : way === "flood" ? 8 * nodes : nodes / 500),
  runCell: measure,
  summarise,
  claims,
  plot,
  values,
});

/** How soon, and with how many bytes, two halves of a cluster become one again. */
import { type Claim, experiment, type Size, withSeeds } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { type Cell, measure, type Row } from "./measure.ts";
import { plot } from "./plot.ts";

type Setting = Omit<Cell, "seed">;

export interface Line extends Setting {
  readonly healedMs: Estimate;
  readonly contactMs: Estimate;
  readonly differenceBytes: Estimate;
  readonly sentBytes: Estimate;
  /** Sent by what was missing. */
  readonly ratio: Estimate;
  readonly falseDowns: number;
}

export interface Summary {
  readonly lines: readonly Line[];
}

const base: Setting = { kind: "rows", nodes: 16, cutSec: 60, perSec: 20 };
const members: Setting = { kind: "members", nodes: 100, cutSec: 120, perSec: 0 };
const fullSettings: readonly Setting[] = [
  { ...members, nodes: 1000 },
  { ...base, nodes: 64 },
  { ...base, cutSec: 300 },
  { ...base, perSec: 100 },
  base,
  { ...base, kind: "hot" },
  { ...base, kind: "hot", cutSec: 300 },
  { ...base, cutSec: 10 },
  { ...base, perSec: 2 },
  { ...base, nodes: 4 },
  members,
];
const quickSettings: readonly Setting[] = [
  { ...base, nodes: 4, cutSec: 10 },
  { ...base, nodes: 4, kind: "hot" },
  { ...members, nodes: 20 },
];

/** Halves cut for 120 s until healed everywhere, in seconds: foca, serf (memberlist alone never heals). */
const published: Readonly<Record<number, { foca: string; serf: number; goal: number }>> = {
  100: { foca: "133", serf: 48, goal: 10 },
  1000: { foca: "over 600", serf: 47, goal: 30 },
};

function cells(size: Size, seed: string): Cell[] {
  if (size === "quick") return withSeeds(quickSettings, seed, () => 1);
  return withSeeds(fullSettings, seed, ({ kind, nodes }) =>
    kind === "members" && nodes === 1000 ? 3 : 6,
  );
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const groups = groupBy(
    rows,
    ({ kind, nodes, cutSec, perSec }) => `${kind}/${nodes}/${cutSec}/${perSec}`,
  );
  const lines = Array.from(groups.values(), (group): Line => {
    const { kind, nodes, cutSec, perSec } = group[0] as Cell;
    const of = (key: keyof Row): Estimate => estimate(group.map((row) => row[key]));
    return {
      kind,
      nodes,
      cutSec,
      perSec,
      healedMs: of("healedMs"),
      contactMs: of("contactMs"),
      differenceBytes: of("differenceBytes"),
      sentBytes: of("sentBytes"),
      ratio: estimate(group.map((row) => row.sentBytes / Math.max(1, row.differenceBytes))),
      falseDowns: group.reduce((sum, row) => sum + row.falseDowns, 0),
    };
  });
  return { lines };
}

function claims({ lines }: Summary, size: Size): Claim[] {
  const data = lines.filter(({ kind }) => kind !== "members");
  const rows = lines.filter(({ kind }) => kind === "rows");
  const hot = lines.filter(({ kind }) => kind === "hot");
  const worst = Math.max(...data.map(({ healedMs }) => healedMs.most));
  const [least, most] = [
    Math.min(...rows.map(({ ratio }) => ratio.least)),
    Math.max(...rows.map(({ ratio }) => ratio.most)),
  ];
  const ofMembers = lines.filter(({ kind }) => kind === "members");
  const always: Claim[] = [
    {
      text: `Every cluster holds the same data again within ${(worst / 1000).toFixed(1)} s of the heal, in every run.`,
      holds: worst < 15_000,
    },
    {
      text: `Where every write is a row of its own, between ${least.toFixed(2)} and ${most.toFixed(2)} times the bytes that the nodes lack are sent.`,
      holds: most < 2,
    },
    {
      text: `Where a hundred rows are written again and again, the overwritten versions do not travel: ${Math.max(...hot.map(({ ratio }) => ratio.most)).toFixed(2)} times the bytes of all versions missed at the most.`,
      holds: hot.every(({ ratio }) => ratio.most < 1),
    },
    {
      text: `No running member is declared down while lists heal.`,
      holds: ofMembers.every(({ falseDowns }) => falseDowns === 0),
    },
  ];
  if (size === "quick") return always;
  return [
    ...always,
    ...ofMembers.map(({ nodes, healedMs }): Claim => {
      const { foca, serf, goal } = published[nodes] as (typeof published)[number];
      return {
        text: `With ${nodes.toLocaleString("en")} members cut in halves for 120 s, all lists agree ${(healedMs.median / 1000).toFixed(1)} s after the heal (foca ${foca} s, serf ${serf} s, memberlist never; the goal is ${goal} s).`,
        holds: healedMs.median / 1000 <= goal,
      };
    }),
  ];
}

function values({ lines }: Summary): Record<string, string> {
  const text = ({ median, low, high }: Estimate, scale: number, digits: number): string =>
    `${(median / scale).toFixed(digits)} (${(low / scale).toFixed(digits)}–${(high / scale).toFixed(digits)})`;
  const table = markdownTable([
    [
      "cluster",
      "cut, s",
      "writes/s",
      "runs",
      "first news, ms",
      "healed, ms",
      "lacked, kB",
      "sent, kB",
      "sent / lacked",
    ],
    ...lines.map((line) => [
      `${line.kind}, ${line.nodes.toLocaleString("en")} nodes`,
      String(line.cutSec),
      String(line.perSec),
      String(line.healedMs.n),
      text(line.contactMs, 1, 0),
      text(line.healedMs, 1, 0),
      ...(line.kind === "members"
        ? ["", "", ""]
        : [
            text(line.differenceBytes, 1000, 0),
            text(line.sentBytes, 1000, 0),
            text(line.ratio, 1, 2),
          ]),
    ]),
  ]);
  return { table };
}

export default experiment<Cell, Row, Summary>({
  name: "05-partition-and-heal",
  title: "Partition and heal",
  question:
    "How soon does a cluster that was cut in two hold the same data again, and for how many bytes?",
  measured: [],
  cells,
  weight: ({ kind, nodes, cutSec, perSec }) =>
    nodes * cutSec * (kind === "members" ? 1 : perSec) * 1e-4 + 0.1,
  runCell: measure,
  summarise,
  claims,
  plot,
  values,
});

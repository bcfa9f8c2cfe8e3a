/** How large and how fast simulated clusters can be. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { simEngineOptions, simYoungMiB } from "../../runtime/cli/sim-engine.ts";
import { type Claim, experiment, type Size, withSeeds } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { readable } from "../bench/axes.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { plot } from "./plot.ts";

export type Kind = "membership" | "control" | "split-heal" | "random-nemesis";

export type Cell = Readonly<{
  kind: Kind;
  nodes: number;
  virtualSec: number;
  /** With all the checks of a run, or none. */
  checked: boolean;
  /** Runs that are measured, after at least twice as many that are not: 1 is a single, cold one. */
  runs: number;
  seed: string;
}>;

/** Sums over the runs that were measured. */
export type Row = Readonly<{
  messages: number;
  virtualMs: number;
  cpuSeconds: number;
  peakMb: number;
  /** Size of the engine's young generation. */
  youngMiB: number;
}>;

export interface Line extends Omit<Cell, "seed"> {
  /** Of one run. */
  readonly messages: Estimate;
  /** Messages a second of processor time. */
  readonly rate: Estimate;
  /** Virtual by processor time. */
  readonly speed: Estimate;
  readonly peakMb: Estimate;
  readonly youngMiB: number;
}

export interface Summary {
  readonly lines: readonly Line[];
}

/** Goals: messages a second on one core; times real time at 1,000; memory and real time at 10,000. */
const goals = { rate: 300_000, speedAt1000: 20, speedAt10000: 1, peakMbAt10000: 8000 };
/** For 14,000 nodes. */
const maxOldSpaceMb = 12_000;

function cells(size: Size, seed: string): Cell[] {
  const membership = (nodes: number, virtualSec: number) => ({
    kind: "membership" as Kind,
    nodes,
    virtualSec,
    checked: false,
    runs: 1,
  });
  const data = (kind: Kind, nodes: number, virtualSec: number, runs: number) =>
    [false, true].map((checked) => ({ kind, nodes, virtualSec, checked, runs }));
  const full = [
    membership(14_000, 6),
    membership(10_000, 60),
    membership(4000, 20),
    membership(1000, 60),
    membership(100, 60),
    ...(["control", "split-heal", "random-nemesis"] as const).flatMap((kind) =>
      [data(kind, 5, 20, 80), data(kind, 50, 20, 4)].flat(),
    ),
  ];
  const quick = [membership(200, 10), ...data("split-heal", 5, 12, 2)];
  if (size === "quick") return withSeeds(quick, seed, () => 1);
  return withSeeds(full, seed, () => 3);
}

function runCell(cell: Cell): Row {
  const script = fileURLToPath(new URL("./one-run.ts", import.meta.url));
  const engine = [...simEngineOptions(cell.nodes), `--max-old-space-size=${maxOldSpaceMb}`];
  const args = [...engine, script, JSON.stringify(cell)];
  const child = spawnSync(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  if (child.status !== 0) {
    const how = child.error?.message ?? child.signal ?? `exit code ${child.status}`;
    throw new Error(`the run of ${cell.nodes} nodes ended: ${how}`);
  }
  const measured = JSON.parse(child.stdout) as Omit<Row, "youngMiB">;
  return { ...measured, youngMiB: simYoungMiB(cell.nodes) };
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const groups = groupBy(rows, ({ kind, nodes, checked }) => `${kind}/${nodes}/${checked}`);
  const lines = Array.from(groups.values(), (group): Line => {
    const { kind, nodes, virtualSec, checked, runs, youngMiB } = group[0] as Cell & Row;
    return {
      kind,
      nodes,
      virtualSec,
      checked,
      runs,
      messages: estimate(group.map((row) => row.messages / row.runs)),
      rate: estimate(group.map((row) => row.messages / row.cpuSeconds)),
      speed: estimate(group.map((row) => row.virtualMs / 1000 / row.cpuSeconds)),
      peakMb: estimate(group.map((row) => row.peakMb)),
      youngMiB,
    };
  });
  return { lines };
}

function claims({ lines }: Summary, size: Size): Claim[] {
  const find = (kind: Kind, nodes: number): Line | undefined =>
    lines.find((line) => line.kind === kind && line.nodes === nodes && !line.checked);
  if (size === "quick") {
    return [
      {
        text: "Every run handles messages.",
        holds: lines.every(({ messages }) => messages.least > 0),
      },
    ];
  }
  const [thousand, ten] = [find("membership", 1000) as Line, find("membership", 10_000) as Line];
  const most = find("membership", 14_000) as Line;
  const nemesis = find("random-nemesis", 50) as Line;
  return [
    {
      text: `1,000 nodes run ${thousand.speed.median.toFixed(1)} times as fast as real time on one core (the goal: ${goals.speedAt1000}).`,
      holds: thousand.speed.median >= goals.speedAt1000,
    },
    {
      text: `10,000 nodes run ${ten.speed.median.toFixed(1)} times as fast as real time, in ${(ten.peakMb.median / 1000).toFixed(1)} GB (the goal: ${goals.speedAt10000}, in ${goals.peakMbAt10000 / 1000} GB).`,
      holds: ten.speed.median >= goals.speedAt10000 && ten.peakMb.median <= goals.peakMbAt10000,
    },
    {
      text: `14,000 nodes run too, ${most.speed.median.toFixed(1)} times as fast as real time in ${(most.peakMb.median / 1000).toFixed(1)} GB.`,
      holds: most.messages.least > 0,
    },
    {
      text: `50 nodes with data under random faults handle ${readable(nemesis.rate.median)} messages a second of processor time, each encoded and decoded (the goal: ${readable(goals.rate)}).`,
      holds: nemesis.rate.median >= goals.rate,
    },
  ];
}

function values({ lines }: Summary): Record<string, string> {
  const text = ({ median, least, most }: Estimate, format: (n: number) => string): string =>
    least === most ? format(median) : `${format(median)} (${format(least)}–${format(most)})`;
  const table = markdownTable([
    [
      "scenario, nodes",
      "checks",
      "processes × runs",
      "virtual, s",
      "messages",
      "messages/s",
      "× real time",
      "peak MB",
      "young MiB",
    ],
    ...lines.map((line) => [
      `${line.kind}, ${line.nodes.toLocaleString("en")}`,
      line.checked ? "all" : "none",
      `${line.rate.n} × ${line.runs}`,
      String(line.virtualSec),
      readable(line.messages.median),
      text(line.rate, readable),
      text(line.speed, (n) => (n < 100 ? n.toPrecision(3) : readable(Math.round(n)))),
      text(line.peakMb, (n) => n.toFixed(0)),
      String(line.youngMiB),
    ]),
  ]);
  return { table };
}

export default experiment<Cell, Row, Summary>({
  name: "08-simulator-scale",
  title: "Scale of the simulator",
  question: "How many messages a second does the simulator handle, and how large can a cluster be?",
  measured: ["cpuSeconds", "peakMb", "youngMiB"],
  cells,
  weight: ({ kind, nodes, virtualSec }) =>
    kind === "membership" ? nodes * (virtualSec + 10) : 20_000,
  runCell,
  summarise,
  claims,
  plot,
  values,
});

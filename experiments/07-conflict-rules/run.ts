/** Two rules for who wins when transactions collide. */
import { type Claim, experiment, type Size, withSeeds } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { play, type Verdicts } from "./history.ts";
import { plot } from "./plot.ts";
import { counterOrder, stampOrder } from "./rules.ts";

export type Cell = Readonly<{
  rule: "stamp" | "counter";
  delayMs: number;
  skewMs: number;
  rows: number;
  seed: string;
}>;

export type Row = Readonly<Record<keyof Verdicts, number>>;

export interface Line {
  readonly rule: Cell["rule"];
  readonly delayMs: number;
  readonly skewMs: number;
  /** Share of all rows. */
  readonly contested: Estimate;
  /** Shares of the contested rows. */
  readonly notLatest: Estimate;
  readonly mixed: Estimate;
  readonly busyWon: Estimate;
  /** Share of all rows. */
  readonly disputed: Estimate;
  /** Rows, in all runs. */
  readonly undone: number;
}

export interface Summary {
  readonly lines: readonly Line[];
}

export const delays = [5, 20, 80, 320, 1280];
export const skews = [0, 10, 50, 250, 1000, 5000];
/** Where the other parameter is varied. */
export const middle = { delayMs: 80, skewMs: 10 };

function cells(size: Size, seed: string): Cell[] {
  const settings = [
    ...delays.map((delayMs) => ({ delayMs, skewMs: middle.skewMs })),
    ...skews
      .filter((skewMs) => skewMs !== middle.skewMs)
      .map((skewMs) => ({ delayMs: middle.delayMs, skewMs })),
  ];
  const rows = size === "full" ? 2000 : 200;
  const parameters = settings.flatMap((setting) =>
    (["stamp", "counter"] as const).map((rule) => ({ rule, ...setting, rows })),
  );
  return withSeeds(parameters, seed, () => (size === "full" ? 20 : 6));
}

function runCell({ rule, ...history }: Cell): Row {
  return { ...play({ ...history, nodes: 5 }, rule === "stamp" ? stampOrder : counterOrder) };
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const groups = groupBy(rows, ({ rule, delayMs, skewMs }) => `${rule}/${delayMs}/${skewMs}`);
  const lines = Array.from(groups.values(), (group): Line => {
    const { rule, delayMs, skewMs } = group[0] as Cell;
    const ofContested = (key: keyof Verdicts): Estimate =>
      estimate(group.map((row) => row[key] / Math.max(1, row.contested)));
    return {
      rule,
      delayMs,
      skewMs,
      contested: estimate(group.map((row) => row.contested / row.rows)),
      notLatest: ofContested("notLatest"),
      mixed: ofContested("mixed"),
      busyWon: ofContested("busyWon"),
      disputed: estimate(group.map((row) => row.disputed / row.rows)),
      undone: group.reduce((sum, row) => sum + row.undone, 0),
    };
  });
  return { lines };
}

export function linesOf({ lines }: Summary, rule: Cell["rule"], by: "delayMs" | "skewMs"): Line[] {
  const other = by === "delayMs" ? "skewMs" : "delayMs";
  return lines
    .filter((line) => line.rule === rule && line[other] === middle[other])
    .toSorted((a, b) => a[by] - b[by]);
}

function claims(summary: Summary, size: Size): Claim[] {
  const { lines } = summary;
  const stamps = lines.filter(({ rule }) => rule === "stamp");
  const counters = lines.filter(({ rule }) => rule === "counter");
  const sum = (some: readonly Line[]): number =>
    some.reduce((total, { undone }) => total + undone, 0);
  const atMiddle = (rule: Cell["rule"]): Line =>
    lines.find(
      (line) =>
        line.rule === rule && line.delayMs === middle.delayMs && line.skewMs === middle.skewMs,
    ) as Line;
  const [stamp, counter] = [atMiddle("stamp"), atMiddle("counter")];
  const bySkew = linesOf(summary, "stamp", "skewMs");
  const worst = bySkew.at(-1) as Line;
  const always: Claim[] = [
    {
      text: `Neither rule ever shows a transaction that another one had seen and overwritten: ${sum(stamps)} and ${sum(counters)} rows, with clocks up to ${Math.max(...skews) / 1000} s off.`,
      holds: sum(lines) === 0,
    },
    {
      text: `Stamp order never mixes two transactions; per-cell counters do on ${percent(counter.mixed)} of the rows on which transactions collide.`,
      holds: stamps.every(({ mixed }) => mixed.most === 0) && counter.mixed.median > 0.05,
    },
    {
      text: `All nodes name the same last writer under stamp order; under counters they disagree on ${percent(counter.disputed)} of all rows, where equal values met.`,
      holds: stamps.every(({ disputed }) => disputed.most === 0) && counter.disputed.most > 0,
    },
  ];
  if (size === "quick") return always;
  return [
    ...always,
    {
      text: `With clocks within 10 ms of the truth, stamp order shows another than the latest of the colliding transactions on ${percent(stamp.notLatest)} of the rows, counters on ${percent(counter.notLatest)} (and a mixture on ${percent(counter.mixed)} more).`,
      holds: stamp.notLatest.high < counter.notLatest.low,
    },
    {
      text: `Its price is trust in clocks: at 5 s off it shows another than the latest on ${percent(worst.notLatest)}, as a rule that knows nothing of time would; counters do not depend on clocks.`,
      holds: worst.notLatest.median > stamp.notLatest.median,
    },
  ];
}

function percent({ median }: Estimate): string {
  return `${(median * 100).toFixed(median < 0.1 ? 1 : 0)} %`;
}

function values(summary: Summary): Record<string, string> {
  const text = ({ median, low, high }: Estimate): string =>
    `${(median * 100).toFixed(1)} (${(low * 100).toFixed(1)}–${(high * 100).toFixed(1)})`;
  const table = markdownTable([
    [
      "rule, delay, skew",
      "runs",
      "contested",
      "not the latest",
      "by being busier",
      "mixed",
      "disputed writer",
    ],
    ...summary.lines.map((line) => [
      `${line.rule}, ${line.delayMs} ms, ${line.skewMs} ms`,
      String(line.contested.n),
      text(line.contested),
      text(line.notLatest),
      text(line.busyWon),
      text(line.mixed),
      text(line.disputed),
    ]),
  ]);
  return { table };
}

export default experiment<Cell, Row, Summary>({
  name: "07-conflict-rules",
  title: "Conflict rules",
  question:
    "When transactions collide, which one survives, whole or in part, under stamp order and under per-cell counters?",
  measured: [],
  cells,
  runCell,
  summarise,
  claims,
  plot,
  values,
});

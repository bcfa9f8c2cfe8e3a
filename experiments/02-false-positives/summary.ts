/** Sums over the grid, and what each set-up leaves of SWIM's. */
import type { Io } from "../../sim/swim-lab/lifeguard.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { type Cell, configs, isLong } from "./grid.ts";

export type Row = Readonly<{ byHealthy: number; byAny: number }>;

/** What one set-up came to on the points at which members stand still for longer than a suspicion lasts. */
export interface Line {
  readonly io: Io;
  readonly parts: string;
  readonly points: number;
  /** Deaths of healthy members told by healthy ones, and by any: sums over the grid, one a seed. */
  readonly byHealthy: Estimate;
  readonly byAny: Estimate;
  readonly runs: number;
  /** Runs in which a healthy member told any. */
  readonly runsByHealthy: number;
  /** By how many are slow, and by how long they run in between, the mean of the seeds. */
  readonly bySlow: readonly Share[];
  readonly byOpenMs: readonly Share[];
}

export type Share = readonly [value: number, byAny: number, byHealthy: number];

export interface Summary {
  readonly lines: readonly Line[];
  /** The same at all shorter times without input and output together; SWIM, activities stall. */
  readonly short: Row & { readonly points: number };
}

export function summarise(rows: readonly (Cell & Row)[]): Summary {
  const groups = groupBy(rows.filter(isLong), ({ io, parts }) => `${io}/${parts}`);
  const short = rows.filter((row) => !isLong(row));
  return {
    lines: Array.from(groups.values(), summariseLine).toSorted((a, b) => rank(a) - rank(b)),
    short: { points: short.length, byAny: sum(short, "byAny"), byHealthy: sum(short, "byHealthy") },
  };
}

/** Parts in the order in which they are listed. */
function rank({ parts }: Line): number {
  return Object.keys(configs).indexOf(parts);
}

function summariseLine(rows: readonly (Cell & Row)[]): Line {
  const { io, parts } = rows[0] as Cell;
  const bySeed = Array.from(groupBy(rows, ({ seed }) => seed).values());
  const shares = (key: "members" | "openMs"): Share[] =>
    Array.from(
      groupBy(rows, (row) => row[key]),
      ([value, some]) => [
        Number(value),
        sum(some, "byAny") / bySeed.length,
        sum(some, "byHealthy") / bySeed.length,
      ],
    );
  return {
    io,
    parts,
    points: rows.length / bySeed.length,
    byHealthy: estimate(bySeed.map((some) => sum(some, "byHealthy"))),
    byAny: estimate(bySeed.map((some) => sum(some, "byAny"))),
    runs: rows.length,
    runsByHealthy: rows.filter(({ byHealthy }) => byHealthy > 0).length,
    bySlow: shares("members"),
    byOpenMs: shares("openMs"),
  };
}

function sum(rows: readonly Row[], key: keyof Row): number {
  return rows.reduce((total, row) => total + row[key], 0);
}

export type Told = "byAny" | "byHealthy";

export function lineOf({ lines }: Summary, io: Io, parts: string): Line {
  const line = lines.find((each) => each.io === io && each.parts === parts);
  if (line === undefined) throw new RangeError(`no line ${io} ${parts}`);
  return line;
}

/** What is left of SWIM's false positives, in the medians. */
export function left(summary: Summary, io: Io, parts: string, told: Told): number {
  return lineOf(summary, io, parts)[told].median / lineOf(summary, io, "SWIM")[told].median;
}

export function percent(share: number): string {
  const value = Number.isNaN(share) ? 0 : share * 100;
  return `${value === 0 ? "0" : value < 0.1 ? value.toPrecision(1) : value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}

export function count(n: number): string {
  return n.toLocaleString("en", { maximumFractionDigits: 0 });
}

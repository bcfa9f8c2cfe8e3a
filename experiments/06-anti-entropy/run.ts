/** What it costs a node to learn which versions it lacks. */
import { type Claim, experiment, type Size, withSeeds } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { readable } from "../bench/axes.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { allVersions, makeBooks, type Pattern } from "./holdings.ts";
import { digests, rangeReconciliation, versionRanges } from "./methods.ts";
import { plot } from "./plot.ts";

export type Cell = Readonly<{
  pattern: Pattern;
  actors: number;
  differences: number;
  seed: string;
}>;

export const methods = ["ranges", "digests", "reconciliation"] as const;
export type Method = (typeof methods)[number];

export type Row = Readonly<Record<`${Method}Bytes` | `${Method}Trips`, number>>;

export interface Line extends Omit<Cell, "seed"> {
  readonly runs: number;
  readonly bytes: Readonly<Record<Method, Estimate>>;
  /** Medians; they hardly depend on the seed. */
  readonly trips: Readonly<Record<Method, number>>;
}

export interface Summary {
  readonly lines: readonly Line[];
}

function cells(size: Size, seed: string): Cell[] {
  const full = size === "full";
  const actorCounts = full ? [10, 100, 1000, 10_000] : [10, 1000];
  const counts = full ? [0, 10, 100, 1000, 10_000, 100_000] : [0, 10, 1000];
  const settings = (["tail", "holes"] as const).flatMap((pattern) =>
    actorCounts.flatMap((actors) =>
      counts.map((differences) => ({ pattern, actors, differences })),
    ),
  );
  return withSeeds(settings, seed, () => (full ? 9 : 1));
}

function runCell({ pattern, actors, differences, seed }: Cell): Row {
  const books = makeBooks(actors, differences, pattern, seed);
  const [ranges, digest, reconciliation] = [
    versionRanges(books),
    digests(books),
    rangeReconciliation(books, allVersions),
  ];
  return {
    rangesBytes: ranges.bytes,
    rangesTrips: ranges.roundTrips,
    digestsBytes: digest.bytes,
    digestsTrips: digest.roundTrips,
    reconciliationBytes: reconciliation.bytes,
    reconciliationTrips: reconciliation.roundTrips,
  };
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const groups = groupBy(
    rows,
    ({ pattern, actors, differences }) => `${pattern}/${actors}/${differences}`,
  );
  const lines = Array.from(groups.values(), (group): Line => {
    const { pattern, actors, differences } = group[0] as Cell;
    const of = (key: keyof Row): Estimate => estimate(group.map((row) => row[key]));
    return {
      pattern,
      actors,
      differences,
      runs: group.length,
      bytes: {
        ranges: of("rangesBytes"),
        digests: of("digestsBytes"),
        reconciliation: of("reconciliationBytes"),
      },
      trips: {
        ranges: of("rangesTrips").median,
        digests: of("digestsTrips").median,
        reconciliation: of("reconciliationTrips").median,
      },
    };
  });
  return { lines };
}

function claims({ lines }: Summary, size: Size): Claim[] {
  const equal = lines.filter(({ differences }) => differences === 0);
  const most = Math.max(...equal.map(({ actors }) => actors));
  const atMost = equal.find(({ actors }) => actors === most) as Line;
  const always: Claim[] = [
    {
      text: `Two nodes in agreement find that out with ${atMost.bytes.digests.median} bytes, however many actors there are; whole version ranges take ${readable(atMost.bytes.ranges.median)} with ${most.toLocaleString("en")} actors.`,
      holds: equal.every(
        ({ bytes }) =>
          bytes.digests.median === atMost.bytes.digests.median && bytes.digests.median < 64,
      ),
    },
    {
      text: "Where they differ, digests never take more than the whole ranges and one hash a bucket.",
      holds: lines.every(({ bytes }) => bytes.digests.most <= bytes.ranges.most + 700),
    },
  ];
  if (size === "quick") return always;
  const find = (pattern: Pattern, actors: number, differences: number): Line =>
    lines.find(
      (line) =>
        line.pattern === pattern && line.actors === actors && line.differences === differences,
    ) as Line;
  const cut = find("tail", 1000, 100_000);
  const few = find("holes", 10_000, 10);
  const scattered = find("holes", 1000, 100_000);
  return [
    ...always,
    {
      text: `After a cut (100,000 versions of 1,000 actors at their ends), digests and ranges take ${readable(cut.bytes.digests.median)} bytes, range-based reconciliation ${readable(cut.bytes.reconciliation.median)}: ranges name a run of versions by its ends.`,
      holds: cut.bytes.digests.median < cut.bytes.reconciliation.median / 10,
    },
    {
      text: `For ten single versions among 10,000 actors, range-based reconciliation takes ${readable(few.bytes.reconciliation.median)} bytes in ${few.trips.reconciliation} round trips, digests ${readable(few.bytes.digests.median)} in ${few.trips.digests}, whole ranges ${readable(few.bytes.ranges.median)}.`,
      holds: few.bytes.digests.median < few.bytes.ranges.median,
    },
    {
      text: `For 100,000 single versions scattered over 1,000 actors, digests take ${readable(scattered.bytes.digests.median)} bytes and range-based reconciliation ${readable(scattered.bytes.reconciliation.median)}.`,
      holds: scattered.bytes.digests.median < scattered.bytes.reconciliation.median,
    },
  ];
}

function values({ lines }: Summary): Record<string, string> {
  const table = markdownTable([
    [
      "pattern, actors",
      "differences",
      "whole ranges, bytes",
      "digests, bytes",
      "reconciliation, bytes",
      "round trips",
    ],
    ...lines.map(({ pattern, actors, differences, bytes, trips }) => [
      `${pattern}, ${actors.toLocaleString("en")}`,
      differences.toLocaleString("en"),
      ...methods.map((method) => interval(bytes[method])),
      methods.map((method) => trips[method]).join(" · "),
    ]),
  ]);
  return { table, seeds: String(lines[0]?.runs) };
}

function interval({ median, low, high }: Estimate): string {
  const [from, to] = [readable(low), readable(high)];
  return from === to ? readable(median) : `${readable(median)} (${from}–${to})`;
}

export default experiment<Cell, Row, Summary>({
  name: "06-anti-entropy",
  title: "Anti-entropy",
  question:
    "How many bytes does a node need to learn which versions it lacks, by version ranges, digests and range-based reconciliation?",
  measured: [],
  cells,
  runCell,
  summarise,
  claims,
  plot,
  values,
});

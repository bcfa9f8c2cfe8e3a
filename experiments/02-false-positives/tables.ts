/** What others published, and the tables of the page. */
import type { Io } from "../../sim/swim-lab/lifeguard.ts";
import { markdownTable } from "../bench/page.ts";
import type { Estimate } from "../bench/statistics.ts";
import { count, left, lineOf, percent, type Summary } from "./summary.ts";

/**
 * Sums over the whole grid, all its repetitions together: all false positives and those at healthy
 * members (Dadgar, Phillips, Currey, DSN 2018, section V).
 */
export const paper = {
  repetitions: 10,
  swim: { any: 339_002, healthy: 3326 },
  lifeguard: { any: 5193, healthy: 63 },
} as const;

/** One sum over the grid with memberlist's rules re-implemented, messages waiting, at healthy members. */
export const memberlist = { swim: 127_082, probe: 32_968, suspicion: 4785, lifeguard: 87 } as const;

export function tables(summary: Summary): Record<string, string> {
  const { lines, short } = summary;
  return {
    stalls: ours(summary, "stalls"),
    waits: ours(summary, "waits"),
    published: published(),
    alone: aloneBySlow(summary),
    points: String(lineOf(summary, "stalls", "SWIM").points),
    coarsePoints: String(lineOf(summary, "waits", "SWIM").points),
    shortPoints: String(short.points),
    shortDeaths: count(short.byAny),
    seeds: seedCounts(lines.filter(({ io }) => io === "stalls").map(({ byAny }) => byAny.n)),
    coarseSeeds: seedCounts(lines.filter(({ io }) => io === "waits").map(({ byAny }) => byAny.n)),
  };
}

function seedCounts(counts: readonly number[]): string {
  return [...new Set(counts)].toSorted((a, b) => b - a).join(" or ");
}

function ours(summary: Summary, io: Io): string {
  return markdownTable([
    ["parts", "seeds", "at any member", "of SWIM's", "at healthy members", "of SWIM's", "in runs"],
    ...summary.lines
      .filter((line) => line.io === io)
      .map(({ parts, byHealthy, byAny, runs, runsByHealthy }) => [
        parts,
        String(byAny.n),
        interval(byAny),
        percent(left(summary, io, parts, "byAny")),
        interval(byHealthy),
        percent(left(summary, io, parts, "byHealthy")),
        `${count(runsByHealthy)} of ${count(runs)}`,
      ]),
  ]);
}

function interval({ median, low, high }: Estimate): string {
  return low === high ? count(median) : `${count(median)} (${count(low)}–${count(high)})`;
}

function published(): string {
  const { swim, lifeguard, repetitions } = paper;
  const row = (name: string, told: "any" | "healthy"): string[] => [
    name,
    count(swim[told] / repetitions),
    "",
    "",
    count(lifeguard[told] / repetitions),
    percent(lifeguard[told] / swim[told]),
  ];
  return markdownTable([
    ["published", "SWIM", "health alone", "suspicion alone", "Lifeguard", "of SWIM's"],
    row("the paper, any member", "any"),
    row("the paper, healthy members", "healthy"),
    [
      "memberlist's rules, healthy members",
      count(memberlist.swim),
      count(memberlist.probe),
      count(memberlist.suspicion),
      count(memberlist.lifeguard),
      percent(memberlist.lifeguard / memberlist.swim),
    ],
  ]);
}

/** What dynamic suspicion alone leaves of SWIM's deaths at healthy members when messages wait. */
function aloneBySlow(summary: Summary): string {
  const swim = lineOf(summary, "waits", "SWIM").bySlow;
  return lineOf(summary, "waits", "suspicion")
    .bySlow.map(([slow, , deaths], i) => {
      const [, , all] = swim[i] ?? [0, 0, 0];
      return `${percent(deaths / all)} where ${slow} are slow`;
    })
    .join(", ");
}

/** Slow members, and how many healthy ones are declared dead because of them. */
import { lanProfile, type SwimConfig } from "../../core/swim/config.ts";
import { falsePositives } from "../../sim/swim-lab/lifeguard.ts";
import { type Claim, experiment, type Size } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { readable } from "../bench/axes.ts";
import { type Estimate, estimate, groupBy } from "../bench/statistics.ts";
import { plot } from "./plot.ts";

/** Which of Lifeguard's parts are on, and Patina's weighing of deaths that are heard of. */
type Parts = Readonly<{ probe: boolean; suspicion: boolean; buddy: boolean; weigh: boolean }>;

/**
 * What stands still: `waits`, the messages of a program that runs on; `stalls`, with the messages
 * also each activity that sends, as the threads of a program do that write to a network.
 */
type Io = "waits" | "stalls";

type Point = Readonly<{ members: number; blockedMs: number; openMs: number }>;

export type Cell = Parts & Point & Readonly<{ io: Io; seed: string }>;

export type Row = Readonly<{ byHealthy: number; byAny: number }>;

export interface Line extends Parts {
  readonly io: Io;
  readonly name: string;
  readonly points: number;
  /** Deaths of healthy members told by healthy ones, and by any: sums over the grid, one a seed. */
  readonly byHealthy: Estimate;
  readonly byAny: Estimate;
  /** Deaths told by any, by how long the slow ones stand still, all seeds together. */
  readonly byBlockedMs: readonly (readonly [ms: number, byAny: number])[];
  /** Deaths told by healthy members, by how many are slow, all seeds together. */
  readonly bySlow: readonly (readonly [slow: number, byHealthy: number])[];
}

export interface Summary {
  readonly lines: readonly Line[];
}

/**
 * Every second or third value of the paper's grid, its ends included, but for times without input
 * and output of up to 8.2 s: a suspicion lasts longer, so they bring no death.
 */
const fullPoints = grid([4, 16, 32], [16_384, 32_768], [1, 64, 1024, 4096]);
const quickPoints = grid([16], [16_384], [64]);
const seeds: Readonly<Record<Io, number>> = { waits: 2, stalls: 3 };

function grid(
  members: readonly number[],
  blocked: readonly number[],
  open: readonly number[],
): Point[] {
  return members.flatMap((m) =>
    blocked.flatMap((blockedMs) => open.map((openMs) => ({ members: m, blockedMs, openMs }))),
  );
}

const onOff = [false, true];
/** All eight combinations in SWIM's world, where deaths are believed; and Patina as it is, without and with Lifeguard. */
const allParts: readonly Parts[] = [
  ...onOff.flatMap((probe) =>
    onOff.flatMap((suspicion) => onOff.map((buddy) => ({ probe, suspicion, buddy, weigh: false }))),
  ),
  { probe: false, suspicion: false, buddy: false, weigh: true },
  { probe: true, suspicion: true, buddy: true, weigh: true },
];

function nameOf({ probe, suspicion, buddy, weigh }: Parts): string {
  const on = [probe ? "health" : "", suspicion ? "suspicion" : "", buddy ? "buddy" : ""];
  const names = on.filter((name) => name !== "");
  const base = names.length === 0 ? "SWIM" : names.length === 3 ? "Lifeguard" : names.join(" + ");
  return weigh ? `${base}, deaths weighed` : base;
}

function cells(size: Size, seed: string): Cell[] {
  const full = size === "full";
  const points = full ? fullPoints : quickPoints;
  const parts = full ? allParts : allParts.filter((_, i) => [0, 2, 7, 9].includes(i));
  return (["stalls", "waits"] as const).flatMap((io) =>
    points.flatMap((point) =>
      parts.flatMap((each) =>
        Array.from({ length: full ? seeds[io] : 1 }, (_, i) => ({
          io,
          ...each,
          ...point,
          seed: `${seed}/${i + 1}`,
        })),
      ),
    ),
  );
}

function configOf({ probe, suspicion, buddy, weigh }: Parts): SwimConfig {
  return {
    ...lanProfile,
    ...(probe ? {} : { localHealthMax: 0 }),
    ...(suspicion ? {} : { suspicionMaxFactor: 1, suspicionConfirmations: 0 }),
    tellAccused: buddy,
    weighDeaths: weigh,
    noticeStalls: weigh,
  };
}

function runCell(cell: Cell): Row {
  return falsePositives(cell, cell.seed, configOf(cell), cell.io === "stalls");
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const sum = (some: readonly Row[], key: keyof Row): number =>
    some.reduce((total, row) => total + row[key], 0);
  const groups = groupBy(rows, (row) => `${row.io}/${nameOf(row)}`);
  const lines = Array.from(groups.values(), (group): Line => {
    const { io, probe, suspicion, buddy, weigh } = group[0] as Cell;
    const bySeed = Array.from(groupBy(group, ({ seed }) => seed).values());
    const byBlocked = groupBy(group, ({ blockedMs }) => blockedMs);
    return {
      io,
      name: nameOf(group[0] as Cell),
      probe,
      suspicion,
      buddy,
      weigh,
      points: (bySeed[0] as readonly Row[]).length,
      byHealthy: estimate(bySeed.map((some) => sum(some, "byHealthy"))),
      byAny: estimate(bySeed.map((some) => sum(some, "byAny"))),
      bySlow: Array.from(
        groupBy(group, ({ members }) => members),
        ([slow, some]) => [Number(slow), sum(some, "byHealthy")] as const,
      ),
      byBlockedMs: Array.from(byBlocked, ([ms, some]) => [Number(ms), sum(some, "byAny")] as const),
    };
  });
  return { lines };
}

function lineOf({ lines }: Summary, io: Io, name: string): Line {
  const line = lines.find((each) => each.io === io && each.name === name);
  if (line === undefined) throw new RangeError(`no line ${io} ${name}`);
  return line;
}

type Told = "byAny" | "byHealthy";

/** What is left of SWIM's false positives, in the medians. */
function left(summary: Summary, io: Io, name: string, told: Told): number {
  return lineOf(summary, io, name)[told].median / lineOf(summary, io, "SWIM")[told].median;
}

/** The paper's sums, all false positives and those at healthy members (Lifeguard, section V). */
const paper = { swim: { any: 339_002, healthy: 3326 }, lifeguard: { any: 5193, healthy: 63 } };
/** Sums over the paper's whole grid with memberlist's rules re-implemented, at healthy members. */
const memberlist = { swim: 127_082, probe: 32_968, suspicion: 4785, lifeguard: 87 };

function claims(summary: Summary, size: Size): Claim[] {
  const of = (io: Io, name: string, told: Told): number => lineOf(summary, io, name)[told].median;
  const stalled = (name: string): string => percent(left(summary, "stalls", name, "byAny"));
  const waiting = (name: string): string => percent(left(summary, "waits", name, "byHealthy"));
  const patina = "Lifeguard, deaths weighed";
  const always: Claim[] = [
    {
      text: `As Patina runs, no healthy member held another healthy one down: ${count(lineOf(summary, "stalls", patina).byHealthy.most)} and ${count(lineOf(summary, "waits", patina).byHealthy.most)} cases at the most (activities stall, messages wait), where SWIM had ${count(of("stalls", "SWIM", "byHealthy"))} and ${count(of("waits", "SWIM", "byHealthy"))} (the goal: at most 0.1 %).`,
      holds: (["stalls", "waits"] as const).every(
        (io) => lineOf(summary, io, patina).byHealthy.most <= of(io, "SWIM", "byHealthy") / 1000,
      ),
    },
  ];
  if (size === "quick") return always;
  const parts = ["health", "suspicion", "buddy"] as const;
  return [
    {
      text: `With activities that stall, as we read the paper, Lifeguard leaves ${stalled("Lifeguard")} of SWIM's false positives (${count(of("stalls", "SWIM", "byAny"))} to ${count(of("stalls", "Lifeguard", "byAny"))}; the paper: ${percent(paper.lifeguard.any / paper.swim.any)}), and dynamic suspicion alone ${stalled("suspicion")} (memberlist's rules, re-implemented: ${percent(memberlist.suspicion / memberlist.swim)}).`,
      holds:
        left(summary, "stalls", "Lifeguard", "byAny") < 0.02 &&
        left(summary, "stalls", "suspicion", "byAny") < 0.1,
    },
    {
      text: `They stay with the slow members: healthy ones tell ${percent(of("stalls", "SWIM", "byHealthy") / of("stalls", "SWIM", "byAny"))} of SWIM's (the paper: ${percent(paper.swim.healthy / paper.swim.any)}).`,
      holds: of("stalls", "SWIM", "byHealthy") < 0.05 * of("stalls", "SWIM", "byAny"),
    },
    {
      text: `With messages that wait, SWIM has ${readable(of("waits", "SWIM", "byAny") / of("stalls", "SWIM", "byAny"))} times as many, of which healthy members tell ${percent(of("waits", "SWIM", "byHealthy") / of("waits", "SWIM", "byAny"))}; dynamic suspicion alone leaves ${waiting("suspicion")} of those at healthy members, local health ${waiting("health")}, the buddy system ${waiting("buddy")}, and all three ${waiting("Lifeguard")}.`,
      holds: parts.every((name) => left(summary, "waits", name, "byHealthy") < 1),
    },
    ...always,
    {
      text: `Weighing deaths that are heard of does at healthy members by itself what Lifeguard does: ${count(of("waits", "SWIM, deaths weighed", "byHealthy"))} cases with none of its parts.`,
      holds:
        of("waits", "SWIM, deaths weighed", "byHealthy") <= of("waits", "SWIM", "byHealthy") / 1000,
    },
  ];
}

function percent(share: number): string {
  const value = Number.isNaN(share) ? 0 : share * 100;
  return `${value === 0 ? "0" : value < 0.1 ? value.toPrecision(1) : value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}

function count(n: number): string {
  return n.toLocaleString("en", { maximumFractionDigits: 0 });
}

function values(summary: Summary): Record<string, string> {
  const text = ({ median, least, most }: Estimate): string =>
    least === most ? count(median) : `${count(median)} (${count(least)}–${count(most)})`;
  const tableOf = (io: Io): string =>
    markdownTable([
      ["parts", "at any member", "of SWIM's", "at healthy members", "of SWIM's"],
      ...summary.lines
        .filter((line) => line.io === io)
        .map(({ name, byHealthy, byAny }) => [
          name,
          text(byAny),
          percent(left(summary, io, name, "byAny")),
          text(byHealthy),
          percent(left(summary, io, name, "byHealthy")),
        ]),
    ]);
  const published = markdownTable([
    ["published", "SWIM", "health alone", "suspicion alone", "Lifeguard", "of SWIM's"],
    [
      "the paper, any member",
      count(paper.swim.any),
      "",
      "",
      count(paper.lifeguard.any),
      percent(paper.lifeguard.any / paper.swim.any),
    ],
    [
      "the paper, healthy members",
      count(paper.swim.healthy),
      "",
      "",
      count(paper.lifeguard.healthy),
      percent(paper.lifeguard.healthy / paper.swim.healthy),
    ],
    [
      "memberlist's rules, healthy members",
      count(memberlist.swim),
      count(memberlist.probe),
      count(memberlist.suspicion),
      count(memberlist.lifeguard),
      percent(memberlist.lifeguard / memberlist.swim),
    ],
  ]);
  return {
    stalls: tableOf("stalls"),
    waits: tableOf("waits"),
    published,
    alone: lineOf(summary, "waits", "suspicion")
      .bySlow.map(([slow, deaths], i) => {
        const swim = lineOf(summary, "waits", "SWIM").bySlow[i]?.[1] ?? 0;
        return `${percent(deaths / swim)} where ${slow} are slow`;
      })
      .join(", "),
    points: String(lineOf(summary, "waits", "SWIM").points),
  };
}

export default experiment<Cell, Row, Summary>({
  name: "02-false-positives",
  title: "False positives",
  question:
    "Some members are slow: how many healthy ones are declared dead, with and without each part of Lifeguard?",
  measured: [],
  cells,
  runCell,
  summarise,
  claims,
  plot,
  values,
});

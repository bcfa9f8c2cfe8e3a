/** Slow members, and how many healthy ones are declared dead because of them. */
import { lanProfile, type SwimConfig } from "../../core/swim/config.ts";
import { falsePositives } from "../../sim/swim-lab/lifeguard.ts";
import { type Claim, experiment, type Size } from "../bench/experiment.ts";
import { markdownTable } from "../bench/page.ts";
import { readable } from "../bench/axes.ts";
import { groupBy } from "../bench/statistics.ts";
import { plot } from "./plot.ts";

/** Which of Lifeguard's parts are on, and Patina's weighing of deaths that are heard of. */
type Parts = Readonly<{ probe: boolean; suspicion: boolean; buddy: boolean; weigh: boolean }>;

type Point = Readonly<{ members: number; blockedMs: number; openMs: number }>;

export type Cell = Parts & Point & Readonly<{ seed: string }>;

export type Row = Readonly<{ byHealthy: number; byAny: number }>;

export interface Line extends Parts {
  readonly name: string;
  readonly points: number;
  /** Deaths of healthy members told by healthy ones, and by any. */
  readonly byHealthy: number;
  readonly byAny: number;
  /** Deaths told by any, by how long the slow ones stand still. */
  readonly byBlockedMs: readonly (readonly [ms: number, byAny: number])[];
}

export interface Summary {
  readonly lines: readonly Line[];
}

/** Every third or so value of each axis of the paper's grid, its ends included. */
const fullPoints = grid([4, 16, 32], [512, 2048, 8192, 32_768], [1, 64, 1024, 4096]);
const quickPoints = grid([16], [8192], [64]);

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
  const points = size === "full" ? fullPoints : quickPoints;
  const parts =
    size === "full" ? allParts : allParts.filter((_, i) => i === 0 || i === 7 || i === 9);
  return points.flatMap((point) => parts.map((each) => ({ ...each, ...point, seed: `${seed}/1` })));
}

function configOf({ probe, suspicion, buddy, weigh }: Parts): SwimConfig {
  return {
    ...lanProfile,
    ...(probe ? {} : { localHealthMax: 0 }),
    ...(suspicion ? {} : { suspicionMaxFactor: 1, suspicionConfirmations: 0 }),
    tellAccused: buddy,
    weighDeaths: weigh,
  };
}

function runCell(cell: Cell): Row {
  return falsePositives(cell, cell.seed, configOf(cell));
}

function summarise(rows: readonly (Cell & Row)[]): Summary {
  const sum = (some: readonly Row[], key: keyof Row): number =>
    some.reduce((total, row) => total + row[key], 0);
  const lines = Array.from(groupBy(rows, nameOf).values(), (group): Line => {
    const { probe, suspicion, buddy, weigh } = group[0] as Cell;
    const byBlocked = groupBy(group, ({ blockedMs }) => blockedMs);
    return {
      name: nameOf(group[0] as Cell),
      probe,
      suspicion,
      buddy,
      weigh,
      points: group.length,
      byHealthy: sum(group, "byHealthy"),
      byAny: sum(group, "byAny"),
      byBlockedMs: Array.from(byBlocked, ([ms, some]) => [Number(ms), sum(some, "byAny")] as const),
    };
  });
  return { lines };
}

function lineOf({ lines }: Summary, name: string): Line {
  const line = lines.find((each) => each.name === name);
  if (line === undefined) throw new RangeError(`no line ${name}`);
  return line;
}

/** The paper's sums, all false positives and those at healthy members (Lifeguard, section V). */
const paper = { swim: { any: 339_002, healthy: 3326 }, lifeguard: { any: 5193, healthy: 63 } };
/** Sums over the paper's whole grid with memberlist's rules re-implemented, at healthy members. */
const memberlist = { swim: 127_082, probe: 32_968, suspicion: 4785, lifeguard: 87 };

function claims(summary: Summary, size: Size): Claim[] {
  const swim = lineOf(summary, "SWIM");
  const lifeguard = lineOf(summary, "Lifeguard");
  const patina = lineOf(summary, "Lifeguard, deaths weighed");
  const always: Claim[] = [
    {
      text: `Lifeguard leaves ${percent(lifeguard.byAny / swim.byAny)} of SWIM's false positives (${count(swim.byAny)} to ${count(lifeguard.byAny)}); the paper measured ${percent(paper.lifeguard.any / paper.swim.any)}.`,
      holds: lifeguard.byAny / swim.byAny < 0.05,
    },
    {
      text: `As Patina runs, no healthy member held another healthy one down: ${count(patina.byHealthy)} cases, ${percent(patina.byHealthy / swim.byHealthy)} of SWIM's ${count(swim.byHealthy)} (the goal: at most 0.1 %).`,
      holds: patina.byHealthy <= swim.byHealthy / 1000,
    },
  ];
  if (size === "quick") return always;
  const without = lineOf(summary, "SWIM, deaths weighed");
  const parts = ["health", "suspicion", "buddy"] as const;
  const alone = parts.map((part) => lineOf(summary, part));
  const dropped = ["suspicion + buddy", "health + buddy", "health + suspicion"].map((name) =>
    lineOf(summary, name),
  );
  return [
    ...always,
    {
      text: `Each part alone lowers the false positives at healthy members: local health to ${percent((alone[0] as Line).byHealthy / swim.byHealthy)} of SWIM's (memberlist's rules: ${percent(memberlist.probe / memberlist.swim)}), dynamic suspicion to ${percent((alone[1] as Line).byHealthy / swim.byHealthy)} (${percent(memberlist.suspicion / memberlist.swim)}), the buddy system to ${percent((alone[2] as Line).byHealthy / swim.byHealthy)}.`,
      holds: alone.every((line) => line.byHealthy < swim.byHealthy),
    },
    {
      text: `Leaving out one part of the three raises them from ${count(lifeguard.byAny)} to ${dropped.map((line) => count(line.byAny)).join(", ")} (without health, suspicion, buddy).`,
      holds: dropped.every((line) => line.byAny >= lifeguard.byAny),
    },
    {
      text: `Weighing deaths that are heard of does at healthy members by itself what Lifeguard does: ${count(without.byHealthy)} cases with none of its parts.`,
      holds: without.byHealthy <= swim.byHealthy / 1000,
    },
  ];
}

function percent(share: number): string {
  const value = Number.isNaN(share) ? 0 : share * 100;
  return `${value === 0 ? "0" : value < 0.1 ? value.toPrecision(1) : value < 10 ? value.toFixed(1) : value.toFixed(0)} %`;
}

function count(n: number): string {
  return n.toLocaleString("en");
}

function values(summary: Summary): Record<string, string> {
  const swim = lineOf(summary, "SWIM");
  const table = markdownTable([
    ["parts", "at healthy members", "of SWIM's", "at any member", "of SWIM's"],
    ...summary.lines.map(({ name, byHealthy, byAny }) => [
      name,
      count(byHealthy),
      percent(byHealthy / swim.byHealthy),
      count(byAny),
      percent(byAny / swim.byAny),
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
    table,
    published,
    points: String(swim.points),
    most: readable(Math.max(...summary.lines.map(({ byAny }) => byAny))),
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

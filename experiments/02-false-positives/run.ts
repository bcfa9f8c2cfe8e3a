/** Slow members, and how many healthy ones are declared dead because of them. */
import type { SwimConfig } from "../../core/swim/config.ts";
import { falsePositives, type Io } from "../../sim/swim-lab/lifeguard.ts";
import { readable } from "../bench/axes.ts";
import { type Claim, experiment, type Size } from "../bench/experiment.ts";
import { type Cell, cells, configs } from "./grid.ts";
import { plot } from "./plot.ts";
import {
  count,
  left,
  lineOf,
  percent,
  type Row,
  summarise,
  type Summary,
  type Told,
} from "./summary.ts";
import { paper, tables } from "./tables.ts";

function runCell(cell: Cell): Row {
  return falsePositives(cell, cell.seed, configs[cell.parts] as SwimConfig, cell.io);
}

function claims(summary: Summary, size: Size): Claim[] {
  const goal = patinaClaim(summary);
  if (size === "quick") return [goal];
  return [...stallClaims(summary), ...waitClaims(summary), goal, weighClaim(summary)];
}

function patinaClaim(summary: Summary): Claim {
  const patina = (io: Io): number => lineOf(summary, io, "Patina").byHealthy.most;
  const swim = (io: Io): number => lineOf(summary, io, "SWIM").byHealthy.median;
  return {
    text: `As Patina runs, no healthy member held another healthy one down: ${count(patina("stalls"))} and ${count(patina("waits"))} cases at the most (activities stall, messages wait), where SWIM had ${count(swim("stalls"))} and ${count(swim("waits"))} (the goal: at most 0.1 %).`,
    holds: (["stalls", "waits"] as const).every((io) => patina(io) <= swim(io) / 1000),
  };
}

function stallClaims(summary: Summary): Claim[] {
  const swim = lineOf(summary, "stalls", "SWIM");
  const late = lineOf(summary, "stallsLate", "SWIM");
  const share = (told: Told, parts: string): string =>
    percent(left(summary, "stalls", parts, told));
  const perRepetition = paper.swim.any / paper.repetitions;
  const ratio = swim.byAny.median / perRepetition;
  const atHealthy = swim.byHealthy.median / swim.byAny.median;
  return [
    {
      text: `With activities that stall, SWIM tells ${count(swim.byAny.median)} false positives over the grid, ${ratio.toFixed(1)} times as many as in one of the paper's ten repetitions (${count(perRepetition)}); where late threads act first, ${count(late.byAny.median)}.`,
      holds: ratio >= 0.5 && ratio <= 2,
    },
    {
      text: `They stay with the slow members: healthy ones tell ${percent(atHealthy)} of them, ${count(swim.byHealthy.median)} (the paper: ${percent(paper.swim.healthy / paper.swim.any)}, ${count(paper.swim.healthy / paper.repetitions)} a repetition).`,
      holds: atHealthy < 0.02,
    },
    {
      text: `Lifeguard leaves ${share("byAny", "Lifeguard")} of SWIM's false positives (the paper: ${percent(paper.lifeguard.any / paper.swim.any)}) and ${share("byHealthy", "Lifeguard")} of those at healthy members (${percent(paper.lifeguard.healthy / paper.swim.healthy)}); dynamic suspicion alone leaves ${share("byAny", "suspicion")} and ${share("byHealthy", "suspicion")}, local health ${share("byAny", "health")} and ${share("byHealthy", "health")}, the buddy system ${share("byAny", "buddy")} and ${share("byHealthy", "buddy")}.`,
      holds:
        left(summary, "stalls", "Lifeguard", "byAny") < 0.02 &&
        left(summary, "stalls", "Lifeguard", "byHealthy") < 0.02 &&
        left(summary, "stalls", "suspicion", "byAny") < 0.05,
    },
  ];
}

function waitClaims(summary: Summary): Claim[] {
  const { byAny, byHealthy } = lineOf(summary, "waits", "SWIM");
  const share = (parts: string): string => percent(left(summary, "waits", parts, "byHealthy"));
  const perPoint = (io: Io): number => {
    const line = lineOf(summary, io, "SWIM");
    return line.byAny.median / line.points;
  };
  return [
    {
      text: `With messages that wait, SWIM has ${readable(perPoint("waits") / perPoint("stalls"))} times as many a point, of which healthy members tell ${percent(byHealthy.median / byAny.median)}; dynamic suspicion alone leaves ${share("suspicion")} of those at healthy members, local health ${share("health")}, the buddy system ${share("buddy")}, and all three ${share("Lifeguard")}.`,
      holds: ["suspicion", "health", "buddy", "Lifeguard"].every(
        (parts) => left(summary, "waits", parts, "byHealthy") < 1,
      ),
    },
  ];
}

function weighClaim(summary: Summary): Claim {
  const weighed = lineOf(summary, "waits", "SWIM, deaths weighed").byHealthy.median;
  return {
    text: `Weighing deaths that are heard of does at healthy members by itself what Lifeguard does: ${count(weighed)} cases with none of its parts.`,
    holds: weighed <= lineOf(summary, "waits", "SWIM").byHealthy.median / 1000,
  };
}

export default experiment<Cell, Row, Summary>({
  name: "02-false-positives",
  title: "False positives",
  question:
    "Some members are slow: how many healthy ones are declared dead, with and without each part of Lifeguard?",
  measured: [],
  cells,
  weight: ({ io, parts }) => (io === "waits" && parts !== "Patina" ? 3 : 1),
  runCell,
  summarise,
  claims,
  plot,
  values: tables,
});

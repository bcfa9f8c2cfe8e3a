import { drawFigure } from "../bench/draw.ts";
import type { Panel, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Estimate } from "../bench/statistics.ts";
import type { Line, Summary } from "./run.ts";

export function plot({ lines }: Summary): string {
  const members = lines
    .filter(({ kind }) => kind === "membership")
    .toSorted((a, b) => a.nodes - b.nodes);
  const data = lines.filter(({ kind }) => kind !== "membership");
  const series = (
    name: string,
    colour: string,
    of: (line: Line) => Estimate,
    scale = 1,
  ): Series => ({
    name,
    kind: "line",
    colour,
    points: members.map((line) => {
      const { median, least, most } = of(line);
      return { x: line.nodes, y: median * scale, low: least * scale, high: most * scale };
    }),
  });
  const x = { label: "nodes", scale: "log", ticks: [100, 1000, 4000, 10_000] } as const;
  const nameOf = ({ kind, nodes }: Line): string => `${kind}, ${nodes}`;
  const bars = (name: string, colour: string, checked: boolean): Series => ({
    name,
    kind: "bars",
    colour,
    points: data
      .filter((line) => line.checked === checked)
      .map((line) => {
        const { median, least, most } = line.rate;
        return { x: nameOf(line), y: median / 1000, low: least / 1000, high: most / 1000 };
      }),
  });
  const panels: Panel[] = [
    {
      title: "Speed of membership, all known to all",
      x,
      y: { label: "times real time, on one core", scale: "log" },
      series: [series("speed", colours.patina, (line) => line.speed)],
      limits: [{ axis: "y", at: 1, label: "real time", labelAt: "left" }],
    },
    {
      title: "Memory of the process",
      x,
      y: { label: "GB at its peak", scale: "linear" },
      series: [series("memory", colours.second, (line) => line.peakMb, 1 / 1000)],
      limits: [{ axis: "y", at: 8, label: "goal at 10,000" }],
    },
    {
      title: "Messages a second, with data",
      x: { label: "", scale: "band", categories: [...new Set(data.map(nameOf))] },
      y: { label: "thousands a second of processor time", scale: "linear" },
      series: [bars("no checks", colours.third, false), bars("all checks", colours.fifth, true)],
    },
  ];
  return drawFigure({
    title: "How fast and how large the simulator runs",
    subtitle:
      "Each run in a process of its own; processor time, so that a busy machine counts little. Whiskers: least and most.",
    columns: 2,
    panels,
  });
}

import { drawFigure } from "../bench/draw.ts";
import type { Point, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Estimate } from "../bench/statistics.ts";
import { type Line, nameOf, type Summary } from "./run.ts";

export function plot({ lines }: Summary): string {
  const names = lines.map(nameOf);
  const bars = (
    name: string,
    colour: string,
    of: (line: Line) => Estimate,
    dashed = false,
  ): Series => ({
    name,
    kind: "bars",
    colour,
    dashed,
    points: lines.map((line): Point => {
      const { median, least, most } = of(line);
      return { x: nameOf(line), y: median, low: least, high: most };
    }),
  });
  const x = { label: "", scale: "band", categories: names } as const;
  return drawFigure({
    title: "From a commit to nodes all over the world",
    subtitle: `${lines[0]?.nodes ?? 0} nodes in 40 regions, 200 commits a second. Whiskers: least and most of the runs.`,
    columns: 1,
    panels: [
      {
        title: "Time from the commit",
        x,
        y: { label: "milliseconds", scale: "linear" },
        series: [
          bars("least possible, median", colours.reference, (line) => line.boundP50),
          bars("half of the nodes, median", colours.sixth, (line) => line.halfP50),
          bars("99 % of the nodes, median", colours.third, (line) => line.mostP50),
          bars("all nodes, median", colours.patina, (line) => line.allP50),
          bars("pairs of commit and node, 99th percentile", colours.fifth, (line) => line.pairP99),
          bars("all nodes, 99th percentile", colours.second, (line) => line.allP99),
        ],
        limits: [{ axis: "y", at: 400, label: "goal for the 99th percentile" }],
      },
      {
        title: "Copies that arrive per node and commit",
        x,
        y: { label: "copies", scale: "linear" },
        series: [bars("copies", colours.fourth, (line) => line.copies)],
        limits: [{ axis: "y", at: 1.3, label: "goal" }],
      },
    ],
  });
}

import { readable } from "../bench/axes.ts";
import { drawFigure } from "../bench/draw.ts";
import type { Point, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Line, Summary } from "./run.ts";

const looks = [
  ["SWIM", colours.second, "square"],
  ["health", colours.fifth, "triangle"],
  ["suspicion", colours.third, "diamond"],
  ["buddy", colours.fourth, "cross"],
  ["Lifeguard", colours.patina, "circle"],
  ["Lifeguard, deaths weighed", colours.sixth, "star"],
] as const;

export function plot({ lines }: Summary): string {
  const names = lines.map(({ name }) => name);
  const bars = (name: string, colour: string, of: (line: Line) => number): Series => ({
    name,
    kind: "bars",
    colour,
    points: lines.map((line): Point => ({ x: line.name, y: Math.max(0.5, of(line)) })),
  });
  const blocked = looks.flatMap(([name, colour, shape]): Series[] => {
    const line = lines.find((each) => each.name === name);
    if (line === undefined) return [];
    const points = line.byBlockedMs.map(([ms, deaths]) => ({
      x: ms / 1000,
      y: Math.max(0.5, deaths),
    }));
    return [{ name, kind: "line", colour, shape, points }];
  });
  const counts = (value: number): string => (value < 1 ? "0" : readable(value));
  const ticks = [0.5, 10, 100, 1000, 1e4, 1e5, 1e6];
  const y = { label: "false positives", scale: "log", ticks, format: counts } as const;
  return drawFigure({
    title: "Healthy members declared dead because others are slow",
    subtitle:
      "128 members, of which 4 to 32 stand still again and again for two minutes. Sums over the grid; logarithmic, 0 at the foot.",
    columns: 1,
    panels: [
      {
        title: "By the parts of Lifeguard that are on",
        x: { label: "", scale: "band", categories: names },
        y,
        series: [
          bars("told by any member", colours.second, (line) => line.byAny),
          bars("told by healthy members", colours.patina, (line) => line.byHealthy),
        ],
      },
      {
        title: "Told by any member, by how long the slow ones stand still",
        x: { label: "seconds without input and output", scale: "log", ticks: [0.5, 2, 8, 32] },
        y,
        series: blocked,
      },
    ],
  });
}

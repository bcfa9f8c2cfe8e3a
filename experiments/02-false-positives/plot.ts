import { readable } from "../bench/axes.ts";
import { drawFigure } from "../bench/draw.ts";
import type { Panel, Point, Series } from "../bench/figure.ts";
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
  const counts = (value: number): string => (value < 1 ? "0" : readable(value));
  const ticks = [0.5, 10, 100, 1000, 1e4, 1e5, 1e6];
  const y = { label: "false positives", scale: "log", ticks, format: counts } as const;
  const names = [...new Set(lines.map(({ name }) => name))];
  const bars = (io: Line["io"], told: "byAny" | "byHealthy", colour: string): Series => ({
    name: told === "byAny" ? "told by any member" : "told by healthy members",
    kind: "bars",
    colour,
    points: lines
      .filter((line) => line.io === io)
      .map((line): Point => {
        const { median, least, most } = line[told];
        const [y, low, high] = [median, least, most].map((value) => Math.max(0.5, value));
        return { x: line.name, y: y as number, low, high };
      }),
  });
  const byParts = (title: string, io: Line["io"]): Panel => ({
    title,
    x: { label: "", scale: "band", categories: names },
    y,
    series: [bars(io, "byAny", colours.second), bars(io, "byHealthy", colours.patina)],
  });
  const blocked = looks.flatMap(([name, colour, shape]): Series[] => {
    const line = lines.find((each) => each.io === "waits" && each.name === name);
    if (line === undefined) return [];
    const points = line.byBlockedMs.map(([ms, deaths]) => ({
      x: ms / 1000,
      y: Math.max(0.5, deaths),
    }));
    return [{ name, kind: "line", colour, shape, points }];
  });
  return drawFigure({
    title: "Healthy members declared dead because others are slow",
    subtitle:
      "128 members, of which 4 to 32 stand still again and again for two minutes. Sums over the grid, medians of the seeds; logarithmic, 0 at the foot.",
    columns: 1,
    panels: [
      byParts("Activities stall with the messages that they send", "stalls"),
      byParts("Messages wait, and the program runs on", "waits"),
      {
        title: "The same, told by any member, by how long the slow ones stand still",
        x: { label: "seconds without input and output", scale: "log", ticks: [16, 32] },
        y,
        series: blocked,
      },
    ],
  });
}

import type { Io } from "../../sim/swim-lab/lifeguard.ts";
import { readable } from "../bench/axes.ts";
import { drawFigure } from "../bench/draw.ts";
import type { Panel, Point, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Summary } from "./summary.ts";

const looks = [
  ["SWIM", colours.second, "square"],
  ["health", colours.fifth, "triangle"],
  ["suspicion", colours.third, "diamond"],
  ["buddy", colours.fourth, "cross"],
  ["Lifeguard", colours.patina, "circle"],
  ["Patina", colours.sixth, "star"],
] as const;

const foot = 0.5;

export function plot({ lines }: Summary): string {
  const counts = (value: number): string => (value < 1 ? "0" : readable(value));
  const ticks = [foot, 10, 100, 1000, 1e4, 1e5, 1e6];
  const y = { label: "false positives", scale: "log", ticks, format: counts } as const;
  const bars = (io: Io, told: "byAny" | "byHealthy", colour: string): Series => ({
    name: told === "byAny" ? "told by any member" : "told by healthy members",
    kind: "bars",
    colour,
    points: lines
      .filter((line) => line.io === io)
      .map(({ parts, [told]: { median, low, high } }): Point => {
        const [at, from, to] = [median, low, high].map((value) => Math.max(foot, value));
        return { x: parts, y: at as number, low: from, high: to };
      }),
  });
  const byParts = (title: string, io: Io): Panel => ({
    title,
    x: {
      label: "",
      scale: "band",
      categories: lines.filter((line) => line.io === io).map(({ parts }) => parts),
    },
    y,
    series: [bars(io, "byAny", colours.second), bars(io, "byHealthy", colours.patina)],
  });
  const over = (key: "bySlow" | "byOpenMs"): Series[] =>
    looks.flatMap(([name, colour, shape]): Series[] => {
      const line = lines.find(({ io, parts }) => io === "stalls" && parts === name);
      if (line === undefined) return [];
      const points = line[key].map(([x, byAny]) => ({ x, y: Math.max(foot, byAny) }));
      return [{ name, kind: "line", colour, shape, points }];
    });
  const slow = [1, 4, 8, 16, 32];
  const open = [1, 4, 16, 64, 256, 1024, 4096, 16_384];
  return drawFigure({
    title: "Healthy members declared dead because others are slow",
    subtitle:
      "128 members, of which 1 to 32 stand still again and again for two minutes. Sums over the grid, medians of the seeds; logarithmic, 0 at the foot.",
    columns: 1,
    panels: [
      byParts("Activities stall with the messages that they send", "stalls"),
      byParts("Messages wait, and the program runs on (a sixth of the points)", "waits"),
      {
        title: "Activities stall: told by any member, by how many are slow (mean of the seeds)",
        x: { label: "slow members", scale: "log", ticks: slow },
        y,
        series: over("bySlow"),
      },
      {
        title: "The same by how long they run in between",
        x: {
          label: "milliseconds",
          scale: "log",
          ticks: open,
          format: (ms) => ms.toLocaleString("en"),
        },
        y,
        series: over("byOpenMs"),
      },
    ],
  });
}

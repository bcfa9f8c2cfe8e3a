import { drawFigure } from "../bench/draw.ts";
import type { Point, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Estimate } from "../bench/statistics.ts";
import {
  others,
  publishedSizes,
  swimMessagesPerPeriod,
  swimPeriodsToDetection,
} from "./published.ts";
import { type Line, patinaLines, type Summary } from "./summary.ts";

const x = { label: "members", scale: "log", ticks: [16, 64, 256, 1000, 4000, 10_000] } as const;

export function plot(summary: Summary): string {
  const lines = patinaLines(summary);
  const nodes = lines.map((line) => line.nodes);
  const estimated = (of: (line: Line) => Estimate): Point[] =>
    lines.map((line) => {
      const { median, low, high, outliers } = of(line);
      return { x: line.nodes, y: median, low, high, outliers };
    });
  const patina = (name: string, points: readonly Point[], more: Partial<Series> = {}): Series => ({
    name,
    kind: "line",
    colour: colours.patina,
    points,
    ...more,
  });
  const flat = (name: string, y: number): Series => ({
    name,
    kind: "curve",
    dashed: true,
    colour: colours.reference,
    points: nodes.map((n) => ({ x: n, y })),
  });
  return drawFigure({
    title: "A member crashes: who notices when, and what watching costs",
    subtitle:
      "Simulated LAN (one way 0.25–0.75 ms), period 1 s. Medians with 95 % intervals over seeds; rings are outliers.",
    columns: 2,
    panels: [
      {
        title: "From the crash to …",
        x,
        y: { label: "seconds", scale: "linear" },
        series: [
          patina(
            "first suspicion",
            estimated((line) => line.suspectedSec),
            {
              colour: colours.third,
              shape: "triangle",
            },
          ),
          patina(
            "all members hold it down",
            estimated((line) => line.allDownSec),
          ),
          published("foca", 0),
          published("memberlist", 0),
        ],
      },
      {
        title: "News of the suspicion: from the first member to the last",
        x,
        y: { label: "seconds", scale: "linear" },
        series: [
          patina(
            "news of the suspicion",
            estimated((line) => line.newsSec),
            { colour: colours.fifth, shape: "square" },
          ),
        ],
      },
      {
        title: "Load when nothing happens",
        x,
        y: { label: "bytes a second and member", scale: "linear", domain: [0, 120] },
        series: [
          patina(
            "Patina",
            lines.map((line) => ({ x: line.nodes, y: line.bytesPerSec })),
          ),
          published("foca", 1),
          published("memberlist", 1),
        ],
      },
      {
        title: "Against SWIM's theory",
        x,
        y: { label: "per member and period", scale: "linear", domain: [0, 2.5] },
        series: [
          patina(
            "messages",
            lines.map((line) => ({ x: line.nodes, y: line.messagesPerPeriod })),
          ),
          patina(
            "periods to the next ping",
            lines.map((line) => ({ x: line.nodes, y: line.periodsToPing })),
            {
              colour: colours.second,
              shape: "diamond",
            },
          ),
          flat("theory: 2, and e/(e−1)", swimMessagesPerPeriod),
          flat("theory: 2, and e/(e−1)", swimPeriodsToDetection),
        ],
      },
    ],
  });
}

/** @param which 0: a crash known to all; 1: idle bytes. */
function published(system: "foca" | "memberlist", which: 0 | 1): Series {
  const points = publishedSizes.map((nodes) => ({ x: nodes, y: others[system][nodes][which] }));
  const [colour, shape] =
    system === "foca" ? ([colours.second, "cross"] as const) : ([colours.fourth, "star"] as const);
  return { name: `${system} (published)`, kind: "dots", colour, shape, points };
}

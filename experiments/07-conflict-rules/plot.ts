import { drawFigure } from "../bench/draw.ts";
import type { Panel, Point, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Estimate } from "../bench/statistics.ts";
import { delays, type Line, linesOf, skews, type Summary } from "./run.ts";

export function plot(summary: Summary): string {
  return drawFigure({
    title: "Transactions that collide: which one a row shows in the end",
    subtitle:
      "Five nodes, bursts of 2 to 5 transactions a row. Medians with 95 % intervals over seeds; rings are outliers.",
    columns: 2,
    panels: [panel(summary, "delayMs"), panel(summary, "skewMs")],
  });
}

function panel(summary: Summary, by: "delayMs" | "skewMs"): Panel {
  const series = (
    name: string,
    rule: Line["rule"],
    of: (line: Line) => Estimate,
    look: Pick<Series, "colour" | "shape" | "dashed">,
  ): Series => ({
    name,
    kind: "line",
    ...look,
    points: linesOf(summary, rule, by).map((line): Point => {
      const { median, low, high, outliers } = of(line);
      // A logarithmic axis has no 0: it stands at 1.
      return {
        x: Math.max(1, line[by]),
        y: median * 100,
        low: low * 100,
        high: high * 100,
        outliers: outliers.map((o) => o * 100),
      };
    }),
  });
  const delay = by === "delayMs";
  return {
    title: delay
      ? "By the delay between nodes (clocks 10 ms off)"
      : "By how far clocks are off (delay 80 ms)",
    x: {
      label: delay ? "mean delay, ms" : "wall clocks off by up to, ms (0 at the left edge)",
      scale: "log",
      ticks: delay ? delays : skews.map((skew) => Math.max(1, skew)),
      format: (value) => (value === 1 ? "0" : String(value)),
    },
    y: { label: "% of contested rows", scale: "linear" },
    series: [
      series("stamps: not the latest", "stamp", (line) => line.notLatest, {
        colour: colours.patina,
        shape: "circle",
      }),
      series("stamps: mixed", "stamp", (line) => line.mixed, {
        colour: colours.sixth,
        shape: "triangle",
      }),
      series("counters: not the latest", "counter", (line) => line.notLatest, {
        colour: colours.second,
        shape: "square",
      }),
      series("counters: mixed", "counter", (line) => line.mixed, {
        colour: colours.fifth,
        shape: "diamond",
      }),
    ],
  };
}

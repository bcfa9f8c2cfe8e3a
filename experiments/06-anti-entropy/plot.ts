import { drawFigure } from "../bench/draw.ts";
import type { Panel, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Line, Method, Summary } from "./run.ts";

const looks: Readonly<Record<Method, Pick<Series, "name" | "colour" | "shape">>> = {
  ranges: { name: "whole version ranges", colour: colours.second, shape: "square" },
  digests: { name: "digests, then ranges (Patina)", colour: colours.patina, shape: "circle" },
  reconciliation: { name: "range-based reconciliation", colour: colours.third, shape: "triangle" },
};

export function plot({ lines }: Summary): string {
  const actorCounts = [...new Set(lines.map(({ actors }) => actors))].filter((n) => n !== 100);
  const panels = (["tail", "holes"] as const).flatMap((pattern) =>
    actorCounts.map((actors): Panel => {
      const here = lines.filter((line) => line.pattern === pattern && line.actors === actors);
      return panelOf(
        here,
        `${pattern === "tail" ? "ends of runs" : "single versions"}, ${actors.toLocaleString("en")} actors`,
      );
    }),
  );
  return drawFigure({
    title: "Learning what is missing, of a million versions",
    subtitle:
      "Bytes both ways until a node knows which versions it lacks; 0 differences at the left edge. Medians with 95 % intervals; rings are outliers.",
    columns: actorCounts.length,
    panels,
  });
}

function panelOf(lines: readonly Line[], title: string): Panel {
  const series = (["ranges", "digests", "reconciliation"] as const).map(
    (method): Series => ({
      ...looks[method],
      kind: "line",
      points: lines.map(({ differences, bytes }) => {
        const { median, low, high, outliers } = bytes[method];
        return { x: Math.max(1, differences), y: median, low, high, outliers };
      }),
    }),
  );
  return {
    title,
    x: {
      label: "versions that differ",
      scale: "log",
      ticks: [1, 10, 100, 1000, 1e4, 1e5],
      format: (value) => (value === 1 ? "0" : value >= 1000 ? `${value / 1000}k` : String(value)),
    },
    y: { label: "bytes", scale: "log", domain: [15, 8e6], ticks: [100, 1000, 1e4, 1e5, 1e6] },
    series,
  };
}

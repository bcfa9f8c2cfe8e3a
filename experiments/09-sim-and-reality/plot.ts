import { drawFigure } from "../bench/draw.ts";
import type { Axis, Panel, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Line, Summary, What, World } from "./run.ts";

const looks: Readonly<Record<World, Pick<Series, "name" | "colour" | "dashed">>> = {
  simulated: { name: "simulator", colour: colours.patina },
  real: { name: "real processes", colour: colours.second, dashed: true },
};

export function plot({ lines }: Summary): string {
  const panels = [
    panelOf(
      lines,
      "crash",
      "A node is killed: until another holds it down",
      { label: "seconds", scale: "linear" },
      1000,
    ),
    panelOf(
      lines,
      "spread",
      "A commit: until all nodes have it",
      { label: "milliseconds", scale: "log" },
      1,
    ),
  ];
  return drawFigure({
    title: "The same scenario simulated and with real processes",
    subtitle: `${lines[0]?.nodes ?? 0} nodes on loopback. Each curve: the share of observations that took at most so long.`,
    columns: 2,
    panels: panels.filter(({ series }) => series.length > 0),
  });
}

function panelOf(lines: readonly Line[], what: What, title: string, x: Axis, unit: number): Panel {
  const series = lines
    .filter((line) => line.what === what && line.values.length > 0)
    .map(
      (line): Series => ({ ...looks[line.world], kind: "curve", points: steps(line.values, unit) }),
    );
  return { title, x, y: { label: "% of observations", scale: "linear", domain: [0, 102] }, series };
}

/** The distribution as stairs. `values` ascend. */
function steps(values: readonly number[], unit: number): { x: number; y: number }[] {
  return values.flatMap((value, i) => [
    { x: value / unit, y: (i / values.length) * 100 },
    { x: value / unit, y: ((i + 1) / values.length) * 100 },
  ]);
}

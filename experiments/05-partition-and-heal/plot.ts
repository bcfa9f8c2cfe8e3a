import { drawFigure } from "../bench/draw.ts";
import type { Panel, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Line, Summary } from "./run.ts";

export function plot({ lines }: Summary): string {
  const data = lines.filter(({ kind }) => kind !== "members");
  const categories = data.map(nameOf);
  const x = { label: "", scale: "band", categories } as const;
  const bars = (name: string, colour: string, of: (line: Line) => Line["healedMs"]): Series => ({
    name,
    kind: "bars",
    colour,
    points: data.map((line) => {
      const { median, low, high } = of(line);
      return { x: nameOf(line), y: median, low, high };
    }),
  });
  const panels: Panel[] = [
    {
      title: "From the heal until …",
      x,
      y: { label: "milliseconds", scale: "linear" },
      series: [
        bars("the first news comes across", colours.sixth, (line) => line.contactMs),
        bars("all nodes hold the same", colours.patina, (line) => line.healedMs),
      ],
    },
    {
      title: "Bytes sent, by the bytes of the versions that the nodes lack",
      x,
      y: { label: "sent / lacked", scale: "linear" },
      series: [bars("sent / lacked", colours.second, (line) => line.ratio)],
      limits: [{ axis: "y", at: 1, label: "each missing version once" }],
    },
  ];
  return drawFigure({
    title: "Two halves become one again",
    subtitle:
      "LAN of 1–5 ms, both halves written to during the cut. Medians; whiskers: 95 % interval or range of the runs.",
    columns: 1,
    panels,
  });
}

function nameOf({ kind, nodes, cutSec, perSec }: Line): string {
  return `${nodes} nodes, ${cutSec} s, ${perSec}/s${kind === "hot" ? ", hot" : ""}`;
}

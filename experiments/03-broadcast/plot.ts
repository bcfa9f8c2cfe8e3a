import { drawFigure } from "../bench/draw.ts";
import type { Panel, Point, Series } from "../bench/figure.ts";
import { colours } from "../bench/palette.ts";
import type { Estimate } from "../bench/statistics.ts";
import type { Way } from "./measure.ts";
import { type Line, type Summary, theory } from "./run.ts";

type Look = Pick<Series, "name" | "colour" | "shape">;
const looks: Readonly<Record<Way, Look>> = {
  tree: { name: "tree", colour: colours.patina, shape: "circle" },
  flood: { name: "flooding", colour: colours.second, shape: "square" },
  eager: { name: "eager gossip to 4 (model)", colour: colours.third, shape: "triangle" },
  push: { name: "push (model)", colour: colours.fifth, shape: "diamond" },
  pushPull: { name: "push-pull (model)", colour: colours.fourth, shape: "cross" },
};

export function plot({ lines }: Summary): string {
  const fleets = ["tree", "flood"] as const;
  const crashes = lines.filter(({ crashed }) => crashed > 0);
  const settled = lines.filter(
    ({ crashed, way }) => crashed === 0 && (way === "tree" || way === "flood"),
  );
  const losses = settled.filter(
    ({ nodes }) => nodes === Math.min(...settled.map((line) => line.nodes)),
  );
  const rounds = lines.filter(({ way }) => way === "push" || way === "pushPull");
  const of = (
    some: readonly Line[],
    way: Way,
    x: (line: Line) => number,
    y: (line: Line) => Estimate | null,
    scale = 1,
  ): Series => ({
    ...looks[way],
    kind: "line",
    points: some
      .filter((line) => line.way === way)
      .toSorted((a, b) => x(a) - x(b))
      .flatMap((line): Point[] => {
        const value = y(line);
        if (value === null) return [];
        const { median, low, high, outliers } = value;
        const [at, from, to] = [median, low, high].map((each) => each * scale);
        return [
          {
            x: x(line),
            y: at as number,
            low: from,
            high: to,
            outliers: outliers.map((each) => each * scale),
          },
        ];
      }),
  });
  const lossAxis = { label: "packets lost, %", scale: "linear" } as const;
  const panels: Panel[] = [
    {
      title: "Many crash at once: reached by broadcast",
      x: { label: "nodes crashed, %", scale: "linear" },
      y: { label: "% of the others", scale: "linear", domain: [0, 105] },
      series: [...fleets, "eager" as const].map((way) =>
        of(
          crashes,
          way,
          (l) => l.crashed * 100,
          (l) => l.reached,
          100,
        ),
      ),
    },
    {
      title: "Copies that arrive, by loss",
      x: lossAxis,
      y: { label: "per node and message", scale: "linear" },
      series: fleets.map((way) =>
        of(
          losses,
          way,
          (l) => l.loss * 100,
          (l) => l.copies,
        ),
      ),
    },
    {
      title: "The last node has it (median over messages)",
      x: lossAxis,
      y: { label: "milliseconds", scale: "log" },
      series: fleets.map((way) =>
        of(
          losses,
          way,
          (l) => l.loss * 100,
          (l) => l.lastP50,
        ),
      ),
    },
    {
      title: "Epidemics in rounds, and the theory (dashed)",
      x: { label: "nodes", scale: "log" },
      y: { label: "rounds until all know", scale: "linear" },
      series: (["push", "pushPull"] as const).flatMap((way) => [
        of(
          rounds,
          way,
          (l) => l.nodes,
          (l) => l.lastHop,
        ),
        {
          name: "",
          kind: "curve" as const,
          dashed: true,
          colour: looks[way].colour,
          points: [...new Set(rounds.map((l) => l.nodes))]
            .toSorted((a, b) => a - b)
            .map((n) => ({ x: n, y: theory(way, n) })),
        },
      ]),
    },
  ];
  return drawFigure({
    title: "Ways to broadcast",
    subtitle:
      "Whole replicas in a simulated LAN of 0.25–0.75 ms, and models in rounds. Medians with 95 % intervals over seeds; rings are outliers.",
    columns: 2,
    panels,
  });
}

/** The series of a panel, drawn. */
import {
  curveLinear,
  line,
  symbol,
  symbolCircle,
  symbolCross,
  symbolDiamond,
  symbolSquare,
  symbolStar,
  symbolTriangle,
} from "d3-shape";
import type { Scale } from "./axes.ts";
import type { Point, Series } from "./figure.ts";
import { paper, type Shape } from "./palette.ts";
import { element, short } from "./svg.ts";

const symbols = {
  circle: symbolCircle,
  square: symbolSquare,
  triangle: symbolTriangle,
  diamond: symbolDiamond,
  cross: symbolCross,
  star: symbolStar,
} as const;

/** Marks of several series on one band stand beside one another. */
export interface Place {
  readonly index: number;
  readonly of: number;
}

export function drawSeries(
  series: Series,
  x: Scale,
  y: Scale,
  floor: number,
  place: Place,
): string {
  const shift = x.band === 0 ? 0 : ((place.index + 0.5) / place.of - 0.5) * x.band;
  const at = (point: Point): number => x.at(point.x) + shift;
  const points = series.points.filter(({ y: value }) => Number.isFinite(value));
  switch (series.kind) {
    case "bars":
      return points.map((p) => bar(series, at(p), p, x, y, floor, place)).join("");
    case "curve":
      return path(series, points, at, y);
    case "line":
      return path(series, points, at, y) + points.map((p) => mark(series, at(p), p, y)).join("");
    case "dots":
      return points.map((p) => mark(series, at(p), p, y)).join("");
  }
}

function path(
  series: Series,
  points: readonly Point[],
  at: (point: Point) => number,
  y: Scale,
): string {
  const draw = line<Point>()
    .x((point) => Number(short(at(point))))
    .y((point) => Number(short(y.at(point.y))))
    .curve(curveLinear);
  return element("path", {
    d: draw([...points]) ?? "",
    fill: "none",
    stroke: series.colour,
    "stroke-width": 2,
    "stroke-linejoin": "round",
    "stroke-dasharray": series.dashed === true ? "5 4" : undefined,
  });
}

function bar(
  series: Series,
  middle: number,
  point: Point,
  x: Scale,
  y: Scale,
  floor: number,
  place: Place,
): string {
  const width = (x.band / place.of) * 0.86;
  const top = y.at(point.y);
  return (
    element("rect", {
      x: middle - width / 2,
      y: Math.min(top, floor),
      width,
      height: Math.max(0.5, Math.abs(floor - top)),
      fill: series.colour,
      "fill-opacity": series.dashed === true ? 0.45 : 0.9,
    }) + interval(middle, point, y, "#1b2524")
  );
}

function mark(series: Series, middle: number, point: Point, y: Scale): string {
  const far = (point.outliers ?? []).map((value) =>
    element("circle", {
      cx: middle,
      cy: y.at(value),
      r: 2,
      fill: "none",
      stroke: series.colour,
      "stroke-width": 1,
    }),
  );
  return (
    far.join("") +
    interval(middle, point, y, series.colour) +
    symbolAt(series.shape ?? "circle", middle, y.at(point.y), series.colour, series.dashed === true)
  );
}

export function symbolAt(
  shape: Shape,
  x: number,
  y: number,
  colour: string,
  hollow: boolean,
): string {
  return element("path", {
    d: symbol(symbols[shape], 42)() ?? "",
    transform: `translate(${short(x)} ${short(y)})`,
    fill: hollow ? paper : colour,
    stroke: hollow ? colour : paper,
    "stroke-width": hollow ? 1.8 : 1,
  });
}

function interval(middle: number, { low, high }: Point, y: Scale, colour: string): string {
  if (low === undefined || high === undefined || low === high) return "";
  const [top, bottom] = [y.at(high), y.at(low)];
  const stroke = { stroke: colour, "stroke-width": 1.4 };
  return (
    element("line", { x1: middle, x2: middle, y1: top, y2: bottom, ...stroke }) +
    element("line", { x1: middle - 3, x2: middle + 3, y1: top, y2: top, ...stroke }) +
    element("line", { x1: middle - 3, x2: middle + 3, y1: bottom, y2: bottom, ...stroke })
  );
}

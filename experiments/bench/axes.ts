/** Scales and axes of a panel. */
import { type ScaleBand, scaleBand, scaleLinear, scaleLog } from "d3-scale";
import type { Axis, Panel } from "./figure.ts";
import { faint, ink, soft } from "./palette.ts";
import { element, words } from "./svg.ts";

/** From a value to a pixel. */
export interface Scale {
  at(value: number | string): number;
  /** The width of a band; 0 on other scales. */
  readonly band: number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export function xScale(panel: Panel, box: Box): Scale {
  const values = panel.series.flatMap(({ points }) => points.map(({ x }) => x));
  for (const { axis, at } of panel.limits ?? []) if (axis === "x") values.push(at);
  return scaleOf(panel.x, numbers(values), [box.left, box.left + box.width], false);
}

export function yScale(panel: Panel, box: Box): Scale {
  const values: number[] = [];
  for (const { kind, points } of panel.series) {
    for (const { y, low, high, outliers } of points) {
      values.push(y, low ?? y, high ?? y, ...(outliers ?? []));
    }
    if (kind === "bars" && panel.y.scale === "linear") values.push(0);
  }
  for (const { axis, at } of panel.limits ?? []) if (axis === "y") values.push(at);
  return scaleOf(panel.y, values, [box.top + box.height, box.top], true);
}

function numbers(values: readonly (number | string)[]): number[] {
  return values.filter((value) => typeof value === "number");
}

function scaleOf(
  axis: Axis,
  values: readonly number[],
  range: readonly [number, number],
  roomAbove: boolean,
): Scale {
  if (axis.scale === "band") return bandScale(axis.categories ?? [], range);
  const log = axis.scale === "log";
  const shown = values.filter((value) => Number.isFinite(value) && (!log || value > 0));
  let [least, most] = axis.domain ?? [Math.min(...shown), Math.max(...shown)];
  if (axis.domain === undefined && roomAbove) {
    if (log) [least, most] = [least / 1.25, most * 1.25];
    else [least, most] = [Math.min(0, least), most + (most - Math.min(0, least)) * 0.08 || 1];
  } else if (axis.domain === undefined) {
    const pad = log ? (most / least) ** 0.04 : (most - least) * 0.04 || 1;
    [least, most] = log ? [least / pad, most * pad] : [least - pad, most + pad];
  }
  const scale = (log ? scaleLog() : scaleLinear()).domain([least, most]).range(range);
  const ticks = axis.ticks ?? (log ? logTicks(least, most) : scale.ticks(5));
  const format = axis.format ?? readable;
  return {
    // What has no place on a logarithmic axis lies on its edge.
    at: (value) => scale(log && Number(value) <= 0 ? least : Number(value)),
    band: 0,
    ticks: ticks
      .filter((tick) => tick >= least && tick <= most)
      .map((tick) => ({ at: scale(tick), label: format(tick) })),
  };
}

function bandScale(categories: readonly string[], range: readonly [number, number]): Scale {
  const scale: ScaleBand<string> = scaleBand().domain(categories).range(range).padding(0.25);
  const middle = (name: string): number => (scale(name) ?? 0) + scale.bandwidth() / 2;
  return {
    at: (value) => middle(String(value)),
    band: scale.bandwidth(),
    ticks: categories.map((name) => ({ at: middle(name), label: name })),
  };
}

/** Powers of ten, with 2 and 5 of them where there are few. */
function logTicks(least: number, most: number): number[] {
  const decades = Math.log10(most / least);
  const steps = decades > 4 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5];
  const every = decades > 7 ? 2 : 1;
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(least)); power <= Math.log10(most); power++) {
    if (power % every === 0) for (const step of steps) ticks.push(Number(`${step}e${power}`));
  }
  return ticks;
}

/** 0.05, 1.5, 20, 1,500, 20k, 3M. */
export function readable(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9) return `${trimmed(value / 1e9)}G`;
  if (size >= 1e6) return `${trimmed(value / 1e6)}M`;
  if (size >= 1e4) return `${trimmed(value / 1e3)}k`;
  if (size >= 1000) return trimmed(value).replace(/\B(?=(\d{3})+$)/g, ",");
  return trimmed(value);
}

function trimmed(value: number): string {
  return String(Number(value.toPrecision(3)));
}

/** Grid lines, numbers and names of both axes. */
export function drawAxes(panel: Panel, box: Box, x: Scale, y: Scale): string {
  const right = box.left + box.width;
  const bottom = box.top + box.height;
  const parts: string[] = [];
  for (const { at, label } of y.ticks) {
    parts.push(element("line", { x1: box.left, x2: right, y1: at, y2: at, stroke: faint }));
    parts.push(
      words(
        { x: box.left - 8, y: at + 4, "text-anchor": "end", "font-size": 11, fill: soft },
        label,
      ),
    );
  }
  const slanted = panel.x.scale === "band" && crowded(panel.x.categories ?? [], x.band);
  for (const { at, label } of x.ticks) {
    if (x.band === 0) {
      parts.push(element("line", { x1: at, x2: at, y1: box.top, y2: bottom, stroke: faint }));
    }
    parts.push(
      words(
        {
          x: at,
          y: bottom + 17,
          "text-anchor": slanted ? "end" : "middle",
          "font-size": 11,
          fill: soft,
          transform: slanted ? `rotate(-28 ${at} ${bottom + 12})` : undefined,
        },
        label,
      ),
    );
  }
  parts.push(element("line", { x1: box.left, x2: right, y1: bottom, y2: bottom, stroke: soft }));
  const middle = box.left + box.width / 2;
  const nameY = bottom + (slanted ? 62 : 37);
  parts.push(
    words(
      { x: middle, y: nameY, "text-anchor": "middle", "font-size": 12, fill: ink },
      panel.x.label,
    ),
    words({ x: box.left - 44, y: box.top - 10, "font-size": 12, fill: ink }, panel.y.label),
  );
  return parts.join("");
}

function crowded(categories: readonly string[], band: number): boolean {
  return categories.some((name) => name.length * 6.2 > band * 1.3);
}

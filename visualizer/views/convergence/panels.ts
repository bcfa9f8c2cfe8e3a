/** The charts of the convergence view: each draws itself into a box over the shared window of time. */
import { scaleLinear } from "d3-scale";
import { area as areaShape, curveStepAfter, line as lineShape } from "d3-shape";
import type { Ctx } from "../../draw/ctx.ts";
import { font, type Palette } from "../../draw/palette.ts";
import { behind, stepAt } from "../../model/convergence.ts";
import { formatBytes, formatShort } from "../../model/format.ts";
import { planeNames } from "../../model/kinds.ts";
import { isNetworkFault, statusesAt } from "../../model/timeline.ts";
import { lastAt, nodeName } from "../../model/trace.ts";
import { buildTraffic, type Traffic } from "../../model/traffic.ts";
import type { Scene } from "../view.ts";

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Chart {
  readonly title: string;
  draw(ctx: Ctx, box: Box, scene: Scene): void;
}

const titleHeight = 22;

/** Title, axis of values with a few ticks, and the scale that goes with it. */
function frame(
  ctx: Ctx,
  box: Box,
  title: string,
  most: number,
  format: (value: number) => string,
  palette: Palette,
): { y: (value: number) => number; plot: Box } {
  const plot = { ...box, top: box.top + titleHeight, height: box.height - titleHeight - 4 };
  const scale = scaleLinear([0, Math.max(most, 1e-9)], [plot.top + plot.height, plot.top]).nice(3);
  ctx.font = font(12, 600);
  ctx.fillStyle = palette.ink;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(title, box.left, box.top + titleHeight / 2);
  ctx.font = font(10.5);
  ctx.textAlign = "right";
  ctx.strokeStyle = palette.faint;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const tick of scale.ticks(Math.max(2, Math.min(4, plot.height / 28)))) {
    const y = Math.round(scale(tick)) + 0.5;
    ctx.moveTo(plot.left, y);
    ctx.lineTo(plot.left + plot.width, y);
    ctx.fillStyle = palette.soft;
    ctx.fillText(format(tick), plot.left - 6, y);
  }
  ctx.stroke();
  return { y: (value) => scale(value), plot };
}

function legend(
  ctx: Ctx,
  box: Box,
  items: readonly {
    readonly text: string;
    readonly colour: string;
    readonly dash: readonly number[];
  }[],
  palette: Palette,
): void {
  let x = box.left + box.width;
  ctx.font = font(11);
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (const { text, colour, dash } of [...items].reverse()) {
    const y = box.top + titleHeight / 2;
    ctx.fillStyle = palette.soft;
    ctx.fillText(text, x, y);
    x -= ctx.measureText(text).width + 6;
    ctx.strokeStyle = colour;
    ctx.lineWidth = 2.5;
    ctx.setLineDash(dash);
    ctx.beginPath();
    ctx.moveTo(x - 18, y);
    ctx.lineTo(x, y);
    ctx.stroke();
    ctx.setLineDash([]);
    x -= 34;
  }
}

/** Faults behind every chart. */
export function drawFaults(ctx: Ctx, box: Box, { loaded, state, palette }: Scene): void {
  const x = (t: number): number =>
    box.left + ((t - state.from) / (state.to - state.from)) * box.width;
  for (const band of loaded.index.timeline.bands) {
    if (!isNetworkFault(band)) continue;
    const from = Math.max(box.left, x(band.from));
    const to = Math.min(box.left + box.width, x(band.to));
    if (to < from) continue;
    ctx.globalAlpha = 0.1;
    ctx.fillStyle = palette.fault;
    ctx.fillRect(from, box.top, Math.max(1.5, to - from), box.height);
  }
  ctx.globalAlpha = 1;
}

/** Columns of pixels at which a chart is sampled, as times. */
function columns(box: Box, { state }: Scene, stepPx = 1.5): { x: number; t: number }[] {
  const count = Math.max(2, Math.floor(box.width / stepPx));
  return Array.from({ length: count + 1 }, (_, i) => ({
    x: box.left + (i / count) * box.width,
    t: state.from + (i / count) * (state.to - state.from),
  }));
}

export const shareChart: Chart = {
  title: "Share of running nodes at the final state",
  draw(ctx, box, scene) {
    const { palette, loaded } = scene;
    const steps = loaded.index.agreement;
    const { y, plot } = frame(
      ctx,
      box,
      this.title,
      1,
      (value) => `${Math.round(value * 100)} %`,
      palette,
    );
    const points = columns(plot, scene).map(({ x, t }) => {
      const i = stepAt(steps, t);
      const live = i < 0 ? 0 : (steps.live[i] as number);
      return { x, share: live === 0 ? 0 : (steps.final[i] as number) / live };
    });
    ctx.fillStyle = palette.states.alive;
    ctx.globalAlpha = 0.22;
    ctx.beginPath();
    areaShape<(typeof points)[number]>(
      (p) => p.x,
      y(0),
      (p) => y(p.share),
    )
      .curve(curveStepAfter)
      .context(ctx as CanvasRenderingContext2D)(points);
    ctx.fill();
    ctx.globalAlpha = 1;
    strokeSteps(
      ctx,
      points.map(({ x, share }) => [x, y(share)]),
      palette.states.alive,
      [],
    );
  },
};

export const statesChart: Chart = {
  title: "Different states among running nodes",
  draw(ctx, box, scene) {
    const { palette, loaded } = scene;
    const steps = loaded.index.agreement;
    const most = Math.max(
      2,
      steps.distinct.reduce((max, x) => Math.max(max, x), 0),
    );
    const { y, plot } = frame(ctx, box, this.title, most, formatShort, palette);
    const points = columns(plot, scene).map(({ x, t }): [number, number] => {
      const i = stepAt(steps, t);
      return [x, y(i < 0 ? 0 : (steps.distinct[i] as number))];
    });
    strokeSteps(ctx, points, palette.differs, []);
  },
};

/** A line a node for a few; for many the furthest behind, the ninth decile and the median. */
const maxLines = 12;

export const behindChart: Chart = {
  title: "Versions behind",
  draw(ctx, box, scene) {
    const { palette, loaded } = scene;
    const { lanes, trace, index } = loaded;
    const many = lanes.length > maxLines;
    const sampled = columns({ ...box }, scene, many ? 6 : 2.5).map(({ x, t }) => {
      const event = lastAt(trace, t);
      const statuses = statusesAt(index.timeline, trace.nodes.length, t);
      // A node that is down lags and cannot help it: it counts again once it runs.
      const lag = (n: number): number =>
        statuses[n] === "up" ? behind(index.heldSteps, n, event) : 0;
      return { x, lags: lanes.map(lag) };
    });
    const most = sampled.reduce((max, { lags }) => Math.max(max, ...lags), 1);
    const { y, plot } = frame(
      ctx,
      box,
      `${this.title}, ${many ? "of all nodes" : "by node"}`,
      most,
      formatShort,
      palette,
    );
    const series = many
      ? quantileSeries(sampled, palette)
      : lanes.map((n, i) => ({
          text: nodeName(trace, n),
          colour: palette.series[i % palette.series.length] ?? palette.ink,
          dash: i < palette.series.length ? [] : [4, 3],
          values: sampled.map(({ lags }) => lags[i] as number),
        }));
    for (const { colour, dash, values } of series)
      strokeSteps(
        ctx,
        values.map((value, i) => [(sampled[i] as { x: number }).x, y(value)]),
        colour,
        dash,
      );
    if (plot.width > 420) legend(ctx, box, series, palette);
  },
};

function quantileSeries(
  sampled: readonly { readonly lags: readonly number[] }[],
  palette: Palette,
): { text: string; colour: string; dash: number[]; values: number[] }[] {
  const sorted = sampled.map(({ lags }) => [...lags].sort((a, b) => a - b));
  const at = (p: number): number[] =>
    sorted.map((lags) => lags[Math.min(lags.length - 1, Math.floor(p * lags.length))] ?? 0);
  return [
    { text: "furthest", colour: palette.drop, dash: [], values: at(1) },
    { text: "p90", colour: palette.differs, dash: [6, 3], values: at(0.9) },
    { text: "median", colour: palette.planes.gossip, dash: [2, 3], values: at(0.5) },
  ];
}

let trafficCache: { key: readonly unknown[]; traffic: Traffic } | null = null;

function trafficOf({ loaded, state }: Scene, bins: number): Traffic {
  const key = [loaded, state.from, state.to, bins];
  if (trafficCache === null || key.some((part, i) => part !== trafficCache?.key[i]))
    trafficCache = { key, traffic: buildTraffic(loaded.trace, state.from, state.to, bins) };
  return trafficCache.traffic;
}

function rateChart(
  title: string,
  pick: "messages" | "bytes",
  format: (value: number) => string,
): Chart {
  return {
    title,
    draw(ctx, box, scene) {
      const { palette } = scene;
      const bins = Math.max(8, Math.floor(box.width / 3));
      const traffic = trafficOf(scene, bins);
      const perSecond = 1_000_000 / traffic.binUs;
      const values = traffic[pick];
      let most = 0;
      for (let bin = 0; bin < bins; bin++) {
        let sum = 0;
        for (let plane = 0; plane < planeNames.length; plane++)
          sum += values[plane * bins + bin] as number;
        most = Math.max(most, sum * perSecond);
      }
      const { y, plot } = frame(ctx, box, title, most, format, palette);
      const base = new Float64Array(bins);
      for (const [plane, name] of planeNames.entries()) {
        const points = Array.from({ length: bins + 1 }, (_, i) => {
          const bin = Math.min(i, bins - 1);
          const low = base[bin] as number;
          return {
            x: plot.left + (i / bins) * plot.width,
            low: y(low),
            high: y(low + (values[plane * bins + bin] as number) * perSecond),
          };
        });
        for (let bin = 0; bin < bins; bin++)
          base[bin] = (base[bin] as number) + (values[plane * bins + bin] as number) * perSecond;
        ctx.fillStyle = palette.planes[name];
        ctx.globalAlpha = 0.85;
        ctx.beginPath();
        areaShape<(typeof points)[number]>(
          (p) => p.x,
          (p) => p.low,
          (p) => p.high,
        )
          .curve(curveStepAfter)
          .context(ctx as CanvasRenderingContext2D)(points);
        ctx.fill();
        ctx.globalAlpha = 1;
      }
      legend(
        ctx,
        box,
        planeNames.map((name) => ({ text: name, colour: palette.planes[name], dash: [] })),
        palette,
      );
    },
  };
}

export const messagesChart = rateChart("Messages a second", "messages", formatShort);
export const bytesChart = rateChart("Bytes a second", "bytes", formatBytes);

function strokeSteps(
  ctx: Ctx,
  points: readonly (readonly [number, number])[],
  colour: string,
  dash: readonly number[],
): void {
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1.75;
  ctx.setLineDash(dash);
  ctx.beginPath();
  lineShape<readonly [number, number]>(
    (p) => p[0],
    (p) => p[1],
  )
    .curve(curveStepAfter)
    .context(ctx as CanvasRenderingContext2D)([...points]);
  ctx.stroke();
  ctx.setLineDash([]);
}

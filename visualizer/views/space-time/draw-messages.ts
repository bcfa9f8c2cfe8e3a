/** Messages as lines from send to receive, cut where they were dropped. */
import type { Loaded } from "../../app/loaded.ts";
import type { Ctx } from "../../draw/ctx.ts";
import { planeDash, type Palette } from "../../draw/palette.ts";
import { cross } from "../../draw/shapes.ts";
import { Kind, planeNames } from "../../model/kinds.ts";
import type { Geometry } from "./geometry.ts";
import type { VisibleMessages } from "./messages.ts";

/**
 * A dropped message is drawn this far along its way. Where it was dropped at once it leans as if it
 * had been on its way for a few milliseconds, so that its line can be told from a lane's grid.
 */
const dropShare = 0.55;
const leanUs = 4000;
const maxLeanPx = 14;
/** Up to this many messages get arrow heads and dashes; more would be noise. */
const maxArrows = 600;
/** Long paths are slow to stroke: lines are stroked in bunches of this many. */
const bunch = 256;

export interface Line {
  readonly x0: number;
  readonly y0: number;
  readonly x1: number;
  readonly y1: number;
}

/** A message's ends on the canvas, or null for one whose send is unknown. `event`: its receive or drop. */
export function lineOf(loaded: Loaded, event: number, g: Geometry): Line | null {
  const { trace } = loaded;
  const send = trace.ref[event] as number;
  if (send < 0) return null;
  const x0 = g.x(trace.t[send] as number);
  const x1 = g.x(trace.t[event] as number);
  const y0 = g.y(trace.node[send] as number);
  const y1 = g.y(trace.peer[send] as number);
  if (trace.kind[event] !== Kind.drop) return { x0, y0, x1, y1 };
  const lean = Math.max(Math.min(maxLeanPx, leanUs / g.resolution), (x1 - x0) * dropShare);
  return { x0, y0, x1: x0 + lean, y1: y0 + (y1 - y0) * dropShare };
}

export function drawMessages(
  ctx: Ctx,
  loaded: Loaded,
  visible: VisibleMessages,
  g: Geometry,
  palette: Palette,
): void {
  const { trace } = loaded;
  const byPlane: number[][] = [[], [], [], []];
  const drops: number[] = [];
  for (const event of visible.outcomes) {
    const plane = trace.labels[trace.label[event] as number]?.plane ?? -1;
    byPlane[plane < 0 ? 3 : plane]?.push(event);
    if (trace.kind[event] === Kind.drop) drops.push(event);
  }
  const few = visible.outcomes.length <= maxArrows && !visible.sampled;
  const alpha = visible.sampled ? 0.28 : visible.outcomes.length > 2500 ? 0.5 : 0.8;
  for (const [plane, events] of byPlane.entries()) {
    if (events.length === 0) continue;
    const name = planeNames[plane] ?? "other";
    ctx.strokeStyle = palette.planes[name];
    // One pixel is a hairline, which is drawn several times as fast as any other width.
    ctx.lineWidth = few ? 1.25 : 1;
    ctx.globalAlpha = plane === 0 ? alpha * 0.75 : alpha;
    ctx.setLineDash(few ? planeDash[name] : []);
    strokeLines(ctx, loaded, events, g);
    ctx.setLineDash([]);
    if (few) drawHeads(ctx, loaded, events, g, palette.planes[name]);
  }
  ctx.globalAlpha = 1;
  drawDrops(ctx, loaded, drops, g, palette, few);
  drawUnfinished(ctx, loaded, visible.unfinished, g, palette);
}

function strokeLines(ctx: Ctx, loaded: Loaded, events: readonly number[], g: Geometry): void {
  for (let start = 0; start < events.length; start += bunch) {
    ctx.beginPath();
    const end = Math.min(events.length, start + bunch);
    for (let i = start; i < end; i++) {
      const line = lineOf(loaded, events[i] as number, g);
      if (line === null) continue;
      ctx.moveTo(line.x0, line.y0);
      ctx.lineTo(line.x1, line.y1);
    }
    ctx.stroke();
  }
}

function drawHeads(
  ctx: Ctx,
  loaded: Loaded,
  events: readonly number[],
  g: Geometry,
  colour: string,
): void {
  ctx.fillStyle = colour;
  ctx.beginPath();
  for (const event of events) {
    if (loaded.trace.kind[event] === Kind.drop) continue;
    const line = lineOf(loaded, event, g);
    if (line === null || line.x1 < g.left || line.x1 > g.right) continue;
    const length = Math.hypot(line.x1 - line.x0, line.y1 - line.y0);
    if (length < 14) continue;
    const ux = (line.x1 - line.x0) / length;
    const uy = (line.y1 - line.y0) / length;
    ctx.moveTo(line.x1, line.y1);
    ctx.lineTo(line.x1 - ux * 8 - uy * 3, line.y1 - uy * 8 + ux * 3);
    ctx.lineTo(line.x1 - ux * 8 + uy * 3, line.y1 - uy * 8 - ux * 3);
    ctx.closePath();
  }
  ctx.fill();
}

function drawDrops(
  ctx: Ctx,
  loaded: Loaded,
  drops: readonly number[],
  g: Geometry,
  palette: Palette,
  few: boolean,
): void {
  ctx.strokeStyle = palette.drop;
  ctx.lineWidth = few ? 1.75 : 1;
  ctx.globalAlpha = few ? 1 : 0.7;
  const radius = few ? 3.5 : 2;
  for (let start = 0; start < drops.length; start += bunch) {
    ctx.beginPath();
    for (const event of drops.slice(start, start + bunch)) {
      const line = lineOf(loaded, event, g);
      if (line !== null) cross(ctx, line.x1, line.y1, radius);
    }
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
}

/** On their way for ever, as far as the trace tells: a stub that fades. */
function drawUnfinished(
  ctx: Ctx,
  { trace }: Loaded,
  sends: Int32Array,
  g: Geometry,
  palette: Palette,
): void {
  ctx.strokeStyle = palette.soft;
  ctx.setLineDash([2, 3]);
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const send of sends) {
    const x = g.x(trace.t[send] as number);
    if (x < g.left - 20) continue;
    const y = g.y(trace.node[send] as number);
    ctx.moveTo(x, y);
    ctx.lineTo(x + 16, y + Math.sign(g.y(trace.peer[send] as number) - y) * 10);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

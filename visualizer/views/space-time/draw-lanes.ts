/** What lies behind the messages: lanes, names, faults in force, nodes that are down. */
import type { Loaded } from "../../app/loaded.ts";
import type { Ctx, Size } from "../../draw/ctx.ts";
import { font, type Palette } from "../../draw/palette.ts";
import { hatch } from "../../draw/shapes.ts";
import type { FaultBand, NodeSpan } from "../../model/timeline.ts";
import { drawTimeAxis } from "../time-axis.ts";
import type { Geometry } from "./geometry.ts";

export function drawLanes(
  ctx: Ctx,
  size: Size,
  loaded: Loaded,
  g: Geometry,
  palette: Palette,
): void {
  ctx.fillStyle = palette.panel;
  ctx.fillRect(0, 0, size.width, size.height);
  ctx.save();
  ctx.beginPath();
  ctx.rect(g.left, 0, g.right - g.left, size.height);
  ctx.clip();
  for (const band of loaded.index.timeline.bands) drawBand(ctx, loaded, band, g, palette);
  drawTimeAxis(
    ctx,
    { left: g.left, right: g.right, y: g.top / 2, gridFrom: g.top - 5, gridTo: g.bottom },
    g.from,
    g.to,
    palette,
  );
  const [first, last] = g.visibleLanes;
  ctx.strokeStyle = palette.faint;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  for (let lane = first; lane <= last; lane++) {
    const y = Math.round(g.laneY(lane)) + 0.5;
    ctx.moveTo(g.left, y);
    ctx.lineTo(g.right, y);
  }
  ctx.stroke();
  for (const span of loaded.index.timeline.spans) drawSpan(ctx, span, g, palette);
  ctx.restore();
  drawNames(ctx, loaded, g, palette);
}

function drawNames(ctx: Ctx, loaded: Loaded, g: Geometry, palette: Palette): void {
  const [first, last] = g.visibleLanes;
  const regions = new Set(loaded.lanes.map((n) => loaded.trace.nodes[n]?.region));
  ctx.fillStyle = palette.panel;
  ctx.fillRect(0, 0, g.left, g.bottom + 6);
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  for (let lane = first; lane <= last; lane++) {
    const info = loaded.trace.nodes[loaded.lanes[lane] ?? 0];
    if (info === undefined) continue;
    const y = g.laneY(lane);
    if (y < g.top - 2) continue;
    const both = regions.size > 1 && info.region !== "" && g.laneHeight >= 30;
    ctx.fillStyle = palette.ink;
    ctx.font = font(12, 600);
    ctx.fillText(info.name, g.left - 10, both ? y - 7 : y);
    if (!both) continue;
    ctx.fillStyle = palette.soft;
    ctx.font = font(10.5);
    ctx.fillText(info.region, g.left - 10, y + 7);
  }
  ctx.fillStyle = palette.panel;
  ctx.fillRect(0, 0, g.left, g.top - 6);
}

/** Faults of the network cover all lanes; those of one node its lane. */
function drawBand(ctx: Ctx, loaded: Loaded, band: FaultBand, g: Geometry, palette: Palette): void {
  const x = Math.max(g.left - 2, g.x(band.from));
  const end = Math.min(g.right + 2, g.x(band.to));
  if (end < g.left || x > g.right) return;
  const width = Math.max(1, end - x);
  if (band.kind === "partition") {
    ctx.globalAlpha = palette.dark ? 0.14 : 0.1;
    ctx.fillStyle = palette.fault;
    ctx.fillRect(x, g.top, width, g.bottom - g.top);
    ctx.globalAlpha = 1;
    drawGroups(ctx, loaded, band, g, x, width, palette);
  } else if (
    band.nodes.length > 0 &&
    !["crash", "pause", "leave", "join", "restart"].includes(band.kind)
  ) {
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = palette.copper;
    for (const n of band.nodes) ctx.fillRect(x, g.y(n) - g.laneHeight / 2, width, g.laneHeight);
    ctx.globalAlpha = 1;
  } else return;
  ctx.strokeStyle = palette.fault;
  ctx.lineWidth = 1;
  ctx.setLineDash([4, 3]);
  ctx.beginPath();
  for (const edge of [g.x(band.from), g.x(band.to)]) {
    if (edge < g.left || edge > g.right) continue;
    ctx.moveTo(Math.round(edge) + 0.5, g.top - 4);
    ctx.lineTo(Math.round(edge) + 0.5, g.bottom);
  }
  ctx.stroke();
  ctx.setLineDash([]);
}

/** A rail along each lane of a group, with the group's letter where it begins. */
function drawGroups(
  ctx: Ctx,
  loaded: Loaded,
  band: FaultBand,
  g: Geometry,
  x: number,
  width: number,
  palette: Palette,
): void {
  for (const [i, group] of band.groups.entries()) {
    const colour = palette.series[i % palette.series.length] ?? palette.ink;
    ctx.fillStyle = colour;
    for (const n of group) {
      if ((loaded.laneOf[n] ?? -1) < 0) continue;
      const y = g.y(n);
      ctx.globalAlpha = 0.35;
      ctx.fillRect(x, y - 2.5, width, 5);
      ctx.globalAlpha = 1;
      if (width < 26 || g.laneHeight < 16) continue;
      ctx.font = font(10, 600);
      ctx.textAlign = "left";
      ctx.textBaseline = "bottom";
      ctx.fillText(String.fromCharCode(65 + (i % 26)), Math.max(x, g.left) + 5, y - 4);
    }
  }
}

const spanLabel: Readonly<Record<NodeSpan["status"], string>> = {
  crashed: "crashed",
  paused: "paused",
  left: "left",
  absent: "not there yet",
};

function drawSpan(ctx: Ctx, span: NodeSpan, g: Geometry, palette: Palette): void {
  const x = Math.max(g.left - 2, g.x(span.from));
  const end = Math.min(g.right + 2, g.x(span.to));
  if (end < g.left || x > g.right) return;
  const height = Math.min(26, g.laneHeight - 4);
  const y = g.y(span.n) - height / 2;
  const width = Math.max(1, end - x);
  ctx.fillStyle = palette.panel;
  ctx.fillRect(x, y, width, height);
  if (span.status === "crashed") hatch(ctx, x, y, width, height, palette.drop, 1, 6);
  else if (span.status === "paused") hatch(ctx, x, y, width, height, palette.states.suspect, -1, 7);
  else hatch(ctx, x, y, width, height, palette.faint, 1, 10);
  const text =
    span.disk === "" || span.disk === "kept"
      ? spanLabel[span.status]
      : `crashed, disk ${span.disk}`;
  ctx.font = font(10.5, 600);
  const textWidth = ctx.measureText(text).width;
  if (width < textWidth + 18 || height < 13) return;
  ctx.fillStyle = palette.panel;
  ctx.fillRect(x + 6, y + height / 2 - 7, textWidth + 8, 14);
  ctx.fillStyle = span.status === "crashed" ? palette.drop : palette.soft;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x + 10, y + height / 2 + 0.5);
}

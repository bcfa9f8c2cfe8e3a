/** The spread of one write: share of nodes that hold it over the time since its commit. */
import { scaleLinear } from "d3-scale";
import type { Ctx } from "../../draw/ctx.ts";
import { font, type Palette } from "../../draw/palette.ts";
import { circle, diamond } from "../../draw/shapes.ts";
import { versionName } from "../../model/describe.ts";
import { formatDuration, formatTime } from "../../model/format.ts";
import { type Reach, reachOf, reachQuantile } from "../../model/reach.ts";
import type { Scene } from "../view.ts";
import type { Box } from "./panels.ts";

export function drawReach(ctx: Ctx, box: Box, scene: Scene): void {
  const { loaded, state, palette } = scene;
  const version = chosenWrite(scene);
  const reach = version < 0 ? null : reachOf(loaded.trace, loaded.index, version);
  ctx.font = font(12, 600);
  ctx.fillStyle = palette.ink;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  if (reach === null) {
    ctx.fillText("Spread of a write", box.left, box.top + 11);
    ctx.font = font(11);
    ctx.fillStyle = palette.soft;
    ctx.fillText("No write in this trace up to the cursor.", box.left, box.top + 34);
    return;
  }
  const { trace } = loaded;
  const name = versionName(trace, reach.commit);
  const chosen = state.write >= 0 ? "" : ", the last before the cursor";
  ctx.fillText(
    `Spread of ${name}${chosen} (committed at ${formatTime(trace.t[reach.commit] as number)})`,
    box.left,
    box.top + 11,
  );
  const plot = { left: box.left, top: box.top + 24, width: box.width, height: box.height - 46 };
  const { arrivals } = reach;
  const longest = Math.max(1000, arrivals.at(-1)?.delay ?? 0);
  const x = scaleLinear([0, longest * 1.05], [plot.left, plot.left + plot.width]);
  const y = scaleLinear([0, 1], [plot.top + plot.height, plot.top]);
  drawFrame(ctx, plot, x, y, scene);

  ctx.strokeStyle = palette.planes.gossip;
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.moveTo(x(0), y(0));
  for (const [i, { delay }] of arrivals.entries()) {
    ctx.lineTo(x(delay), y(i / reach.total));
    ctx.lineTo(x(delay), y((i + 1) / reach.total));
  }
  ctx.lineTo(plot.left + plot.width, y(arrivals.length / reach.total));
  ctx.stroke();
  if (reach.total <= 60) {
    for (const [i, { delay, overtaken }] of arrivals.entries()) {
      ctx.fillStyle = overtaken ? palette.panel : palette.planes.gossip;
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      circle(ctx, x(delay), y((i + 1) / reach.total), 3);
      ctx.fill();
      ctx.stroke();
    }
  }
  drawQuantiles(ctx, plot, x, y, reach, palette);
  drawRemark(ctx, plot, reach, palette);
}

/** After how long half, nine in ten and ninety-nine in a hundred had it; equal times share a label. */
function drawQuantiles(
  ctx: Ctx,
  plot: Box,
  x: (delay: number) => number,
  y: (share: number) => number,
  reach: Reach,
  palette: Palette,
): void {
  const told = ([0.5, 0.9, 0.99] as const).flatMap((p) => {
    const at = reachQuantile(reach, p);
    return at === null ? [] : [{ p, at, text: formatDuration(at) }];
  });
  ctx.textBaseline = "middle";
  for (const [i, { p, at, text: time }] of told.entries()) {
    ctx.strokeStyle = palette.copper;
    ctx.lineWidth = 1;
    ctx.setLineDash([3, 3]);
    ctx.beginPath();
    ctx.moveTo(x(at), y(p));
    ctx.lineTo(x(at), plot.top + plot.height);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = palette.copper;
    ctx.beginPath();
    diamond(ctx, x(at), y(p), 4);
    ctx.fill();
    const names = told.filter((other) => other.text === time).map((other) => `p${other.p * 100}`);
    if (told[i + 1]?.text === time) continue;
    ctx.font = font(11, 600);
    const text = `${names.join(" ")} ${time}`;
    const flip = x(at) + ctx.measureText(text).width + 10 > plot.left + plot.width;
    ctx.textAlign = flip ? "right" : "left";
    // The upper two are near each other: one label goes above its sign, the other below.
    const row = p === 0.9 ? y(p) + 14 : Math.max(plot.top + 6, y(p) - 10);
    ctx.fillText(text, x(at) + (flip ? -7 : 7), row);
  }
}

/** What the curve does not say by itself. */
function drawRemark(
  ctx: Ctx,
  plot: Box,
  { arrivals, total, untold }: Reach,
  palette: Palette,
): void {
  const overtaken = arrivals.filter((arrival) => arrival.overtaken).length;
  const remarks = [
    overtaken > 0 ? `○ ${overtaken} received it as overtaken: newer writes had replaced it` : "",
    arrivals.length < total
      ? `${total - arrivals.length} of ${total} nodes do not hold it by the end`
      : "",
    untold > 0 ? `what ${untold} more hold, this trace does not tell` : "",
  ].filter((text) => text !== "");
  ctx.fillStyle = palette.soft;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.font = font(11);
  ctx.fillText(remarks.join(" · "), plot.left + plot.width, plot.top + plot.height - 12);
}

/** The write chosen, or the last one committed before the cursor; −1 for none. */
export function chosenWrite({ loaded, state }: Scene): number {
  const { trace, index } = loaded;
  if (state.write >= 0 && state.write < trace.versions.count) return state.write;
  const { committed } = index.heldSteps;
  let low = 0;
  let high = committed.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((committed[middle] as number) <= state.event) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? -1 : (trace.ref[committed[low - 1] as number] as number);
}

function drawFrame(
  ctx: Ctx,
  plot: Box,
  x: { (value: number): number; ticks(count: number): number[] },
  y: (value: number) => number,
  { palette }: Scene,
): void {
  ctx.font = font(10.5);
  ctx.strokeStyle = palette.faint;
  ctx.lineWidth = 1;
  ctx.beginPath();
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  ctx.fillStyle = palette.soft;
  for (const share of [0, 0.5, 1]) {
    ctx.moveTo(plot.left, Math.round(y(share)) + 0.5);
    ctx.lineTo(plot.left + plot.width, Math.round(y(share)) + 0.5);
    ctx.fillText(`${share * 100} %`, plot.left - 6, y(share));
  }
  ctx.stroke();
  ctx.textBaseline = "top";
  for (const tick of x.ticks(6)) {
    ctx.textAlign = tick === 0 ? "left" : "center";
    ctx.fillText(
      tick === 0 ? "commit" : `+${formatDuration(tick)}`,
      x(tick),
      plot.top + plot.height + 6,
    );
  }
}

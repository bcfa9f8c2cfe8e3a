/** The shapes that stand beside the colours. Each is centred at (x, y) with about the radius given. */
import type { StateName } from "../model/kinds.ts";
import type { Ctx } from "./ctx.ts";
import type { Palette } from "./palette.ts";

export function diamond(ctx: Ctx, x: number, y: number, r: number): void {
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.closePath();
}

export function triangle(ctx: Ctx, x: number, y: number, r: number): void {
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y + r * 0.8);
  ctx.lineTo(x - r, y + r * 0.8);
  ctx.closePath();
}

export function cross(ctx: Ctx, x: number, y: number, r: number): void {
  ctx.moveTo(x - r, y - r);
  ctx.lineTo(x + r, y + r);
  ctx.moveTo(x + r, y - r);
  ctx.lineTo(x - r, y + r);
}

export function circle(ctx: Ctx, x: number, y: number, r: number): void {
  ctx.moveTo(x + r, y);
  ctx.arc(x, y, r, 0, Math.PI * 2);
}

/** A membership state: circle alive, triangle suspect, cross down, hollow square left, dot unknown. */
export function stateGlyph(
  ctx: Ctx,
  state: StateName,
  x: number,
  y: number,
  r: number,
  palette: Palette,
): void {
  const colour = palette.states[state];
  ctx.fillStyle = colour;
  ctx.strokeStyle = colour;
  ctx.lineWidth = Math.max(1.5, r / 3);
  ctx.beginPath();
  switch (state) {
    case "alive":
      circle(ctx, x, y, r);
      ctx.fill();
      break;
    case "suspect":
      triangle(ctx, x, y, r);
      ctx.fill();
      break;
    case "down":
      cross(ctx, x, y, r * 0.8);
      ctx.stroke();
      break;
    case "left":
      ctx.rect(x - r * 0.75, y - r * 0.75, r * 1.5, r * 1.5);
      ctx.stroke();
      break;
    case "unknown":
      circle(ctx, x, y, Math.max(1, r * 0.3));
      ctx.fill();
  }
}

/** Parallel lines over a rectangle; `slope` 1 or −1 tells two hatchings apart. */
export function hatch(
  ctx: Ctx,
  x: number,
  y: number,
  width: number,
  height: number,
  colour: string,
  slope: 1 | -1,
  gap = 6,
): void {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.strokeStyle = colour;
  ctx.lineWidth = 1;
  ctx.beginPath();
  // Phases are tied to the page, so that a panned hatching does not crawl.
  for (let at = x - (x % gap) - height - gap; at < x + width + height; at += gap) {
    ctx.moveTo(at, slope === 1 ? y + height : y);
    ctx.lineTo(at + height, slope === 1 ? y : y + height);
  }
  ctx.stroke();
  ctx.restore();
}

/** Ticks of time in microseconds, 1-2-5 by seconds and below, by clock units above. */
import type { Ctx } from "../draw/ctx.ts";
import { font, type Palette } from "../draw/palette.ts";

const steps = [
  ...[1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((base) => [base, base * 2, base * 5]),
  15e6,
  30e6,
  60e6,
  120e6,
  300e6,
  600e6,
  1800e6,
  3600e6,
  7200e6,
  21600e6,
  86400e6,
];

/** The step at which about one tick falls on each `spacingPx` of `width`. */
export function tickStep(from: number, to: number, width: number, spacingPx = 90): number {
  const wanted = ((to - from) * spacingPx) / Math.max(1, width);
  return steps.find((step) => step >= wanted) ?? Math.ceil(wanted / 86400e6) * 86400e6;
}

export function timeTicks(from: number, to: number, step: number): number[] {
  const ticks: number[] = [];
  for (let i = Math.ceil(from / step); i * step <= to; i++) ticks.push(i * step);
  return ticks;
}

/** A tick's text, no finer than its step needs. */
export function tickText(us: number, step: number): string {
  if (us < 0) return "";
  if (step < 1000) return `${trimmed(us / 1000, 3)} ms`;
  if (step < 1_000_000) return `${trimmed(us / 1_000_000, 3)} s`;
  if (us < 60_000_000 && step < 60_000_000) return `${us / 1_000_000} s`;
  const seconds = Math.round(us / 1_000_000);
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (n: number): string => String(n).padStart(2, "0");
  return hours > 0
    ? `${hours}:${two(minutes)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}

function trimmed(x: number, digits: number): string {
  return String(Number(x.toFixed(digits)));
}

export interface AxisPlace {
  readonly left: number;
  readonly right: number;
  /** Line of the texts. */
  readonly y: number;
  /** Grid lines run between these. */
  readonly gridFrom: number;
  readonly gridTo: number;
}

export function drawTimeAxis(
  ctx: Ctx,
  { left, right, y, gridFrom, gridTo }: AxisPlace,
  from: number,
  to: number,
  palette: Palette,
): void {
  const step = tickStep(from, to, right - left);
  ctx.font = font(11);
  ctx.textBaseline = "middle";
  ctx.textAlign = "center";
  ctx.lineWidth = 1;
  ctx.strokeStyle = palette.faint;
  ctx.setLineDash([]);
  const places = timeTicks(Math.max(0, from), to, step).map((tick) => ({
    tick,
    x: Math.round(left + ((tick - from) / (to - from)) * (right - left)) + 0.5,
  }));
  ctx.beginPath();
  for (const { x } of places) {
    ctx.moveTo(x, gridFrom);
    ctx.lineTo(x, gridTo);
  }
  ctx.stroke();
  ctx.fillStyle = palette.soft;
  for (const { tick, x } of places) {
    const text = tickText(tick, step);
    const half = ctx.measureText(text).width / 2;
    if (x + half <= right + 2) ctx.fillText(text, Math.max(x, left + half), y);
  }
}

/** Which event lies under the pointer. */
import type { Loaded } from "../../app/loaded.ts";
import { Kind } from "../../model/kinds.ts";
import { firstAt } from "../../model/trace.ts";
import { lineOf } from "./draw-messages.ts";
import { sortOf } from "./draw-marks.ts";
import type { Geometry } from "./geometry.ts";
import type { VisibleMessages } from "./messages.ts";

const reachPx = 8;
/** A mark is taken before a line that is a little nearer. */
const markBonusPx = 4;
const maxLooked = 20_000;

/** The nearest mark or message within reach; −1 for none. A message is given as its receive or drop, near its send as the send. */
export function pick(
  loaded: Loaded,
  visible: VisibleMessages,
  g: Geometry,
  x: number,
  y: number,
): number {
  let best = -1;
  let distance = reachPx;
  const { trace, laneOf, lanes } = loaded;
  const lane = g.laneAt(y);
  const from = firstAt(trace, g.t(x - reachPx));
  const to = Math.min(firstAt(trace, g.t(x + reachPx)), from + maxLooked);
  for (let i = from; i < to; i++) {
    if (laneOf[trace.node[i] as number] !== lane) continue;
    if (sortOf(trace.kind[i] as number, trace.label[i] as number) === null) continue;
    const high = trace.kind[i] === Kind.member ? 11 : 0;
    const d = Math.hypot(g.x(trace.t[i] as number) - x, g.laneY(lane) - high - y) - markBonusPx;
    if (d < distance) {
      distance = d;
      best = i;
    }
  }
  if (lanes.length === 0) return best;
  for (const event of visible.outcomes) {
    const line = lineOf(loaded, event, g);
    if (line === null) continue;
    if (x < Math.min(line.x0, line.x1) - reachPx || x > Math.max(line.x0, line.x1) + reachPx)
      continue;
    const { d, share } = distanceTo(line.x0, line.y0, line.x1, line.y1, x, y);
    if (d >= distance) continue;
    distance = d;
    best = share < 0.15 ? (trace.ref[event] as number) : event;
  }
  return best;
}

/** Distance of a point from a segment, and how far along the nearest point lies. */
function distanceTo(
  x0: number,
  y0: number,
  x1: number,
  y1: number,
  x: number,
  y: number,
): { d: number; share: number } {
  const dx = x1 - x0;
  const dy = y1 - y0;
  const square = dx * dx + dy * dy;
  const share =
    square === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / square));
  return { d: Math.hypot(x0 + dx * share - x, y0 + dy * share - y), share };
}

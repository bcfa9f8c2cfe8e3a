/** What happens on a node: commits, applies, membership, life and violations, as shapes on its lane. */
import type { Loaded } from "../../app/loaded.ts";
import type { Ctx } from "../../draw/ctx.ts";
import { font, type Palette } from "../../draw/palette.ts";
import { circle, cross, diamond, stateGlyph, triangle } from "../../draw/shapes.ts";
import { countUpTo } from "../../model/convergence.ts";
import { Kind, stateNames } from "../../model/kinds.ts";
import type { Geometry } from "./geometry.ts";
import type { VisibleMessages } from "./messages.ts";

/** Marks of one sort nearer than this on one lane are drawn once. */
const cullPx = 3;
/** Marks looked at, at most; past it every k-th. */
const maxLooked = 150_000;
/** Past this many of a sort, marks are ticks; shapes would run into one band. */
const maxShapes = 900;
/** What a shape needs of its lane. */
const shapePx = 14;
const maxHalos = 300;

/** Sorts of marks, in the order in which they are drawn: the rarest on top. */
const sorts = [
  "applyGossip",
  "applySync",
  "buffer",
  "member",
  "commit",
  "life",
  "violation",
] as const;
type Sort = (typeof sorts)[number];

export function sortOf(kind: number, label: number): Sort | null {
  switch (kind) {
    case Kind.apply:
      return label === 0 ? "applyGossip" : "applySync";
    case Kind.buffer:
      return "buffer";
    case Kind.member:
      return "member";
    case Kind.commit:
      return "commit";
    case Kind.crash:
    case Kind.restart:
    case Kind.pause:
    case Kind.resume:
    case Kind.leave:
    case Kind.join:
    case Kind.snapshot:
      return "life";
    case Kind.violation:
      return "violation";
    default:
      return null;
  }
}

export function drawMarks(
  ctx: Ctx,
  loaded: Loaded,
  visible: VisibleMessages,
  g: Geometry,
  palette: Palette,
): void {
  const { trace, laneOf } = loaded;
  const bySort = new Map<Sort, number[]>(sorts.map((sort) => [sort, []]));
  const lastX = new Map<Sort, Float64Array>(
    sorts.map((sort) => [sort, new Float64Array(g.lanes).fill(-1e9)]),
  );
  const { markEvents } = loaded.index;
  const first = countUpTo(markEvents, visible.first - 1);
  const last = countUpTo(markEvents, visible.last - 1);
  const stride = Math.max(1, Math.ceil((last - first) / maxLooked));
  for (let at = first; at < last; at += stride) {
    const i = markEvents[at] as number;
    const sort = sortOf(trace.kind[i] as number, trace.label[i] as number);
    if (sort === null || sort === "life" || sort === "violation") continue;
    const lane = laneOf[trace.node[i] as number] ?? -1;
    if (lane < 0) continue;
    const x = g.x(trace.t[i] as number);
    const before = lastX.get(sort) as Float64Array;
    if (x - (before[lane] as number) < cullPx) continue;
    before[lane] = x;
    bySort.get(sort)?.push(i);
  }
  for (const i of loaded.index.lifeEvents) {
    if (i < visible.first || i >= visible.last || (laneOf[trace.node[i] as number] ?? -1) < 0)
      continue;
    bySort.get(trace.kind[i] === Kind.violation ? "violation" : "life")?.push(i);
  }
  const small = g.resolution > 4000 || g.laneHeight < 20;
  for (const sort of sorts) drawSort(ctx, loaded, sort, bySort.get(sort) ?? [], g, palette, small);
}

function drawSort(
  ctx: Ctx,
  loaded: Loaded,
  sort: Sort,
  events: readonly number[],
  g: Geometry,
  palette: Palette,
  small: boolean,
): void {
  if (events.length === 0) return;
  const { trace } = loaded;
  const room = (g.lanes * (g.right - g.left)) / shapePx;
  const dense = events.length > Math.min(maxShapes, room);
  const place = (i: number): [number, number] => [
    g.x(trace.t[i] as number),
    g.y(trace.node[i] as number),
  ];
  switch (sort) {
    case "member":
      for (const i of events) {
        const [x, y] = place(i);
        stateGlyph(
          ctx,
          stateNames[trace.label[i] as number] ?? "unknown",
          x,
          y - (small ? 7 : 11),
          small ? 2.5 : 4,
          palette,
        );
      }
      break;
    case "applyGossip":
    case "applySync":
      drawApplies(ctx, sort, events.map(place), small ? 2.5 : 3.5, dense, palette);
      break;
    case "buffer":
      ctx.strokeStyle = palette.soft;
      ctx.lineWidth = 1.25;
      ctx.beginPath();
      for (const [x, y] of events.map(place)) circle(ctx, x, y, small ? 2 : 3);
      ctx.stroke();
      break;
    case "commit":
      ctx.fillStyle = palette.commit;
      if (dense) for (const [x, y] of events.map(place)) ctx.fillRect(x, y - 5, 1, 10);
      else
        drawShapes(ctx, events.map(place), palette, (x, y) => diamond(ctx, x, y, small ? 4.5 : 6));
      break;
    case "life":
      for (const i of events) drawLife(ctx, trace.kind[i] as number, ...place(i), palette);
      break;
    case "violation":
      for (const i of events) drawViolation(ctx, ...place(i), palette);
  }
}

/** Gossip brings circles, sync squares. */
function drawApplies(
  ctx: Ctx,
  sort: "applyGossip" | "applySync",
  places: readonly (readonly [number, number])[],
  r: number,
  dense: boolean,
  palette: Palette,
): void {
  ctx.fillStyle = sort === "applyGossip" ? palette.planes.gossip : palette.planes.sync;
  if (dense) {
    // Below the lane, where commits do not hide them.
    for (const [x, y] of places) ctx.fillRect(x, y + 6, 1, 4);
    return;
  }
  drawShapes(ctx, places, palette, (x, y) => {
    if (sort === "applyGossip") circle(ctx, x, y, r);
    else ctx.rect(x - r, y - r, r * 2, r * 2);
  });
}

/**
 * Shapes with a halo that keeps neighbours apart. Each is filled by itself: one path of a thousand
 * overlapping shapes takes ten times as long.
 */
function drawShapes(
  ctx: Ctx,
  places: readonly (readonly [number, number])[],
  { panel }: Palette,
  shape: (x: number, y: number) => void,
): void {
  ctx.strokeStyle = panel;
  ctx.lineWidth = 1.5;
  const halo = places.length <= maxHalos;
  for (const [x, y] of places) {
    ctx.beginPath();
    shape(x, y);
    if (halo) ctx.stroke();
    ctx.fill();
  }
}

function drawLife(ctx: Ctx, kind: number, x: number, y: number, palette: Palette): void {
  ctx.lineWidth = 2;
  const gone = kind === Kind.crash || kind === Kind.pause || kind === Kind.leave;
  ctx.strokeStyle = kind === Kind.crash ? palette.drop : palette.copper;
  ctx.fillStyle = palette.states.alive;
  ctx.beginPath();
  if (kind === Kind.crash) cross(ctx, x, y, 5);
  else if (gone) {
    ctx.moveTo(x - 2.5, y - 6);
    ctx.lineTo(x - 2.5, y + 6);
    ctx.moveTo(x + 2.5, y - 6);
    ctx.lineTo(x + 2.5, y + 6);
  } else {
    ctx.moveTo(x - 4, y - 6);
    ctx.lineTo(x + 6, y);
    ctx.lineTo(x - 4, y + 6);
    ctx.closePath();
    ctx.fill();
    return;
  }
  ctx.stroke();
}

function drawViolation(ctx: Ctx, x: number, y: number, palette: Palette): void {
  ctx.fillStyle = palette.drop;
  ctx.beginPath();
  triangle(ctx, x, y, 9);
  ctx.fill();
  ctx.fillStyle = palette.panel;
  ctx.font = font(10, 600);
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText("!", x, y + 2);
}

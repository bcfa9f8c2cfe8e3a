/** The cluster at the cursor: nodes as an observer sees them, partitions as hulls, messages moving. */
import { polygonHull } from "d3-polygon";
import type { Ctx, Size } from "../../draw/ctx.ts";
import { font, planeDash, type Palette } from "../../draw/palette.ts";
import { circle, cross, hatch, stateGlyph } from "../../draw/shapes.ts";
import { behind } from "../../model/convergence.ts";
import { formatCount } from "../../model/format.ts";
import { Kind, planeNames, State, type StateName, stateNames } from "../../model/kinds.ts";
import { viewOf } from "../../model/members.ts";
import { bandsAt, type NodeStatus, statusesAt } from "../../model/timeline.ts";
import { nodeName } from "../../model/trace.ts";
import { eventsOf } from "../../model/trace-index.ts";
import { CanvasView } from "../canvas-view.ts";
import { visibleMessages } from "../space-time/messages.ts";
import type { Actions, Scene } from "../view.ts";
import { type Frame, type Places, placeNodes, worldProjection } from "./layout.ts";
import { treeLinks } from "./links.ts";
import { landDots } from "./world.ts";

/** A delivered message fades over this long of real time, at the playback's speed. */
const trailMs = 60;
const shortestTrailUs = 4000;
const maxMessages = 1500;

interface Look {
  readonly state: StateName;
  readonly status: NodeStatus | "up";
  readonly incarnation: number;
}

export class ClusterView extends CanvasView {
  #places: Places | null = null;
  #placesKey: readonly unknown[] = [];
  #land: readonly (readonly [number, number])[] | null = null;
  #hovered = -1;

  constructor(actions: Actions) {
    super(
      actions,
      "cluster",
      "Cluster: nodes and the messages between them at the time of the cursor",
    );
    this.root.addEventListener("pointermove", (event) => this.#hover(event));
    this.root.addEventListener("pointerleave", () => this.#setHovered(-1, 0, 0));
    this.root.addEventListener("click", (event) => this.#click(event));
  }

  protected baseKey({ loaded, state }: Scene): readonly unknown[] {
    return [loaded, state.layout];
  }

  protected drawBase(ctx: Ctx, size: Size, scene: Scene): void {
    const { palette, state, loaded } = scene;
    ctx.fillStyle = palette.panel;
    ctx.fillRect(0, 0, size.width, size.height);
    const frame: Frame = { left: 0, top: 0, width: size.width, height: size.height };
    const key = [loaded, state.layout, size.width, size.height];
    if (key.some((part, i) => part !== this.#placesKey[i])) {
      this.#places = placeNodes(loaded, state.layout, frame);
      this.#placesKey = key;
    }
    if (state.layout === "map") this.#drawWorld(ctx, frame, palette);
  }

  #drawWorld(ctx: Ctx, frame: Frame, palette: Palette): void {
    this.#land ??= landDots(3);
    const project = worldProjection(frame);
    const r = Math.max(1, Math.min(3, frame.width / 420));
    ctx.fillStyle = palette.faint;
    ctx.beginPath();
    for (const [longitude, latitude] of this.#land) {
      const at = project([longitude, latitude]);
      if (at !== null) circle(ctx, at[0], at[1], r);
    }
    ctx.fill();
  }

  protected drawOverlay(ctx: Ctx, size: Size, scene: Scene): void {
    const places = this.#places;
    if (places === null) return;
    this.#drawHulls(ctx, scene, places);
    if (scene.state.tree) this.#drawTree(ctx, scene, places);
    this.#drawMessages(ctx, scene, places);
    const looks = looksOf(scene);
    for (const n of scene.loaded.lanes) this.#drawNode(ctx, scene, places, n, looks[n] as Look);
    drawLegend(ctx, size, scene, looks);
  }

  #drawHulls(ctx: Ctx, { loaded, state, palette }: Scene, { x, y, radius }: Places): void {
    for (const band of bandsAt(loaded.index.timeline, state.t)) {
      for (const [i, group] of band.groups.entries()) {
        const points: [number, number][] = [];
        for (const n of group) {
          if (Number.isNaN(x[n] ?? Number.NaN)) continue;
          for (let k = 0; k < 12; k++) {
            const angle = (k / 12) * Math.PI * 2;
            const out = radius + 16;
            points.push([
              (x[n] as number) + Math.cos(angle) * out,
              (y[n] as number) + Math.sin(angle) * out,
            ]);
          }
        }
        const hull = polygonHull(points);
        if (hull === null) continue;
        const colour = palette.series[i % palette.series.length] ?? palette.ink;
        ctx.beginPath();
        for (const [k, [px, py]] of hull.entries()) {
          if (k === 0) ctx.moveTo(px, py);
          else ctx.lineTo(px, py);
        }
        ctx.closePath();
        ctx.fillStyle = colour;
        ctx.globalAlpha = 0.1;
        ctx.fill();
        ctx.globalAlpha = 0.85;
        ctx.strokeStyle = colour;
        ctx.lineWidth = 1.5;
        ctx.setLineDash(i % 2 === 0 ? [7, 4] : [2, 4]);
        ctx.stroke();
        ctx.setLineDash([]);
        ctx.globalAlpha = 1;
        const [lx, ly] = hull.reduce((top, point) => (point[1] < top[1] ? point : top));
        ctx.fillStyle = colour;
        ctx.font = font(12, 600);
        ctx.textAlign = "center";
        ctx.textBaseline = "bottom";
        ctx.fillText(`side ${String.fromCharCode(65 + (i % 26))}`, lx, ly - 3);
      }
    }
  }

  #drawTree(ctx: Ctx, { loaded, state, palette }: Scene, { x, y, radius }: Places): void {
    const links = treeLinks(loaded, state.event, state.t);
    for (const eager of [false, true]) {
      ctx.strokeStyle = eager ? palette.planes.gossip : palette.soft;
      ctx.globalAlpha = eager ? 0.55 : 0.3;
      ctx.lineWidth = eager ? 2 : 1;
      ctx.setLineDash(eager ? [] : [2, 4]);
      ctx.beginPath();
      for (const link of links) {
        if (link.eager !== eager) continue;
        // Both directions of a link lie side by side.
        const [x0, y0, x1, y1] = [x[link.from], y[link.from], x[link.to], y[link.to]] as [
          number,
          number,
          number,
          number,
        ];
        const length = Math.hypot(x1 - x0, y1 - y0);
        if (!(length > radius * 2)) continue;
        const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
        const side = 3;
        const r = radius + 2;
        ctx.moveTo(x0 + ux * r - uy * side, y0 + uy * r + ux * side);
        const [tx, ty] = [x1 - ux * r - uy * side, y1 - uy * r + ux * side];
        ctx.lineTo(tx, ty);
        if (!eager) continue;
        ctx.moveTo(tx - ux * 6 - uy * 3, ty - uy * 6 + ux * 3);
        ctx.lineTo(tx, ty);
      }
      ctx.stroke();
    }
    ctx.setLineDash([]);
    ctx.globalAlpha = 1;
  }

  #drawMessages(ctx: Ctx, scene: Scene, { x, y, radius }: Places): void {
    const { loaded, state, palette } = scene;
    const { trace } = loaded;
    const trail = Math.max(shortestTrailUs, state.speed * trailMs * 1000);
    const { outcomes } = visibleMessages(loaded, state.t - trail, state.t + 1, state.planes);
    const stride = Math.max(1, Math.ceil(outcomes.length / maxMessages));
    for (let k = 0; k < outcomes.length; k += stride) {
      const end = outcomes[k] as number;
      const send = trace.ref[end] as number;
      if (send < 0) continue;
      const [n, to] = [trace.node[send] as number, trace.peer[send] as number];
      const [x0, y0, x1, y1] = [x[n], y[n], x[to], y[to]] as [number, number, number, number];
      const length = Math.hypot(x1 - x0, y1 - y0);
      if (!(length > 1)) continue;
      const sent = trace.t[send] as number;
      const arrives = trace.t[end] as number;
      const done = Math.min(1, (state.t - sent) / Math.max(1, arrives - sent));
      if (done < 0) continue;
      const dropped = trace.kind[end] === Kind.drop;
      // Without motion a message is its whole way at once.
      const share = dropped ? Math.min(done, 0.5) : scene.reducedMotion ? 1 : done;
      const age = Math.max(0, state.t - arrives) / trail;
      const plane = planeNames[trace.labels[trace.label[end] as number]?.plane ?? -1] ?? "other";
      const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
      const way = Math.max(0, length - radius * 2);
      const [sx, sy] = [x0 + ux * radius, y0 + uy * radius];
      const [hx, hy] = [sx + ux * way * share, sy + uy * way * share];
      ctx.globalAlpha = 0.75 * (1 - age);
      ctx.strokeStyle = palette.planes[plane];
      ctx.fillStyle = palette.planes[plane];
      ctx.lineWidth = 1.5;
      ctx.setLineDash(planeDash[plane]);
      ctx.beginPath();
      ctx.moveTo(sx, sy);
      ctx.lineTo(hx, hy);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.beginPath();
      if (dropped && share >= 0.5) {
        ctx.strokeStyle = palette.drop;
        ctx.lineWidth = 2;
        cross(ctx, hx, hy, 4);
        ctx.stroke();
      } else if (done < 1) {
        ctx.globalAlpha = 1;
        circle(ctx, hx, hy, 3.5);
        ctx.fill();
      }
    }
    ctx.globalAlpha = 1;
  }

  #drawNode(ctx: Ctx, scene: Scene, places: Places, n: number, look: Look): void {
    const { palette, state, loaded } = scene;
    const [x, y] = [places.x[n] as number, places.y[n] as number];
    const r = places.radius;
    const absent = look.status === "absent";
    ctx.globalAlpha = absent ? 0.3 : 1;
    ctx.beginPath();
    circle(ctx, x, y, r);
    ctx.fillStyle = palette.panel;
    ctx.fill();
    ctx.strokeStyle = palette.states[look.state];
    ctx.lineWidth = r > 8 ? 3 : 1.5;
    ctx.stroke();
    if (look.status === "crashed" || look.status === "paused") {
      ctx.save();
      ctx.beginPath();
      circle(ctx, x, y, r - 1);
      ctx.clip();
      const colour = look.status === "crashed" ? palette.drop : palette.states.suspect;
      hatch(ctx, x - r, y - r, r * 2, r * 2, colour, look.status === "crashed" ? 1 : -1, 5);
      ctx.restore();
    }
    if (r >= 5) stateGlyph(ctx, look.state, x, y, Math.min(7, r * 0.42), palette);
    if (state.observer === n) ring(ctx, x, y, r + 5, palette.copper, [3, 2]);
    if (state.selection?.type === "node" && state.selection.n === n)
      ring(ctx, x, y, r + 5, palette.accent, []);
    if (this.#hovered === n) ring(ctx, x, y, r + 3, palette.ink, []);
    ctx.globalAlpha = 1;
    const told = state.observer === n || this.#hovered === n;
    if (!places.named && !told) return;
    const lag = behind(loaded.index.heldSteps, n, state.event);
    ctx.font = font(12, 600);
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    const name = nodeName(loaded.trace, n);
    const wide = ctx.measureText(name).width;
    ctx.fillStyle = palette.panel;
    ctx.globalAlpha = 0.75;
    ctx.fillRect(x - wide / 2 - 3, y + r + 3, wide + 6, 15);
    ctx.globalAlpha = 1;
    ctx.fillStyle = palette.ink;
    ctx.fillText(name, x, y + r + 5);
    if (lag === 0 || absent || r < 12) return;
    ctx.font = font(10.5);
    ctx.fillStyle = palette.soft;
    ctx.fillText(`−${formatCount(lag)}`, x, y + r + 19);
  }

  #nodeAt(px: number, py: number): number {
    const { scene } = this;
    const places = this.#places;
    if (scene === null || places === null) return -1;
    let best = -1;
    let distance = Math.max(12, places.radius + 4);
    for (const n of scene.loaded.lanes) {
      const d = Math.hypot((places.x[n] as number) - px, (places.y[n] as number) - py);
      if (d < distance) {
        distance = d;
        best = n;
      }
    }
    return best;
  }

  #hover(event: PointerEvent): void {
    const box = this.root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    this.#setHovered(this.#nodeAt(x, y), x, y);
  }

  #setHovered(n: number, x: number, y: number): void {
    const { scene } = this;
    if (n >= 0 && scene !== null) this.tip(x, y, tipLines(scene, n));
    else this.tip(0, 0, null);
    this.root.style.setProperty("cursor", n >= 0 ? "pointer" : "");
    if (n === this.#hovered) return;
    this.#hovered = n;
    this.drawSoon();
  }

  #click(event: MouseEvent): void {
    const box = this.root.getBoundingClientRect();
    const n = this.#nodeAt(event.clientX - box.left, event.clientY - box.top);
    this.actions.select(n < 0 ? null : { type: "node", n });
  }
}

function ring(ctx: Ctx, x: number, y: number, r: number, colour: string, dash: number[]): void {
  ctx.beginPath();
  circle(ctx, x, y, r);
  ctx.strokeStyle = colour;
  ctx.lineWidth = 2;
  ctx.setLineDash(dash);
  ctx.stroke();
  ctx.setLineDash([]);
}

const realState: Readonly<Record<NodeStatus | "up", StateName>> = {
  up: "alive",
  crashed: "down",
  paused: "suspect",
  left: "left",
  absent: "unknown",
};

/** How each node looks: as it is, or as the observer believes. */
export function looksOf({ loaded, state }: Scene): Look[] {
  const { trace, index } = loaded;
  const statuses = statusesAt(index.timeline, trace.nodes.length, state.t);
  const { observer } = state;
  if (observer < 0 || observer >= trace.nodes.length)
    return statuses.map((status) => ({ status, state: realState[status], incarnation: -1 }));
  const beliefs = viewOf(trace, eventsOf(index, observer), state.event);
  return statuses.map((status, n) => {
    if (n === observer) return { status, state: realState[status], incarnation: -1 };
    const event = beliefs[n] as number;
    const code = event < 0 ? State.unknown : (trace.label[event] as number);
    return {
      status,
      state: stateNames[code] ?? "unknown",
      incarnation: event < 0 ? -1 : (trace.value[event] as number),
    };
  });
}

function tipLines(scene: Scene, n: number): string[] {
  const { loaded, state } = scene;
  const look = looksOf(scene)[n] as Look;
  const lag = behind(loaded.index.heldSteps, n, state.event);
  const name = nodeName(loaded.trace, n);
  const region = loaded.trace.nodes[n]?.region ?? "";
  return [
    region === "" ? name : `${name} · ${region}`,
    look.status === "up" ? "running" : look.status,
    ...(state.observer >= 0 && state.observer !== n
      ? [
          `${nodeName(loaded.trace, state.observer)} holds it to be ${look.state}${look.incarnation >= 0 ? `, incarnation ${look.incarnation}` : ""}`,
        ]
      : []),
    lag === 0 ? "holds every version" : `${formatCount(lag)} versions behind`,
  ];
}

function drawLegend(
  ctx: Ctx,
  size: Size,
  { state, loaded, palette }: Scene,
  looks: readonly Look[],
): void {
  const counts = new Map<StateName, number>();
  for (const n of loaded.lanes) {
    const name = (looks[n] as Look).state;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  if (state.layout === "map") {
    // The map's dots lie below.
    ctx.fillStyle = palette.panel;
    ctx.globalAlpha = 0.85;
    ctx.fillRect(6, 6, 140, 18 * (counts.size + (state.tree ? 4 : 2)) + 6);
    ctx.globalAlpha = 1;
  }
  ctx.font = font(11);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  let y = 18;
  ctx.fillStyle = palette.soft;
  const whose =
    state.observer < 0 ? "as they are" : `as ${nodeName(loaded.trace, state.observer)} sees them`;
  if (size.width > 360) {
    ctx.fillText(whose, 14, y);
    y += 18;
  }
  for (const name of stateNames) {
    const count = counts.get(name) ?? 0;
    if (count === 0) continue;
    stateGlyph(ctx, name, 20, y, 5, palette);
    ctx.fillStyle = palette.ink;
    ctx.font = font(11);
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(`${count} ${state.observer < 0 && name === "alive" ? "running" : name}`, 32, y);
    y += 17;
  }
  const notes: (readonly [string, readonly number[] | null])[] = [];
  if (loaded.told.some((n) => behind(loaded.index.heldSteps, n, state.event) > 0))
    notes.push(["−3: versions behind", null]);
  if (state.tree) notes.push(["eager: gets versions", []], ["lazy: is told of them", [1.5, 4]]);
  if (size.width <= 360) return;
  for (const [text, dash] of notes) {
    ctx.fillStyle = palette.soft;
    ctx.fillText(text, dash === null ? 14 : 38, y);
    if (dash !== null) drawSample(ctx, y, dash, palette);
    y += 17;
  }
}

/** A link of the broadcast tree as it is drawn between nodes. */
function drawSample(ctx: Ctx, y: number, dash: readonly number[], palette: Palette): void {
  ctx.strokeStyle = dash.length === 0 ? palette.planes.gossip : palette.soft;
  ctx.lineWidth = dash.length === 0 ? 2 : 1;
  ctx.setLineDash([...dash]);
  ctx.beginPath();
  ctx.moveTo(14, y);
  ctx.lineTo(32, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

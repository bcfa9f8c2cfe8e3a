/** Space-time: a lane a node, time to the right, messages as lines from send to receive. */
import type { AppState } from "../../app/state.ts";
import type { Ctx, Size } from "../../draw/ctx.ts";
import { font } from "../../draw/palette.ts";
import { circle } from "../../draw/shapes.ts";
import { buildCone, type Cone, outcomesOf } from "../../model/causality.ts";
import { fieldsOf, titleOf } from "../../model/describe.ts";
import { formatTime } from "../../model/format.ts";
import { Kind } from "../../model/kinds.ts";
import { isMessage } from "../../model/trace.ts";
import { CanvasView } from "../canvas-view.ts";
import { attachGestures } from "../time-gestures.ts";
import type { Actions, Scene } from "../view.ts";
import { drawDensity } from "./density.ts";
import { drawLanes } from "./draw-lanes.ts";
import { drawMarks } from "./draw-marks.ts";
import { drawMessages, lineOf } from "./draw-messages.ts";
import { Geometry } from "./geometry.ts";
import { type VisibleMessages, visibleMessages } from "./messages.ts";
import { pick } from "./pick.ts";

const labelFont = font(12, 600);

export class SpaceTimeView extends CanvasView {
  #geometry: Geometry | null = null;
  #visible: VisibleMessages | null = null;
  #hovered = -1;
  #cone: Cone | null = null;
  #gutter = { trace: null as unknown, width: 60 };

  constructor(actions: Actions) {
    super(
      actions,
      "spacetime",
      "Space-time diagram: a lane for each node, time from left to right",
    );
    attachGestures(this.root, {
      area: () => this.#geometry,
      zoom: (from, to) => actions.zoom(from, to),
      hover: (x, y) => this.#hover(x, y),
      leave: () => this.#hover(-1, -1),
      click: (x, y) => this.#click(x, y),
      scroll: (dy) => this.#scrollBy(dy),
    });
  }

  override update(scene: Scene): void {
    if (scene.loaded !== this.scene?.loaded) {
      this.#hovered = -1;
      this.#cone = null;
    }
    super.update(scene);
  }

  protected baseKey({ loaded, state }: Scene): readonly unknown[] {
    return [loaded, state.from, state.to, state.planes, state.scroll];
  }

  protected drawBase(ctx: Ctx, size: Size, scene: Scene): void {
    const { loaded, state, palette } = scene;
    const g = new Geometry(loaded, state, size, this.#gutterOf(ctx, scene));
    const visible = visibleMessages(loaded, state.from, state.to, state.planes);
    this.#geometry = g;
    this.#visible = visible;
    // Read by the bench of the drawing speed.
    this.root.dataset["sampled"] = visible.sampled ? "yes" : "no";
    this.root.dataset["marks"] = String(visible.last - visible.first);
    drawLanes(ctx, size, loaded, g, palette);
    ctx.save();
    ctx.beginPath();
    ctx.rect(g.left, g.top - 4, g.right - g.left, g.bottom - g.top + 10);
    ctx.clip();
    if (visible.sampled) drawDensity(ctx, loaded, visible, state.planes, g, palette);
    drawMessages(ctx, loaded, visible, g, palette);
    drawMarks(ctx, loaded, visible, g, palette);
    ctx.restore();
  }

  /** Wide enough for the longest name. */
  #gutterOf(ctx: Ctx, { loaded }: Scene): number {
    if (this.#gutter.trace === loaded.trace) return this.#gutter.width;
    ctx.font = labelFont;
    let width = 30;
    for (const { name, region } of loaded.trace.nodes)
      width = Math.max(width, ctx.measureText(name.length > region.length ? name : region).width);
    this.#gutter = { trace: loaded.trace, width: Math.min(160, Math.ceil(width) + 22) };
    return this.#gutter.width;
  }

  protected drawOverlay(ctx: Ctx, size: Size, scene: Scene): void {
    const g = this.#geometry;
    if (g === null) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(g.left, 0, g.right - g.left, size.height);
    ctx.clip();
    this.#drawLoop(ctx, g, scene);
    this.#drawSelection(ctx, g, scene);
    if (this.#hovered >= 0) this.#highlight(ctx, g, scene, this.#hovered, scene.palette.ink, 2);
    ctx.restore();
    drawCursor(ctx, g, scene);
  }

  #drawLoop(ctx: Ctx, g: Geometry, { state, palette }: Scene): void {
    if (state.loop === null) return;
    const [from, to] = state.loop;
    ctx.fillStyle = palette.accent;
    ctx.globalAlpha = 0.08;
    ctx.fillRect(g.x(from), 0, g.x(to) - g.x(from), g.bottom);
    ctx.globalAlpha = 1;
  }

  #drawSelection(ctx: Ctx, g: Geometry, scene: Scene): void {
    const { selection } = scene.state;
    if (selection?.type === "node") {
      ctx.fillStyle = scene.palette.accent;
      ctx.globalAlpha = 0.1;
      ctx.fillRect(g.left, g.y(selection.n) - g.laneHeight / 2, g.right - g.left, g.laneHeight);
      ctx.globalAlpha = 1;
    }
    if (selection?.type !== "event" || selection.event >= scene.loaded.trace.count) return;
    this.#drawCone(ctx, g, scene, selection.event);
    this.#highlight(ctx, g, scene, selection.event, scene.palette.accent, 3);
  }

  /** What the event can know of (accent) and what it can have caused (copper), lane by lane. */
  #drawCone(ctx: Ctx, g: Geometry, { loaded, palette }: Scene, event: number): void {
    const { trace } = loaded;
    if (this.#cone?.event !== event) this.#cone = buildCone(trace, event);
    const { past, future } = this.#cone;
    const half = Math.min(g.laneHeight / 2, 48);
    for (const n of loaded.lanes) {
      const y = g.y(n);
      const last = past[n] as number;
      const next = future[n] as number;
      ctx.globalAlpha = palette.dark ? 0.16 : 0.12;
      if (last >= 0) {
        ctx.fillStyle = palette.accent;
        const x = Math.min(g.right, g.x(trace.t[last] as number));
        if (x > g.left) ctx.fillRect(g.left, y - half, x - g.left, half * 2);
      }
      if (next < trace.count) {
        ctx.fillStyle = palette.copper;
        const x = Math.max(g.left, g.x(trace.t[next] as number));
        if (x < g.right) ctx.fillRect(x, y - half, g.right - x, half * 2);
      }
    }
    ctx.globalAlpha = 1;
  }

  #highlight(
    ctx: Ctx,
    g: Geometry,
    scene: Scene,
    event: number,
    colour: string,
    width: number,
  ): void {
    const { loaded } = scene;
    const { trace } = loaded;
    const kind = trace.kind[event] as number;
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    if (isMessage(kind)) {
      const ends = kind === Kind.send ? outcomesOf(trace, event) : [event];
      ctx.beginPath();
      for (const end of ends) {
        const line = lineOf(loaded, end, g);
        if (line === null) continue;
        ctx.moveTo(line.x0, line.y0);
        ctx.lineTo(line.x1, line.y1);
      }
      ctx.stroke();
    }
    const n = trace.node[event] as number;
    const x = g.x(trace.t[event] as number);
    if (n < 0) {
      ctx.beginPath();
      ctx.moveTo(x, g.top);
      ctx.lineTo(x, g.bottom);
      ctx.stroke();
      return;
    }
    ctx.fillStyle = scene.palette.panel;
    ctx.beginPath();
    // A drop is seen where its line is cut, not on a lane.
    const line = kind === Kind.drop ? lineOf(loaded, event, g) : null;
    if (line === null) circle(ctx, x, g.y(n) - (kind === Kind.member ? 11 : 0), 8);
    else circle(ctx, line.x1, line.y1, 8);
    ctx.lineWidth = 2;
    ctx.stroke();
  }

  #hover(x: number, y: number): void {
    const { scene } = this;
    const g = this.#geometry;
    const visible = this.#visible;
    let event = -1;
    if (scene !== null && g !== null && visible !== null && x >= g.left && y >= g.top - 4)
      event = pick(scene.loaded, visible, g, x, y);
    if (scene !== null && event >= 0) this.tip(x, y, tipLines(scene, event));
    else this.tip(0, 0, null);
    this.root.style.setProperty("cursor", event >= 0 ? "pointer" : "");
    if (event === this.#hovered) return;
    this.#hovered = event;
    this.drawSoon();
  }

  #click(x: number, y: number): void {
    const { scene } = this;
    const g = this.#geometry;
    const visible = this.#visible;
    if (scene === null || g === null || visible === null) return;
    if (x < g.left) {
      const n = scene.loaded.lanes[g.laneAt(y)];
      if (n !== undefined && y > g.top) this.actions.select({ type: "node", n });
      return;
    }
    const event = y < g.top - 4 ? -1 : pick(scene.loaded, visible, g, x, y);
    if (event >= 0) this.actions.select({ type: "event", event });
    else this.actions.moveTo(g.t(x));
  }

  scrollLanes(by: number): void {
    this.#scrollBy(by * (this.#geometry?.laneHeight ?? 0));
  }

  #scrollBy(dy: number): boolean {
    const g = this.#geometry;
    if (g === null || g.maxScroll === 0) return false;
    this.actions.scroll(dy / g.laneHeight, g.maxScroll / g.laneHeight);
    return true;
  }
}

function tipLines({ loaded }: Scene, event: number): string[] {
  const fields = fieldsOf(loaded.trace, event).slice(0, 6);
  return [
    titleOf(loaded.trace, event),
    ...fields.map(({ name, value }) => `${name} ${value.split("\n")[0]}`),
  ];
}

/** The time cursor: a line through all lanes with its time on the axis. */
function drawCursor(ctx: Ctx, g: Geometry, { state, palette }: Scene): void {
  const x = g.x(state.t);
  if (x < g.left - 1 || x > g.right + 1) return;
  ctx.strokeStyle = palette.accent;
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.moveTo(x, g.top - 6);
  ctx.lineTo(x, g.bottom);
  ctx.stroke();
  const text = formatTime(state.t, cursorResolution(g));
  ctx.font = font(11, 600);
  const width = ctx.measureText(text).width + 12;
  const left = Math.min(g.right - width, Math.max(g.left, x - width / 2));
  ctx.fillStyle = palette.accent;
  ctx.fillRect(left, 3, width, 18);
  ctx.fillStyle = palette.panel;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + width / 2, 12.5);
}

/** Microseconds are told only where they can be seen. */
function cursorResolution(g: Pick<Geometry, "resolution">): AppState["t"] {
  return g.resolution < 50 ? 1 : 1000;
}

/**
 * The whole run on one strip: traffic by plane, faults in force, agreement among the nodes, the
 * window shown and the cursor. Drag to scrub; drag the window's bar or its edges to move or resize it.
 */
import type { AppApi } from "../app/app-api.ts";
import type { Ctx, Size } from "../draw/ctx.ts";
import { font, type Palette } from "../draw/palette.ts";
import { cross, diamond, triangle } from "../draw/shapes.ts";
import { formatTime } from "../model/format.ts";
import type { Mark } from "../model/marks.ts";
import { isNetworkFault } from "../model/timeline.ts";
import { CanvasView } from "../views/canvas-view.ts";
import { tickStep, tickText, timeTicks } from "../views/time-axis.ts";
import type { Scene } from "../views/view.ts";

const pad = 12;
const barHeight = 12;
const agreementHeight = 6;
const axisHeight = 15;
const edgePx = 8;

type Grip = "scrub" | "move" | "from" | "to";

export class Minimap extends CanvasView {
  readonly #app: AppApi;
  #grip: Grip | null = null;
  #pressed = { x: 0, from: 0, to: 0 };

  constructor(app: AppApi) {
    super(app, "minimap", "Time");
    this.#app = app;
    this.root.setAttribute("role", "slider");
    this.root.setAttribute("aria-valuemin", "0");
    this.root.addEventListener("pointerdown", (event) => this.#down(event));
    this.root.addEventListener("pointermove", (event) => this.#move(event));
    for (const type of ["pointerup", "pointercancel"] as const)
      this.root.addEventListener(type, () => {
        this.#grip = null;
      });
    this.root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.root.addEventListener("dblclick", () => app.fit());
  }

  override update(scene: Scene): void {
    super.update(scene);
    this.root.setAttribute("aria-valuemax", String(Math.round(scene.loaded.end)));
    this.root.setAttribute("aria-valuenow", String(Math.round(scene.state.t)));
    this.root.setAttribute("aria-valuetext", formatTime(scene.state.t));
  }

  protected baseKey({ loaded }: Scene): readonly unknown[] {
    return [loaded];
  }

  protected drawBase(ctx: Ctx, size: Size, { loaded, palette }: Scene): void {
    const { end, index } = loaded;
    const top = barHeight + 2;
    const bottom = size.height - axisHeight - agreementHeight - 3;
    for (const band of index.timeline.bands) {
      if (!isNetworkFault(band)) continue;
      const x = this.#x(band.from, end);
      const width = Math.max(1.5, this.#x(band.to, end) - x);
      ctx.globalAlpha = 0.28;
      ctx.fillStyle = palette.fault;
      ctx.fillRect(x, top, width, bottom - top);
      ctx.globalAlpha = 1;
    }
    this.#drawTraffic(ctx, size, loaded.index.traffic, top, bottom, palette);
    this.#drawAgreement(ctx, loaded, bottom + 2, palette);
    this.#drawAxis(ctx, size, end, palette);
    this.#drawMarks(ctx, index.marks, end, bottom, palette);
  }

  #drawTraffic(
    ctx: Ctx,
    size: Size,
    traffic: Scene["loaded"]["index"]["traffic"],
    top: number,
    bottom: number,
    palette: Palette,
  ): void {
    const { bins, messages } = traffic;
    const columns = Math.max(1, Math.min(bins, Math.floor((size.width - 2 * pad) / 2)));
    const planes = [
      palette.planes.swim,
      palette.planes.gossip,
      palette.planes.sync,
      palette.planes.other,
    ];
    const counts = planes.map(() => new Float64Array(columns));
    for (const [plane, column] of counts.entries())
      for (let bin = 0; bin < bins; bin++) {
        const at = Math.floor((bin * columns) / bins);
        column[at] = (column[at] as number) + (messages[plane * bins + bin] as number);
      }
    let most = 1;
    for (let i = 0; i < columns; i++)
      most = Math.max(
        most,
        counts.reduce((sum, column) => sum + (column[i] as number), 0),
      );
    const width = (size.width - 2 * pad) / columns;
    const base = new Float64Array(columns).fill(bottom);
    for (const [plane, column] of counts.entries()) {
      ctx.fillStyle = planes[plane] ?? palette.soft;
      ctx.beginPath();
      for (let i = 0; i < columns; i++) {
        // The square root keeps a quiet stretch visible beside a burst.
        const height = (Math.sqrt((column[i] as number) / most) * (bottom - top)) / 1.6;
        if (height < 0.2) continue;
        const y = Math.max(top, (base[i] as number) - height);
        ctx.rect(pad + i * width, y, Math.max(1, width - 0.5), (base[i] as number) - y);
        base[i] = y;
      }
      ctx.globalAlpha = 0.75;
      ctx.fill();
      ctx.globalAlpha = 1;
    }
  }

  /** One state among running nodes: full; the more there are, the more it turns to the colour of difference. */
  #drawAgreement(ctx: Ctx, loaded: Scene["loaded"], y: number, palette: Palette): void {
    const { t, distinct, live } = loaded.index.agreement;
    for (let i = 0; i < t.length; i++) {
      const x = this.#x(t[i] as number, loaded.end);
      const next = this.#x(i + 1 < t.length ? (t[i + 1] as number) : loaded.end, loaded.end);
      if (next - x < 0.1) continue;
      const states = distinct[i] as number;
      const apart =
        states <= 1 ? 0 : 0.35 + (0.65 * (states - 1)) / Math.max(1, (live[i] as number) - 1);
      ctx.fillStyle = apart === 0 ? palette.states.alive : palette.differs;
      ctx.globalAlpha = apart === 0 ? 0.9 : apart;
      ctx.fillRect(x, y, Math.max(1, next - x), agreementHeight);
    }
    ctx.globalAlpha = 1;
  }

  #drawAxis(ctx: Ctx, size: Size, end: number, palette: Palette): void {
    const step = tickStep(0, end, size.width - 2 * pad, 80);
    ctx.fillStyle = palette.soft;
    ctx.font = font(10.5);
    ctx.textBaseline = "bottom";
    for (const tick of timeTicks(0, end, step)) {
      const x = this.#x(tick, end);
      ctx.textAlign = tick === 0 ? "left" : x > size.width - 40 ? "right" : "center";
      ctx.fillText(tickText(tick, step), tick === 0 ? pad : x, size.height - 1);
    }
  }

  #drawMarks(
    ctx: Ctx,
    marks: readonly Mark[],
    end: number,
    bottom: number,
    palette: Palette,
  ): void {
    let lastX = -100;
    for (const [i, mark] of marks.entries()) {
      const x = this.#x(mark.t, end);
      if (mark.kind !== "violation" && (mark.kind === "divergence" || x - lastX < 4)) continue;
      // Agreement between two writes is no news; what lasts is.
      const apart = marks.slice(i, i + 40).find(({ kind }) => kind === "divergence");
      if (mark.kind === "convergence" && (apart?.t ?? Infinity) - mark.t < end / 50) continue;
      lastX = x;
      const y = bottom - 6;
      ctx.beginPath();
      switch (mark.kind) {
        case "violation":
          ctx.fillStyle = palette.drop;
          triangle(ctx, x, y, 6);
          ctx.fill();
          break;
        case "convergence":
          ctx.fillStyle = palette.states.alive;
          diamond(ctx, x, y, 4.5);
          ctx.fill();
          break;
        case "node":
          ctx.strokeStyle = palette.drop;
          ctx.lineWidth = 1.5;
          cross(ctx, x, y, 3);
          ctx.stroke();
          break;
        default:
          ctx.strokeStyle = palette.fault;
          ctx.lineWidth = 1;
          ctx.moveTo(x, barHeight + 2);
          ctx.lineTo(x, bottom);
          ctx.stroke();
      }
    }
  }

  protected drawOverlay(ctx: Ctx, size: Size, { loaded, state, palette }: Scene): void {
    const { end } = loaded;
    const from = Math.max(pad - 6, this.#x(state.from, end));
    const to = Math.min(size.width - pad + 6, Math.max(this.#x(state.to, end), from + 3));
    const bottom = size.height - axisHeight;
    ctx.fillStyle = palette.panel;
    ctx.globalAlpha = 0.55;
    ctx.fillRect(0, barHeight, from, bottom - barHeight);
    ctx.fillRect(to, barHeight, size.width - to, bottom - barHeight);
    ctx.globalAlpha = 1;
    if (state.loop !== null) {
      ctx.fillStyle = palette.accent;
      ctx.globalAlpha = 0.16;
      const start = this.#x(state.loop[0], end);
      ctx.fillRect(start, barHeight, this.#x(state.loop[1], end) - start, bottom - barHeight);
      ctx.globalAlpha = 1;
    }
    ctx.fillStyle = palette.accent;
    ctx.globalAlpha = 0.35;
    ctx.fillRect(from, 3, to - from, barHeight - 7);
    ctx.strokeStyle = palette.accent;
    ctx.lineWidth = 1;
    ctx.strokeRect(from + 0.5, barHeight - 3.5, Math.max(2, to - from - 1), bottom - barHeight + 3);
    ctx.globalAlpha = 1;
    for (const edge of [from, to]) {
      ctx.fillRect(edge - 1.5, 2, 3, barHeight - 5);
    }
    const x = this.#x(state.t, end);
    ctx.strokeStyle = palette.accent;
    ctx.lineWidth = 2;
    ctx.beginPath();
    ctx.moveTo(x, barHeight - 2);
    ctx.lineTo(x, bottom);
    ctx.stroke();
    ctx.fillStyle = palette.accent;
    ctx.beginPath();
    ctx.moveTo(x - 5.5, barHeight - 6);
    ctx.lineTo(x + 5.5, barHeight - 6);
    ctx.lineTo(x, barHeight + 3);
    ctx.closePath();
    ctx.fill();
  }

  #x(t: number, end: number): number {
    return pad + (t / end) * (this.size.width - 2 * pad);
  }

  #t(x: number): number {
    const end = this.scene?.loaded.end ?? 1;
    return Math.min(end, Math.max(0, ((x - pad) / (this.size.width - 2 * pad)) * end));
  }

  #gripAt(x: number, y: number): Grip {
    const { scene } = this;
    if (scene === null || y > barHeight + 2) return "scrub";
    const from = this.#x(scene.state.from, scene.loaded.end);
    const to = this.#x(scene.state.to, scene.loaded.end);
    if (Math.abs(x - from) < edgePx && to - from > edgePx) return "from";
    if (Math.abs(x - to) < edgePx && to - from > edgePx) return "to";
    return x > from - 4 && x < to + 4 ? "move" : "scrub";
  }

  #down(event: PointerEvent): void {
    const { scene } = this;
    if (scene === null || event.button !== 0) return;
    const box = this.root.getBoundingClientRect();
    const x = event.clientX - box.left;
    this.root.setPointerCapture(event.pointerId);
    this.#grip = this.#gripAt(x, event.clientY - box.top);
    this.#pressed = { x, from: scene.state.from, to: scene.state.to };
    if (this.#grip === "scrub") this.#app.moveTo(this.#t(x));
  }

  #move(event: PointerEvent): void {
    const { scene } = this;
    if (scene === null) return;
    const box = this.root.getBoundingClientRect();
    const x = event.clientX - box.left;
    if (this.#grip === null) {
      const grip = this.#gripAt(x, event.clientY - box.top);
      const cursors = { scrub: "text", move: "grab", from: "ew-resize", to: "ew-resize" } as const;
      this.root.style.setProperty("cursor", cursors[grip]);
      return;
    }
    const by = ((x - this.#pressed.x) / (this.size.width - 2 * pad)) * scene.loaded.end;
    const { from, to } = this.#pressed;
    if (this.#grip === "scrub") this.#app.moveTo(this.#t(x));
    else if (this.#grip === "move") this.#app.zoom(from + by, to + by);
    else if (this.#grip === "from") this.#app.zoom(Math.min(from + by, to - 1), to);
    else this.#app.zoom(from, Math.max(to + by, from + 1));
  }

  #wheel(event: WheelEvent): void {
    const { scene } = this;
    if (scene === null) return;
    event.preventDefault();
    const { from, to } = scene.state;
    const box = this.root.getBoundingClientRect();
    const about = this.#t(event.clientX - box.left);
    const factor = Math.exp(event.deltaY * 0.002);
    const t = about < from || about > to ? (from + to) / 2 : about;
    this.#app.zoom(t - (t - from) * factor, t + (to - t) * factor);
  }
}

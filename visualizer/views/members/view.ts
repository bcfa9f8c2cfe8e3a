/** Membership matrix: a row for each observer, a column for each subject, what the one believes of the other. */
import type { Ctx, Size } from "../../draw/ctx.ts";
import { font, type Palette } from "../../draw/palette.ts";
import { hatch, stateGlyph } from "../../draw/shapes.ts";
import { formatDuration } from "../../model/format.ts";
import { State, type StateName, stateNames } from "../../model/kinds.ts";
import { maxMatrixNodes } from "../../model/members.ts";
import { statusesAt } from "../../model/timeline.ts";
import { nodeName } from "../../model/trace.ts";
import { CanvasView } from "../canvas-view.ts";
import type { Actions, Scene } from "../view.ts";

interface Grid {
  readonly left: number;
  readonly top: number;
  readonly cell: number;
  readonly count: number;
}

const maxCell = 104;
const glyphCell = 13;
const textCell = 34;
const wordCell = 66;
const head = 52;

export class MembersView extends CanvasView {
  #grid: Grid | null = null;
  #hovered: readonly [observer: number, subject: number] | null = null;

  constructor(actions: Actions) {
    super(actions, "members", "Membership matrix: what each node believes of each other");
    this.root.addEventListener("pointermove", (event) => this.#hover(event));
    this.root.addEventListener("pointerleave", () => this.#setHovered(null, 0, 0));
    this.root.addEventListener("click", (event) => this.#click(event));
  }

  protected baseKey({ loaded, state }: Scene): readonly unknown[] {
    return [loaded, state.event, state.observer, state.selection];
  }

  protected drawBase(ctx: Ctx, size: Size, scene: Scene): void {
    const { loaded, state, palette } = scene;
    ctx.fillStyle = palette.panel;
    ctx.fillRect(0, 0, size.width, size.height);
    const count = Math.min(loaded.lanes.length, maxMatrixNodes);
    ctx.font = font(12, 600);
    const names = loaded.lanes.map((n) => nodeName(loaded.trace, n));
    const widest = names.reduce((most, name) => Math.max(most, ctx.measureText(name).width), 0);
    const left = Math.min(120, widest + 34);
    const room = Math.min(size.width - left - 16, size.height - head - 34);
    const cell = Math.max(room / Math.max(1, count), 0.25);
    const g: Grid = { left, top: head, cell: Math.min(maxCell, cell), count };
    this.#grid = g;
    loaded.members.moveTo(state.event);
    drawCells(ctx, scene, g);
    drawNames(ctx, scene, g, names);
    drawFrame(ctx, scene, g);
    drawLegend(ctx, scene, g, size, palette);
  }

  protected drawOverlay(ctx: Ctx, _size: Size, { palette }: Scene): void {
    const g = this.#grid;
    if (g === null || this.#hovered === null) return;
    const [observer, subject] = this.#hovered;
    ctx.strokeStyle = palette.ink;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(g.left + subject * g.cell, g.top + observer * g.cell, g.cell, g.cell);
    ctx.globalAlpha = 0.06;
    ctx.fillStyle = palette.ink;
    ctx.fillRect(g.left, g.top + observer * g.cell, g.count * g.cell, g.cell);
    ctx.fillRect(g.left + subject * g.cell, g.top, g.cell, g.count * g.cell);
    ctx.globalAlpha = 1;
  }

  #at(event: MouseEvent): { lane: readonly [number, number]; x: number; y: number } {
    const box = this.root.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const g = this.#grid;
    if (g === null) return { lane: [-1, -1], x, y };
    const place = (at: number): number => {
      const lane = Math.floor(at / g.cell);
      return lane >= 0 && lane < g.count ? lane : -1;
    };
    return { lane: [place(y - g.top), place(x - g.left)], x, y };
  }

  #hover(event: PointerEvent): void {
    const { lane, x, y } = this.#at(event);
    this.#setHovered(lane[0] < 0 || lane[1] < 0 ? null : lane, x, y);
  }

  #setHovered(lane: readonly [number, number] | null, x: number, y: number): void {
    const { scene } = this;
    if (lane === null || scene === null) this.tip(0, 0, null);
    else this.tip(x, y, tipLines(scene, lane));
    this.#hovered = lane;
    this.drawSoon();
  }

  #click(event: MouseEvent): void {
    const { scene } = this;
    if (scene === null) return;
    const { loaded } = scene;
    const { lane } = this.#at(event);
    const [observer, subject] = [loaded.lanes[lane[0]], loaded.lanes[lane[1]]];
    if (observer === undefined && subject === undefined) this.actions.select(null);
    else if (observer === undefined) this.actions.select({ type: "node", n: subject as number });
    else if (subject === undefined) this.actions.set({ observer });
    else {
      const last = loaded.members.last[observer * loaded.members.nodes + subject] as number;
      if (last >= 0) this.actions.select({ type: "event", event: last });
    }
  }
}

function stateName(scene: Scene, observer: number, subject: number): StateName {
  const { trace, members } = scene.loaded;
  const event = members.last[observer * members.nodes + subject] as number;
  return stateNames[event < 0 ? State.unknown : (trace.label[event] as number)] ?? "unknown";
}

/** Backgrounds in runs of equal states, then glyphs and incarnations where they fit. */
function drawCells(ctx: Ctx, scene: Scene, g: Grid): void {
  const { loaded, palette } = scene;
  const { lanes } = loaded;
  const gap = g.cell > 6 ? 1.5 : 0;
  const runs = new Map<StateName, [number, number, number][]>();
  // Where cells are smaller than pixels every k-th observer and subject stands for its neighbours.
  const stride = Math.max(1, Math.floor(1 / g.cell));
  for (let row = 0; row < g.count; row += stride) {
    const observer = lanes[row] as number;
    let start = 0;
    let before: StateName | null = null;
    for (let column = 0; column <= g.count; column += stride) {
      const name = column >= g.count ? null : stateName(scene, observer, lanes[column] as number);
      const next = column === row ? null : name;
      if (next === before && g.cell <= 6) continue;
      if (before !== null) {
        const list = runs.get(before) ?? [];
        list.push([row, start, column]);
        runs.set(before, list);
      }
      start = column;
      before = next;
    }
  }
  for (const [name, list] of runs) {
    ctx.fillStyle = palette.states[name];
    ctx.globalAlpha =
      g.cell < glyphCell ? (name === "alive" ? 0.4 : 0.95) : name === "unknown" ? 0.35 : 0.16;
    ctx.beginPath();
    for (const [row, from, to] of list)
      ctx.rect(
        g.left + from * g.cell + gap / 2,
        g.top + row * g.cell + gap / 2,
        (to - from) * g.cell - gap,
        g.cell * stride - gap,
      );
    ctx.fill();
  }
  ctx.globalAlpha = 1;
  if (g.cell >= glyphCell) drawGlyphs(ctx, scene, g);
}

function drawGlyphs(ctx: Ctx, scene: Scene, g: Grid): void {
  const { loaded, palette } = scene;
  const { lanes, trace, members } = loaded;
  const numbers = g.cell >= textCell;
  const words = g.cell >= wordCell;
  for (let row = 0; row < g.count; row++)
    for (let column = 0; column < g.count; column++) {
      if (row === column) continue;
      const [observer, subject] = [lanes[row] as number, lanes[column] as number];
      const x = g.left + (column + 0.5) * g.cell;
      const y = g.top + (row + 0.5) * g.cell;
      const r = Math.min(9, g.cell * 0.22);
      const name = stateName(scene, observer, subject);
      stateGlyph(ctx, name, x, y - (words ? 16 : numbers ? 6 : 0), r, palette);
      const event = members.last[observer * members.nodes + subject] as number;
      if (!numbers || event < 0) continue;
      ctx.fillStyle = palette.soft;
      ctx.font = font(10.5);
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      if (!words) ctx.fillText(String(trace.value[event]), x, y + 10);
      else {
        ctx.fillStyle = palette.ink;
        ctx.fillText(name, x, y + 6);
        ctx.fillStyle = palette.soft;
        ctx.fillText(`inc ${trace.value[event]}`, x, y + 21);
      }
    }
}

function drawNames(
  ctx: Ctx,
  { loaded, state, palette }: Scene,
  g: Grid,
  names: readonly string[],
): void {
  if (g.cell < 10) return;
  ctx.textBaseline = "middle";
  for (const [lane, n] of loaded.lanes.slice(0, g.count).entries()) {
    const middle = (lane + 0.5) * g.cell;
    const chosen = state.selection?.type === "node" && state.selection.n === n;
    ctx.font = font(Math.min(12, g.cell), 600);
    ctx.fillStyle = n === state.observer ? palette.copper : chosen ? palette.accent : palette.ink;
    ctx.textAlign = "right";
    ctx.fillText(
      n === state.observer ? `◉ ${names[lane]}` : (names[lane] ?? ""),
      g.left - 8,
      g.top + middle,
    );
    if (g.cell < 22) continue;
    ctx.textAlign = "center";
    ctx.fillText(names[lane] ?? "", g.left + middle, g.top - 12);
  }
}

/** The diagonal, and the rows and columns of nodes that are not running. */
function drawFrame(ctx: Ctx, { loaded, state, palette }: Scene, g: Grid): void {
  const statuses = statusesAt(loaded.index.timeline, loaded.trace.nodes.length, state.t);
  const width = g.count * g.cell;
  ctx.globalAlpha = 0.5;
  ctx.fillStyle = palette.lane;
  for (let lane = 0; lane < g.count; lane++)
    ctx.fillRect(g.left + lane * g.cell, g.top + lane * g.cell, g.cell, g.cell);
  ctx.globalAlpha = 1;
  for (const [lane, n] of loaded.lanes.slice(0, g.count).entries()) {
    const status = statuses[n];
    if (status === "up" || g.cell < 4) continue;
    const y = g.top + lane * g.cell;
    hatch(
      ctx,
      g.left,
      y,
      width,
      g.cell,
      status === "crashed" ? palette.drop : palette.soft,
      status === "paused" ? -1 : 1,
      9,
    );
    ctx.strokeStyle = status === "crashed" ? palette.drop : palette.soft;
    ctx.lineWidth = 1;
    ctx.strokeRect(g.left + lane * g.cell + 0.5, g.top + 0.5, g.cell - 1, width - 1);
  }
}

function drawLegend(ctx: Ctx, scene: Scene, g: Grid, size: Size, palette: Palette): void {
  const counts = new Map<StateName, number>();
  const stride = Math.max(1, Math.floor(g.count / 400));
  for (let row = 0; row < g.count; row += stride)
    for (let column = 0; column < g.count; column += stride) {
      if (row === column) continue;
      const name = stateName(
        scene,
        scene.loaded.lanes[row] as number,
        scene.loaded.lanes[column] as number,
      );
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  const y = Math.min(size.height - 12, g.top + g.count * g.cell + 20);
  let x = g.left + 6;
  ctx.font = font(11);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const name of stateNames) {
    const count = (counts.get(name) ?? 0) * stride * stride;
    if (count === 0) continue;
    stateGlyph(ctx, name, x, y, 4.5, palette);
    const text = `${stride > 1 ? "about " : ""}${count} ${name}`;
    ctx.fillStyle = palette.soft;
    ctx.font = font(11);
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(text, x + 10, y);
    x += ctx.measureText(text).width + 30;
  }
  ctx.fillStyle = palette.soft;
  ctx.font = font(11);
  ctx.fillText("rows believe, columns are believed of", g.left, 14);
}

function tipLines(scene: Scene, [row, column]: readonly [number, number]): string[] {
  const { loaded, state } = scene;
  const { trace, members, lanes } = loaded;
  const [observer, subject] = [lanes[row] as number, lanes[column] as number];
  if (row === column) return [nodeName(trace, observer), "itself"];
  const event = members.last[observer * members.nodes + subject] as number;
  const title = `${nodeName(trace, observer)} about ${nodeName(trace, subject)}`;
  if (event < 0) return [title, "has not heard of it"];
  return [
    title,
    `${stateName(scene, observer, subject)}, incarnation ${trace.value[event]}`,
    `for ${formatDuration(state.t - (trace.t[event] as number))}`,
  ];
}

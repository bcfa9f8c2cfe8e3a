/** Convergence: how far apart the nodes are over time, at what cost, and how one write spreads. */
import type { Ctx, Size } from "../../draw/ctx.ts";
import { font } from "../../draw/palette.ts";
import { behind, stepAt } from "../../model/convergence.ts";
import { formatCount, formatTime } from "../../model/format.ts";
import { statusesAt } from "../../model/timeline.ts";
import { lastAt, nodeName } from "../../model/trace.ts";
import { CanvasView } from "../canvas-view.ts";
import { drawTimeAxis } from "../time-axis.ts";
import { attachGestures, type TimeArea } from "../time-gestures.ts";
import type { Actions, Scene } from "../view.ts";
import {
  behindChart,
  type Box,
  bytesChart,
  type Chart,
  drawFaults,
  messagesChart,
  shareChart,
  statesChart,
} from "./panels.ts";
import { chosenWrite, drawReach } from "./reach-chart.ts";

const charts: readonly Chart[] = [shareChart, statesChart, behindChart, messagesChart, bytesChart];
const left = 62;
const right = 16;
const axis = 20;
const gap = 8;
/** A chart lower than this is left out: five stripes say nothing. */
const minChart = 62;

interface Arrangement {
  readonly boxes: readonly Box[];
  readonly reach: Box | null;
  readonly axisY: number;
}

export class ConvergenceView extends CanvasView {
  #arrangement: Arrangement | null = null;
  #hoverX = -1;

  constructor(actions: Actions) {
    super(
      actions,
      "convergence",
      "Convergence: agreement, lag and traffic over time, and the spread of a write",
    );
    attachGestures(this.root, {
      area: () => this.#area(),
      zoom: (from, to) => actions.zoom(from, to),
      hover: (x, y) => this.#hover(x, y),
      leave: () => this.#hover(-1, 0),
      click: (x) => {
        const area = this.#area();
        if (area !== null && x >= area.left) actions.moveTo(area.t(Math.min(x, area.right)));
      },
    });
  }

  #area(): TimeArea | null {
    const { scene, size } = this;
    if (scene === null) return null;
    const { from, to } = scene.state;
    const width = size.width - left - right;
    return {
      from,
      to,
      left,
      right: left + width,
      t: (x) => from + ((x - left) / width) * (to - from),
    };
  }

  protected baseKey(scene: Scene): readonly unknown[] {
    const { loaded, state } = scene;
    return [loaded, state.from, state.to, chosenWrite(scene)];
  }

  protected drawBase(ctx: Ctx, size: Size, scene: Scene): void {
    const { palette, state } = scene;
    ctx.fillStyle = palette.panel;
    ctx.fillRect(0, 0, size.width, size.height);
    const plan = arrange(size);
    this.#arrangement = plan;
    for (const [i, box] of plan.boxes.entries()) {
      const plot = { ...box, top: box.top + 22, height: box.height - 26 };
      drawFaults(ctx, plot, scene);
      charts[i]?.draw(ctx, box, scene);
    }
    drawTimeAxis(
      ctx,
      {
        left,
        right: size.width - right,
        y: plan.axisY,
        gridFrom: plan.axisY - 9,
        gridTo: plan.axisY - 6,
      },
      state.from,
      state.to,
      palette,
    );
    if (plan.reach !== null) drawReach(ctx, plan.reach, scene);
  }

  protected drawOverlay(ctx: Ctx, size: Size, { state, palette }: Scene): void {
    const plan = this.#arrangement;
    if (plan === null) return;
    const width = size.width - left - right;
    const x = left + ((state.t - state.from) / (state.to - state.from)) * width;
    const bottom = plan.axisY - 8;
    const line = (at: number, colour: string, thick: number): void => {
      if (at < left || at > left + width) return;
      ctx.strokeStyle = colour;
      ctx.lineWidth = thick;
      ctx.beginPath();
      ctx.moveTo(at, 4);
      ctx.lineTo(at, bottom);
      ctx.stroke();
    };
    line(x, palette.accent, 1.5);
    if (this.#hoverX >= left) line(this.#hoverX, palette.soft, 0.75);
    ctx.font = font(11, 600);
  }

  #hover(x: number, y: number): void {
    const { scene } = this;
    const area = this.#area();
    const plan = this.#arrangement;
    const inside =
      area !== null && plan !== null && x >= area.left && x <= area.right && y < plan.axisY;
    this.#hoverX = inside ? x : -1;
    if (inside && scene !== null) this.tip(x, y, tipLines(scene, area.t(x)));
    else this.tip(0, 0, null);
    this.drawSoon();
  }
}

/** Charts share the height; the spread of a write takes the last quarter if there is room. */
function arrange(size: Size): Arrangement {
  const reachHeight = size.height > 460 ? Math.max(130, size.height * 0.24) : 0;
  const room = size.height - axis - reachHeight - 10;
  const shown = Math.max(1, Math.min(charts.length, Math.floor(room / (minChart + gap))));
  const height = room / shown - gap;
  const width = size.width - left - right;
  const boxes = Array.from({ length: shown }, (_, i) => ({
    left,
    top: 2 + i * (height + gap),
    width,
    height,
  }));
  const axisY = 2 + shown * (height + gap) + 8;
  const reach =
    reachHeight === 0
      ? null
      : { left, top: axisY + axis, width, height: size.height - axisY - axis - 6 };
  return { boxes, reach, axisY };
}

function tipLines({ loaded }: Scene, t: number): string[] {
  const { index, trace, lanes } = loaded;
  const { agreement, heldSteps } = index;
  const step = stepAt(agreement, t);
  const event = lastAt(trace, t);
  let worst = -1;
  let most = 0;
  const statuses = statusesAt(index.timeline, trace.nodes.length, t);
  for (const n of lanes) {
    if (statuses[n] !== "up") continue;
    const lag = behind(heldSteps, n, event);
    if (lag <= most) continue;
    most = lag;
    worst = n;
  }
  return [
    formatTime(t),
    step < 0
      ? "no state reported yet"
      : `${agreement.final[step]} of ${agreement.live[step]} running nodes at the final state`,
    step < 0 ? "" : `${agreement.distinct[step]} different states`,
    worst < 0
      ? "nobody is behind"
      : `${nodeName(trace, worst)} is furthest behind: ${formatCount(most)} versions`,
  ].filter((line) => line !== "");
}

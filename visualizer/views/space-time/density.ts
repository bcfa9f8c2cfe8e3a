/** Lanes as strips of density, for windows with more events than lines can tell apart. */
import type { Loaded } from "../../app/loaded.ts";
import type { Ctx } from "../../draw/ctx.ts";
import type { Palette } from "../../draw/palette.ts";
import { isMessage } from "../../model/trace.ts";
import type { Geometry } from "./geometry.ts";
import type { VisibleMessages } from "./messages.ts";

/** Rectangles drawn at most: what a frame has time for. */
const maxRectangles = 4_500;
/** Events counted at most; past it every k-th stands for k. */
const maxCounted = 40_000;
const levels = 5;

export function drawDensity(
  ctx: Ctx,
  { trace, laneOf }: Loaded,
  visible: VisibleMessages,
  planes: number,
  g: Geometry,
  palette: Palette,
): void {
  const width = g.right - g.left;
  const [firstLane, lastLane] = g.visibleLanes;
  const lanes = lastLane - firstLane + 1;
  const binPx = Math.max(2, Math.ceil((width * lanes) / maxRectangles));
  const bins = Math.ceil(width / binPx);
  const counts = new Float32Array(lanes * bins);
  const { t, kind, node, label, labels } = trace;
  const shown = Uint8Array.from(labels, ({ plane }) =>
    plane < 0 || (planes & (1 << plane)) !== 0 ? 1 : 0,
  );
  const stride = Math.max(1, Math.ceil((visible.last - visible.first) / maxCounted));
  const scale = bins / (g.to - g.from);
  for (let i = visible.first; i < visible.last; i += stride) {
    if (!isMessage(kind[i] as number) || shown[label[i] as number] === 0) continue;
    const lane = (laneOf[node[i] as number] as number) - firstLane;
    if (lane < 0 || lane >= lanes) continue;
    const bin = Math.min(bins - 1, Math.floor(((t[i] as number) - g.from) * scale));
    const at = lane * bins + bin;
    counts[at] = (counts[at] as number) + 1;
  }
  let most = 1;
  for (const count of counts) if (count > most) most = count;
  const height = Math.max(4, Math.min(18, g.laneHeight * 0.6));
  ctx.fillStyle = palette.soft;
  for (let level = 1; level <= levels; level++) {
    ctx.globalAlpha = 0.06 + (0.3 * level) / levels;
    for (let at = 0; at < counts.length; at++) {
      const count = counts[at] as number;
      if (count === 0 || Math.ceil(Math.sqrt(count / most) * levels) !== level) continue;
      const lane = Math.floor(at / bins);
      ctx.fillRect(
        g.left + (at - lane * bins) * binPx,
        g.laneY(lane + firstLane) - height / 2,
        binPx,
        height,
      );
    }
  }
  ctx.globalAlpha = 1;
}

/** A figure as one SVG document: title, legend, panels in a grid. */
import { type Box, drawAxes, type Scale, xScale, yScale } from "./axes.ts";
import type { Figure, Limit, Panel, Series } from "./figure.ts";
import { drawSeries, symbolAt } from "./marks.ts";
import { ink, paper, soft } from "./palette.ts";
import { element, words } from "./svg.ts";

const width = 980;
const margin = 28;
const gap = 26;
const plainHeight = 330;
/** Long names of bands stand aslant, and need more room. */
const slantedHeight = 356;
/** Room in a panel for its title and axes. */
const inner = { left: 52, right: 14, top: 50, bottom: 78 };
const legendRow = 22;

export function drawFigure(figure: Figure): string {
  const legend = drawLegend(figure, 78);
  const top = 78 + legend.rows * legendRow + 6;
  const panelHeight = figure.panels.some(hasLongNames) ? slantedHeight : plainHeight;
  const rows = Math.ceil(figure.panels.length / figure.columns);
  const height = top + rows * panelHeight + 12;
  const panelWidth = (width - 2 * margin - (figure.columns - 1) * gap) / figure.columns;
  const panels = figure.panels.map((panel, i) => {
    const left = margin + (i % figure.columns) * (panelWidth + gap);
    const y = top + Math.floor(i / figure.columns) * panelHeight;
    return drawPanel(panel, { left, top: y, width: panelWidth, height: panelHeight });
  });
  const head = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${width} ${height}`,
    width,
    height,
    "font-family": "system-ui, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif",
    role: "img",
  };
  return `${element(
    "svg",
    head,
    element("title", {}, figure.title),
    element("rect", { width, height, fill: paper }),
    words({ x: margin, y: 36, "font-size": 19, "font-weight": 600, fill: ink }, figure.title),
    words({ x: margin, y: 57, "font-size": 12.5, fill: soft }, figure.subtitle),
    legend.svg,
    ...panels.map((panel) => `\n${panel}`),
  )}\n`;
}

function hasLongNames({ x }: Panel): boolean {
  return x.categories?.some((name) => name.length > 14) ?? false;
}

/** Each name once, in the order of first appearance. */
function drawLegend(figure: Figure, top: number): { readonly svg: string; readonly rows: number } {
  const seen = new Map<string, Series>();
  for (const { series } of figure.panels) {
    for (const one of series) if (one.name !== "" && !seen.has(one.name)) seen.set(one.name, one);
  }
  let x = margin;
  let row = 0;
  const parts: string[] = [];
  for (const one of seen.values()) {
    // About the width of the letters of a proportional face.
    const needs = 52 + one.name.length * 6.6;
    if (x + needs > width - margin && x > margin) {
      x = margin;
      row++;
    }
    const y = top + row * legendRow + 6;
    parts.push(
      swatch(one, x, y),
      words({ x: x + 28, y: y + 4, "font-size": 12, fill: ink }, one.name),
    );
    x += needs;
  }
  return { svg: parts.join(""), rows: seen.size === 0 ? 0 : row + 1 };
}

function swatch(series: Series, x: number, y: number): string {
  const { colour, kind, dashed = false, shape = "circle" } = series;
  if (kind === "bars") {
    const opacity = dashed ? 0.45 : 0.9;
    return element("rect", {
      x: x + 4,
      y: y - 6,
      width: 14,
      height: 12,
      fill: colour,
      "fill-opacity": opacity,
    });
  }
  const stroke = element("line", {
    x1: x,
    x2: x + 22,
    y1: y,
    y2: y,
    stroke: colour,
    "stroke-width": 2,
    "stroke-dasharray": dashed ? "5 4" : undefined,
  });
  const dot = kind === "curve" ? "" : symbolAt(shape, x + 11, y, colour, dashed);
  return (kind === "dots" ? "" : stroke) + dot;
}

function drawPanel(panel: Panel, outer: Box): string {
  const box = {
    left: outer.left + inner.left,
    top: outer.top + inner.top,
    width: outer.width - inner.left - inner.right,
    height: plainHeight - inner.top - inner.bottom,
  };
  const x = xScale(panel, box);
  const y = yScale(panel, box);
  const title = {
    x: outer.left + 6,
    y: outer.top + 16,
    "font-size": 14,
    "font-weight": 600,
    fill: ink,
  };
  const bars = panel.series.filter(({ kind }) => kind === "bars");
  const grouped = bars.length > 0 ? bars : panel.series;
  return element(
    "g",
    {},
    words(title, panel.title),
    drawAxes(panel, box, x, y),
    ...panel.series.map((series) => {
      const index = Math.max(0, grouped.indexOf(series));
      return drawSeries(series, x, y, box.top + box.height, { index, of: grouped.length });
    }),
    ...(panel.limits ?? []).map((limit) => drawLimit(limit, box, x, y)),
  );
}

function drawLimit({ axis, at, label, labelAt }: Limit, box: Box, x: Scale, y: Scale): string {
  const stroke = { stroke: ink, "stroke-width": 1.2, "stroke-dasharray": "2 3" };
  const text = { "font-size": 11, fill: ink, "font-style": "italic" };
  if (axis === "y") {
    const place = y.at(at);
    const atLeft = labelAt === "left";
    const end = {
      x: atLeft ? box.left + 4 : box.left + box.width - 4,
      y: place - 5,
      "text-anchor": atLeft ? "start" : "end",
    };
    return (
      element("line", { x1: box.left, x2: box.left + box.width, y1: place, y2: place, ...stroke }) +
      words({ ...end, ...text }, label)
    );
  }
  const place = x.at(at);
  return (
    element("line", { x1: place, x2: place, y1: box.top, y2: box.top + box.height, ...stroke }) +
    words({ x: place + 5, y: box.top + 12, ...text }, label)
  );
}

/** Two traces beside each other, and traces and pictures for other tools. */
import { beforeAll, describe, expect, test } from "vitest";
import { SvgContext } from "../../../visualizer/draw/svg.ts";
import { firstDifference, metricsOf } from "../../../visualizer/model/compare.ts";
import { perfettoPieces } from "../../../visualizer/model/perfetto.ts";
import type { Trace } from "../../../visualizer/model/trace.ts";
import { buildIndex } from "../../../visualizer/model/trace-index.ts";
import { commit, readTrace, traceOf } from "./read.ts";
import { syntheticText } from "./synthetic-trace.ts";

const text = syntheticText({ nodes: 3, durationMs: 4000, cut: { fromMs: 1000, toMs: 3000 } });

describe("first difference", () => {
  test("equal traces do not part, even if their headers differ", () => {
    const renamed = text.replace('"scenario":"synthetic"', '"scenario":"other"');
    expect(firstDifference(readTrace(text), readTrace(renamed))).toEqual({ kind: "equal" });
  });

  test("the first event that is another is found", () => {
    const all = text.split("\n");
    const at = all.findIndex((line, i) => i > 40 && line.includes('"k":"send"'));
    const changed = all.with(at, (all[at] ?? "").replace(/"bytes":\d+/, '"bytes":9999'));
    const trace = readTrace(text);
    expect(firstDifference(trace, readTrace(changed.join("\n")))).toEqual({
      kind: "differs",
      event: at - 1,
      t: trace.t[at - 1],
    });
  });

  test("a value written differently is a difference, and so is an earlier end", () => {
    const a = traceOf(commit(1, 0, 1, { cells: [["v", "x"]] }), commit(5, 0, 2));
    const b = traceOf(commit(1, 0, 1, { cells: [["v", "y"]] }), commit(5, 0, 2));
    const c = traceOf(commit(1, 0, 1, { cells: [["v", "x"]] }));
    expect(firstDifference(a, b)).toEqual({ kind: "differs", event: 0, t: 1 });
    expect(firstDifference(a, c)).toEqual({ kind: "differs", event: 1, t: 5 });
  });
});

describe("measures", () => {
  test("count what happened", () => {
    const trace = readTrace(text);
    const metrics = metricsOf(trace, buildIndex(trace));
    const events = text
      .trim()
      .split("\n")
      .slice(1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const count = (kind: string): number => events.filter(({ k }) => k === kind).length;
    expect(metrics).toMatchObject({
      events: events.length,
      commits: count("commit"),
      messages: count("send"),
      dropped: count("drop"),
      violations: 0,
      falseDowns: 0,
    });
    expect(metrics.convergedAfterUs).toBeGreaterThan(0);
    expect(metrics.mostStates).toBeGreaterThan(1);
  });
});

describe("Perfetto", () => {
  let events: { ph: string; pid: number; ts?: number; id?: number; name: string }[];
  let trace: Trace;

  beforeAll(() => {
    trace = readTrace(text);
    const pieces = perfettoPieces(trace, buildIndex(trace), 0, Infinity);
    events = (JSON.parse(pieces.join("")) as { traceEvents: typeof events }).traceEvents;
  });

  test("every message is a flow with its two ends, every node a process", () => {
    const starts = events.filter(({ ph }) => ph === "s").map(({ id }) => id);
    const ends = events.filter(({ ph }) => ph === "f").map(({ id }) => id);
    const sends = trace.kind.filter((kind) => kind === 0).length;
    expect(starts).toHaveLength(sends);
    expect(ends.every((id) => starts.includes(id))).toBe(true);
    const names = events.filter(({ name }) => name === "process_name");
    expect(names.map(({ pid }) => pid).sort((a, b) => a - b)).toEqual([0, 1, 2, 3]);
  });

  test("a window holds its own events only, however few", () => {
    const some = perfettoPieces(trace, buildIndex(trace), 1_000_000, 1_100_000).join("");
    const times = (JSON.parse(some) as { traceEvents: typeof events }).traceEvents
      .filter(({ ph }) => ph === "s" || ph === "f")
      .map(({ ts }) => ts as number);
    expect(times.length).toBeGreaterThan(0);
    expect(Math.min(...times)).toBeGreaterThanOrEqual(1_000_000);
    expect(Math.max(...times)).toBeLessThanOrEqual(1_100_000);
    expect(() =>
      JSON.parse(perfettoPieces(trace, buildIndex(trace), -5, -4).join("")),
    ).not.toThrow();
  });
});

describe("SVG", () => {
  const measure = (font: string, text: string): TextMetrics =>
    ({ width: font.length + text.length }) as TextMetrics;

  test("records shapes, text, clips and opacity as elements", () => {
    const ctx = new SvgContext(measure);
    ctx.translate(10, 20);
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, 0, 5, 5);
    ctx.clip();
    ctx.globalAlpha = 0.5;
    ctx.fillStyle = "#123456";
    ctx.beginPath();
    ctx.arc(0, 0, 3, 0, Math.PI * 2);
    ctx.fill();
    ctx.restore();
    ctx.setLineDash([2, 1]);
    ctx.strokeStyle = "red";
    ctx.beginPath();
    ctx.moveTo(0, 0);
    ctx.lineTo(1.239, 2);
    ctx.stroke();
    ctx.textAlign = "center";
    ctx.fillText('a < "b" & c', 1, 1);
    const svg = ctx.document(100, 50, "#fff", "T & T");
    expect(svg).toContain('<clipPath id="clip0"><path d="M10 20h5v5h-5Z"/></clipPath>');
    expect(svg).toContain(
      '<g opacity="0.5" clip-path="url(#clip0)"><path d="M13 20A3 3 0 0 1 7 20A3 3 0 0 1 13 20"',
    );
    expect(svg).toContain(
      'd="M10 20L11.24 22" fill="none" stroke="red" stroke-width="1" stroke-dasharray="2 1"',
    );
    expect(svg).toContain(">a &#60; &#34;b&#34; &#38; c</text>");
    expect(svg).toContain("<title>T &#38; T</title>");
    expect(svg.match(/<g/g)?.length).toBe(svg.match(/<\/g>/g)?.length);
  });
});

/** The parts of the page that decide without drawing. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseScenario } from "../../../sim/scenario/parse.ts";
import { buildScenario, builtIns } from "../../../sim/scenarios/built-in.ts";
import { forkScenario } from "../../../visualizer/app/fork.ts";
import { keyActions } from "../../../visualizer/app/keys.ts";
import { grownWindow, nextDelivery, wholeWindow } from "../../../visualizer/app/navigation.ts";
import { advance, windowFor } from "../../../visualizer/app/playback.ts";
import { clampWindow } from "../../../visualizer/app/state.ts";
import { darkPalette, lightPalette } from "../../../visualizer/draw/palette.ts";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatShort,
  formatStamp,
  formatTime,
  formatValue,
} from "../../../visualizer/model/format.ts";
import { landDots, regionPlaces } from "../../../visualizer/views/cluster/world.ts";
import { regionNames } from "../../../sim/network/regions.ts";
import { tickStep, tickText, timeTicks } from "../../../visualizer/views/time-axis.ts";
import { traceOf } from "./read.ts";

describe("playback", () => {
  const state = { t: 1_000_000, speed: 2, loop: null };

  test("moves virtual time by speed, and stops at the end", () => {
    expect(advance(state, 16, 9e6)).toEqual({ t: 1_032_000, playing: true });
    expect(advance(state, 16, 1_010_000)).toEqual({ t: 1_010_000, playing: false });
  });

  test("a long frame does not make the cursor jump", () => {
    expect(advance(state, 5000, 9e6).t).toBe(1_200_000);
  });

  test("goes round in a loop", () => {
    expect(advance({ ...state, loop: [500_000, 1_020_000] }, 16, 9e6).t).toBe(500_000);
  });

  test("the window follows a cursor that leaves it, and only then", () => {
    expect(windowFor({ from: 0, to: 100 }, 50)).toBeNull();
    const after = windowFor({ from: 0, to: 100 }, 120);
    expect(after).toEqual([105, 205]);
    expect(windowFor({ from: 0, to: 100 }, -20)?.[0]).toBeLessThan(-20);
  });
});

describe("windows", () => {
  test("never empty, never far outside the run, never longer than it", () => {
    const number = fc.double({ min: -1e9, max: 1e9, noNaN: true });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 1, max: 1e8 }), (from, to, end) => {
        const [start, stop] = clampWindow(from, to, end);
        const margin = Math.max(1, end * 0.02);
        expect(stop).toBeGreaterThan(start);
        expect(start).toBeGreaterThanOrEqual(-margin - 1e-3);
        expect(stop).toBeLessThanOrEqual(end + margin + 1e-3);
      }),
    );
  });

  test("of a live trace grow with it for whoever saw its end", () => {
    expect(grownWindow({ from: -10, to: 1010 }, 1000, 2000)).toEqual(wholeWindow(2000));
    expect(grownWindow({ from: 500, to: 1000 }, 1000, 1300)).toEqual([800, 1300]);
    expect(grownWindow({ from: 100, to: 300 }, 1000, 1300)).toEqual([100, 300]);
  });

  test("the next delivery is the next receive", () => {
    const message = { m: 1, plane: "swim", msg: "ping" };
    const trace = traceOf(
      { t: 1, k: "send", n: 0, to: 1, bytes: 1, ...message },
      { t: 2, k: "recv", n: 1, from: 0, ...message },
      { t: 3, k: "pause", n: 0 },
    );
    expect(nextDelivery(trace, -1, 1)).toBe(1);
    expect(nextDelivery(trace, 1, 1)).toBe(-1);
    expect(nextDelivery(trace, 2, -1)).toBe(1);
  });
});

describe("forks", () => {
  test.each(
    builtIns.filter(({ nodes }) => nodes <= 12).map((builtIn) => [builtIn.name, builtIn] as const),
  )(
    "of %s are valid scenarios, with a fault or a write at the end of the run too",
    (_, builtIn) => {
      const scenario = JSON.parse(JSON.stringify(buildScenario(builtIn))) as Record<
        string,
        unknown
      >;
      const end = scenario["durationMs"] as number;
      for (const atMs of [0.5, end + 4000.123]) {
        const partition = { kind: "partition", atMs, untilMs: atMs + 1500, groups: [[0], [1]] };
        const forks = [
          forkScenario(scenario, { kind: "fault", fault: partition }),
          forkScenario(scenario, { kind: "fault", fault: { kind: "heal", atMs } }),
        ];
        for (const fork of forks) {
          const parsed = parseScenario(fork, "fork");
          expect(parsed.ok ? "" : parsed.error).toBe("");
          expect(fork["name"]).toBe(`${builtIn.name}-fork`);
        }
      }
      const again = forkScenario(
        forkScenario(scenario, { kind: "fault", fault: { kind: "heal", atMs: 1 } }),
        {
          kind: "write",
          node: 0,
          atMs: end,
          table: "kv",
          row: { k: "forked" },
        },
      );
      expect(again["name"]).toBe(`${builtIn.name}-fork`);
      expect(again["durationMs"]).toBe(end);
    },
  );
});

describe("keys", () => {
  test("no key has two meanings", () => {
    const seen = keyActions.flatMap(({ keys, shift }) =>
      keys.flatMap((key) =>
        shift === undefined
          ? [`${key} plain`, `${key} shift`]
          : [`${key} ${shift ? "shift" : "plain"}`],
      ),
    );
    expect(seen.filter((key, i) => seen.indexOf(key) !== i)).toEqual([]);
  });
});

describe("axis", () => {
  test("ticks lie about as far apart as asked, from the whole run to a microsecond", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e11 }),
        fc.integer({ min: 200, max: 3000 }),
        (span, width) => {
          const step = tickStep(0, span, width);
          const spacing = (step / span) * width;
          expect(spacing).toBeGreaterThanOrEqual(89);
          const ticks = timeTicks(0, span, step);
          expect(ticks.length).toBeLessThanOrEqual(width / 80 + 2);
          expect(new Set(ticks.map((tick) => tickText(tick, step))).size).toBe(ticks.length);
        },
      ),
    );
  });

  test.each([
    [0, 1_000_000, "0 s"],
    [12_345_678, 1, "12345.678 ms"],
    [12_340_000, 10_000, "12.34 s"],
    [90_000_000, 15_000_000, "1:30"],
    [3_600_000_000, 600_000_000, "1:00:00"],
  ])("%d µs at step %d reads %s", (us, step, text) => {
    expect(tickText(us, step)).toBe(text);
  });
});

describe("words for numbers", () => {
  test.each([
    [formatTime(12_345_678), "12.346 s"],
    [formatTime(12_345_678, 1), "12.345678 s"],
    [formatTime(62_345_000), "1:02.345"],
    [formatTime(125_000_000, 1_000_000), "2:05"],
    [formatTime(-1500), "−0.002 s"],
    [formatDuration(412), "412 µs"],
    [formatDuration(412_300), "412 ms"],
    [formatDuration(1_250_000), "1.25 s"],
    [formatDuration(185_000_000), "3 min 5 s"],
    [formatDuration(31_536_000_000_000), "365 d"],
    [formatCount(1_234_567), "1,234,567"],
    [formatCount(-1234), "−1,234"],
    [formatShort(1500), "1.5k"],
    [formatBytes(1_234_567), "1.23 MB"],
    [formatStamp(0x19b76daa869, 1), "019b76daa869.0001"],
    [formatValue(null), "NULL"],
    [formatValue("it's"), "'it''s'"],
    [formatValue({ real: 1 }), "1.0"],
    [formatValue({ real: "-inf" }), "−∞"],
    [formatValue({ blob: "00ff" }), "x'00ff'"],
    [formatValue(Uint8Array.of(0, 255)), "x'00ff'"],
    [formatValue(9007199254740993n), "9007199254740993"],
    [formatValue({ add: 3 }), "+3"],
    [formatValue({ add: -3 }), "-3"],
  ])("%s", (told, wanted) => {
    expect(told).toBe(wanted);
  });

  test("long values are cut", () => {
    expect(formatValue("x".repeat(1000))).toHaveLength(200);
  });
});

describe("the map", () => {
  test("knows where every region of the simulator lies, on or near land", () => {
    const land = landDots(1.5);
    for (const region of regionNames) {
      const place = regionPlaces.get(region);
      expect(place, region).toBeDefined();
      const [x, y] = place ?? [0, 0];
      const nearest = Math.min(...land.map(([a, b]) => Math.hypot(a - x, b - y)));
      expect(nearest, region).toBeLessThan(5);
    }
  });
});

describe("palettes", () => {
  /** Relative luminance and contrast, WCAG 2.2. */
  function luminance(hex: string): number {
    const [r, g, b] = [1, 3, 5].map((at) => {
      const c = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
      return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    }) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function contrast(a: string, b: string): number {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
    return (high + 0.05) / (low + 0.05);
  }

  test.each([
    ["light", lightPalette],
    ["dark", darkPalette],
  ])("text on a %s page has a contrast of 4.5, marks of 2.5", (_, palette) => {
    for (const text of [palette.ink, palette.soft, palette.accent, palette.copper])
      expect(contrast(text, palette.panel)).toBeGreaterThanOrEqual(4.5);
    const marks = [
      palette.planes.gossip,
      palette.planes.sync,
      palette.planes.swim,
      palette.commit,
      palette.drop,
      palette.states.alive,
      palette.states.down,
      palette.states.suspect,
    ];
    for (const mark of marks)
      expect(contrast(mark, palette.panel), mark).toBeGreaterThanOrEqual(2.5);
  });
});

import { expect, test } from "vitest";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatTable,
  median,
  percentile,
  plural,
} from "../../../runtime/cli/format.ts";
import { shadeMissing, sparkline, timeScale } from "../../../runtime/cli/picture.ts";

test("counts are grouped in threes, fractions left alone", () => {
  expect([0, 999, 1000, 1234567, 1234.5678].map(formatCount)).toEqual([
    "0",
    "999",
    "1,000",
    "1,234,567",
    "1,234.5678",
  ]);
});

test("bytes take the unit that needs at most three digits before the point", () => {
  expect([0, 999, 1000, 12_833_211, 999_600, 3.2e12].map(formatBytes)).toEqual([
    "0 B",
    "999 B",
    "1.0 kB",
    "12.8 MB",
    "1.0 MB",
    "3.2 TB",
  ]);
});

test("durations go from tenths of a millisecond to hours", () => {
  expect(
    [0.44, 812.4, 999.6, 1530, 45_200, 59_960, 130_000, 7_200_000].map(formatDuration),
  ).toEqual([
    "0.4 ms",
    "812 ms",
    "1 s",
    "1.53 s",
    "45.2 s",
    "1 min 0 s",
    "2 min 10 s",
    "2 h 0 min",
  ]);
});

test("one is singular, none and many are plural", () => {
  expect([plural(1, "node"), plural(0, "node"), plural(2, "entry", "entries")]).toEqual([
    "1 node",
    "0 nodes",
    "2 entries",
  ]);
});

test("columns are padded to their widest cell and lines have no trailing spaces", () => {
  expect(
    formatTable(
      [
        ["a", "1"],
        ["long", "22"],
        ["x", ""],
      ],
      ["left", "right"],
    ),
  ).toEqual(["a      1", "long  22", "x"]);
});

test("the median of an even number of values lies between the two in the middle", () => {
  expect([median([3]), median([9, 1, 5]), median([4, 1, 2, 10])]).toEqual([3, 5, 3]);
  expect(() => median([])).toThrow(RangeError);
});

test("percentiles are values that occur (nearest rank)", () => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect([
    percentile(values, 0.5),
    percentile(values, 0.99),
    percentile(values, 1),
    percentile([7], 0.01),
  ]).toEqual([50, 99, 100, 7]);
});

test("a sparkline shows zero as a blank and anything else as at least the lowest bar", () => {
  expect(sparkline([0, 1, 50, 100])).toBe(" ▁▄█");
  expect(sparkline([0, 0])).toBe("  ");
});

test("shading: nothing missing but what is on its way is solid, more missing is lighter, a node that is down is a dot", () => {
  expect([0, 1, 2, 50, 100].map((n) => shadeMissing(n, 100)).join("")).toBe("██▓▒░");
  expect(shadeMissing(undefined, 100)).toBe("·");
});

test("a time scale leaves out labels that would run into each other", () => {
  const line = timeScale(60_000, 60, [
    { atMs: 0, label: "0" },
    { atMs: 10_000, label: "cut" },
    { atMs: 12_000, label: "hidden" },
    { atMs: 30_000, label: "healed" },
  ]);
  expect(line).toBe("╵0        ╵cut                ╵healed");
});

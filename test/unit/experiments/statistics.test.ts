/** Medians, their intervals and outliers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { estimate, groupBy, mean, quantile } from "../../../experiments/bench/statistics.ts";
import { createRng } from "../../../sim/rng.ts";

test("median, extremes and interval of a few numbers", () => {
  expect(estimate([5, 1, 4, 2, 3])).toEqual({
    n: 5,
    median: 3,
    low: 1,
    high: 5,
    confidence: 0.9375,
    least: 1,
    most: 5,
    outliers: [],
  });
  expect(estimate([2, 1]).median).toBe(1.5);
  expect(estimate([7])).toMatchObject({ median: 7, low: 7, high: 7, confidence: 0 });
  expect(() => estimate([])).toThrow(RangeError);
});

test("of 20 samples the 6th and the 15th are the interval's ends, as the tables have it", () => {
  const { low, high, confidence } = estimate(Array.from({ length: 20 }, (_, i) => i + 1));
  expect([low, high]).toEqual([6, 15]);
  expect(confidence).toBeCloseTo(0.9586, 4);
});

test("the interval holds the true median as often as it says", () => {
  const rng = createRng("coverage");
  for (const n of [7, 15, 40]) {
    let held = 0;
    for (let i = 0; i < 2000; i++) {
      // Skewed: the median of u² is a quarter.
      const { low, high } = estimate(Array.from({ length: n }, () => rng.unit() ** 2));
      if (low <= 0.25 && high >= 0.25) held++;
    }
    expect(held / 2000).toBeGreaterThan(0.935);
  }
});

test("the interval lies around the median and within the extremes", () => {
  const numbers = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1 });
  fc.assert(
    fc.property(numbers, (values) => {
      const { low, median, high, least, most, outliers } = estimate(values);
      expect([least, low, median, high, most].toSorted((a, b) => a - b)).toEqual([
        least,
        low,
        median,
        high,
        most,
      ]);
      for (const value of outliers) expect(values).toContain(value);
    }),
  );
});

test("an outlier is far from the quartiles", () => {
  expect(estimate([10, 11, 12, 13, 14, 100]).outliers).toEqual([100]);
  expect(estimate([10, 11, 12, 13, 14, 16]).outliers).toEqual([]);
});

test("quantiles, means and groups", () => {
  expect(quantile([0, 10], 0.25)).toBe(2.5);
  expect(quantile([3], 0.99)).toBe(3);
  expect(mean([1, 2, 6])).toBe(3);
  expect([...groupBy([1, 2, 3, 4], (n) => (n % 2 === 0 ? "even" : "odd"))]).toEqual([
    ["odd", [1, 3]],
    ["even", [2, 4]],
  ]);
});

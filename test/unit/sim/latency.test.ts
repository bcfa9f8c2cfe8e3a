import { expect, test } from "vitest";
import { createLatencyModel } from "../../../sim/network/latency.ts";
import { regionIndex, regionKilometres, regionNames } from "../../../sim/network/regions.ts";
import { createRng } from "../../../sim/rng.ts";

function samples(model: ReturnType<typeof createLatencyModel>, count = 20_000): number[] {
  const rng = createRng("latency");
  return Array.from({ length: count }, () => model.sampleUs(0, 1, rng)).sort((a, b) => a - b);
}

test("SI04: uniform delays fill their range, ends included", () => {
  const sorted = samples(createLatencyModel({ min: 1, max: 1.01 }, () => 0));
  expect(sorted[0]).toBe(1000);
  expect(sorted.at(-1)).toBe(1010);
});

test("SI04: long-tailed delays have the median and the 99th percentile asked for, and a tail beyond", () => {
  const sorted = samples(createLatencyModel({ median: 2, p99: 40 }, () => 0));
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] as number;
  expect(at(0.5) / 2000).toBeCloseTo(1, 1);
  expect(at(0.99) / 40_000).toBeGreaterThan(0.9);
  expect(at(0.99) / 40_000).toBeLessThan(1.1);
  expect(sorted.at(-1)).toBeGreaterThan(50_000);
  // The log-normal distribution is as wide below its median as above.
  expect(at(0.01) / 100).toBeGreaterThan(0.8);
  expect(at(0.01) / 100).toBeLessThan(1.2);
});

test("SI04: a long tail whose ends are equal is a constant", () => {
  const sorted = samples(
    createLatencyModel({ median: 3, p99: 3 }, () => 0),
    100,
  );
  expect(new Set(sorted)).toEqual(new Set([3000]));
});

test("SI04: a round trip round the world is 4 ms and a millisecond for each 75 km", () => {
  const regions = ["lhr", "syd"].map(regionIndex);
  const model = createLatencyModel({ geo: "world" }, (n) => regions[n] as number);
  const km = regionKilometres(regions[0] as number, regions[1] as number);
  // London to Sydney: 16,990 km of great circle.
  expect(Math.abs(km - 16_990)).toBeLessThan(60);
  const roundTripMs = (model.typicalUs(0, 1) + model.typicalUs(1, 0)) / 1000;
  expect(roundTripMs).toBeCloseTo(4 + km / 75, 1);
  const sorted = samples(model, 1000);
  expect(sorted[0]).toBeGreaterThanOrEqual(model.typicalUs(0, 1));
  expect(sorted.at(-1) as number).toBeLessThan(model.typicalUs(0, 1) * 1.06);
});

test("SI04: distances are those of a sphere: symmetric, within half its girth, and never around a corner", () => {
  expect(regionNames.length).toBe(40);
  for (let a = 0; a < regionNames.length; a++) {
    expect(regionKilometres(a, a)).toBe(0);
    for (let b = 0; b < a; b++) {
      const km = regionKilometres(a, b);
      expect(km).toBe(regionKilometres(b, a));
      expect(km).toBeGreaterThan(100);
      expect(km).toBeLessThan(20_016);
      for (let c = 0; c < regionNames.length; c++) {
        expect(km).toBeLessThanOrEqual(regionKilometres(a, c) + regionKilometres(c, b) + 1);
      }
    }
  }
});

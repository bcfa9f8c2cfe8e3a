/**
 * One-way delays of the simulated network, in microseconds. Three models: uniform, long-tailed
 * (log-normal, given by its median and 99th percentile), and geographic (round trip about 4 ms and
 * a millisecond for each 75 km of great circle, as measured between real regions).
 */
import { assert } from "../../core/base/assert.ts";
import type { Rng } from "../../core/base/rng.ts";
import { regionKilometres } from "./regions.ts";

export interface LatencyModel {
  /** One message's delay from node `from` to node `to`. */
  sampleUs(from: number, to: number, rng: Rng): number;
  /** The delay to reckon with between the two: a median. */
  typicalUs(from: number, to: number): number;
}

export type LatencySpec =
  | { readonly min: number; readonly max: number }
  | { readonly median: number; readonly p99: number }
  | { readonly geo: "world" };

/** `regionOf` maps a node's number to its region's index; only the geographic model asks. */
export function createLatencyModel(
  spec: LatencySpec,
  regionOf: (node: number) => number,
): LatencyModel {
  if ("geo" in spec) return geographic(regionOf);
  if ("median" in spec) return longTailed(spec.median, spec.p99);
  return uniform(spec.min, spec.max);
}

function uniform(minMs: number, maxMs: number): LatencyModel {
  assert(minMs >= 0 && maxMs >= minMs, "latency min is at most max");
  const min = Math.round(minMs * 1000);
  const span = Math.round(maxMs * 1000) - min + 1;
  const middle = min + Math.floor(span / 2);
  return {
    sampleUs: (_from, _to, rng) => min + rng.below(span),
    typicalUs: () => middle,
  };
}

/**
 * Quantiles of the standard normal distribution above the median, at (256 + i + ½)/512, in units
 * of 1/1024 of the 99th percentile. A constant table, since logarithms differ between engines.
 */
const upperQuantiles: readonly number[] = [
  1, 3, 5, 8, 10, 12, 14, 16, 18, 20, 23, 25, 27, 29, 31, 33, 36, 38, 40, 42, 44, 46, 49, 51, 53,
  55, 57, 59, 62, 64, 66, 68, 70, 73, 75, 77, 79, 81, 83, 86, 88, 90, 92, 94, 97, 99, 101, 103, 106,
  108, 110, 112, 114, 117, 119, 121, 123, 126, 128, 130, 132, 135, 137, 139, 141, 144, 146, 148,
  150, 153, 155, 157, 160, 162, 164, 167, 169, 171, 174, 176, 178, 181, 183, 185, 188, 190, 192,
  195, 197, 199, 202, 204, 207, 209, 212, 214, 216, 219, 221, 224, 226, 229, 231, 234, 236, 239,
  241, 244, 246, 249, 251, 254, 256, 259, 261, 264, 266, 269, 272, 274, 277, 280, 282, 285, 287,
  290, 293, 296, 298, 301, 304, 306, 309, 312, 315, 318, 320, 323, 326, 329, 332, 335, 337, 340,
  343, 346, 349, 352, 355, 358, 361, 364, 367, 370, 373, 376, 379, 383, 386, 389, 392, 395, 399,
  402, 405, 408, 412, 415, 418, 422, 425, 429, 432, 436, 439, 443, 446, 450, 454, 457, 461, 465,
  469, 472, 476, 480, 484, 488, 492, 496, 500, 504, 508, 513, 517, 521, 526, 530, 535, 539, 544,
  548, 553, 558, 563, 568, 573, 578, 583, 588, 593, 599, 604, 610, 615, 621, 627, 633, 639, 645,
  652, 658, 665, 672, 679, 686, 693, 701, 709, 717, 725, 733, 742, 751, 761, 770, 781, 791, 802,
  814, 826, 839, 853, 867, 883, 899, 918, 937, 959, 984, 1012, 1045, 1085, 1137, 1213, 1363,
];

function longTailed(medianMs: number, p99Ms: number): LatencyModel {
  assert(medianMs > 0 && p99Ms >= medianMs, "latency median is at most p99");
  const medianUs = medianMs * 1000;
  const factors = powersOf(p99Ms / medianMs);
  const buckets = upperQuantiles.length;
  const table = new Float64Array(2 * buckets + 1);
  for (let i = 0; i < buckets; i++) {
    const factor = factors(upperQuantiles[i] as number);
    table[buckets + i] = Math.round(medianUs * factor);
    table[buckets - 1 - i] = Math.round(medianUs / factor);
  }
  table[2 * buckets] = table[2 * buckets - 1] as number;
  return {
    sampleUs: (_from, _to, rng) => {
      const at = rng.unit() * 2 * buckets;
      const bucket = Math.floor(at);
      const low = table[bucket] as number;
      return Math.round(low + ((table[bucket + 1] as number) - low) * (at - bucket));
    },
    typicalUs: () => Math.round(medianUs),
  };
}

/** Returns the function x → ratio^(x/1024), by repeated square roots, which are exact everywhere. */
function powersOf(ratio: number): (x: number) => number {
  const roots: number[] = [];
  let root = ratio;
  for (let bit = 0; bit < 10; bit++) {
    root = Math.sqrt(root);
    roots.push(root);
  }
  return (x) => {
    let power = 1;
    for (let whole = Math.floor(x / 1024); whole > 0; whole--) power *= ratio;
    for (let bit = 0; bit < 10; bit++) if ((x & (512 >> bit)) !== 0) power *= roots[bit] as number;
    return power;
  };
}

const geoBaseUs = 4000;
const geoKmPerMs = 75;
/** Up to 0.2 ms and a twentieth of the way on top: queues along the path. */
const geoJitterUs = 200;

function geographic(regionOf: (node: number) => number): LatencyModel {
  const baseUs = (from: number, to: number): number =>
    Math.round(
      (geoBaseUs + (regionKilometres(regionOf(from), regionOf(to)) * 1000) / geoKmPerMs) / 2,
    );
  return {
    sampleUs: (from, to, rng) => {
      const base = baseUs(from, to);
      return base + rng.below(geoJitterUs + Math.floor(base / 20));
    },
    typicalUs: baseUs,
  };
}

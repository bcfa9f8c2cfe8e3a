import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fastProfile, lanProfile, swimProfiles, wanProfile } from "../../../core/swim/config.ts";
import {
  decimalDigits,
  milliLog10,
  minSuspicionMs,
  retransmitLimit,
  suspicionMs,
} from "../../../core/swim/scale.ts";

describe("integer tables in the place of logarithms", () => {
  test("SW07: the logarithm of a size is right to a twentieth, and exact at powers of ten", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (n) => {
        const error = milliLog10(n) / 1000 - Math.log10(n);
        expect(error).toBeLessThan(0.001);
        expect(error).toBeGreaterThan(-0.05);
      }),
    );
    expect([1, 10, 100, 1000, 10_000].map(milliLog10)).toEqual([0, 1000, 2000, 3000, 4000]);
  });

  test("SW07: it never falls as the size grows", () => {
    for (let n = 1; n < 20_000; n++) {
      expect(milliLog10(n + 1)).toBeGreaterThanOrEqual(milliLog10(n));
    }
  });

  test("SW13: the number of digits is ⌈log10(n+1)⌉", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000_000 }), (n) => {
        expect(decimalDigits(n)).toBe(String(n).length);
      }),
    );
    expect(retransmitLimit(4, 9)).toBe(4);
    expect(retransmitLimit(4, 10)).toBe(8);
    expect(retransmitLimit(4, 1000)).toBe(16);
  });

  test("SW07: the least suspicion is 4 periods up to ten members and 12 at a thousand", () => {
    expect(minSuspicionMs(4, 2, 1000)).toBe(4000);
    expect(minSuspicionMs(4, 10, 1000)).toBe(4000);
    expect(minSuspicionMs(4, 100, 1000)).toBe(8000);
    expect(minSuspicionMs(4, 1000, 5000)).toBe(60_000);
  });

  test("SW07: the timeout is max − (max − min)·ln(c+1)/ln(k+1)", () => {
    for (let k = 1; k <= 4; k++) {
      for (let c = 0; c <= k; c++) {
        const exact = 600 - (500 * Math.log(c + 1)) / Math.log(k + 1);
        expect(suspicionMs(100, 600, c, k)).toBeCloseTo(exact, 1);
      }
    }
  });

  test("SW07: with more confirmations than wanted, or none wanted, it is min", () => {
    expect(suspicionMs(100, 600, 3, 2)).toBe(100);
    expect(suspicionMs(100, 600, 0, 0)).toBe(100);
  });
});

describe("profiles", () => {
  test("SW05: in each profile nacks come within the period", () => {
    for (const profile of Object.values(swimProfiles)) {
      expect(profile.probeTimeoutMs + profile.nackTimeoutMs).toBeLessThan(profile.periodMs);
    }
  });

  test("SW04: the period is 1 s in a LAN, 5 s in a WAN", () => {
    expect(lanProfile.periodMs).toBe(1000);
    expect(wanProfile.periodMs).toBe(5000);
    expect(swimProfiles[fastProfile.profile]).toBe(fastProfile);
  });
});

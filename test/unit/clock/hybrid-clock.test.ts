import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../core/base/assert.ts";
import { compareHlc, formatHlc, type Hlc } from "../../../core/clock/hlc.ts";
import { HybridClock, initialClock } from "../../../core/clock/hybrid-clock.ts";
import { writeHlc } from "../../../core/wire/chunk.ts";
import { Writer } from "../../../core/wire/writer.ts";

const noon = 1_700_000_000_000;
const year = 365 * 86_400_000;

describe("ticks", () => {
  test("HL03: a stamp follows a wall clock that is ahead, whole milliseconds, counter 0", () => {
    const clock = new HybridClock();
    expect(clock.tick(noon + 0.9, null)).toEqual({ ms: noon, counter: 0 });
    expect(clock.tick(noon + 7, null)).toEqual({ ms: noon + 7, counter: 0 });
  });

  test("HL03: within one millisecond, and while the wall clock stands back, the counter rises", () => {
    const clock = new HybridClock();
    clock.tick(noon, null);
    expect(clock.tick(noon, null)).toEqual({ ms: noon, counter: 1 });
    expect(clock.tick(noon - year, null)).toEqual({ ms: noon, counter: 2 });
    expect(clock.tick(-5, null)).toEqual({ ms: noon, counter: 3 });
  });

  test("HL03: the 32,769th stamp of a millisecond is of the next one", () => {
    const clock = new HybridClock({ ...initialClock, ms: noon, counter: 0x7ffe });
    expect(clock.tick(noon, null)).toEqual({ ms: noon, counter: 0x7fff });
    expect(clock.tick(noon, null)).toEqual({ ms: noon + 1, counter: 0 });
  });

  test("HL01: a stamp is later than a near one observed, even one with a far counter", () => {
    const clock = new HybridClock();
    clock.tick(noon, null);
    expect(clock.observe(noon, { ms: noon + 500, counter: 3 })).toBe("near");
    expect(clock.tick(noon + 1, null)).toEqual({ ms: noon + 500, counter: 4 });
    expect(clock.observe(noon, { ms: noon + 500, counter: 0x8002 })).toBe("near");
    expect(clock.tick(noon + 1, null)).toEqual({ ms: noon + 501, counter: 0 });
  });

  test("HL01: an observed stamp that is earlier changes nothing", () => {
    const clock = new HybridClock();
    clock.tick(noon, null);
    clock.observe(noon, { ms: noon - 1, counter: 77 });
    expect(clock.last).toEqual({ ms: noon, counter: 0 });
  });

  test("HL02: a stamp is later than the near cell that it overwrites, though it was never observed", () => {
    const clock = new HybridClock();
    expect(clock.tick(noon, { ms: noon + 10, counter: 9 })).toEqual({ ms: noon + 10, counter: 10 });
    expect(clock.tick(noon, { ms: noon - 10, counter: 9 })).toEqual({ ms: noon + 10, counter: 11 });
  });
});

describe("the far future", () => {
  test("HL04: at the drift bound a stamp is near, a millisecond past it far", () => {
    const clock = new HybridClock(initialClock, 10_000);
    expect(clock.observe(noon, { ms: noon + 10_001, counter: 0 })).toBe("far");
    expect(clock.last).toEqual({ ms: 0, counter: 0 });
    expect(clock.observe(noon, { ms: noon + 10_000, counter: 0 })).toBe("near");
    expect(clock.last).toEqual({ ms: noon + 10_000, counter: 0 });
  });

  test("HL05: a far cell is overwritten just above it, and the clock stays where it was", () => {
    const clock = new HybridClock();
    clock.tick(noon, null);
    const cell = { ms: noon + year, counter: 4 };
    expect(clock.tick(noon, cell)).toEqual({ ms: noon + year, counter: 0x8000 });
    expect(clock.tick(noon, { ms: noon + year, counter: 0x8000 })).toEqual({
      ms: noon + year,
      counter: 0x8001,
    });
    expect(clock.tick(noon, null)).toEqual({ ms: noon, counter: 1 });
  });

  test("HL06: two transactions that overwrite cells with one far stamp take two stamps", () => {
    const clock = new HybridClock();
    const cell = { ms: noon + year, counter: 4 };
    const first = clock.tick(noon, cell) as Hlc;
    const second = clock.tick(noon, cell) as Hlc;
    expect(compareHlc(second, first)).toBeGreaterThan(0);
  });

  test("HL05: past the last far counter of a millisecond comes the next millisecond's first", () => {
    const clock = new HybridClock();
    expect(clock.tick(noon, { ms: noon + year, counter: 0xffff })).toEqual({
      ms: noon + year + 1,
      counter: 0x8000,
    });
  });

  test("HL06: when time reaches a far stamp's millisecond, the normal stamp made then is another", () => {
    const clock = new HybridClock();
    const far = clock.tick(noon, { ms: noon + year, counter: 0 }) as Hlc;
    const normal = clock.tick(noon + year, null) as Hlc;
    expect(normal.ms).toBe(far.ms);
    expect(normal.counter).toBeLessThan(far.counter);
  });

  test("HL02: a cell that was far when it came is overwritten from the clock once it is near", () => {
    const clock = new HybridClock();
    const cell = { ms: noon + 60_000, counter: 2 };
    expect(clock.observe(noon, cell)).toBe("far");
    expect(clock.tick(noon + 55_000, cell)).toEqual({ ms: noon + 60_000, counter: 3 });
  });

  test("HL01: a node whose own clock once ran ahead goes on from there", () => {
    const clock = new HybridClock();
    clock.tick(noon + year, null);
    expect(clock.tick(noon, null)).toEqual({ ms: noon + year, counter: 1 });
    expect(clock.tick(noon, { ms: noon + year, counter: 0 })).toEqual({
      ms: noon + year,
      counter: 2,
    });
  });

  test("HL08: above the last stamp of all there is none, and the clock has not changed", () => {
    const clock = new HybridClock();
    clock.tick(noon, null);
    const before = clock.save();
    expect(clock.tick(noon, { ms: 2 ** 48 - 1, counter: 0xffff })).toBeNull();
    expect(clock.save()).toEqual(before);
    expect(clock.tick(noon, { ms: 2 ** 48 - 1, counter: 0xfffe })).toEqual({
      ms: 2 ** 48 - 1,
      counter: 0xffff,
    });
    expect(clock.tick(noon, { ms: noon + year, counter: 0 })).toBeNull();
    expect(clock.tick(noon, null)).toEqual({ ms: noon, counter: 1 });
    expect(clock.tick(Infinity, null)).toEqual({ ms: 2 ** 48 - 1, counter: 0 });
  });
});

describe("state and order", () => {
  test("HL07: a restored clock repeats neither normal nor far stamps", () => {
    const clock = new HybridClock();
    const cell = { ms: noon + year, counter: 4 };
    clock.tick(noon, null);
    clock.tick(noon, cell);
    const restored = new HybridClock(JSON.parse(JSON.stringify(clock.save())));
    expect(restored.tick(noon, null)).toEqual({ ms: noon, counter: 1 });
    expect(restored.tick(noon, cell)).toEqual({ ms: noon + year, counter: 0x8001 });
  });

  test("HL07: what is no saved clock is refused loudly", () => {
    expect(() => new HybridClock({ ...initialClock, ms: -1 })).toThrow(InvariantError);
    expect(() => new HybridClock({ ...initialClock, farCounter: 0x10000 })).toThrow(InvariantError);
    expect(() => new HybridClock().tick(Number.NaN, null)).toThrow(InvariantError);
  });

  test("HL09: number, text and byte order of stamps agree", () => {
    const stamps: Hlc[] = [
      { ms: 0, counter: 0 },
      { ms: 0, counter: 0xffff },
      { ms: 1, counter: 0 },
      { ms: 2 ** 32 - 1, counter: 9 },
      { ms: 2 ** 32, counter: 0 },
      { ms: noon, counter: 0x7fff },
      { ms: noon, counter: 0x8000 },
      { ms: 2 ** 48 - 1, counter: 0xffff },
    ];
    const bytesOf = (stamp: Hlc) => {
      const w = new Writer();
      writeHlc(w, stamp);
      return Buffer.from(w.finish());
    };
    for (let i = 1; i < stamps.length; i++) {
      const [a, b] = [stamps[i - 1] as Hlc, stamps[i] as Hlc];
      expect(compareHlc(a, b)).toBeLessThan(0);
      expect(compareHlc(b, b)).toBe(0);
      expect(formatHlc(a) < formatHlc(b)).toBe(true);
      expect(Buffer.compare(bytesOf(a), bytesOf(b))).toBe(-1);
      expect(bytesOf(a).toString("hex")).toBe(formatHlc(a));
    }
  });
});

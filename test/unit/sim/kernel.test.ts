import fc from "fast-check";
import { expect, test } from "vitest";
import { Kernel } from "../../../sim/kernel.ts";

test("SI02: events come by time, and at equal times in the order of scheduling, as in a sorted list", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 3000 }), (times) => {
      const kernel = new Kernel();
      times.forEach((time, i) => kernel.schedule(time, 1, i, 0, 0, null));
      const taken: [number, number][] = [];
      while (kernel.take(Infinity)) taken.push([kernel.nowUs, kernel.a]);
      const sorted = times
        .map((time, i) => [time, i])
        .sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
      expect(taken).toEqual(sorted);
    }),
    { numRuns: 50 },
  );
});

test("SI02: events scheduled while others are taken find their place", () => {
  const kernel = new Kernel();
  kernel.schedule(10, 1, 0, 0, 0, "a");
  kernel.schedule(30, 1, 0, 0, 0, "c");
  expect(kernel.take(100)).toBe(true);
  kernel.schedule(20, 1, 0, 0, 0, "b");
  kernel.schedule(5, 1, 0, 0, 0, "late, so now");
  const order: unknown[] = [];
  while (kernel.take(100)) order.push([kernel.nowUs, kernel.ref]);
  expect(order).toEqual([
    [10, "late, so now"],
    [20, "b"],
    [30, "c"],
  ]);
});

test("SI02: time is whole microseconds, and stops at the limit given", () => {
  const kernel = new Kernel();
  kernel.schedule(1.2, 7, 1, 2.5, 3, null);
  expect(kernel.take(1)).toBe(false);
  expect(kernel.take(2)).toBe(true);
  expect([kernel.nowUs, kernel.kind, kernel.a, kernel.b, kernel.c]).toEqual([2, 7, 1, 2.5, 3]);
  kernel.advance(9);
  expect(kernel.nowUs).toBe(9);
  kernel.schedule(12, 1, 0, 0, 0, null);
  expect(() => kernel.advance(13)).toThrow("no event is passed over");
  expect(() => kernel.schedule(Number.NaN, 1, 0, 0, 0, null)).toThrow("finite time");
});

test("SI02: time passes without an event only where none would come before or with it", () => {
  const kernel = new Kernel();
  kernel.schedule(10, 1, 0, 0, 0, null);
  kernel.schedule(50, 1, 0, 0, 0, null);
  expect(kernel.take(40)).toBe(true);
  expect(kernel.skipTo(9)).toBe(false);
  expect(kernel.skipTo(41)).toBe(false);
  expect(kernel.skipTo(19.5)).toBe(true);
  expect(kernel.nowUs).toBe(20);
  expect(kernel.take(100)).toBe(true);
  kernel.schedule(70, 1, 0, 0, 0, null);
  expect(kernel.skipTo(70)).toBe(false);
  expect(kernel.skipTo(69)).toBe(true);
  expect(kernel.taken).toBe(4);
});

/** Clocks of rows as short texts: what is read is what was written, also when the table got columns since. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  causalLengthOfText,
  clockText,
  type ColumnShape,
  readClockText,
} from "../../../runtime/store/clock-text.ts";

/** Of columns that came in this order, after these log rows. */
function shapeOf(since: readonly number[]): ColumnShape {
  return { slots: since.map((_, i) => i), since, lastSince: Math.max(0, ...since) };
}

const id = fc.oneof(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 2 ** 40 }));
const lifeAndIds = fc.record({
  causalLength: fc.constantFrom(1, 1, 1, 3, 2 ** 33 + 1),
  sentinel: fc.oneof(fc.constant(0), id),
  ids: fc.oneof(
    fc.array(fc.oneof(fc.constantFrom(0, 7, 9), id), { minLength: 1, maxLength: 12 }),
    // One version wrote all of them, another one.
    fc
      .tuple(fc.integer({ min: 1, max: 12 }), id, fc.nat(11), id)
      .map(([count, whole, slot, by]) =>
        Array.from({ length: count }, (_, i) => (i === slot ? by : whole)),
      ),
  ),
});

describe("clocks as texts", () => {
  test("CR1: a clock is read as it was written", () => {
    fc.assert(
      fc.property(lifeAndIds, fc.nat(300), ({ causalLength, sentinel, ids }, born) => {
        const shape = shapeOf(ids.map((_, i) => (i === ids.length - 1 ? born : 0)));
        const text = clockText(shape, causalLength, sentinel, ids);
        expect(readClockText(shape, text)).toEqual({ causalLength, sentinel, ids });
        expect(causalLengthOfText(text)).toBe(causalLength);
        // SQLite keeps it as a text in a column of integers.
        expect([1, 2, 3, 4, 5, 6, 7, 8, 126]).toContain(text.charCodeAt(0));
      }),
      { numRuns: 1000 },
    );
  });

  test("CR1: nobody wrote the columns that the table got later", () => {
    fc.assert(
      fc.property(lifeAndIds, fc.integer({ min: 1, max: 4 }), ({ ids }, more) => {
        const last = Math.max(...ids, 1);
        const text = clockText(shapeOf(ids.map(() => 0)), 1, 0, ids);
        const wider = shapeOf([...ids.map(() => 0), ...Array.from({ length: more }, () => last)]);
        const read = readClockText(wider, text).ids;
        expect(read.slice(0, ids.length)).toEqual(ids);
        expect(read.slice(ids.length).every((by) => by === 0)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test("CR1: one column written after the whole row takes little room", () => {
    const shape = shapeOf([0, 0, 0, 0]);
    expect(clockText(shape, 1, 0, [2000, 2100, 2000, 2000])).toHaveLength(5);
    expect(clockText(shape, 1, 0, [2000, 2100, 2100, 2000]).length).toBeGreaterThan(8);
  });
});

/** Clocks that wait are found as in a map, and come out in the order of their keys. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClockOverlay } from "../../../runtime/store/clock-overlay.ts";
import type { RowKey } from "../../../runtime/store/table-plan.ts";

const rowKeys: readonly fc.Arbitrary<RowKey>[] = [
  fc.integer({ min: -50, max: 50 }),
  fc.oneof(fc.integer(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n })),
  fc.string({ maxLength: 3 }),
  fc.string(),
];

const puts = fc.oneof(
  ...rowKeys.map((rowKey) =>
    fc.array(fc.record({ rowKey, ask: fc.boolean() }), { minLength: 0, maxLength: 600 }),
  ),
);

describe("clocks that wait", () => {
  test("CR1: the last one of a row is found, whenever it is asked for", () => {
    fc.assert(
      fc.property(fc.array(puts, { maxLength: 3 }), (rounds) => {
        const overlay = new ClockOverlay();
        for (const round of rounds) {
          const model = new Map<RowKey, number>();
          round.forEach(({ rowKey, ask }, i) => {
            if (ask) expect(overlay.get(rowKey)?.cell).toBe(model.get(rowKey));
            overlay.put({ rowKey, key: [rowKey], cell: i + 1, rowid: 0, forgets: 0 });
            model.set(rowKey, i + 1);
          });
          expect(overlay.size).toBe(round.length);
          const sorted = [...model].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
          expect(overlay.inOrder().map(({ rowKey, cell }) => [rowKey, cell])).toEqual(sorted);
          for (const [rowKey, cell] of model) expect(overlay.get(rowKey)?.cell).toBe(cell);
          overlay.clear();
          expect(overlay.size).toBe(0);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("CR1: neighbours that wait as one are found by each key, but where a clock of its own hides it", () => {
    const part = fc.record({
      at: fc.integer({ min: -40, max: 40 }),
      size: fc.integer({ min: 1, max: 9 }),
      step: fc.constantFrom(0, 1),
      single: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
        const overlay = new ClockOverlay();
        const model = new Map<number, number>();
        parts.forEach(({ at, size, step, single }, i) => {
          const cell = 1000 * (i + 1);
          const keys = Array.from({ length: size }, (_, k) => 10 * at + k);
          if (single || keys.some((key) => model.has(key))) {
            const rowKey = 10 * at;
            overlay.put({ rowKey, key: [rowKey], cell, rowid: 0, forgets: 0 });
            model.set(rowKey, cell);
          } else {
            overlay.putSpan({ first: 10 * at, last: 10 * at + size - 1, cell, step });
            keys.forEach((key, k) => model.set(key, cell + step * k));
          }
        });
        for (let key = -410; key < 420; key++) {
          expect(overlay.get(key)?.cell).toBe(model.get(key));
        }
        const firsts = overlay.spans.map(({ first }) => first);
        expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
        overlay.clear();
        expect([overlay.size, overlay.get(0)]).toEqual([0, undefined]);
      }),
    );
  });

  test("are found when many came before anybody asked", () => {
    const overlay = new ClockOverlay();
    const n = 20_000;
    for (let i = 0; i < n; i++) overlay.put({ rowKey: i, cell: i } as never);
    for (const i of [0, 9, n - 1]) expect(overlay.get(i)?.rowKey).toBe(i);
    expect(overlay.get(n)).toBeUndefined();
  }, 10_000);
});

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

  test("are found when many came before anybody asked", () => {
    const overlay = new ClockOverlay();
    const n = 20_000;
    for (let i = 0; i < n; i++) overlay.put({ rowKey: i, cell: i } as never);
    for (const i of [0, 9, n - 1]) expect(overlay.get(i)?.rowKey).toBe(i);
    expect(overlay.get(n)).toBeUndefined();
  }, 10_000);
});

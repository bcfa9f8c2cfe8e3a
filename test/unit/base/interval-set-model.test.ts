/** The interval set against a plain set of integers. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { IntervalSet } from "../../../core/base/interval-set.ts";

const span = 60;
const range = fc
  .tuple(fc.integer({ min: 0, max: span }), fc.integer({ min: 0, max: 12 }))
  .map(([from, length]): [number, number] => [from, from + length]);

const step = fc.record({ op: fc.constantFrom("add", "add", "remove"), range });

function membersOf(set: IntervalSet): number[] {
  return set.ranges().flatMap(([from, to]) => {
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

test("an interval set holds what a plain set holds after any additions and removals", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), range, (steps, window) => {
      const set = new IntervalSet();
      const model = new Set<number>();
      for (const { op, range: r } of steps) {
        const before = model.size;
        for (let n = r[0]; n <= r[1]; n++) {
          if (op === "add") model.add(n);
          else model.delete(n);
        }
        const changed = op === "add" ? set.add(r[0], r[1]) : set.remove(r[0], r[1]);
        expect(changed).toBe(Math.abs(model.size - before));
      }
      const sorted = [...model].sort((a, b) => a - b);
      expect(membersOf(set)).toEqual(sorted);
      expect(set.count).toBe(model.size);
      expect(set.min).toBe(sorted[0]);
      expect(set.max).toBe(sorted.at(-1));
      for (let n = -1; n <= span + 13; n++) expect(set.has(n)).toBe(model.has(n));
      const inside = Array.from({ length: window[1] - window[0] + 1 }, (_, i) => window[0] + i);
      expect(membersOf(IntervalSet.of(set.gaps(window[0], window[1])))).toEqual(
        inside.filter((n) => !model.has(n)),
      );
      expect(membersOf(IntervalSet.of(set.within(window[0], window[1])))).toEqual(
        inside.filter((n) => model.has(n)),
      );
      expect(set.hasAll(window[0], window[1])).toBe(inside.every((n) => model.has(n)));
      expect(set.hasAny(window[0], window[1])).toBe(inside.some((n) => model.has(n)));
      expect(Array.from({ length: set.size }, (_, i) => set.rangeAt(i))).toEqual(set.ranges());
      const other = IntervalSet.of(steps.map((s) => s.range).filter(([from]) => from % 3 === 0));
      expect(set.meets(other)).toBe(membersOf(other).some((n) => model.has(n)));
    }),
    { numRuns: 1000 },
  );
});

test("ranges stay sorted, disjoint and apart, whatever the order in which they came", () => {
  fc.assert(
    fc.property(fc.array(range, { maxLength: 20 }), (ranges) => {
      const set = IntervalSet.of(ranges);
      let before = -Infinity;
      for (const [from, to] of set.ranges()) {
        expect(from).toBeGreaterThan(before + 1);
        expect(to).toBeGreaterThanOrEqual(from);
        before = to;
      }
      expect(set.equals(IntervalSet.of([...ranges].reverse()))).toBe(true);
      expect(set.size).toBe(set.ranges().length);
      const without = set.clone();
      without.removeAll(IntervalSet.of(ranges.slice(0, 3)));
      without.addAll(IntervalSet.of(ranges.slice(0, 3)));
      expect(without.equals(set)).toBe(true);
    }),
  );
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../core/base/assert.ts";
import { Heap, KeyedHeap } from "../../../core/base/heap.ts";

describe("keyed heap", () => {
  test("items leave by key, equals in the order in which they came, over any mix of push and pop", () => {
    const step = fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constant("pop" as const));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const heap = new KeyedHeap<number>(1);
        let model: { key: number; item: number }[] = [];
        steps.forEach((key, item) => {
          if (key === "pop") {
            expect(heap.minKey).toBe(model[0]?.key ?? Infinity);
            expect(heap.peek()).toBe(model[0]?.item);
            expect(heap.pop()).toBe(model.shift()?.item);
          } else {
            heap.push(key, item);
            model = [...model, { key, item }].sort((a, b) => a.key - b.key);
          }
          expect(heap.size).toBe(model.length);
        });
      }),
      { numRuns: 500 },
    );
  });

  test("a key without an order is a broken invariant", () => {
    expect(() => new KeyedHeap<string>().push(Number.NaN, "x")).toThrow(InvariantError);
  });

  test("a cleared heap begins anew", () => {
    const heap = new KeyedHeap<string>();
    heap.push(2, "old");
    heap.clear();
    heap.push(3, "new");
    expect([heap.pop(), heap.pop()]).toEqual(["new", undefined]);
  });
});

describe("heap with a comparator", () => {
  test("items leave in the comparator's order", () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { maxLength: 100 }), (items) => {
        const heap = new Heap<number>((a, b) => a - b);
        for (const item of items) heap.push(item);
        expect(heap.peek()).toBe(items.length === 0 ? undefined : Math.min(...items));
        const out: number[] = [];
        while (heap.size > 0) out.push(heap.pop() as number);
        expect(out).toEqual([...items].sort((a, b) => a - b));
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });
});

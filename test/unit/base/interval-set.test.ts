import { describe, expect, test } from "vitest";
import { InvariantError } from "../../../core/base/assert.ts";
import { IntervalSet } from "../../../core/base/interval-set.ts";

describe("interval set", () => {
  test("neighbours join: versions in order are one range", () => {
    const set = new IntervalSet();
    for (let version = 1; version <= 100; version++) expect(set.add(version)).toBe(1);
    expect(set.ranges()).toEqual([[1, 100]]);
    expect(set.count).toBe(100);
  });

  test("a range that bridges several counts only what is new", () => {
    const set = IntervalSet.of([
      [1, 3],
      [5, 6],
      [10, 12],
    ]);
    expect(set.add(3, 10)).toBe(4);
    expect(set.ranges()).toEqual([[1, 12]]);
  });

  test("a removal from the middle splits a range", () => {
    const set = IntervalSet.of([[1, 10]]);
    expect(set.remove(4, 6)).toBe(3);
    expect(set.ranges()).toEqual([
      [1, 3],
      [7, 10],
    ]);
    expect(set.remove(4, 6)).toBe(0);
  });

  test("gaps lie between what is held, below the head and before the first", () => {
    const set = IntervalSet.of([
      [3, 4],
      [7, 9],
    ]);
    expect(set.gapsBelow(9)).toEqual([
      [1, 2],
      [5, 6],
    ]);
    expect(set.gapsBelow(12)).toEqual([
      [1, 2],
      [5, 6],
      [10, 12],
    ]);
    expect(set.gaps(4, 7)).toEqual([[5, 6]]);
    expect(set.gaps(8, 7)).toEqual([]);
    expect(new IntervalSet().gapsBelow(2)).toEqual([[1, 2]]);
  });

  test("a copy lives its own life", () => {
    const set = IntervalSet.of([[1, 2]]);
    const copy = set.clone();
    copy.add(9);
    expect(set.equals(IntervalSet.of([[1, 2]]))).toBe(true);
    expect(set.equals(copy)).toBe(false);
    expect(copy.max).toBe(9);
  });

  test("a set can be added to and taken out of itself", () => {
    const set = IntervalSet.of([
      [1, 2],
      [4, 5],
    ]);
    expect(set.addAll(set)).toBe(0);
    expect(set.removeAll(set)).toBe(4);
    expect(set.isEmpty).toBe(true);
  });

  test("a range that ends before it begins is a broken invariant", () => {
    expect(() => new IntervalSet().add(2, 1)).toThrow(InvariantError);
    expect(() => new IntervalSet().add(1.5)).toThrow(InvariantError);
  });
});

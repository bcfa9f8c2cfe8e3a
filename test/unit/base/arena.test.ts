import { expect, test } from "vitest";
import { Arena } from "../../../core/base/arena.ts";

test("arrays of an arena are zeros of the length asked for, and none shares a place with another", () => {
  const arena = new Arena();
  const lengths = [0, 1, 7, 1000, 1024, 5000, 3];
  const arrays = lengths.map((length) => arena.take(length));
  expect(arrays.map((array) => array.length)).toEqual(lengths);
  for (const array of arrays) expect(array.every((word) => word === 0)).toBe(true);
  arrays.forEach((array, i) => array.fill(i + 1));
  arrays.forEach((array, i) => expect(array.every((word) => word === i + 1)).toBe(true));
});

test("small arrays share their buffers", () => {
  const arena = new Arena();
  const buffers = new Set(Array.from({ length: 1000 }, () => arena.take(100).buffer));
  expect(buffers.size).toBeLessThan(12);
});

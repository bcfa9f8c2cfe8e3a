import { expect, test } from "vitest";
import { Slab } from "../../../core/base/slab.ts";

test("copies of all sizes hold what they were made from, and no later copy writes to them", () => {
  const slab = new Slab(1024);
  const source = Uint8Array.from({ length: 2000 }, (_, i) => i % 251);
  const sizes = [0, 1, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 2000];
  const copies = [...sizes, ...sizes, ...sizes].map((size, from) => {
    const end = Math.min(from + size, source.length);
    return { copy: slab.copy(source, from, end), expected: source.slice(from, end) };
  });
  source.fill(255);
  for (const { copy, expected } of copies) expect(copy).toEqual(expected);
});

test("middling copies share a buffer, large ones have their own", () => {
  const slab = new Slab(1024);
  const source = new Uint8Array(1000);
  expect(slab.copy(source, 0, 100).buffer).toBe(slab.copy(source, 0, 100).buffer);
  expect(slab.copy(source, 0, 1000).buffer.byteLength).toBe(1000);
});

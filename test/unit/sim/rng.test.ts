import alea from "seedrandom/lib/alea.js";
import { expect, test } from "vitest";
import { createRng, randomHexId } from "../../../sim/rng.ts";

function draws(count: number, next: () => number): number[] {
  return Array.from({ length: count }, next);
}

test("SI03: a fork is the same whatever was drawn before it, from its parent or its siblings", () => {
  const fresh = createRng("s").fork("a").fork("b");
  const parent = createRng("s");
  draws(10, () => parent.uint32());
  const a = parent.fork("a");
  draws(10, () => a.uint32());
  const b = a.fork("b");
  expect(draws(20, () => b.uint32())).toEqual(draws(20, () => fresh.uint32()));
});

test("SI03: other names and other seeds are other streams", () => {
  const first = (seed: string, name: string): number => createRng(seed).fork(name).uint32();
  const all = [first("s", "a"), first("s", "b"), first("t", "a"), first("s", "")];
  expect(new Set(all).size).toBe(all.length);
});

test("SI03: draws are what they are on every engine", () => {
  const rng = createRng("42");
  expect(draws(3, () => rng.uint32())).toEqual([4228424902, 87768183, 3842176852]);
  expect(randomHexId(createRng("42"))).toMatch(/^[0-9a-f]{32}$/);
});

test("SI03: a stream is the library's, however many others are drawn from in between", () => {
  const root = createRng("many");
  const streams = Array.from({ length: 300 }, (_, i) => root.fork(String(i)));
  const library = streams.map((_, i) => alea(`patina:many/${i}`, { state: true }));
  for (let round = 0; round < 50; round++) {
    streams.forEach((stream, i) => expect(stream.unit()).toBe(library[i]?.()));
  }
});

test("SI03: below and unit stay within their bounds and reach both ends", () => {
  const rng = createRng("bounds");
  const seen = new Set(draws(1000, () => rng.below(7)));
  expect([...seen].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  for (const x of draws(1000, () => rng.unit())) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x).toBeLessThan(1);
  }
});

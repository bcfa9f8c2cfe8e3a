import { expect, test } from "vitest";
import { Links } from "../../../sim/network/links.ts";

test("SI06: each pair of nodes and each direction is a link of its own, however many there are", () => {
  const links = new Links();
  const nodes = [...Array.from({ length: 40 }, (_, i) => i), 5000, 13_999, 16_383];
  const seen = new Map<number, string>();
  for (const from of nodes) {
    for (const to of nodes) {
      if (from === to) continue;
      const link = links.find(from, to);
      expect(seen.has(link)).toBe(false);
      seen.set(link, `${from} ${to}`);
      links.arriveInOrder(link, from % 3, 1000 * from + to);
    }
  }
  for (const [link, pair] of seen) {
    const [from, to] = pair.split(" ").map(Number) as [number, number];
    expect(links.find(from, to)).toBe(link);
    expect([links.fromOf(link), links.toOf(link)]).toEqual([from, to]);
    expect(links.arriveInOrder(link, from % 3, 0)).toBe(1000 * from + to);
    expect(links.arriveInOrder(link, (from + 1) % 3, 0)).toBe(0);
  }
});

test("SI06: a broken connection is given up once, and the planes' connections are their own", () => {
  const links = new Links();
  const link = links.find(1, 2);
  expect(links.break(link, 1)).toBe(true);
  expect(links.break(link, 1)).toBe(false);
  expect([0, 1, 2].map((plane) => links.generation(link, plane))).toEqual([0, 2, 0]);
  links.givenUp(link, 1);
  expect(links.break(link, 1)).toBe(true);
  expect(links.generation(link, 1)).toBe(3);
});

import { expect, it } from "vitest";
import { QuietWatch } from "../../../runtime/ipc/quiet.ts";

const [busy, little, none] = [0.9, 0.1, 0.005];

/** So many looks, one every five seconds. */
function looks(part: number, count: number): number[] {
  return Array.from({ length: count }, () => part);
}

/** The looks, from 0, at which a thread gives back. */
function times(...parts: readonly number[]): readonly number[] {
  const watch = new QuietWatch();
  return parts.flatMap((part, i) => (watch.look(part) ? [i] : []));
}

it("a thread gives back what its start took, once, when it has been quiet for ten seconds", () => {
  expect(times(...looks(none, 40))).toEqual([1]);
  expect(times(busy, none, busy, ...looks(none, 40))).toEqual([4]);
});

it("a thread gives back again a minute after each time of work, and never amid it", () => {
  const work = looks(busy, 3);
  expect(times(none, none, ...work, ...looks(none, 40))).toEqual([1, 16]);
  expect(times(none, none, ...work, ...looks(none, 11), ...work, ...looks(none, 12))).toEqual([
    1, 30,
  ]);
});

it("steady, small work is no reason to collect over and over", () => {
  expect(times(none, none, little, ...looks(none, 40), ...looks(little, 40))).toEqual([1]);
  expect(times(...looks(little, 40))).toEqual([]);
});

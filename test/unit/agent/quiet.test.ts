import { expect, it } from "vitest";
import { QuietWatch } from "../../../runtime/ipc/quiet.ts";

const [busy, little, none] = [0.9, 0.1, 0.005];

function times(parts: readonly number[]): readonly number[] {
  const watch = new QuietWatch();
  return parts.flatMap((part, i) => (watch.look(part) ? [i] : []));
}

it("a thread gives back what its start took, once, when it has been quiet for a while", () => {
  expect(times([none, none, none, none, none])).toEqual([1]);
  expect(times([busy, none, busy, none, none, none])).toEqual([4]);
});

it("a thread gives back again after each time of work, and never amid it", () => {
  expect(times([none, none, busy, busy, busy, none, none, none])).toEqual([1, 6]);
});

it("steady, small work is no reason to collect over and over", () => {
  expect(times([none, none, little, none, none, little, little, none, none])).toEqual([1]);
  expect(times([little, little, little, little])).toEqual([]);
});

import fc from "fast-check";
import { expect, test } from "vitest";
import type { ActorId } from "../../../core/base/ids.ts";
import { Arrivals } from "../../../core/gossip/arrivals.ts";

interface Item {
  readonly actor: ActorId;
  readonly version: number;
  readonly index: number;
}

const item = fc.record({
  // Few authors with equal beginnings, so that places in the table are wanted twice.
  actor: fc.constantFrom("0", "1", "f").map((last) => `${"ab".repeat(15)}a${last}` as ActorId),
  version: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(2 ** 33 - 1)),
  index: fc.integer({ min: 0, max: 3 }),
});
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant("add" as const), item }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("drop" as const) }) },
);
const nameOf = ({ actor, version, index }: Item): string => `${actor}/${version}/${index}`;

test("GO14: what is remembered is found, and what is forgotten is not, whatever came before", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), fc.array(item), (steps, others) => {
      const arrivals = new Arrivals<Item>();
      const model = new Map<string, { item: Item; atMs: number; bytes: number }>();
      steps.forEach((one, n) => {
        if (one.type === "add") {
          const name = nameOf(one.item);
          expect(arrivals.add(one.item, n, n * 2)).toBe(!model.has(name));
          if (!model.has(name)) model.set(name, { item: one.item, atMs: n, bytes: n * 2 });
        } else if (model.size > 0) {
          const [name, oldest] = [...model][0] as [string, { atMs: number; bytes: number }];
          expect(arrivals.oldestMs).toBe(oldest.atMs);
          expect(arrivals.dropOldest()).toBe(oldest.bytes);
          model.delete(name);
        }
        expect(arrivals.size).toBe(model.size);
      });
      const left = [...model.values()].map((one) => one.item);
      expect(left.map((_, nth) => arrivals.at(nth))).toEqual(left);
      for (const { actor, version, index } of [...left, ...others]) {
        const found = model.get(nameOf({ actor, version, index }))?.item;
        expect(arrivals.get(actor, version, index)).toBe(found);
      }
    }),
  );
});

test("GO14: a message that was forgotten and came again is the new one", () => {
  const arrivals = new Arrivals<Item>();
  const one = (version: number): Item => ({ actor: "a".repeat(32) as ActorId, version, index: 0 });
  for (let round = 0; round < 50; round++) {
    for (let version = 1; version <= 20; version++) {
      const again = one(version);
      expect(arrivals.add(again, round, 1)).toBe(true);
      expect(arrivals.get(again.actor, version, 0)).toBe(again);
      if (arrivals.size > 15) arrivals.dropOldest();
    }
    expect(arrivals.get("a".repeat(32) as ActorId, 1, 0)).toBeUndefined();
  }
});

test("GO14: versions that no author reaches are not remembered", () => {
  const arrivals = new Arrivals<Item>();
  const far = { actor: "a".repeat(32) as ActorId, version: 2 ** 33, index: 0 };
  expect(arrivals.add(far, 0, 1)).toBe(false);
  expect(arrivals.get(far.actor, far.version, 0)).toBeUndefined();
});

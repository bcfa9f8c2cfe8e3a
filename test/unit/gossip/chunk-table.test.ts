import fc from "fast-check";
import { expect, test } from "vitest";
import type { ActorId } from "../../../core/base/ids.ts";
import { ChunkTable } from "../../../core/gossip/chunk-table.ts";

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
  fc.record({ type: fc.constant("add" as const), item }),
  fc.record({ type: fc.constant("delete" as const), nth: fc.nat() }),
);
const nameOf = ({ actor, version, index }: Item): string => `${actor}/${version}/${index}`;

test("GO14: what is remembered is found, and what is forgotten is not, in any order", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), fc.array(item), (steps, others) => {
      const table = new ChunkTable<Item>();
      const model = new Map<string, Item>();
      for (const one of steps) {
        if (one.type === "add") {
          const name = nameOf(one.item);
          expect(table.add(one.item)).toBe(!model.has(name));
          if (!model.has(name)) model.set(name, one.item);
        } else if (model.size > 0) {
          const gone = [...model.values()][one.nth % model.size] as Item;
          expect(table.delete(gone)).toBe(true);
          expect(table.delete(gone)).toBe(false);
          model.delete(nameOf(gone));
        }
        expect(table.size).toBe(model.size);
      }
      for (const { actor, version, index } of [...model.values(), ...others]) {
        const found = model.get(nameOf({ actor, version, index }));
        expect(table.get(actor, version, index)).toBe(found);
      }
    }),
  );
});

test("GO14: versions that no author reaches are not remembered", () => {
  const table = new ChunkTable<Item>();
  const far = { actor: "a".repeat(32) as ActorId, version: 2 ** 33, index: 0 };
  expect(table.add(far)).toBe(false);
  expect(table.get(far.actor, far.version, 0)).toBeUndefined();
});

/** Damage done to messages, and the weight of what a decoder made of them. */
import fc from "fast-check";

export type Damage =
  | { readonly do: "set"; readonly at: number; readonly byte: number }
  | { readonly do: "flip"; readonly at: number; readonly bit: number }
  | { readonly do: "cut"; readonly at: number }
  | { readonly do: "insert"; readonly at: number; readonly bytes: Uint8Array }
  | { readonly do: "remove"; readonly at: number; readonly count: number }
  | { readonly do: "repeat"; readonly at: number; readonly count: number };

/** A place as a fraction, so that it fits a message of any length. */
const at = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

export const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({
    do: fc.constant("set" as const),
    at,
    byte: fc.oneof(fc.integer({ min: 0, max: 255 }), fc.constantFrom(0, 0x7f, 0x80, 0xff)),
  }),
  fc.record({ do: fc.constant("flip" as const), at, bit: fc.integer({ min: 0, max: 7 }) }),
  fc.record({ do: fc.constant("cut" as const), at }),
  fc.record({
    do: fc.constant("insert" as const),
    at,
    bytes: fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      // The largest varint: a count or length that no message can keep.
      fc.constant(Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)),
    ),
  }),
  fc.record({ do: fc.constant("remove" as const), at, count: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ do: fc.constant("repeat" as const), at, count: fc.integer({ min: 1, max: 30 }) }),
);

/** The envelope stays as it is, so that the damage reaches the decoder of the kind. */
export function mutated(bytes: Uint8Array, damages: readonly Damage[], keep = 2): Uint8Array {
  let list = [...bytes];
  for (const one of damages) {
    const place = keep + Math.floor(one.at * Math.max(0, list.length - keep));
    switch (one.do) {
      case "set":
        if (place < list.length) list[place] = one.byte;
        break;
      case "flip":
        if (place < list.length) list[place] = (list[place] as number) ^ (1 << one.bit);
        break;
      case "cut":
        list = list.slice(0, place);
        break;
      case "insert":
        list.splice(place, 0, ...one.bytes);
        break;
      case "remove":
        list.splice(place, one.count);
        break;
      case "repeat":
        list.splice(place, 0, ...list.slice(place, place + one.count));
        break;
    }
  }
  return Uint8Array.from(list);
}

/** How much there is of a value: an item for each part, and the length of each text and byte string. */
export function weigh(value: unknown): number {
  if (typeof value === "string") return 1 + value.length;
  if (typeof value !== "object" || value === null) return 1;
  if (ArrayBuffer.isView(value)) return 1 + value.byteLength;
  let sum = 1;
  for (const part of Array.isArray(value) ? value : Object.values(value)) sum += weigh(part);
  return sum;
}

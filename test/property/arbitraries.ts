/** Generators of SQLite values, shared by the tests of the merge. */
import fc from "fast-check";
import { integerValue, realValue, type Value } from "../../core/crdt/value.ts";

const edges = [
  0n,
  1n,
  -1n,
  2n ** 31n,
  -(2n ** 31n) - 1n,
  2n ** 47n,
  2n ** 51n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 53n + 1n,
  -(2n ** 53n) - 1n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n - 513n,
  -(2n ** 63n),
];

/** Any 64-bit integer; small ones and those near the edges are likelier. */
export const anyInteger: fc.Arbitrary<Value> = fc
  .oneof(
    fc.integer({ min: -100, max: 100 }).map(BigInt),
    fc.maxSafeInteger().map(BigInt),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.constantFrom(...edges),
  )
  .map(integerValue);

/** Any REAL; those without a fraction are likelier than by chance. */
export const anyReal: fc.Arbitrary<Value> = fc
  .oneof(
    fc.double({ noNaN: true }),
    fc.integer().map((n) => n / 4),
    fc.constantFrom(...edges.map(Number)),
    fc.constantFrom(Infinity, -Infinity, 0, -0, 5e-324, 1.7976931348623157e308),
  )
  .map(realValue);

export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary", maxLength: 12 }),
  fc.string({
    unit: fc.constantFrom("a", "b", "A", "\0", "\u00e9", "\uffff", "\u{1f600}"),
    maxLength: 6,
  }),
);

export const anyBlob: fc.Arbitrary<Uint8Array> = fc.uint8Array({ maxLength: 12 });

export const anyValue: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  anyInteger,
  anyReal,
  anyText,
  anyBlob,
);

/** Text that is a number, nearly a number, or a number with something odd about it. */
export const numberLikeText: fc.Arbitrary<string> = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.constantFrom(...edges).map(String),
  fc
    .tuple(
      fc.constantFrom("", " ", "\t\n", "\v\f\r"),
      fc.constantFrom("", "+", "-", "--"),
      fc.string({ unit: fc.constantFrom(..."0123456789".split("")), maxLength: 24 }),
      fc.constantFrom("", ".", "."),
      fc.string({ unit: fc.constantFrom(..."0123456789".split("")), maxLength: 24 }),
      fc.constantFrom("", "e", "E+", "e-", "e5", "E-7", "e+300", "e-310", "e99999"),
      fc.constantFrom("", " ", "\0", "\0x", "x", "\u00a0"),
    )
    .map((parts) => parts.join("")),
);

/** Every kind of message: round trips, growth by a newer program, and bytes that anybody made up. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { envelopeBytes, wireVersion } from "../../core/wire/envelope.ts";
import { type MessageKind, messageKinds } from "../../core/wire/kinds.ts";
import { damage, mutated, weigh } from "./hostile-bytes.ts";
import { kindCases } from "./message-arbitraries.ts";

const kinds = Object.keys(messageKinds) as MessageKind[];

describe.each(kinds)("%s", (kind) => {
  const { sent, decode } = kindCases[kind];

  test("WI08: any message is read back as it was written, in bytes that say its kind", () => {
    fc.assert(
      fc.property(sent, ({ message, bytes }) => {
        expect([...bytes.subarray(0, envelopeBytes)]).toEqual([wireVersion, messageKinds[kind]]);
        expect(decode(bytes)).toEqual({ type: "message", message, unknownField: false });
      }),
    );
  });

  test("WI07: fields that a newer program puts at the end are passed over and counted", () => {
    fc.assert(
      fc.property(sent, fc.uint8Array({ minLength: 1, maxLength: 40 }), (one, more) => {
        const grown = Uint8Array.from([...one.bytes, ...more]);
        expect(decode(grown)).toEqual({
          type: "message",
          message: one.message,
          unknownField: true,
        });
      }),
      { numRuns: 50 },
    );
  });

  test("WI05: a damaged message is a message, an unknown kind or a rejection, and never larger than its bytes allow", () => {
    let rejected = 0;
    fc.assert(
      fc.property(sent, fc.array(damage, { minLength: 1, maxLength: 4 }), (one, damages) => {
        const bytes = mutated(one.bytes, damages);
        const decoded = decode(bytes);
        if (decoded.type === "message") expectBounded(decoded.message, bytes);
        else rejected++;
      }),
      { numRuns: 500 },
    );
    // A prune has no fields that could be wrong.
    if (kind !== "prune") expect(rejected).toBeGreaterThan(0);
  });

  test("WI05: any bytes behind the right envelope do no harm either", () => {
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.array(fc.constantFrom(0, 1, 2, 3, 0x7f, 0x80, 0xff), { maxLength: 40 }),
    );
    fc.assert(
      fc.property(noise, (body) => {
        const bytes = Uint8Array.from([wireVersion, messageKinds[kind], ...body]);
        const decoded = decode(bytes);
        if (decoded.type === "message") expectBounded(decoded.message, bytes);
      }),
      { numRuns: 500 },
    );
  });
});

test("WI05: bytes without any envelope do no harm on any plane", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(...kinds), (bytes, kind) => {
      const decoded = kindCases[kind].decode(bytes);
      expect(["message", "unknownKind", "rejected"]).toContain(decoded.type);
    }),
    { numRuns: 2000 },
  );
});

test("WI06: a kind that no program knows yet is unknown on every plane", () => {
  const known = new Set<number>(Object.values(messageKinds));
  for (let kind = 0; kind < 256; kind++) {
    if (known.has(kind)) continue;
    for (const plane of ["ping", "push", "syncDigest"] as const) {
      const decoded = kindCases[plane].decode(Uint8Array.of(wireVersion, kind, 1, 2, 3));
      expect(decoded).toEqual({ type: "unknownKind", kind });
    }
  }
});

/** WI04: what was made of the bytes is in proportion to them; group tables of membership are a fixed part. */
function expectBounded(message: unknown, bytes: Uint8Array): void {
  expect(weigh(message)).toBeLessThanOrEqual(1000 + 16 * bytes.length);
}

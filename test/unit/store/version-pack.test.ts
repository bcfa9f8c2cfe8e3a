/** The list of a pack's versions is read as it was written. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeHead, HeadReader, type PackedVersion } from "../../../runtime/store/version-pack.ts";

/** How a version differs from the one before. */
const step = fc.record({
  ids: fc.integer({ min: 1, max: 3 }),
  author: fc.constantFrom(null, null, null, 7, 9),
  versions: fc.integer({ min: -2, max: 400 }),
  inStep: fc.boolean(),
  ms: fc.integer({ min: -3, max: 1000 }),
  counter: fc.constantFrom(0, 0, 1, 65_535),
  gap: fc.constantFrom(0, 0, 5),
  size: fc.constantFrom(60, 60, 61, 9000),
  sealSize: fc.constantFrom(0, 0, 64),
});

describe("a pack of versions", () => {
  test("BK31: its list is read as it was written", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 40 }), (steps) => {
        const versions: PackedVersion[] = [];
        let [id, actor, version, ms, end] = [5, 3, 1000, 1_780_000_000_000, 0];
        for (const {
          ids,
          author,
          versions: later,
          inStep,
          counter,
          gap,
          size,
          sealSize,
          ...by
        } of steps) {
          id += ids;
          actor = author ?? actor;
          version += inStep ? ids : later;
          ms += by.ms;
          versions.push({ id, actor, version, ms, counter, at: end + gap, size, sealSize });
          end += gap + size + sealSize;
        }
        const reader = new HeadReader(encodeHead(versions, end + 1), "a pack");
        expect(reader.contentSize).toBe(end + 1);
        const read: PackedVersion[] = [];
        while (reader.next()) read.push(reader.entry());
        expect(read).toEqual(versions);
      }),
      { numRuns: 500 },
    );
  });
});

/** Versions are found in what is kept of their packs, in whatever order they are asked for. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PackHead, PackHeads } from "../../../runtime/store/pack-heads.ts";
import { CorruptionError } from "../../../runtime/store/row-table.ts";
import { encodeHead, type PackedVersion } from "../../../runtime/store/version-pack.ts";

/** Versions of one pack; `steps` tells how many log rows lie from each to the next. */
function versionsOf(first: number, steps: readonly number[]): PackedVersion[] {
  let [id, at] = [first, 0];
  return [0, ...steps].map((step, i) => {
    id += step;
    const size = 40 + (i % 7);
    const sealSize = i % 11 === 0 ? 64 : 0;
    const version = { id, actor: i % 50 === 49 ? 2 : 1, version: id + 10, ms: 1_780_000_000_000 };
    const told = { ...version, ms: version.ms + 3 * i, counter: i % 5, at, size, sealSize };
    at += size + sealSize;
    return told;
  });
}

function headOf(versions: readonly PackedVersion[]): PackHead {
  const [first, last] = [versions[0] as PackedVersion, versions.at(-1) as PackedVersion];
  const bytes = encodeHead(versions, last.at + last.size + last.sealSize);
  return new PackHead(first.id, last.id, bytes, "a pack");
}

const steps = fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 300 });

describe("what packs tell of their versions", () => {
  test("BK31: the version at or before any log row is found, in any order of asking", () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(1000), { maxLength: 60 }), (between, asked) => {
        const versions = versionsOf(100, between);
        const head = headOf(versions);
        for (const ask of asked) {
          const id = 95 + ask;
          const exact = head.find(id);
          expect(exact).toEqual(versions.find((v) => v.id === id) ?? null);
          expect(head.lastUpTo(id)).toEqual(versions.findLast((v) => v.id <= id) ?? null);
        }
        expect(head.versions()).toEqual(versions);
      }),
      { numRuns: 300 },
    );
  });

  test("BK31: of the packs kept that one is found which spans a log row, and those used longest ago go first", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 30 }),
        fc.array(fc.tuple(fc.nat(29), fc.boolean()), { maxLength: 80 }),
        fc.integer({ min: 300, max: 20_000 }),
        (gaps, actions, most) => {
          let end = 0;
          const packs = gaps.map((gap, i) => {
            const versions = versionsOf(end + gap, Array(i % 5).fill(2));
            end = (versions.at(-1) as PackedVersion).id;
            return headOf(versions);
          });
          const heads = new PackHeads(most);
          const used: PackHead[] = [];
          for (const [at, forgets] of actions) {
            const pack = packs[at % packs.length] as PackHead;
            if (forgets) heads.forget(pack);
            const found = heads.find(pack.last);
            if (forgets) expect(found).toBe(null);
            if (found === null) heads.add(pack);
            else expect(found).toBe(pack);
            used.push(pack);
          }
          const kept = packs.filter((pack) => heads.find(pack.first) === pack);
          const bytes = kept.reduce((sum, pack) => sum + pack.bytes, 0);
          expect(kept.length <= 1 || bytes <= most).toBe(true);
          if (used.length > 0) expect(kept).toContain(used.at(-1));
          for (const pack of packs) expect([pack, null]).toContain(heads.find(pack.last));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("BK31: a damaged list is refused", () => {
    const bytes = encodeHead(versionsOf(1, [1, 1]), 1000);
    bytes[3] = (bytes[3] as number) ^ 1;
    expect(() => new PackHead(1, 3, bytes, "a pack")).toThrow(CorruptionError);
  });
});

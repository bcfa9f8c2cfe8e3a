import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Directory } from "../../../core/swim/directory.ts";
import { compareIdentity, readIdentity } from "../../../core/swim/identity.ts";
import { WireError } from "../../../core/wire/wire-error.ts";
import { bodyOf, identity, tag } from "./solo.ts";

describe("the directory of identities", () => {
  test("SW16: an identity is found by its 48-bit tag while somebody holds it, and not after", () => {
    const directory = new Directory();
    const entry = directory.intern(identity("a"));
    const { hi, lo } = tag(identity("a"));
    expect(directory.entryByTag(hi, lo)).toBe(entry);
    expect(directory.entryByTag(hi ^ 1, lo)).toBe(-1);
    directory.release(entry);
    expect(directory.entryByTag(hi, lo)).toBe(-1);
    expect(directory.slotOf(identity("a").address)).toBe(-1);
    expect(directory.size).toBe(0);
  });

  test("SW01: identities at one address share its slot", () => {
    const directory = new Directory();
    const older = directory.intern(identity("a"));
    const newer = directory.intern(identity("a", { epoch: 2 }));
    expect(newer).not.toBe(older);
    expect(directory.slotOfEntry(newer)).toBe(directory.slotOfEntry(older));
    directory.release(older);
    expect(directory.slotOf(identity("a").address)).toBe(directory.slotOfEntry(newer));
  });

  test("SW16: the same identity read from bytes is the same entry", () => {
    const directory = new Directory();
    const entry = directory.intern(identity("a"));
    expect(directory.internRead(readIdentity(bodyOf(identity("a"))), bodyOf(identity("a")))).toBe(
      entry,
    );
    expect(directory.bodyOf(entry)).toEqual(bodyOf(identity("a")));
  });

  test("SW27: entries and slots given back are used again", () => {
    const directory = new Directory();
    for (let i = 0; i < 1000; i++) directory.release(directory.intern(identity(`n${i}`)));
    expect(directory.size).toBe(0);
    expect(directory.slotCount).toBe(1);
  });

  test("SW16: whatever comes and goes, each identity held is found, and no other", () => {
    const step = fc.tuple(fc.nat(120), fc.integer({ min: 1, max: 2 }), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
        const directory = new Directory();
        const held = new Map<string, number[]>();
        for (const [n, epoch, add] of steps) {
          const one = identity(`n${n}`, { epoch });
          const key = `${n}/${epoch}`;
          const entries = held.get(key) ?? [];
          if (add) entries.push(directory.intern(one));
          else if (entries.length > 0) directory.release(entries.pop() as number);
          held.set(key, entries);
        }
        for (let n = 0; n <= 120; n++) {
          for (const epoch of [1, 2]) {
            const one = identity(`n${n}`, { epoch });
            const { hi, lo } = tag(one);
            const entries = held.get(`${n}/${epoch}`) ?? [];
            const found = directory.entryByTag(hi, lo);
            expect(found).toBe(entries[0] ?? -1);
            if (found >= 0) expect(directory.identityOf(found)).toEqual(one);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("SW01: the larger epoch holds an address, and of one epoch the larger node id", () => {
    const low = identity("a", { epoch: 1 });
    const high = identity("a", { epoch: 2 });
    const other = { ...low, nodeId: identity("zz").nodeId };
    expect(compareIdentity(high, other)).toBeGreaterThan(0);
    expect(Math.sign(compareIdentity(other, low))).toBe(-Math.sign(compareIdentity(low, other)));
    expect(compareIdentity(low, { ...low })).toBe(0);
  });

  test("SW26: an identity past the ceiling of epochs, without address or too long is refused", () => {
    for (const bad of [
      identity("a", { epoch: 2 ** 52 }),
      identity(""),
      identity("a", { name: "x".repeat(64) }),
      identity("a", { region: "x".repeat(64) }),
    ]) {
      expect(() => readIdentity(bodyOf(bad))).toThrow(WireError);
    }
    expect(readIdentity(bodyOf(identity("a", { epoch: 2 ** 52 - 1 }))).epoch).toBe(2 ** 52 - 1);
  });
});

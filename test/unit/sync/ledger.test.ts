import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actorId } from "../../../core/base/ids.ts";
import type { ActorHoldings } from "../../../core/node/store.ts";
import { maxVersion } from "../../../core/sync/actor-ledger.ts";
import { Ledger, maxActors, maxPartials } from "../../../core/sync/ledger.ts";

const alice = actorId("a1".repeat(16));
const bob = actorId("b2".repeat(16));

function hashOf(ledger: Ledger): string {
  return `${ledger.hash.hi}/${ledger.hash.lo}`;
}

describe("the books", () => {
  test("BK01: opened from holdings they tell the same holdings", () => {
    const holdings: ActorHoldings[] = [
      {
        actor: alice,
        head: 20,
        gaps: [
          [3, 4],
          [11, 11],
        ],
        partial: [
          { version: 7, count: 4, have: [[1, 2]] },
          { version: 20, count: 2, have: [[0, 0]] },
        ],
      },
      { actor: bob, head: 2, gaps: [], partial: [] },
    ];
    const ledger = new Ledger(holdings);
    expect(ledger.holdings()).toEqual(holdings);
    expect(ledger.partialCount).toBe(2);
    expect(ledger.heldVersions).toBe(15 + 2);
  });

  test("BK01: what is held does not shrink, and a version held again changes nothing", () => {
    const ledger = new Ledger([]);
    expect(ledger.hold(alice, 1, 5)).toBe(5);
    const hash = hashOf(ledger);
    expect(ledger.hold(alice, 2, 4)).toBe(0);
    expect(hashOf(ledger)).toBe(hash);
    expect(ledger.hold(alice, 4, 8)).toBe(3);
    expect(ledger.get(alice)?.head).toBe(8);
  });

  test("BK02: the hash of nothing is that of nothing, and each version changes it", () => {
    const ledger = new Ledger([]);
    expect(ledger.hash).toEqual({ hi: 0, lo: 0 });
    const seen = new Set([hashOf(ledger)]);
    for (let v = 1; v <= 50; v++) {
      ledger.hold(v % 2 === 0 ? alice : bob, v, v);
      expect(seen.has(hashOf(ledger))).toBe(false);
      seen.add(hashOf(ledger));
    }
  });

  test("BK03: bucket hashes fold into fewer, and in the end into the hash of all", () => {
    const ledger = new Ledger([]);
    for (let i = 0; i < 100; i++) {
      ledger.hold(actorId(i.toString(16).padStart(32, "0")), 1, 1 + i);
    }
    expect([...ledger.bucketHashes(0)]).toEqual([ledger.hash.hi, ledger.hash.lo]);
    const fine = ledger.bucketHashes(6);
    const coarse = ledger.bucketHashes(2);
    for (let b = 0; b < 4; b++) {
      let hi = 0;
      for (let i = b; i < 64; i += 4) hi ^= fine[2 * i] as number;
      expect(coarse[2 * b]).toBe(hi);
    }
  });

  test("BK03: only the bucket of an actor changes with it", () => {
    const ledger = new Ledger([]);
    ledger.hold(alice, 1, 3);
    const before = ledger.bucketHashes(6);
    ledger.hold(bob, 1, 1);
    const after = ledger.bucketHashes(6);
    const at = ledger.bucketOf(ledger.open(bob) as NonNullable<ReturnType<Ledger["open"]>>, 6);
    for (let i = 0; i < 64; i++) {
      expect(after[2 * i] === before[2 * i] && after[2 * i + 1] === before[2 * i + 1]).toBe(
        i !== at,
      );
    }
  });

  test("BK04: a hash held lately is known again, one never held is not", () => {
    const ledger = new Ledger([]);
    const past: { hi: number; lo: number }[] = [{ ...ledger.hash }];
    for (let v = 1; v <= 100; v++) {
      ledger.hold(alice, v, v);
      past.push({ ...ledger.hash });
    }
    for (const hash of past) expect(ledger.hasHeld(hash)).toBe(true);
    expect(ledger.hasHeld({ hi: 1, lo: 2 })).toBe(false);
    const other = new Ledger([]);
    other.hold(alice, 1, 200);
    expect(ledger.hasHeld(other.hash)).toBe(false);
    expect(other.hasHeld(ledger.hash)).toBe(false);
  });

  test("BK05: a chunk is new, known, or contradicts what is known of its version", () => {
    const ledger = new Ledger([]);
    expect(ledger.verdict(alice, 1, 0, 1)).toBe("new");
    ledger.setPending(alice, 1, 0, 1);
    expect(ledger.verdict(alice, 1, 0, 1)).toBe("known");
    ledger.hold(alice, 1, 1);
    expect(ledger.verdict(alice, 1, 0, 1)).toBe("known");
    ledger.setPending(alice, 2, 1, 3);
    expect(ledger.verdict(alice, 2, 1, 3)).toBe("known");
    expect(ledger.verdict(alice, 2, 0, 3)).toBe("new");
    expect(ledger.verdict(alice, 2, 0, 4)).toBe("conflict");
    ledger.holdChunk(alice, 2, 1, 3);
    expect(ledger.verdict(alice, 2, 1, 3)).toBe("known");
  });

  test("BK06: a mark that is taken back leaves the chunk missing", () => {
    const ledger = new Ledger([]);
    ledger.setPending(alice, 3, 0, 1);
    ledger.setPending(alice, 4, 2, 9);
    expect(ledger.get(alice)?.wanting(1, 4)).toEqual([
      [1, 2],
      [4, 4],
    ]);
    ledger.clearPending(alice, 3, 0, 1);
    ledger.clearPending(alice, 4, 2, 9);
    expect(ledger.get(alice)?.wanting(1, 4)).toEqual([[1, 4]]);
    expect(ledger.partialCount).toBe(0);
    expect(ledger.hash).toEqual({ hi: 0, lo: 0 });
  });

  test("BK07: a version absurdly far ahead is one more range", () => {
    const ledger = new Ledger([]);
    ledger.hold(alice, maxVersion, maxVersion);
    ledger.hold(alice, 1, 1);
    expect(ledger.get(alice)?.wanting(1, maxVersion)).toEqual([[2, maxVersion - 1]]);
    expect(ledger.holdings()).toEqual([
      { actor: alice, head: maxVersion, gaps: [[2, maxVersion - 1]], partial: [] },
    ]);
  });

  test("BK08: a version in parts is whole with its last chunk, and its parts leave the hash", () => {
    const ledger = new Ledger([]);
    for (const index of [2, 0, 1]) ledger.holdChunk(alice, 1, index, 4);
    expect(ledger.holdings()).toEqual([
      { actor: alice, head: 1, gaps: [], partial: [{ version: 1, count: 4, have: [[0, 2]] }] },
    ]);
    ledger.holdChunk(alice, 1, 3, 4);
    const whole = new Ledger([]);
    whole.hold(alice, 1, 1);
    expect(hashOf(ledger)).toBe(hashOf(whole));
    expect(ledger.holdings()).toEqual(whole.holdings());
    expect(ledger.partialCount).toBe(0);
  });

  test("BK08: parts count in the hash, so that two halves of a version are found to differ", () => {
    const [one, two] = [new Ledger([]), new Ledger([])];
    one.holdChunk(alice, 1, 0, 2);
    two.holdChunk(alice, 1, 1, 2);
    expect(hashOf(one)).not.toBe(hashOf(two));
    expect(hashOf(one)).not.toBe("0/0");
  });

  test("BK09: a version that could not be read is not wanted until it is forgiven", () => {
    const ledger = new Ledger([]);
    ledger.hold(alice, 3, 3);
    ledger.holdChunk(alice, 2, 0, 2);
    ledger.refuse(alice, 2);
    expect(ledger.partialCount).toBe(0);
    expect(ledger.get(alice)?.wanting(1, 3)).toEqual([[1, 1]]);
    expect(ledger.get(alice)?.lacking(1, 3)).toEqual([[1, 2]]);
    expect(ledger.forgiveAll()).toBe(true);
    expect(ledger.get(alice)?.wanting(1, 3)).toEqual([[1, 2]]);
    expect(ledger.forgiveAll()).toBe(false);
  });

  test("BK12: no more actors and partial versions than their bounds", () => {
    const ledger = new Ledger([]);
    for (let v = 1; v <= maxPartials; v++) {
      expect(ledger.setPending(alice, v, 0, 2)).toBe(true);
    }
    expect(ledger.setPending(alice, maxPartials + 1, 0, 2)).toBe(false);
    expect(ledger.setPending(alice, 1, 1, 2)).toBe(true);
    expect(ledger.setPending(alice, maxPartials + 2, 0, 1)).toBe(true);
    for (let i = 1; i < maxActors; i++) ledger.open(actorId(i.toString(16).padStart(32, "0")));
    expect(ledger.actorCount).toBe(maxActors);
    expect(ledger.setPending(bob, 1, 0, 1)).toBe(false);
    expect(ledger.setPending(alice, 1, 1, 2)).toBe(true);
  });
});

/** The same books as plain sets. */
class Model {
  readonly whole = new Set<string>();
  readonly parts = new Map<string, Set<number>>();
  readonly counts: Map<string, number>;

  constructor(counts: Map<string, number>) {
    this.counts = counts;
  }

  hold(actor: string, version: number): void {
    this.whole.add(`${actor}/${version}`);
    this.parts.delete(`${actor}/${version}`);
  }

  chunk(actor: string, version: number, index: number): void {
    const key = `${actor}/${version}`;
    if (this.whole.has(key)) return;
    const parts = this.parts.get(key) ?? new Set();
    parts.add(index);
    this.parts.set(key, parts);
    if (parts.size === this.counts.get(key)) this.hold(actor, version);
  }
}

const actors = [alice, bob, actorId("c3".repeat(16))];
const versions = 12;

const step = fc.oneof(
  fc.record({
    type: fc.constant("hold" as const),
    actor: fc.nat(2),
    from: fc.integer({ min: 1, max: versions }),
    length: fc.nat(4),
  }),
  fc.record({
    type: fc.constant("chunk" as const),
    actor: fc.nat(2),
    version: fc.integer({ min: 1, max: versions }),
    index: fc.nat(3),
  }),
);

/** Version v of every actor comes in 1 + v mod 4 chunks. */
function countOf(version: number): number {
  return 1 + (version % 4);
}

describe("the books against plain sets", () => {
  test("BK01, BK02: any history gives the holdings of the model, and a hash that depends on them alone", () => {
    const hashes = new Map<string, string>();
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ledger = new Ledger([]);
        const counts = new Map<string, number>();
        for (const actor of actors) {
          for (let v = 1; v <= versions; v++) counts.set(`${actor}/${v}`, countOf(v));
        }
        const model = new Model(counts);
        for (const s of steps) {
          const actor = actors[s.actor] as (typeof actors)[number];
          if (s.type === "hold") {
            ledger.hold(actor, s.from, s.from + s.length);
            for (let v = s.from; v <= s.from + s.length; v++) model.hold(actor, v);
          } else {
            const index = s.index % countOf(s.version);
            ledger.holdChunk(actor, s.version, index, countOf(s.version));
            model.chunk(actor, s.version, index);
          }
        }
        expect(describeLedger(ledger)).toEqual(describeModel(model));
        const text = JSON.stringify(describeModel(model));
        const hash = hashOf(ledger);
        expect(hashes.get(text) ?? hash).toBe(hash);
        hashes.set(text, hash);
        // Made anew from what it tells, it is the same.
        const again = new Ledger(ledger.holdings());
        expect(again.holdings()).toEqual(ledger.holdings());
        expect(hashOf(again)).toBe(hash);
        expect([...again.bucketHashes(6)]).toEqual([...ledger.bucketHashes(6)]);
      }),
      { numRuns: 400 },
    );
    expect(new Set(hashes.values()).size).toBe(hashes.size);
  });
});

function describeLedger(ledger: Ledger): string[] {
  const told: string[] = [];
  for (const { actor, head, gaps, partial } of ledger.holdings()) {
    for (let v = 1; v <= head; v++) {
      const part = partial.find(({ version }) => version === v);
      if (part !== undefined) told.push(`${actor}/${v} ${JSON.stringify(expand(part.have))}`);
      else if (!gaps.some(([from, to]) => v >= from && v <= to)) told.push(`${actor}/${v}`);
    }
  }
  return told.sort();
}

function describeModel(model: Model): string[] {
  const parts = [...model.parts].map(
    ([key, set]) => `${key} ${JSON.stringify([...set].sort((a, b) => a - b))}`,
  );
  return [...model.whole, ...parts].sort();
}

function expand(ranges: readonly (readonly [number, number])[]): number[] {
  return ranges.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

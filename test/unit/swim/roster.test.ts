import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MemberState } from "../../../core/node/event.ts";
import { Directory } from "../../../core/swim/directory.ts";
import { Roster } from "../../../core/swim/roster.ts";
import { createRng } from "../../../sim/rng.ts";
import { identity } from "./solo.ts";

const states: readonly MemberState[] = ["alive", "suspect", "down", "left"];

class Fixture {
  readonly directory = new Directory();
  readonly rng = createRng("roster");
  readonly roster = new Roster(this.directory, this.directory.intern(identity("self")));

  set(name: string, state: MemberState = "alive", incarnation = 0, epoch = 1): number {
    const entry = this.directory.intern(identity(name, { epoch }));
    const slot = this.directory.slotOfEntry(entry);
    this.roster.set(slot, entry, state, incarnation, this.rng);
    this.directory.release(entry);
    return slot;
  }

  forget(name: string): void {
    this.roster.forget(this.directory.slotOf(identity(name).address));
  }

  pass(): number[] {
    return Array.from({ length: this.roster.peers }, () => this.roster.nextProbe(this.rng));
  }
}

describe("order of probing", () => {
  test("SW04: every member comes once in a pass, and not in the same order in the next", () => {
    const f = new Fixture();
    const slots = Array.from({ length: 50 }, (_, i) => f.set(`n${i}`));
    const first = f.pass();
    const second = f.pass();
    expect(first.toSorted((a, b) => a - b)).toEqual(slots.toSorted((a, b) => a - b));
    expect(second.toSorted((a, b) => a - b)).toEqual(slots.toSorted((a, b) => a - b));
    expect(first).not.toEqual(second);
  });

  test("SW04: those that go in the middle of a pass are skipped, the others still come once", () => {
    const f = new Fixture();
    const slots = Array.from({ length: 40 }, (_, i) => f.set(`n${i}`));
    const seen: number[] = [];
    for (let i = 0; i < 10; i++) seen.push(f.roster.nextProbe(f.rng));
    for (let i = 0; i < 40; i += 3) f.set(`n${i}`, i % 2 === 0 ? "down" : "left");
    const rest = f.roster.peers - seen.filter((slot) => f.roster.isPeer(slot)).length;
    for (let i = 0; i < rest; i++) seen.push(f.roster.nextProbe(f.rng));
    const living = slots.filter((slot) => f.roster.isPeer(slot));
    for (const slot of living) expect(seen.filter((other) => other === slot)).toHaveLength(1);
  });

  test("SW04: a newcomer's place is anywhere: about half of them are probed in the same pass", () => {
    let inThisPass = 0;
    for (let run = 0; run < 200; run++) {
      const f = new Fixture();
      for (let i = 0; i < 20; i++) f.set(`n${i}`);
      for (let i = 0; i < run % 3; i++) f.rng.uint32();
      for (let i = 0; i < 10; i++) f.roster.nextProbe(f.rng);
      for (let i = 0; i < run; i++) f.rng.uint32();
      const slot = f.set("new");
      for (let i = 0; i < 10; i++) if (f.roster.nextProbe(f.rng) === slot) inThisPass++;
    }
    expect(inThisPass).toBeGreaterThan(60);
    expect(inThisPass).toBeLessThan(140);
  });

  test("SW04: nobody else, nobody to probe", () => {
    const f = new Fixture();
    expect(f.roster.nextProbe(f.rng)).toBe(-1);
    f.set("a", "down");
    expect(f.roster.nextProbe(f.rng)).toBe(-1);
  });
});

describe("digests", () => {
  test("SW17: lists that came about in different ways have equal digests when they are equal", () => {
    const change = fc.tuple(fc.nat(9), fc.constantFrom(...states), fc.nat(3));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), (changes) => {
        const one = new Fixture();
        const last = new Map<number, readonly [MemberState, number]>();
        for (const [n, state, incarnation] of changes) {
          one.set(`n${n}`, state, incarnation);
          last.set(n, [state, incarnation]);
        }
        const other = new Fixture();
        for (const [n, [state, incarnation]] of [...last].toReversed()) {
          other.set(`n${n}`, state, incarnation);
        }
        expect(one.roster.root).toBe(other.roster.root);
        for (const groups of [1, 4, 64, 256]) {
          let sum = 0;
          for (let g = 0; g < groups; g++) {
            expect(one.roster.groupDigest(g, groups)).toBe(other.roster.groupDigest(g, groups));
            sum = (sum + one.roster.groupDigest(g, groups)) >>> 0;
          }
          expect(sum).toBe(one.roster.root);
        }
      }),
    );
  });

  test("SW17: each difference shows: a state, an incarnation, an epoch, a member more", () => {
    const roots = new Set<number>();
    const variants: ((f: Fixture) => void)[] = [
      () => {},
      (f) => f.set("a"),
      (f) => f.set("a", "suspect"),
      (f) => f.set("a", "down"),
      (f) => f.set("a", "left"),
      (f) => f.set("a", "alive", 1),
      (f) => f.set("a", "alive", 0, 2),
      (f) => f.set("b"),
    ];
    for (const variant of variants) {
      const f = new Fixture();
      variant(f);
      roots.add(f.roster.root);
    }
    expect(roots.size).toBe(variants.length);
  });

  test("SW17: who is forgotten leaves no trace in the digest", () => {
    const f = new Fixture();
    f.set("a");
    const before = f.roster.root;
    f.set("b", "down", 3);
    f.forget("b");
    expect(f.roster.root).toBe(before);
  });
});

describe("living addresses", () => {
  test("SW28: they are in code unit order, and the same array until they change", () => {
    const f = new Fixture();
    for (const name of ["n10", "n9", "N1", "é"]) f.set(name);
    const first = f.roster.aliveAddresses();
    expect(first).toEqual(["N1", "n10", "n9", "é"]);
    expect(f.roster.aliveAddresses()).toBe(first);
    f.set("n10", "suspect");
    expect(first).toEqual(["N1", "n10", "n9", "é"]);
    expect(f.roster.aliveAddresses()).toEqual(["N1", "n9", "é"]);
  });

  test("SW28: lists of one process tell only of those whom they know themselves", () => {
    const one = new Fixture();
    const two = new Roster(one.directory, one.directory.intern(identity("two")));
    one.set("a");
    one.set("b");
    expect(two.aliveAddresses()).toEqual([]);
    expect(two.aliveCount).toBe(0);
    const entry = one.directory.intern(identity("b"));
    two.set(one.directory.slotOfEntry(entry), entry, "alive", 0, one.rng);
    expect(two.aliveAddresses()).toEqual(["b"]);
    expect(one.roster.aliveAddresses()).toEqual(["a", "b"]);
    expect([one.roster.aliveAt(0), one.roster.aliveAt(1)]).toEqual(["a", "b"]);
  });

  test("SW28: whatever happens, they are the others that are alive", () => {
    const change = fc.tuple(
      fc.nat(12),
      fc.constantFrom(...states, "forget" as const),
      fc.boolean(),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const f = new Fixture();
        const alive = new Map<string, MemberState>();
        for (const [n, state, look] of changes) {
          const name = `n${n}`;
          if (state !== "forget") {
            f.set(name, state);
            alive.set(name, state);
          } else if (alive.delete(name)) f.forget(name);
          if (!look) continue;
          const expected = [...alive].filter(([, held]) => held === "alive").map(([key]) => key);
          expect(f.roster.aliveAddresses()).toEqual(expected.toSorted());
          expect(f.roster.aliveCount).toBe(expected.length);
          expect(expected.map((_, i) => f.roster.aliveAt(i))).toEqual(expected.toSorted());
        }
        const count = (state: MemberState): number =>
          [...alive.values()].filter((held) => held === state).length;
        expect(f.roster.suspects).toBe(count("suspect"));
        expect(f.roster.downs).toBe(count("down"));
        expect(f.roster.lefts).toBe(count("left"));
        expect(f.roster.size).toBe(1 + count("alive") + count("suspect"));
        expect(f.roster.known).toBe(1 + alive.size);
      }),
    );
  });

  test("SW27: a list that is given up leaves nothing in the directory", () => {
    const f = new Fixture();
    for (let i = 0; i < 30; i++) f.set(`n${i}`, states[i % 4] as MemberState);
    f.set("n3", "alive", 0, 2);
    expect(f.directory.size).toBe(31);
    f.roster.dispose();
    expect(f.directory.size).toBe(0);
  });
});

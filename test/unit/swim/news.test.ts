import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Directory } from "../../../core/swim/directory.ts";
import { Roster } from "../../../core/swim/roster.ts";
import { Rumors } from "../../../core/swim/rumors.ts";
import { hearsay, Suspicions } from "../../../core/swim/suspicions.ts";
import { createRng } from "../../../sim/rng.ts";
import { identity } from "./solo.ts";

function rumors(members: number): Rumors {
  const directory = new Directory();
  const roster = new Roster(directory, directory.intern(identity("self")));
  const rng = createRng("rumors");
  for (let i = 0; i < members; i++) {
    const entry = directory.intern(identity(`n${i}`));
    roster.set(directory.slotOfEntry(entry), entry, "alive", 0, rng);
  }
  return new Rumors(roster);
}

function picked(of: Rumors, max = 100): number[] {
  const into = new Int32Array(100);
  return [...into.subarray(0, of.pick(into, max))];
}

describe("news to be told", () => {
  test("SW13: those told the fewest times come first", () => {
    const news = rumors(5);
    for (const slot of [1, 2, 3, 4]) news.add(slot, false);
    news.advance(1, 3, 12);
    news.advance(2, 1, 12);
    news.advance(4, 2, 12);
    expect(picked(news)).toEqual([3, 2, 4, 1]);
    expect(picked(news, 2)).toEqual([3, 2]);
  });

  test("SW13: after the last time allowed they are told no more", () => {
    const news = rumors(3);
    news.add(1, false);
    news.advance(1, 11, 12);
    expect(news.has(1)).toBe(true);
    news.advance(1, 1, 12);
    expect(news.has(1)).toBe(false);
    expect(picked(news)).toEqual([]);
  });

  test("SW13: newer news of a member begins anew, and is one", () => {
    const news = rumors(3);
    news.add(1, false);
    news.add(2, false);
    news.advance(1, 5, 12);
    news.add(1, false);
    expect(news.size).toBe(2);
    expect(new Set(picked(news))).toEqual(new Set([1, 2]));
    news.advance(1, 11, 12);
    expect(news.has(1)).toBe(true);
  });

  test("SW16: a newcomer is told whole until its news ends", () => {
    const news = rumors(3);
    news.add(1, true);
    news.add(1, false);
    expect(news.isFull(1)).toBe(true);
    news.remove(1);
    news.add(1, false);
    expect(news.isFull(1)).toBe(false);
  });

  test("SW13: whatever is added, told and removed, the queue holds what is still to be told", () => {
    const step = fc.tuple(
      fc.nat(19),
      fc.constantFrom("add", "advance", "remove"),
      fc.integer({ min: 1, max: 5 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
        const news = rumors(20);
        const model = new Map<number, number>();
        for (const [slot, what, copies] of steps) {
          if (what === "add") {
            news.add(slot, false);
            model.set(slot, 0);
          } else if (what === "remove") {
            news.remove(slot);
            model.delete(slot);
          } else if (model.has(slot)) {
            const sent = (model.get(slot) as number) + copies;
            news.advance(slot, copies, 8);
            if (sent >= 8) model.delete(slot);
            else model.set(slot, sent);
          }
        }
        const order = picked(news);
        expect(new Set(order)).toEqual(new Set(model.keys()));
        expect(order).toHaveLength(model.size);
        const counts = order.map((slot) => model.get(slot) as number);
        expect(counts).toEqual(counts.toSorted((a, b) => a - b));
      }),
    );
  });
});

describe("suspicions", () => {
  test("SW08: an accuser counts once, and k + 1 are kept", () => {
    const open = new Suspicions();
    const index = open.open(7, 0);
    expect([11, 11, 12, 13, 14].map((who) => open.accuse(index, who))).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(open.confirmations(index, 2)).toBe(2);
  });

  test("SW18: hearsay alone confirms nothing; with one accuser at first hand it confirms all", () => {
    const open = new Suspicions();
    const index = open.open(7, 0);
    open.accuse(index, hearsay);
    expect(open.confirmations(index, 2)).toBe(0);
    open.accuse(index, 11);
    expect(open.confirmations(index, 2)).toBe(2);
  });

  test("SW07: closing one leaves the others as they were", () => {
    const open = new Suspicions();
    for (let slot = 0; slot < 20; slot++) {
      const index = open.open(slot, slot * 10);
      open.setDeadline(index, 1000 - slot);
      open.accuse(index, 100 + slot);
    }
    expect(open.close(3)).toBe(19);
    expect(open.slotAt(3)).toBe(19);
    expect(open.startedAt(3)).toBe(190);
    expect(open.accuserAt(3, 0)).toBe(119);
    expect(open.close(18)).toBe(-1);
    expect(open.size).toBe(18);
    expect(open.nextDeadline()).toBe(981);
  });

  test("SW12: time in which nothing could be heard is added to each", () => {
    const open = new Suspicions();
    open.setDeadline(open.open(1, 100), 500);
    open.postpone(50);
    expect([open.startedAt(0), open.deadlineAt(0)]).toEqual([150, 550]);
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { identity, record, Solo, tag } from "./solo.ts";

const a = identity("a");
const b = identity("b");

describe("a full list", () => {
  const crowd = (from: number, count: number): ReturnType<typeof identity>[] =>
    Array.from({ length: count }, (_, i) => identity(`n${from + i}`));

  test("SW27: newcomers are refused when all are alive, and it is told", () => {
    const solo = new Solo({ config: { maxMembers: 10 } }).among(a);
    for (const one of crowd(0, 20)) solo.hear(a, record(one, "alive", 0, { full: true }));
    const stats = solo.membership.stats();
    expect(stats.queues.find(({ name }) => name === "members")).toMatchObject({
      size: 10,
      max: 10,
    });
    expect(stats.counters.refused).toBe(12);
    expect(solo.notices).toContainEqual({ type: "overflow", queue: "members", count: 1 });
  });

  test("SW27: those gone for the longest make room", () => {
    const solo = new Solo({ config: { maxMembers: 10 } }).among(a);
    for (const one of crowd(0, 8)) solo.hear(a, record(one, "alive", 0, { full: true }));
    solo.hear(a, record(identity("n3"), "left", 0));
    solo.advance(3000);
    solo.hear(a, record(identity("n5"), "left", 0));
    solo.hear(a, record(identity("x"), "alive", 0, { full: true }));
    expect(solo.stateOf(identity("n3"))).toBeUndefined();
    expect(solo.stateOf(identity("n5"))).toBe("left");
    expect(solo.stateOf(identity("x"))).toBe("alive");
  });

  test("SW27: one that is gone itself takes nobody's place", () => {
    const solo = new Solo({ config: { maxMembers: 3 } }).among(a, b);
    solo.hear(a, record(b, "left", 0));
    solo.hear(a, record(identity("x"), "down", 0, { full: true }));
    expect(solo.stateOf(identity("x"))).toBeUndefined();
    expect(solo.stateOf(b)).toBe("left");
  });

  test("SW27: identities that were refused or replaced are not kept", () => {
    const solo = new Solo({ config: { maxMembers: 5 } }).among(a);
    for (let epoch = 2; epoch < 100; epoch++) {
      solo.hear(a, record(identity("a", { epoch }), "alive", 0, { full: true }));
      solo.hear(a, record(identity(`n${epoch}`), "alive", 0, { full: true }));
    }
    expect(solo.directory.size).toBe(5);
  });
});

describe("hostile bytes", () => {
  test("SW26: are counted, told and change nothing", () => {
    const solo = new Solo().among(a, b);
    const { digest } = solo.membership;
    solo.take();
    for (const bytes of [[], [1], [2, 1], [1, 1], [1, 5, 0, 0, 0, 0, 1, 200], [1, 32, 0]]) {
      solo.deliverBytes(a, Uint8Array.from(bytes));
    }
    expect(solo.membership.stats().counters.rejected).toBe(6);
    expect(solo.notices.filter(({ type }) => type === "rejected")).toHaveLength(6);
    expect(solo.take()).toEqual([]);
    expect(solo.membership.digest).toBe(digest);
  });

  test("SW26: a kind and a field of a newer program are counted, what is known is used", () => {
    const solo = new Solo().among(a, b);
    solo.deliverBytes(a, Uint8Array.from([1, 31]));
    const { hi, lo } = tag(b);
    const tagBytes = [hi >> 8, hi & 255, lo >>> 24, (lo >> 16) & 255, (lo >> 8) & 255, lo & 255];
    // Gossip of one record, alive at incarnation 3, with a byte more than this program knows.
    const gossip = [1, 5, 0, 0, 0, 0, 0, 1, 3, 9, ...tagBytes, 0, 3, 99];
    solo.deliverBytes(a, Uint8Array.from(gossip));
    expect(solo.membership.stats().counters).toMatchObject({ unknownKinds: 1, unknownFields: 1 });
    expect(solo.membership.memberOf(b.address)?.incarnation).toBe(3);
  });

  test("SW26: a record whose identity is none is refused, the others count", () => {
    const solo = new Solo().among(a, b);
    const bad = record(identity("x", { epoch: 2 ** 52 }), "alive", 0, { full: true });
    solo.hear(a, bad, record(b, "alive", 2));
    expect(solo.membership.stats().counters.rejected).toBe(1);
    expect(solo.membership.memberOf(b.address)?.incarnation).toBe(2);
  });

  test("SW26, SW03: whatever arrives, nothing is thrown, and the node stays alive in its own eyes", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .tuple(fc.integer({ min: 1, max: 9 }), fc.uint8Array({ maxLength: 80 }))
        .map(([kind, rest]) => Uint8Array.from([1, kind, ...rest])),
      fc
        .tuple(fc.constantFrom("self", "a", "b", "z"), fc.nat(3), fc.nat(4), fc.nat(3))
        .map(([name, rank, incarnation, epoch]) => {
          const states = ["alive", "suspect", "down", "left"] as const;
          const state = states[rank] as (typeof states)[number];
          return record(identity(name, { epoch }), state, incarnation, { full: true });
        }),
    );
    fc.assert(
      fc.property(fc.array(bytes, { maxLength: 40 }), (messages) => {
        const solo = new Solo().among(a, b);
        for (const message of messages) {
          if (message instanceof Uint8Array) solo.deliverBytes(a, message);
          else solo.hear(a, message);
          solo.advance(70);
        }
        expect(solo.stateOf(solo.self)).toBe("alive");
        for (const { size, max } of solo.membership.stats().queues) {
          expect(size).toBeLessThanOrEqual(max);
        }
      }),
    );
  });

  test("SW26: a message from its own address is none", () => {
    const solo = new Solo().among(a);
    solo.take();
    solo.hear(solo.self, record(a, "alive", 5));
    expect(solo.membership.memberOf(a.address)?.incarnation).toBe(0);
  });
});

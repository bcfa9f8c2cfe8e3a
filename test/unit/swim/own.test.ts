import { describe, expect, test } from "vitest";
import { incarnationCeiling } from "../../../core/swim/identity.ts";
import { identity, record, Solo, tag } from "./solo.ts";

const self = identity("self");
const a = identity("a");
const b = identity("b");

describe("what is said of oneself", () => {
  test("SW03: suspect, down and left are refuted above the accusation, at once", () => {
    for (const state of ["suspect", "down", "left"] as const) {
      const solo = new Solo().among(a, b);
      solo.take();
      solo.hear(a, record(self, state, 4));
      expect(solo.membership.incarnation).toBe(5);
      const gossip = solo.take("gossip");
      expect(gossip.length).toBeGreaterThan(0);
      expect(Solo.about(gossip[0], self)).toMatchObject({ state: "alive", incarnation: 5 });
      expect(solo.stateOf(self)).toBe("alive");
    }
  });

  test("SW03: an accusation of an earlier incarnation raises nothing, but is answered", () => {
    const solo = new Solo().among(a, b);
    solo.hear(a, record(self, "suspect", 4));
    solo.advance(3000);
    solo.take();
    solo.hear(b, record(self, "suspect", 4));
    expect(solo.membership.incarnation).toBe(5);
    const answer = solo.take("gossip").find(({ to }) => to === "b");
    expect(Solo.about(answer, self)).toMatchObject({ state: "alive", incarnation: 5 });
  });

  test("SW03: praise is no reason to raise it, unless it is of a life not lived yet", () => {
    const solo = new Solo().among(a, b);
    solo.hear(a, record(self, "alive", 0));
    expect(solo.membership.incarnation).toBe(0);
    solo.hear(a, record(self, "alive", 7));
    expect(solo.membership.incarnation).toBe(8);
  });

  test("SW09: a refutation counts against the own health", () => {
    const solo = new Solo().among(a, b);
    solo.hear(a, record(self, "suspect", 0));
    expect(solo.membership.stats().health).toBe(1);
  });

  test("SW10: a ping that accuses is answered with the refutation", () => {
    const solo = new Solo().among(a, b);
    solo.take();
    const records = [record(self, "suspect", 0, { accusers: [a] })];
    const source = tag(a).lo;
    solo.deliver(a, {
      kind: "ping",
      seq: 3,
      source,
      target: tag(self).lo,
      root: 0,
      size: 3,
      records,
    });
    const [ack] = solo.take("ack");
    expect(Solo.about(ack, self)).toMatchObject({ state: "alive", incarnation: 1 });
  });

  test("SW26: at the ceiling of incarnations it takes a new epoch and counts from 0", () => {
    const solo = new Solo().among(a, b);
    solo.hear(a, record(self, "suspect", incarnationCeiling));
    expect(solo.membership.identity.epoch).toBe(2);
    expect(solo.membership.incarnation).toBe(0);
    expect(solo.notices).toContainEqual({
      type: "renewed",
      epoch: 2,
      why: "incarnations used up",
    });
  });
});

describe("the own address in others' hands", () => {
  const other = identity("self", { nodeId: identity("other").nodeId, epoch: 6 });

  test("SW25: a larger epoch of another node is outbid, and told", () => {
    const solo = new Solo().among(a, b);
    solo.hear(a, record(other, "alive", 0, { full: true }));
    expect(solo.membership.identity.epoch).toBe(7);
    expect(solo.notices).toContainEqual({
      type: "identityConflict",
      address: "self",
      other: other.nodeId,
    });
    expect(solo.notices).toContainEqual({
      type: "renewed",
      epoch: 7,
      why: "another node claims its address",
    });
    expect(solo.stateOf(self)).toBe("alive");
  });

  test("SW25: a larger epoch of its own earlier self too, without a conflict", () => {
    const solo = new Solo().among(a, b);
    solo.hear(a, record(identity("self", { epoch: 3 }), "down", 2, { full: true }));
    expect(solo.membership.identity.epoch).toBe(4);
    expect(solo.notices.map(({ type }) => type)).not.toContain("identityConflict");
  });

  test("SW25: a smaller one changes nothing, and its teller learns who is here", () => {
    const solo = new Solo({ self: identity("self", { epoch: 8 }) }).among(a, b);
    solo.take();
    solo.hear(a, record(other, "alive", 0, { full: true }));
    expect(solo.membership.identity.epoch).toBe(8);
    const told = solo.take("gossip").find(({ to }) => to === "a");
    expect(Solo.about(told, identity("self", { epoch: 8 }))?.body).not.toBeNull();
  });

  test("SW25: of the same epoch the smaller node id gives way", () => {
    const low = identity("self", { nodeId: "0".repeat(32) as never });
    const high = identity("self", { nodeId: "f".repeat(32) as never });
    const loser = new Solo({ self: low }).among(a);
    loser.hear(a, record(high, "alive", 0, { full: true }));
    expect(loser.membership.identity.epoch).toBe(2);
    const winner = new Solo({ self: high }).among(a);
    winner.hear(a, record(low, "alive", 0, { full: true }));
    expect(winner.membership.identity.epoch).toBe(1);
  });

  test("SW25: two that outbid each other do it ever more slowly", () => {
    const solo = new Solo().among(a, b);
    const renewedAt: number[] = [];
    for (let i = 0; i < 1200; i++) {
      const before = solo.membership.identity.epoch;
      const claim = identity("self", { nodeId: other.nodeId, epoch: before + 1 });
      solo.hear(a, record(claim, "alive", 0, { full: true }));
      solo.advance(100);
      if (solo.membership.identity.epoch !== before) renewedAt.push(solo.nowMs);
    }
    expect(renewedAt.length).toBeGreaterThan(3);
    expect(renewedAt.length).toBeLessThan(10);
    const gaps = renewedAt.slice(1).map((time, i) => time - (renewedAt[i] as number));
    expect(gaps.at(-1)).toBeGreaterThan(8 * (gaps[0] as number));
  });

  test("SW25: a claim repeated by all is one conflict", () => {
    const solo = new Solo({ self: identity("self", { epoch: 8 }) }).among(a, b);
    for (let i = 0; i < 9; i++)
      solo.hear(i % 2 === 0 ? a : b, record(other, "alive", i, { full: true }));
    expect(solo.notices.filter(({ type }) => type === "identityConflict")).toHaveLength(1);
  });

  test("SW25: a ping that meant an earlier identity is answered with the present one", () => {
    const solo = new Solo({ self: identity("self", { epoch: 8 }) }).among(a, b);
    solo.take();
    solo.deliver(a, { kind: "ping", seq: 1, source: tag(a).lo, target: tag(self).lo, root: 0 });
    const [ack] = solo.take("ack");
    expect(Solo.about(ack, identity("self", { epoch: 8 }))?.body).not.toBeNull();
  });
});

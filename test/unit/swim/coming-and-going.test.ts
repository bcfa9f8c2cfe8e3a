import { describe, expect, test } from "vitest";
import { identity, record, Solo, tag } from "./solo.ts";

const a = identity("a");
const b = identity("b");
const c = identity("c");
const hourMs = 3_600_000;

describe("joining", () => {
  test("SW20: it asks all its seeds over the reliable path, but not itself", () => {
    const solo = new Solo().start(["s1", "s2", "self", "s1"]);
    const joins = solo.take("join");
    expect(joins.map(({ to, reliable }) => [to, reliable])).toEqual([
      ["s1", true],
      ["s2", true],
    ]);
    expect(Solo.about(joins[0], solo.self)?.body).not.toBeNull();
  });

  test("SW20: it asks again until one has answered", () => {
    const solo = new Solo().start(["s1"]);
    let asked = 0;
    for (let i = 0; i < 20; i++) {
      solo.advance(1000);
      asked += solo.take("join").length;
    }
    expect(asked).toBeGreaterThan(6);
    expect(asked).toBeLessThan(30);
    expect(solo.membership.joining).toBe(true);
    const seed = identity("s1");
    const records = [
      record(seed, "alive", 0, { full: true }),
      record(a, "alive", 2, { full: true }),
    ];
    solo.deliver(seed, { kind: "joinReply", source: tag(seed).lo, size: 3, records });
    solo.take();
    solo.advance(10_000);
    expect(solo.take("join")).toEqual([]);
    expect(solo.membership.joining).toBe(false);
    expect(solo.membership.memberOf(a.address)?.incarnation).toBe(2);
  });

  test("SW20: of many seeds it asks five at a time", () => {
    const seeds = Array.from({ length: 40 }, (_, i) => `s${i}`);
    const solo = new Solo().start(seeds);
    expect(new Set(solo.take("join").map(({ to }) => to)).size).toBe(5);
  });

  test("SW20: seeds told later take the place of the earlier ones, and who is alone asks them at once", () => {
    const solo = new Solo().start(["gone"]);
    solo.advance(3000);
    solo.take();
    solo.reseed(["new", "self"]);
    expect(solo.take("join").map(({ to }) => to)).toEqual(["new"]);
    solo.reseed(["new"]);
    expect(solo.take("join")).toEqual([]);
    let asked = new Set<string>();
    for (let i = 0; i < 10; i++) {
      solo.advance(1000);
      asked = new Set([...asked, ...solo.take("join").map(({ to }) => to)]);
    }
    expect([...asked]).toEqual(["new"]);
    solo.reseed([]);
    solo.advance(20_000);
    expect(solo.take("join")).toEqual([]);
    expect(solo.membership.joining).toBe(false);
  });

  test("SW20: a node that began without seeds, or lost everybody, joins through those it is told", () => {
    const first = new Solo().start().reseed(["s1"]);
    expect(first.take("join").map(({ to }) => to)).toEqual(["s1"]);
    expect(first.membership.joining).toBe(true);
    const lonely = new Solo().among(a, b);
    lonely.bury(b, a);
    lonely.hear(b, record(b, "left", 0));
    lonely.take();
    lonely.reseed(["s1"]);
    expect(lonely.take("join").map(({ to }) => to)).toEqual(["s1"]);
  });

  test("SW20, SW21: in company, new seeds are knocked at until they are met", () => {
    const solo = new Solo().among(a, b).reseed(["s1"]);
    expect(solo.take("join")).toEqual([]);
    expect(solo.membership.joining).toBe(false);
    let knocks = 0;
    for (let i = 0; i < 100; i++) {
      solo.advance(100);
      for (const ping of solo.take("ping")) {
        if (ping.to === "s1") knocks++;
        else solo.ack(ping, identity(ping.to));
      }
    }
    expect(knocks).toBeGreaterThan(10);
  });

  test("SW20: a node that leaves joins nowhere", () => {
    const solo = new Solo().start();
    solo.leave();
    expect(solo.reseed(["s1"]).take("join")).toEqual([]);
  });

  test("SW20: a seed tells its whole list, also those that are gone, with their age", () => {
    const solo = new Solo().among(a, b);
    solo.hear(a, record(b, "left", 0));
    solo.advance(5000);
    solo.take();
    const join = [record(c, "alive", 0, { full: true })];
    solo.deliver(c, { kind: "join", size: 1, records: join });
    const [reply] = solo.take("joinReply");
    expect(reply).toMatchObject({ to: "c", reliable: true });
    for (const one of [solo.self, a, b, c]) expect(Solo.about(reply, one)?.body).not.toBeNull();
    expect(Solo.about(reply, b)).toMatchObject({ state: "left", ageSec: 5 });
    expect(solo.stateOf(c)).toBe("alive");
  });

  test("SW20: past its budget it tells a sample", () => {
    const many = Array.from({ length: 500 }, (_, i) => identity(`n${i}`));
    const solo = new Solo({ config: { joinReplyBytesPerSec: 60_000 } }).among(...many);
    const sizes: number[] = [];
    for (let i = 0; i < 4; i++) {
      solo.take();
      solo.deliver(identity(`j${i}`), { kind: "join", size: 1, records: [] });
      sizes.push(solo.take("joinReply")[0]?.message.records?.length ?? 0);
    }
    expect(sizes).toEqual([501, 501, 501, 33]);
    solo.advance(3000);
    solo.deliver(identity("later"), { kind: "join", size: 1, records: [] });
    expect(solo.take("joinReply")[0]?.message.records).toHaveLength(501);
  });
});

describe("those out of sight", () => {
  const knocksPerSec = (size: number): number => {
    const peers = Array.from({ length: size - 1 }, (_, i) => identity(`n${i}`));
    const solo = new Solo().among(a, ...peers);
    const [first] = peers as [ReturnType<typeof identity>];
    solo.bury(first, a);
    let knocks = 0;
    for (let i = 0; i < 6000; i++) {
      solo.advance(100);
      for (const ping of solo.take("ping")) {
        if (ping.to === "a") knocks++;
        else solo.ack(ping, identity(ping.to));
      }
    }
    return (knocks * size) / 600;
  };

  test("SW21: down members are knocked at 8 times a second by the cluster, whatever its size", () => {
    for (const size of [2, 5, 50]) {
      expect(knocksPerSec(size)).toBeGreaterThan(6);
      expect(knocksPerSec(size)).toBeLessThan(10);
    }
  });

  test("SW21, SW10: the knock accuses, so that who lives can refute", () => {
    const solo = new Solo().among(a, b);
    solo.bury(b, a, 3);
    let knock;
    for (let i = 0; i < 50 && knock === undefined; i++) {
      solo.advance(100);
      knock = solo.take("ping").find(({ to }) => to === "a");
    }
    expect(Solo.about(knock, a)).toMatchObject({ state: "down", incarnation: 3 });
  });

  test("SW21: a seed that was never met is knocked at, also after another has answered", () => {
    const solo = new Solo().start(["s1", "s2"]);
    const s1 = identity("s1");
    const records = [record(s1, "alive", 0, { full: true })];
    solo.deliver(s1, { kind: "joinReply", source: tag(s1).lo, size: 2, records });
    solo.take();
    let knocks = 0;
    for (let i = 0; i < 100; i++) {
      solo.advance(100);
      for (const ping of solo.take("ping")) {
        if (ping.to === "s2") {
          knocks++;
          expect(Solo.about(ping, solo.self)?.body).not.toBeNull();
        } else solo.ack(ping, identity(ping.to));
      }
    }
    expect(knocks).toBeGreaterThan(20);
    expect(knocks).toBeLessThan(60);
  });

  test("SW22: the down are remembered for a day, those who left for an hour", () => {
    const solo = new Solo().among(a, b, c);
    solo.bury(c, a);
    solo.hear(c, record(b, "left", 0));
    const states = (afterMs: number): (string | undefined)[] => {
      solo.freeze(afterMs - solo.nowMs).advance(3000);
      return [solo.stateOf(a), solo.stateOf(b)];
    };
    expect(states(hourMs - 10_000)).toEqual(["down", "left"]);
    expect(states(hourMs + 5000)).toEqual(["down", undefined]);
    expect(states(24 * hourMs - 10_000)).toEqual(["down", undefined]);
    expect(states(24 * hourMs + 5000)).toEqual([undefined, undefined]);
    expect(solo.notices.filter(({ type }) => type === "forgotten")).toEqual([
      { type: "forgotten", about: "b" },
      { type: "forgotten", about: "a" },
    ]);
  });

  test("SW22: what was forgotten does not come back by one that remembers it a little longer", () => {
    const solo = new Solo().among(a);
    const day = 24 * 3600;
    solo.hear(a, record(b, "down", 0, { full: true, ageSec: day }));
    expect(solo.stateOf(b)).toBeUndefined();
    solo.hear(a, record(b, "down", 0, { full: true, ageSec: day - 5 }));
    expect(solo.stateOf(b)).toBe("down");
    solo.advance(8000);
    expect(solo.stateOf(b)).toBeUndefined();
  });
});

describe("leaving", () => {
  test("SW23: the leaver tells so at once, and is done after a second", () => {
    const solo = new Solo().among(a, b, c);
    solo.take();
    solo.leave();
    const gossip = solo.take("gossip");
    expect(gossip.length).toBeGreaterThan(0);
    expect(Solo.about(gossip[0], solo.self)).toMatchObject({ state: "left", incarnation: 0 });
    solo.advance(900);
    expect(solo.notices).not.toContainEqual({ type: "left" });
    solo.advance(200);
    expect(solo.notices).toContainEqual({ type: "left" });
    solo.take();
    solo.advance(5000);
    solo.hear(a, record(solo.self, "suspect", 9));
    expect(solo.take()).toEqual([]);
  });

  test("SW23: alone it is done at once", () => {
    const solo = new Solo().start();
    solo.leave().advance(1);
    expect(solo.notices).toContainEqual({ type: "left" });
  });

  test("SW23: accused while it leaves, it says again that it leaves, above the accusation", () => {
    const solo = new Solo().among(a, b, c);
    solo.leave();
    solo.take();
    solo.hear(a, record(solo.self, "down", 5));
    solo.advance(300);
    const told = solo.take("gossip").map((sent) => Solo.about(sent, solo.self));
    expect(told).toContainEqual(expect.objectContaining({ state: "left", incarnation: 5 }));
  });

  test("SW23: who left is neither probed nor knocked at nor suspected", () => {
    const solo = new Solo().among(a, b);
    solo.hear(b, record(a, "left", 0));
    solo.take();
    for (let i = 0; i < 100; i++) {
      solo.advance(100);
      for (const ping of solo.take("ping")) {
        expect(ping.to).not.toBe("a");
        solo.ack(ping, identity(ping.to));
      }
    }
    solo.bury(b, a, 0);
    expect(solo.stateOf(a)).toBe("left");
  });
});

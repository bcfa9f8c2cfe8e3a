import { describe, expect, test } from "vitest";
import { identity, record, Solo, tag } from "./solo.ts";

const a = identity("a");
const b = identity("b");
const c = identity("c");
const d = identity("d");
const ten = Array.from({ length: 10 }, (_, i) => identity(`m${i}`));

/** How long a suspicion by these accusers lasts until it is a death, to 100 ms. */
function lasts(solo: Solo, accusers: readonly ReturnType<typeof identity>[]): number {
  solo.hear(b, record(a, "suspect", 0, { accusers }));
  const began = solo.nowMs;
  while (solo.stateOf(a) === "suspect" && solo.nowMs < began + 100_000) {
    solo.advance(100);
    for (const ping of solo.take("ping")) {
      if (ping.to !== "a") solo.ack(ping, identity(ping.to));
    }
  }
  return solo.nowMs - began;
}

describe("suspicion", () => {
  test("SW07: with k confirmations it lasts min: 4 periods in a small cluster", () => {
    const solo = new Solo({ config: { probeTimeoutMs: 400 } }).among(a, b, c, d);
    expect(lasts(solo, [b, c, d])).toBe(4000);
  });

  test("SW07: the member that hears of it times it itself; in a hundred it takes 8 periods", () => {
    const many = Array.from({ length: 98 }, (_, i) => identity(`n${i}`));
    const solo = new Solo().among(a, ...many);
    expect(lasts(solo, [many[0], many[1], many[2]] as never)).toBe(8000);
  });

  test("SW07, SW08: one confirmation shortens it to max − (max − min)·0.63, a repeated one does nothing", () => {
    const solo = new Solo({ config: { suspicionConfirmations: 2 } }).among(a, b, c, d, ...ten);
    // A probe of its own that finds a silent would confirm too; it is busy answering others first.
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.hear(c, record(a, "suspect", 0, { accusers: [c] }));
    const min = 4 * 1.176 * 1000;
    const expected = 6 * min - 5 * min * 0.6309;
    let lasted = 0;
    while (solo.stateOf(a) === "suspect" && lasted < 100_000) {
      solo.advance(50);
      lasted += 50;
      for (const ping of solo.take("ping")) solo.ack(ping, identity(ping.to));
    }
    expect(Math.abs(lasted - expected)).toBeLessThan(120);
  });

  test("SW07: where nobody else could confirm, it lasts min", () => {
    const solo = new Solo().among(a);
    solo.hear(a, record(a, "suspect", 0, { accusers: [identity("gone")] }));
    solo.advance(3900);
    expect(solo.stateOf(a)).toBe("suspect");
    solo.advance(150);
    expect(solo.stateOf(a)).toBe("down");
  });

  test("SW08: each new accuser is told on, with all that are known", () => {
    const solo = new Solo().among(a, b, c, d, ...ten);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.advance(2000);
    solo.take();
    solo.hear(c, record(a, "suspect", 0, { accusers: [c] }));
    solo.advance(250);
    const told = Solo.about(solo.take("gossip")[0], a);
    expect(new Set(told?.accusers)).toEqual(new Set([tag(b).lo, tag(c).lo]));
  });

  test("SW02: a refutation ends it, and a late death of the refuted life is ignored", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.hear(c, record(a, "alive", 1));
    expect(solo.stateOf(a)).toBe("alive");
    solo.hear(b, record(a, "down", 0));
    expect(solo.stateOf(a)).toBe("alive");
    solo.advance(30_000);
    expect(solo.membership.memberOf(a.address)?.incarnation).toBe(1);
  });
});

describe("a death", () => {
  test("SW02: of a life suspected here at first hand for a while is believed at once", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.calm(2000);
    solo.hear(c, record(a, "down", 0));
    expect(solo.stateOf(a)).toBe("down");
  });

  test("SW18: so soon after the suspicion that no refutation could have come is not", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.calm(1900);
    solo.hear(c, record(a, "down", 0));
    expect(solo.stateOf(a)).toBe("suspect");
  });

  test("SW18: of one that seems well here is a suspicion first", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(c, record(a, "down", 0));
    expect(solo.stateOf(a)).toBe("suspect");
    solo.hear(b, record(a, "down", 0));
    expect(solo.stateOf(a)).toBe("suspect");
  });

  test("SW18: of a later life than the one suspected is a suspicion too", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.hear(c, record(a, "down", 2));
    expect(solo.stateOf(a)).toBe("suspect");
    expect(solo.membership.memberOf(a.address)?.incarnation).toBe(2);
  });

  test("SW18: told by an exchange it never kills, even one suspected at first hand", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    const records = [record(a, "down", 0)];
    solo.deliver(c, { kind: "memberGroups", source: tag(c).lo, depth: 0, size: 4, records });
    expect(solo.stateOf(a)).toBe("suspect");
    solo.deliver(c, { kind: "joinReply", source: tag(c).lo, size: 4, records });
    expect(solo.stateOf(a)).toBe("suspect");
  });

  test("SW18: by hearsay alone lasts max, and is looked into with the next probe", () => {
    const solo = new Solo().among(a, ...ten);
    const [first] = ten;
    solo.hear(first as never, record(a, "down", 0));
    solo.take();
    expect(solo.nextProbe().to).toBe("a");
    // The probe's failure is an accusation at first hand: together they are enough for min.
    solo.advance(4500);
    expect(solo.stateOf(a)).toBe("down");
    const calm = new Solo().among(a, b, c, d);
    calm.hear(b, record(a, "down", 0));
    let lasted = 0;
    while (calm.stateOf(a) === "suspect" && lasted < 60_000) {
      for (const ping of calm.take("ping")) calm.ack(ping, identity(ping.to));
      calm.advance(100);
      lasted += 100;
    }
    expect(Math.abs(lasted - 24_000)).toBeLessThan(200);
  });

  test("SW18: of one never heard of before is taken as it is told", () => {
    const solo = new Solo().among(a);
    solo.hear(a, record(b, "down", 3, { full: true, ageSec: 10 }));
    expect(solo.stateOf(b)).toBe("down");
  });

  test("SW19: news of the living from before a known death is answered with the accusation, once a period", () => {
    const solo = new Solo().among(a, b, c);
    solo.bury(b, a, 3);
    solo.take();
    for (let i = 0; i < 5; i++) solo.hear(c, record(a, "alive", 2));
    const answers = solo.take("memberGroups");
    expect(answers.map(({ to }) => to)).toEqual(["c"]);
    expect(Solo.about(answers[0], a)).toMatchObject({ state: "down", incarnation: 3 });
    solo.advance(1050);
    solo.take();
    solo.hear(c, record(a, "alive", 2));
    expect(solo.take("memberGroups")).toHaveLength(1);
  });

  test("SW10: who is held down learns it from the ack of its own ping", () => {
    const solo = new Solo().among(a, b);
    solo.bury(b, a, 3);
    solo.take();
    const { lo } = tag(a);
    solo.deliver(a, { kind: "ping", seq: 1, source: lo, target: tag(solo.self).lo, root: 0 });
    const [ack] = solo.take("ack");
    expect(Solo.about(ack, a)).toMatchObject({ state: "down", incarnation: 3 });
  });
});

describe("who holds an address", () => {
  test("SW01, SW24: a higher epoch replaces whatever was said of the older self", () => {
    const solo = new Solo().among(a, b);
    solo.bury(b, a, 9);
    const reborn = identity("a", { epoch: 2 });
    solo.hear(b, record(reborn, "alive", 0, { full: true }));
    expect(solo.membership.memberOf(a.address)).toMatchObject({
      epoch: 2,
      state: "alive",
      incarnation: 0,
    });
    expect(solo.membership.members().filter(({ address }) => address === "a")).toHaveLength(1);
    expect(solo.notices).toContainEqual({ type: "forgotten", about: "a" });
  });

  test("SW01: nothing said of the older self counts any more", () => {
    const reborn = identity("a", { epoch: 2 });
    const solo = new Solo().among(reborn, b);
    solo.hear(b, record(a, "alive", 50, { full: true }), record(a, "down", 60, { full: true }));
    expect(solo.membership.memberOf(a.address)).toMatchObject({ epoch: 2, state: "alive" });
  });

  test("SW19: who tells of the older self is told of the newer", () => {
    const reborn = identity("a", { epoch: 2 });
    const solo = new Solo().among(reborn, b);
    solo.take();
    solo.hear(b, record(a, "alive", 50, { full: true }));
    const [answer] = solo.take("memberGroups");
    expect(answer?.to).toBe("b");
    expect(Solo.about(answer, reborn)?.body).not.toBeNull();
  });

  test("SW16: a tag that is not known here says nothing", () => {
    const solo = new Solo().among(a);
    const { digest } = solo.membership;
    solo.hear(a, record(identity("stranger"), "alive", 0), record(identity("x"), "down", 9));
    expect(solo.membership.digest).toBe(digest);
    expect(solo.membership.stats().counters.unknownTags).toBe(2);
  });
});

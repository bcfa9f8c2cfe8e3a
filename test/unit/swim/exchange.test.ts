import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flagListing } from "../../../core/wire/swim-messages.ts";
import { identity, record, type Sent, Solo, tag } from "./solo.ts";

const a = identity("a");
const b = identity("b");
const c = identity("c");

/** Carries messages of exchange between two until both are silent. */
function converse(one: Solo, other: Solo): number {
  let bytes = 0;
  for (let round = 0; round < 10; round++) {
    const from = [one.take(), other.take()] as const;
    const isExchange = ({ message }: Sent): boolean =>
      message.kind === "memberDigest" || message.kind === "memberGroups";
    const mine = from[0].filter((sent) => isExchange(sent) && sent.to === other.self.address);
    const theirs = from[1].filter((sent) => isExchange(sent) && sent.to === one.self.address);
    if (mine.length + theirs.length === 0) return bytes;
    for (const sent of mine) other.deliverBytes(one.self, sent.bytes);
    for (const sent of theirs) one.deliverBytes(other.self, sent.bytes);
    for (const sent of [...mine, ...theirs]) bytes += sent.bytes.length;
  }
  throw new Error("the two never fall silent");
}

function pingFrom(from: Solo, to: Solo): void {
  const source = tag(from.self).lo;
  const root = from.membership.digest;
  to.deliver(from.self, { kind: "ping", seq: 9, source, target: tag(to.self).lo, root });
}

function pair(
  knownToOne: readonly ReturnType<typeof identity>[],
  knownToOther = knownToOne,
): [Solo, Solo] {
  const one = new Solo({ self: identity("one"), seed: "1" });
  const other = new Solo({ self: identity("other"), seed: "2" });
  one.among(other.self, ...knownToOne);
  other.among(one.self, ...knownToOther);
  for (const solo of [one, other]) {
    solo.calm(2000);
  }
  return [one, other];
}

describe("comparing lists", () => {
  test("SW17: equal digests start nothing", () => {
    const [one, other] = pair([a, b]);
    pingFrom(one, other);
    expect(other.take("memberDigest")).toEqual([]);
  });

  test("SW17: a difference starts an exchange, after which both know what either knew", () => {
    const [one, other] = pair([a, b], [b, c]);
    one.hear(a, record(a, "alive", 4));
    one.calm(2000);
    other.calm(2000);
    one.take();
    other.take();
    pingFrom(one, other);
    const bytes = converse(one, other);
    expect(bytes).toBeGreaterThan(0);
    expect(one.membership.digest).toBe(other.membership.digest);
    expect(other.membership.memberOf(a.address)?.incarnation).toBe(4);
    expect(one.stateOf(c)).toBe("alive");
  });

  test("SW17: it is not started twice within its interval", () => {
    const [one, other] = pair([a], []);
    for (let i = 0; i < 5; i++) pingFrom(one, other);
    expect(other.take("memberDigest")).toHaveLength(1);
    other.advance(other.config.exchangeIntervalMs);
    other.take();
    pingFrom(one, other);
    expect(other.take("memberDigest")).toHaveLength(1);
  });

  test("SW17: nor while news of the difference may still be on its way", () => {
    const [one, other] = pair([a, b]);
    pingFrom(one, other);
    other.hear(b, record(a, "alive", 1));
    other.take();
    pingFrom(one, other);
    expect(other.take("memberDigest")).toEqual([]);
    other.advance(other.config.settleMs);
    other.take();
    pingFrom(one, other);
    expect(other.take("memberDigest")).toHaveLength(1);
  });

  test("SW17: of a thousand members one that differs costs a few hundred bytes", () => {
    const many = Array.from({ length: 1000 }, (_, i) => identity(`n${i}`));
    const [one, other] = pair(many);
    one.hear(a, record(many[7] as never, "alive", 1));
    one.calm(5000);
    one.take();
    pingFrom(one, other);
    expect(converse(one, other)).toBeLessThan(600);
    expect(one.membership.digest).toBe(other.membership.digest);
  });

  test("SW17: whatever two lists hold, one exchange makes them equal", () => {
    const entry = fc.record({
      n: fc.nat(40),
      epoch: fc.integer({ min: 1, max: 2 }),
      incarnation: fc.nat(2),
      state: fc.constantFrom("alive" as const, "suspect" as const, "left" as const),
      at: fc.constantFrom("one", "other", "both"),
    });
    fc.assert(
      fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
        const [one, other] = pair([a]);
        for (const { n, epoch, incarnation, state, at } of entries) {
          const more = { full: true, accusers: state === "suspect" ? [a] : [] };
          const claim = record(identity(`n${n}`, { epoch }), state, incarnation, more);
          if (at !== "other") one.hear(a, claim);
          if (at !== "one") other.hear(a, claim);
        }
        one.calm(2000);
        other.calm(2000);
        one.take();
        other.take();
        pingFrom(one, other);
        converse(one, other);
        expect(one.membership.digest).toBe(other.membership.digest);
      }),
      { numRuns: 60 },
    );
  });

  test("SW18: a member that the other side holds dead is suspect, told so, and not dead", () => {
    const [one, other] = pair([a, b]);
    other.bury(b, a);
    expect(other.stateOf(a)).toBe("down");
    other.calm(2000);
    one.take();
    other.take();
    pingFrom(one, other);
    converse(one, other);
    expect(one.stateOf(a)).toBe("suspect");
    expect(other.stateOf(a)).toBe("down");
    // It refutes, and both sides agree that it lives.
    for (const solo of [one, other]) solo.hear(a, record(a, "alive", 1));
    expect([one.stateOf(a), other.stateOf(a)]).toEqual(["alive", "alive"]);
  });

  test("SW16: who lacks an identity asks for it, and is told it whole", () => {
    const [one, other] = pair([a], []);
    const { lo } = tag(other.self);
    const records = [record(other.self, "alive", 0), record(c, "alive", 0)];
    const listed = [0];
    one.deliver(other.self, {
      kind: "memberGroups",
      flags: flagListing,
      source: lo,
      depth: 0,
      listed,
      size: 3,
      records,
    });
    const [reply] = one.take("memberGroups");
    expect(reply?.message.wants).toEqual([tag(c).hi, tag(c).lo]);
    // And what it did not list it does not know.
    expect(Solo.about(reply, a)?.body).not.toBeNull();
  });

  test("SW17: what does not fit a datagram goes over the reliable path", () => {
    const many = Array.from({ length: 300 }, (_, i) => identity(`n${i}`));
    const [one, other] = pair(many, []);
    pingFrom(one, other);
    const [digest] = other.take("memberDigest");
    one.deliverBytes(other.self, (digest as Sent).bytes);
    const [groups] = one.take("memberGroups");
    expect(groups?.reliable).toBe(true);
    expect(groups?.message.records?.length).toBeGreaterThan(200);
  });
});

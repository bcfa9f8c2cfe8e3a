import { describe, expect, test } from "vitest";
import { flagIntroduce } from "../../../core/wire/swim-messages.ts";
import { identity, record, type Sent, Solo, tag } from "./solo.ts";

const peers = Array.from({ length: 120 }, (_, i) => identity(`n${i}`));
const [a, b, c] = peers as [
  ReturnType<typeof identity>,
  ReturnType<typeof identity>,
  ReturnType<typeof identity>,
];
const stranger = identity("stranger");

function tellers(sent: readonly Sent[], of: ReturnType<typeof identity>): number {
  return sent.filter((one) => Solo.about(one, of) !== undefined).length;
}

describe("spreading news", () => {
  test("SW14: what a silence saved goes at once, to nine; then three each interval", () => {
    const solo = new Solo({ config: { retransmitFactor: 8 } }).among(...peers).calm(5000);
    solo.hear(a, record(b, "alive", 1));
    expect(new Set(solo.take("gossip").map(({ to }) => to)).size).toBe(9);
    solo.advance(199);
    expect(solo.take("gossip")).toHaveLength(0);
    solo.advance(1);
    expect(solo.take("gossip")).toHaveLength(3);
  });

  test("SW14: with nothing saved, news waits for the interval", () => {
    const solo = new Solo().among(...peers).calm(5000);
    let sent = 0;
    for (let i = 0; i < 200; i++) {
      solo.hear(a, record(peers[i % 100] as never, "alive", 1 + i));
      solo.advance(10);
      sent += solo.take("gossip").length;
    }
    // Two seconds: the nine saved, and fifteen a second.
    expect(sent).toBeLessThanOrEqual(9 + 30);
    expect(sent).toBeGreaterThan(24);
  });

  test("SW13: each piece of news is told λ·⌈log10(n+1)⌉ times at most", () => {
    const solo = new Solo().among(...peers).calm(3000);
    solo.hear(a, record(b, "alive", 1));
    let told = 0;
    for (let i = 0; i < 50; i++) {
      const sent = solo.take();
      told += tellers(sent, b);
      for (const ping of sent) if (ping.message.kind === "ping") solo.ack(ping, identity(ping.to));
      solo.advance(100);
    }
    expect(told).toBeGreaterThanOrEqual(10);
    expect(told).toBeLessThanOrEqual(12);
  });

  test("SW13: a joiner tells as often as the cluster's size wants, not its own few members'", () => {
    const told = (size: number): number => {
      const solo = new Solo().among(...peers.slice(0, 4));
      solo.take();
      solo.deliver(a, {
        kind: "gossip",
        source: tag(a).lo,
        size,
        records: [record(b, "alive", 1)],
      });
      let count = 0;
      for (let i = 0; i < 60; i++) {
        const sent = solo.take();
        count += tellers(sent, b);
        for (const ping of sent)
          if (ping.message.kind === "ping") solo.ack(ping, identity(ping.to));
        solo.advance(100);
      }
      return count;
    };
    expect(told(5)).toBeLessThanOrEqual(4);
    expect(told(2000)).toBeGreaterThanOrEqual(14);
  });

  test("SW13: news rides on pings and acks", () => {
    const solo = new Solo({ config: { gossipFanout: 1, gossipBurst: 1 } }).among(...peers);
    solo.advance(1000);
    solo.take();
    solo.hear(a, record(b, "alive", 1));
    solo.take();
    const source = tag(c).lo;
    solo.deliver(c, { kind: "ping", seq: 1, source, target: tag(solo.self).lo, root: 0 });
    expect(Solo.about(solo.take("ack")[0], b)).toMatchObject({ state: "alive", incarnation: 1 });
  });

  test("SW13: a message never exceeds the datagram, however much there is to tell", () => {
    const many = Array.from({ length: 400 }, (_, i) => identity(`long-address-number-${i}`));
    const solo = new Solo().among(a);
    for (let i = 0; i < many.length; i += 10) {
      const news = many.slice(i, i + 10).map((one) => record(one, "alive", 0, { full: true }));
      solo.hear(a, ...news);
    }
    for (let i = 0; i < 20; i++) {
      solo.advance(200);
      const source = tag(a).lo;
      solo.deliver(a, { kind: "ping", seq: i, source, target: tag(solo.self).lo, root: 0 });
    }
    const datagrams = solo.take().filter(({ reliable }) => !reliable);
    expect(datagrams.length).toBeGreaterThan(10);
    const longest = Math.max(...datagrams.map(({ bytes }) => bytes.length));
    expect(longest).toBeLessThanOrEqual(1200);
    expect(longest).toBeGreaterThan(1100);
  });

  test("SW15: news that all others tell already is told in one more round only", () => {
    const rounds = (others: number): number => {
      const config = { retransmitFactor: 8, gossipBurst: 3 };
      const solo = new Solo({ config }).among(...peers).calm(5000);
      solo.hear(a, record(b, "alive", 1));
      solo.take();
      for (const peer of peers.slice(2, 2 + others)) solo.hear(peer, record(b, "alive", 1));
      let told = 0;
      for (let i = 0; i < 20; i++) {
        solo.advance(200);
        if (tellers(solo.take("gossip"), b) > 0) told++;
      }
      return told;
    };
    expect(rounds(0)).toBeGreaterThanOrEqual(5);
    expect(rounds(60)).toBeLessThanOrEqual(1);
  });

  test("SW16: a newcomer is told of whole, a change of one that is known by its tag", () => {
    const solo = new Solo().among(...peers).calm(3000);
    solo.hear(a, record(stranger, "alive", 0, { full: true }));
    expect(Solo.about(solo.take("gossip")[0], stranger)?.body).not.toBeNull();
    solo.calm(5000);
    solo.hear(a, record(stranger, "alive", 1));
    const [gossip] = solo.take("gossip");
    expect(Solo.about(gossip, stranger)).toMatchObject({ incarnation: 1, body: null });
  });

  test("SW16: who pings without being known is asked who it is, and answers", () => {
    const solo = new Solo().among(a);
    solo.take();
    const { lo } = tag(stranger);
    solo.deliver(stranger, {
      kind: "ping",
      seq: 1,
      source: lo,
      target: tag(solo.self).lo,
      root: 0,
    });
    expect(solo.take("ack")[0]?.message.flags).toBe(flagIntroduce);
    solo.deliver(a, { kind: "ack", flags: flagIntroduce, seq: 1, source: tag(a).lo, root: 0 });
    const told = solo.take("gossip").find(({ to }) => to === "n0");
    expect(Solo.about(told, solo.self)?.body).not.toBeNull();
  });
});

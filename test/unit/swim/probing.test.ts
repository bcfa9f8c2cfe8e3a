import { describe, expect, test } from "vitest";
import { flagRelayed, flagReliable } from "../../../core/wire/swim-messages.ts";
import { identity, record, Solo, tag } from "./solo.ts";

const a = identity("a");
const b = identity("b");
const c = identity("c");
const d = identity("d");
const e = identity("e");
const all = [a, b, c, d, e];

function of(address: string): ReturnType<typeof identity> {
  return identity(address);
}

describe("the probe", () => {
  test("SW04: one ping a period, each peer once in a pass", () => {
    const solo = new Solo().among(...all);
    const targets: string[] = [];
    const at: number[] = [];
    for (let i = 0; i < 10; i++) {
      const ping = solo.nextProbe();
      at.push(solo.nowMs);
      targets.push(ping.to);
      solo.ack(ping, of(ping.to));
    }
    expect(targets.slice(0, 5).toSorted()).toEqual(["a", "b", "c", "d", "e"]);
    expect(targets.slice(5).toSorted()).toEqual(["a", "b", "c", "d", "e"]);
    for (let i = 1; i < at.length; i++) {
      expect(Math.abs((at[i] as number) - (at[i - 1] as number) - 1000)).toBeLessThanOrEqual(50);
    }
  });

  test("SW05: without an ack it asks k helpers and pings over the reliable path, both at the timeout", () => {
    const solo = new Solo().among(...all);
    const ping = solo.nextProbe();
    solo.advance(440);
    expect(solo.take()).toEqual([]);
    solo.advance(60);
    const sent = solo.take();
    const again = sent.filter(({ message }) => message.kind === "ping");
    expect(again.map(({ to, reliable }) => [to, reliable])).toEqual([[ping.to, true]]);
    expect(again[0]?.message.seq).toBe(ping.message.seq);
    expect((again[0]?.message.flags ?? 0) & flagReliable).toBe(flagReliable);
    const asked = sent.filter(({ message }) => message.kind === "pingReq");
    expect(new Set(asked.map(({ to }) => to)).size).toBe(3);
    for (const { to, message } of asked) {
      expect(to).not.toBe(ping.to);
      expect(message.target).toBe(tag(of(ping.to)).lo);
      expect(message.targetHi).toBe(tag(of(ping.to)).hi);
    }
  });

  test("SW05: without any answer the target is suspect at the period's end and not before", () => {
    const solo = new Solo().among(...all);
    const target = of(solo.nextProbe().to);
    const began = solo.nowMs;
    solo.advance(940);
    expect(solo.stateOf(target)).toBe("alive");
    solo.advance(began + 1050 - solo.nowMs);
    expect(solo.stateOf(target)).toBe("suspect");
  });

  test("SW05: when every helper has sent a nack it is suspect at once", () => {
    const solo = new Solo().among(...all);
    const ping = solo.nextProbe();
    solo.advance(550);
    const helpers = solo.take("pingReq").map(({ to }) => of(to));
    expect(helpers).toHaveLength(3);
    const seq = ping.message.seq ?? 0;
    helpers.forEach((helper, i) => {
      expect(solo.stateOf(of(ping.to))).toBe("alive");
      solo.deliver(helper, { kind: "nack", seq });
      // A second nack of the same helper is not another's.
      if (i < 2) solo.deliver(helper, { kind: "nack", seq });
    });
    expect(solo.stateOf(of(ping.to))).toBe("suspect");
  });

  test("SW05: nacks for another probe, or of nobody who was asked, decide nothing", () => {
    const solo = new Solo().among(...all);
    const ping = solo.nextProbe();
    solo.advance(550);
    const seq = ping.message.seq ?? 0;
    for (const helper of all) solo.deliver(helper, { kind: "nack", seq: (seq + 1) % 65536 });
    for (let i = 0; i < 5; i++) solo.deliver(identity(`x${i}`), { kind: "nack", seq });
    expect(solo.stateOf(of(ping.to))).toBe("alive");
  });

  test("SW05: an ack that a helper sends on clears the target", () => {
    const solo = new Solo().among(...all);
    const ping = solo.nextProbe();
    solo.advance(550);
    const helper = of(solo.take("pingReq")[0]?.to ?? "");
    const seq = ping.message.seq ?? 0;
    const source = tag(of(ping.to)).lo;
    solo.deliver(helper, { kind: "ack", flags: flagRelayed, seq, source, root: 1 });
    solo.advance(2000);
    expect(solo.stateOf(of(ping.to))).toBe("alive");
  });

  test("SW05: an ack with another number, or of another identity at the address, does not count", () => {
    const solo = new Solo().among(...all);
    const ping = solo.nextProbe();
    const target = of(ping.to);
    const seq = ping.message.seq ?? 0;
    const wrongSeq = (seq + 7) % 65536;
    solo.deliver(target, { kind: "ack", seq: wrongSeq, source: tag(target).lo, root: 0 });
    const other = identity(ping.to, { epoch: 9 });
    solo.deliver(target, { kind: "ack", seq, source: tag(other).lo, root: 0 });
    solo.advance(1050);
    expect(solo.stateOf(target)).toBe("suspect");
  });

  test("SW09: the score rises with failures and missing nacks, stretches the timeouts, and falls with acks", () => {
    const solo = new Solo().among(...all);
    const health = (): number => solo.membership.stats().health;
    solo.nextProbe();
    solo.advance(1050);
    // None of three helpers sent a nack.
    expect(health()).toBe(3);
    for (let i = 0; i < 10; i++) solo.advance(8000);
    expect(health()).toBe(7);
    solo.take();
    const patient = new Solo().among(...all);
    patient.nextProbe();
    patient.advance(1050);
    // The probe that began with score 3 waits four times as long for its ack.
    patient.take();
    patient.advance(1500);
    expect(patient.take("pingReq")).toEqual([]);
    patient.advance(600);
    expect(patient.take("pingReq")).toHaveLength(3);
  });

  test("SW09: an answered probe takes one off the score", () => {
    const solo = new Solo().among(...all);
    solo.nextProbe();
    solo.advance(1050);
    expect(solo.membership.stats().health).toBe(3);
    for (let i = 0; i < 30; i++) {
      for (const ping of solo.take("ping")) solo.ack(ping, of(ping.to));
      solo.advance(250);
    }
    expect(solo.membership.stats().health).toBe(0);
  });

  test("SW10: a ping to a suspect tells it so, with who accuses it", () => {
    const solo = new Solo().among(...all);
    const suspected = record(a, "suspect", 0, { accusers: [b] });
    solo.hear(b, suspected);
    // Let its news run out, so that only the ping's own reason remains.
    let told: unknown;
    for (let i = 0; i < 40 && told === undefined; i++) {
      for (const ping of solo.take("ping")) {
        if (ping.to === "a") told = Solo.about(ping, a);
        else solo.ack(ping, of(ping.to));
      }
      solo.advance(100);
    }
    expect(told).toMatchObject({ state: "suspect", incarnation: 0 });
  });

  test("SW11: while somebody is suspected, an answered probe is followed by the next at half time", () => {
    const solo = new Solo().among(...all);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b] }));
    solo.take();
    const times: number[] = [];
    for (let i = 0; i < 60; i++) {
      for (const ping of solo.take("ping")) {
        times.push(solo.nowMs);
        solo.ack(ping, of(ping.to));
      }
      solo.advance(50);
    }
    const gaps = times.slice(1).map((time, i) => time - (times[i] as number));
    expect(gaps.filter((gap) => gap <= 550).length).toBeGreaterThanOrEqual(3);
  });
});

describe("the helper", () => {
  const request = (target: ReturnType<typeof identity>, seq = 77) =>
    ({
      kind: "pingReq",
      seq,
      source: tag(a).lo,
      targetHi: tag(target).hi,
      target: tag(target).lo,
    }) as const;

  test("SW06: it pings, and sends the ack on under the number it was asked with", () => {
    const solo = new Solo().among(a, b);
    solo.take();
    solo.deliver(a, request(b));
    const ping = solo.take("ping").find(({ to }) => to === "b");
    expect(ping).toBeDefined();
    if (ping !== undefined) solo.ack(ping, b);
    const [ack] = solo.take("ack");
    expect(ack?.to).toBe("a");
    expect(ack?.message).toMatchObject({ seq: 77, source: tag(b).lo, flags: flagRelayed });
    solo.advance(2000);
    expect(solo.take("nack")).toEqual([]);
  });

  test("SW06: without an ack it sends a nack in time, and still sends a late ack on", () => {
    const solo = new Solo().among(a, b);
    solo.deliver(a, request(b));
    const ping = solo.take("ping").find(({ to }) => to === "b");
    solo.advance(solo.config.nackTimeoutMs + 1);
    expect(solo.take("nack").map(({ to, message }) => [to, message.seq])).toEqual([["a", 77]]);
    if (ping !== undefined) solo.ack(ping, b);
    expect(solo.take("ack").map(({ to }) => to)).toEqual(["a"]);
  });

  test("SW06: it sends a nack at once for one it does not know, an older identity, and itself", () => {
    const solo = new Solo().among(a, b);
    const older = identity("b", { epoch: 0 });
    for (const target of [identity("stranger"), older, identity("self")]) {
      solo.take();
      solo.deliver(a, request(target, 5));
      expect(solo.take().map(({ to, message }) => [to, message.kind])).toEqual([["a", "nack"]]);
    }
  });

  test("SW27: requests past the bound are dropped", () => {
    const solo = new Solo().among(a, b);
    for (let i = 0; i < 200; i++) solo.deliver(a, request(b, i));
    const pings = solo.take("ping").filter(({ to }) => to === "b");
    expect(pings).toHaveLength(128);
    const relays = solo.membership.stats().queues.find(({ name }) => name === "relays");
    expect(relays).toEqual({ name: "relays", size: 128, max: 128 });
  });
});

describe("a process that was frozen", () => {
  test("SW12: the probe under way is taken back, and counts against this node", () => {
    const solo = new Solo().among(...all);
    const ping = solo.nextProbe();
    solo.freeze(10_000).advance(0);
    expect(solo.stateOf(of(ping.to))).toBe("alive");
    expect(solo.membership.stats().health).toBe(1);
    expect(solo.membership.stats().counters.stalls).toBe(1);
  });

  test("SW12: a suspicion does not run out while it stood still", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b, c, identity("x")] }));
    solo.advance(3000);
    solo.freeze(20_000).advance(0);
    expect(solo.stateOf(a)).toBe("suspect");
    solo.hear(a, record(a, "alive", 1));
    expect(solo.stateOf(a)).toBe("alive");
  });

  test("SW12: but it runs out when the time is made up", () => {
    const solo = new Solo().among(a, b, c);
    solo.hear(b, record(a, "suspect", 0, { accusers: [b, c, identity("x")] }));
    solo.freeze(20_000).advance(0);
    solo.advance(3900);
    expect(solo.stateOf(a)).toBe("suspect");
    solo.advance(1200);
    expect(solo.stateOf(a)).toBe("down");
  });
});

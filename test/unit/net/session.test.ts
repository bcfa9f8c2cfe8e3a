/** Sessions on pipes in memory: frames in any pieces, the orderly end, and what a hostile peer may send. */
import fc from "fast-check";
import { performance } from "node:perf_hooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import { encodeControl } from "../../../runtime/net/control.ts";
import type { Control, Introduction } from "../../../runtime/net/control.ts";
import { endingMs, maxEndingMs } from "../../../runtime/net/limits.ts";
import { Outbox } from "../../../runtime/net/outbox.ts";
import { channels, laneCount } from "../../../runtime/net/pipe.ts";
import { Session } from "../../../runtime/net/session.ts";
import type { SessionOwner } from "../../../runtime/net/session.ts";
import type { Channel } from "../../../runtime/net/transport.ts";
import { memoryPipes, settle } from "./memory-pipe.ts";
import type { MemoryPipe } from "./memory-pipe.ts";

interface End {
  readonly pipe: MemoryPipe;
  readonly session: Session;
  readonly outbox: Outbox;
  readonly heard: { readonly channel: Channel; readonly text: string }[];
  readonly violations: string[];
  closed: { readonly clean: boolean; readonly why: string } | null;
}

const address = (name: string): Address => `${name}:1` as Address;
const introduction = (name: string): Introduction => ({
  version: 1,
  clusterId: 0,
  address: address(name),
  instance: (name === "a" ? "a1" : "b2").repeat(16),
  resetToken: new Uint8Array(0),
});

function end(name: string, pipe: MemoryPipe): End {
  const owner: SessionOwner = {
    introduction: () => introduction(name),
    opened: (session) => {
      if (session.dialled) session.sayHello("meet");
    },
    hello: (session, who) => session.begin({ address: who.address, name: null }, who, outbox),
    welcome: (session, who) => session.begin({ address: who.address, name: null }, who, outbox),
    refused: () => undefined,
    rtt: () => undefined,
    drained: () => undefined,
    message: (_session, channel, bytes) => {
      made.heard.push({ channel, text: Buffer.from(bytes).toString() });
    },
    violation: (_session, why) => made.violations.push(why),
    closed: (_session, clean, why) => {
      made.closed = { clean, why };
    },
  };
  const outbox = new Outbox();
  const session = new Session(owner, pipe.dialled ? address("other") : null);
  const made: End = { pipe, session, outbox, heard: [], violations: [], closed: null };
  session.attach(pipe);
  pipe.events = session;
  return made;
}

function connected(): [a: End, b: End] {
  const [first, second] = memoryPipes();
  const ends: [End, End] = [end("a", first), end("b", second)];
  for (const { session } of ends) session.opened();
  return ends;
}

const laneArbitrary = fc.nat(laneCount - 1);
const step = fc.oneof(
  fc.record({
    do: fc.constant("send" as const),
    by: fc.nat(1),
    channel: fc.constantFrom(...channels),
    length: fc.integer({ min: 1, max: 120 }),
  }),
  fc.record({
    do: fc.constant("carry" as const),
    by: fc.nat(1),
    lane: laneArbitrary,
    most: fc.integer({ min: 1, max: 200 }),
  }),
  fc.record({ do: fc.constant("end" as const), by: fc.nat(1) }),
);

describe("two sessions", () => {
  test.each([
    ["as QUIC closes", false],
    ["as TCP closes", true],
  ])(
    "whatever is sent arrives in order, or waits for the next connection after a clean end: %s",
    (_, closesWithoutCode) => {
      fc.assert(
        fc.property(fc.array(step, { maxLength: 80 }), fc.boolean(), (steps, ending) => {
          const ends = connected();
          for (const { pipe } of ends) pipe.closesWithoutCode = closesWithoutCode;
          settle(ends.map(({ pipe }) => pipe));
          const sent: Record<Channel, string[]>[] = [empty(), empty()];
          for (const one of steps) {
            const { session, outbox, pipe } = ends[one.by] as End;
            if (one.do === "send") {
              const mine = (sent[one.by] as Record<Channel, string[]>)[one.channel];
              const text = `${mine.length}`.padEnd(one.length, "x");
              mine.push(text);
              outbox.push(one.channel, Buffer.from(text));
              session.wake();
            } else if (one.do === "carry") {
              pipe.carry(one.lane, one.most);
            } else {
              session.end();
            }
          }
          if (ending) ends[0].session.end();
          settle(ends.map(({ pipe }) => pipe));
          for (const [i, { violations, closed, outbox }] of ends.entries()) {
            expect(violations).toEqual([]);
            if (ending || steps.some((one) => one.do === "end")) {
              expect(closed).toMatchObject({ clean: true });
            } else expect(closed).toBeNull();
            for (const channel of channels) {
              const heard = (ends[1 - i] as End).heard
                .filter((one) => one.channel === channel)
                .map(({ text }) => text);
              const waiting = outbox
                .queue(channel)
                .drain()
                .map((bytes) => Buffer.from(bytes).toString());
              expect([...heard, ...waiting]).toEqual(
                (sent[i] as Record<Channel, string[]>)[channel],
              );
            }
          }
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe("a hostile peer", () => {
  const noise = fc.uint8Array({ minLength: 1, maxLength: 60 });

  test("that sends anything on any lane ends its own connection at the most", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(laneArbitrary, noise), { maxLength: 30 }), (parts) => {
        const [, b] = connected();
        for (const [lane, bytes] of parts) b.session.data(lane, bytes);
        if (b.closed !== null) expect(b.closed.clean).toBe(false);
        expect(b.heard).toEqual([]);
      }),
    );
  });

  const control: fc.Arbitrary<Control> = fc.oneof(
    fc.record({
      type: fc.constant("hello" as const),
      who: fc.constant(introduction("a")),
      intent: fc.constantFrom("meet", "replace", "move"),
    }),
    fc.record({ type: fc.constant("welcome" as const), who: fc.constant(introduction("a")) }),
    fc.record({
      type: fc.constant("refused" as const),
      code: fc.constantFrom("turnedAway" as const, "duplicate" as const, "self" as const),
      address: fc.constant(address("a")),
      reason: fc.string(),
    }),
    fc.record({ type: fc.constant("bye" as const), frames: fc.nat(3) }),
    fc.constantFrom<Control>({ type: "done" }, { type: "ping" }, { type: "pong" }),
  );

  test("that says the right things at the wrong time too", () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.array(fc.oneof(control, noise, fc.constant("datagram" as const)), { maxLength: 20 }),
        (dialled, parts) => {
          const ends = connected();
          const victim = dialled ? ends[0] : ends[1];
          for (const part of parts) {
            if (part === "datagram") victim.session.datagramReceived(Uint8Array.of(2, 1));
            else if (part instanceof Uint8Array) victim.session.data(2, framed(part));
            else victim.session.data(0, framed(encodeControl(part)));
            victim.session.writable();
          }
          if (victim.violations.length > 0) expect(victim.closed?.clean).toBe(false);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("that asks for ever and reads no answer is cut off before they fill the memory", () => {
    const [, b] = connected();
    const ping = framed(encodeControl({ type: "ping" }));
    for (let i = 0; i < 100_000 && b.closed === null; i++) b.session.data(0, ping);
    expect(b.violations).toEqual(["ping out of turn"]);
  });

  describe("has only so long for an orderly end", () => {
    let nowMs = 0;
    beforeEach(() => {
      nowMs = 1000;
      vi.spyOn(performance, "now").mockImplementation(() => nowMs);
    });
    afterEach(() => void vi.restoreAllMocks());

    test("a member that goes on handing over, longer than one that does not", () => {
      const [a, b] = connected();
      settle([a.pipe, b.pipe]);
      for (const { session } of [a, b]) session.end();
      for (const { pipe } of [a, b]) pipe.events = null;
      const frame = framed(Buffer.from("more"));
      for (let ms = 0; ms < maxEndingMs; ms += 1000) {
        nowMs += 1000;
        if (ms < maxEndingMs - 2000) b.session.data(2, frame);
        for (const { pipe, session } of [a, b]) {
          pipe.heardMs = nowMs;
          session.look(nowMs, 0);
        }
        expect(b.closed).toBeNull();
        if (ms >= 4000) expect(a.closed?.why).toBe("its end took too long");
      }
      nowMs += 1000;
      b.session.data(2, frame);
      b.session.look(nowMs, 0);
      expect(b.closed?.clean).toBe(false);
    });

    test("a stranger that was turned away, however much it sends", () => {
      const [, b] = connected();
      b.session.refuse({ code: "turnedAway", address: address("b"), reason: "a test" });
      for (let ms = 0; ms <= endingMs; ms += 500) {
        nowMs += 500;
        b.session.data(0, framed(encodeControl({ type: "ping" })));
        b.session.look(nowMs, 0);
      }
      expect(b.closed?.why).toBe("its end took too long");
    });
  });

  test("that names a frame longer than allowed is cut off before anything is kept for it", () => {
    const [, b] = connected();
    b.session.data(1, Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    expect(b.violations).toEqual(["a frame is longer than allowed"]);
    expect(b.closed?.clean).toBe(false);
  });
});

function empty(): Record<Channel, string[]> {
  return { swim: [], gossip: [], sync: [], host: [] };
}

function framed(bytes: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(4 + bytes.length);
  frame.writeUInt32BE(bytes.length);
  frame.set(bytes, 4);
  return frame;
}

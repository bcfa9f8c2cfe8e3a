/** The small parts of the network: frames, records, control, tokens, resets, the door, addresses. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  formatHostPort,
  isLoopback,
  isUnspecified,
  parseHostPort,
  unmapped,
} from "../../../runtime/net/address.ts";
import { decodeControl, encodeControl } from "../../../runtime/net/control.ts";
import type { Control } from "../../../runtime/net/control.ts";
import { Door } from "../../../runtime/net/door.ts";
import { FrameQueue, FrameReader } from "../../../runtime/net/frames.ts";
import { handshakeBurst, handshakesPerSecond } from "../../../runtime/net/limits.ts";
import { maxHandshakeBytes, maxIdleBytes, Meaning } from "../../../runtime/net/quic/meaning.ts";
import { PathLength } from "../../../runtime/net/quic/path-length.ts";
import { RetryTokens } from "../../../runtime/net/quic/retry-token.ts";
import { endsInToken, StatelessResets } from "../../../runtime/net/quic/stateless-reset.ts";
import { recordHeader, RecordReader } from "../../../runtime/net/tcp/records.ts";
import type { Address } from "../../../core/base/ids.ts";

const bytes = (maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: 1, maxLength });

/** Cuts a stream at the places that a test drew. */
function pieces(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const at = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((from, i) => stream.subarray(from, at[i] ?? stream.length));
}

describe("frames", () => {
  test("come out as they went in, however the stream is cut and filled", () => {
    fc.assert(
      fc.property(
        fc.array(bytes(300)),
        fc.array(fc.nat(9999)),
        fc.integer({ min: 5, max: 90 }),
        (messages, cuts, room) => {
          const queue = new FrameQueue();
          for (const message of messages) queue.push(message);
          const parts: Buffer[] = [];
          while (!queue.empty) {
            const part = Buffer.alloc(room);
            parts.push(part.subarray(0, queue.fill(part)));
          }
          expect([queue.bytes, queue.written]).toEqual([0, messages.length]);
          const heard: Uint8Array[] = [];
          const reader = new FrameReader(300);
          for (const piece of pieces(Buffer.concat(parts), cuts)) {
            expect(reader.push(piece, (frame) => heard.push(frame))).toBe(true);
          }
          expect(heard).toEqual(messages);
        },
      ),
    );
  });

  test("of any length grow as their bytes come", () => {
    for (const length of [65_535, 65_536, 65_537, 5_000_000]) {
      const queue = new FrameQueue();
      const message = new Uint8Array(length).fill(7);
      queue.push(message);
      const stream = Buffer.alloc(length + 4);
      expect(queue.fill(stream)).toBe(length + 4);
      const heard: Uint8Array[] = [];
      const reader = new FrameReader(length);
      for (let at = 0; at < stream.length; at += 60_000) {
        reader.push(stream.subarray(at, at + 60_000), (frame) => heard.push(frame));
      }
      expect(heard).toHaveLength(1);
      expect(Buffer.compare(heard[0] as Uint8Array, message)).toBe(0);
    }
  });

  test("of great length are not copied again and again, or in one go", () => {
    const copied: number[] = [];
    const set = vi.spyOn(Uint8Array.prototype, "set").mockImplementation(function (
      this: Uint8Array,
      from: ArrayLike<number>,
      at = 0,
    ) {
      copied.push(from.length);
      // Only where something is written matters here.
      this[at] = from[0] as number;
    });
    try {
      const length = 40 * 1024 * 1024;
      const header = Buffer.alloc(4);
      header.writeUInt32BE(length);
      const reader = new FrameReader(length);
      let whole = 0;
      reader.push(header, () => undefined);
      const piece = new Uint8Array(64 * 1024);
      for (let at = 0; at < length; at += piece.length) {
        reader.push(piece, (frame) => {
          whole = frame.length;
        });
      }
      expect(whole).toBe(length);
    } finally {
      set.mockRestore();
    }
    const again = copied.filter((bytes) => bytes > 64 * 1024);
    expect(Math.max(...again)).toBeLessThanOrEqual(4 * 1024 * 1024);
    expect(again).toHaveLength(1);
  });

  test("a frame that was begun is dropped for a new connection, and the rest is kept", () => {
    const queue = new FrameQueue();
    queue.push(Uint8Array.of(1, 1, 1, 1));
    queue.push(Uint8Array.of(2));
    queue.fill(Buffer.alloc(6));
    expect([queue.begun, queue.begunBytes]).toEqual([true, 2]);
    expect(queue.restart()).toBe(true);
    expect(queue.bytes).toBe(5);
    expect(queue.drain()).toEqual([Uint8Array.of(2)]);
    expect(queue.restart()).toBe(false);
  });
});

describe("records", () => {
  test("come out as they went in, however the stream is cut", () => {
    const record = fc.tuple(fc.constantFrom(0, 1, 2, 3, 4, 15), bytes(300));
    fc.assert(
      fc.property(fc.array(record), fc.array(fc.nat(9999)), (records, cuts) => {
        const stream = Buffer.concat(
          records.flatMap(([lane, body]) => [recordHeader(lane, body.length), body]),
        );
        const reader = new RecordReader();
        const lanes = new Map<number, number[]>();
        const datagrams: Uint8Array[] = [];
        for (const piece of pieces(stream, cuts)) {
          const well = reader.push(
            piece,
            (lane, part) => lanes.set(lane, [...(lanes.get(lane) ?? []), ...part]),
            (datagram) => datagrams.push(datagram),
          );
          expect(well).toBe(true);
        }
        for (const lane of [0, 1, 2, 3, 4]) {
          const sent = records.filter(([to]) => to === lane).flatMap(([, body]) => [...body]);
          expect(lanes.get(lane) ?? []).toEqual(sent);
        }
        expect(datagrams).toEqual(records.filter(([to]) => to === 15).map(([, body]) => body));
      }),
    );
  });

  test("noise is refused or read, and never throws", () => {
    fc.assert(
      fc.property(fc.array(bytes(50)), (parts) => {
        const reader = new RecordReader();
        for (const part of parts) {
          if (
            !reader.push(
              part,
              () => undefined,
              () => undefined,
            )
          )
            break;
        }
      }),
    );
  });

  test.each([
    ["an unknown lane", recordHeader(9, 4)],
    ["an empty one", recordHeader(1, 0)],
    ["a long datagram", recordHeader(15, 20_000)],
    ["one longer than allowed", recordHeader(1, 70_000)],
  ])("%s is refused", (_, header) => {
    expect(
      new RecordReader().push(
        header,
        () => undefined,
        () => undefined,
      ),
    ).toBe(false);
  });
});

describe("control", () => {
  const who = {
    version: 1,
    clusterId: 4_000_000_000,
    address: "10.0.0.1:8787" as Address,
    instance: "0123456789abcdef".repeat(2),
    resetToken: Uint8Array.of(1, 2, 3),
  };
  const all: readonly Control[] = [
    { type: "hello", who, intent: "replace" },
    { type: "hello", who, intent: "meet" },
    { type: "hello", who, intent: "move" },
    { type: "welcome", who },
    { type: "refused", code: "duplicate", address: who.address, reason: "why not" },
    { type: "bye", frames: 2 ** 40 },
    { type: "done" },
    { type: "ping" },
    { type: "pong" },
  ];

  test.each(all)("$type comes out as it went in, and with more at its end", (control) => {
    const encoded = encodeControl(control);
    expect(decodeControl(encoded)).toEqual(control);
    expect(decodeControl(Buffer.concat([encoded, Buffer.from("more")]))).toEqual(control);
  });

  test("noise is no control, and cut off nothing is", () => {
    fc.assert(
      fc.property(bytes(200), (noise) => {
        decodeControl(noise);
      }),
    );
    const hello = encodeControl(all[0] as Control);
    for (let i = 0; i < hello.length; i++) expect(decodeControl(hello.subarray(0, i))).toBeNull();
  });
});

describe("retry tokens", () => {
  const tokens = new RetryTokens();
  const id = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
  const token = tokens.make("10.0.0.1:5", id, 1000);

  test("prove the address they were sent to, for a while", () => {
    expect(tokens.check("10.0.0.1:5", token, 2000)).toEqual(id);
    expect(tokens.check("10.0.0.2:5", token, 2000)).toBeNull();
    expect(tokens.check("10.0.0.1:6", token, 2000)).toBeNull();
    expect(tokens.check("10.0.0.1:5", token, 60_000)).toBeNull();
    expect(new RetryTokens().check("10.0.0.1:5", token, 2000)).toBeNull();
  });

  test("changed in any byte they prove nothing, nor does noise", () => {
    for (let i = 0; i < token.length; i++) {
      const changed = Uint8Array.from(token);
      changed[i] = (changed[i] as number) ^ 1;
      expect(tokens.check("10.0.0.1:5", changed, 2000)).toBeNull();
    }
    fc.assert(fc.property(bytes(60), (noise) => tokens.check("10.0.0.1:5", noise, 1) === null));
  });
});

describe("resets", () => {
  const packet = new Uint8Array(60).fill(9);

  test("end in the token that was told, after a restart too, and are shorter than their cause", () => {
    const token = new StatelessResets("key").tokenOf(packet.subarray(1, 9));
    const reset = new StatelessResets("key").answer(packet, 0) as Uint8Array;
    expect(endsInToken(reset, token)).toBe(true);
    expect(reset.length).toBeLessThan(packet.length);
    expect((reset[0] as number) & 0xc0).toBe(0x40);
    const foreign = new StatelessResets("another key").answer(packet, 0) as Uint8Array;
    expect(endsInToken(foreign, token)).toBe(false);
    expect(endsInToken(reset, new Uint8Array(0))).toBe(false);
  });

  test("are never answered by resets, and only so many are sent", () => {
    const resets = new StatelessResets("key");
    expect(resets.answer(resets.answer(packet, 0) as Uint8Array, 0)).toBeNull();
    const answers = Array.from({ length: 300 }, () => resets.answer(packet, 5000));
    expect(answers.filter((answer) => answer !== null).length).toBeLessThanOrEqual(100);
    expect(resets.answer(packet, 7000)).not.toBeNull();
  });
});

test("the door lets a burst in, then so many a second, for each address by itself", () => {
  const door = new Door();
  const admitted = (ip: string, nowMs: number): number =>
    Array.from({ length: 1000 }, () => door.refusal(ip, nowMs)).filter((why) => why === null)
      .length;
  expect(admitted("10.0.0.1", 0)).toBe(handshakeBurst);
  expect(admitted("10.0.0.2", 0)).toBe(handshakeBurst);
  expect(admitted("10.0.0.1", 1000)).toBe(handshakesPerSecond);
});

describe("the length of packets", () => {
  const quiet = { sentBytes: 0, lost: 0, lostBytes: 0 };

  test("goes to the base after timeouts in silence, and back after a while, later each time", () => {
    const path = new PathLength();
    path.begin(9000);
    expect([path.timedOut(), path.timedOut(), path.timedOut()]).toEqual([false, false, true]);
    path.shrink(0);
    expect(path.packetBytes).toBe(1350);
    expect(path.look(quiet, 4999)).toBe(false);
    expect(path.look(quiet, 5000)).toBe(true);
    expect(path.packetBytes).toBe(9000);
    path.shrink(5000);
    expect(path.look(quiet, 14_999)).toBe(false);
    expect(path.look(quiet, 15_000)).toBe(true);
  });

  test("stays when short packets are lost, or few of the long ones", () => {
    const path = new PathLength();
    path.begin(9000);
    expect(path.look({ sentBytes: 10_000, lost: 5, lostBytes: 6000 }, 1)).toBe(false);
    expect(path.look({ sentBytes: 910_000, lost: 9, lostBytes: 42_000 }, 2)).toBe(false);
    expect(path.look({ sentBytes: 960_000, lost: 13, lostBytes: 78_000 }, 3)).toBe(true);
    expect(path.packetBytes).toBe(1350);
  });
});

test("addresses", () => {
  expect(parseHostPort("10.0.0.1:80")).toEqual({ host: "10.0.0.1", port: 80 });
  expect(parseHostPort("[2001:db8::1]:80")).toEqual({ host: "2001:db8::1", port: 80 });
  expect(parseHostPort("a.example.org:80")).toEqual({ host: "a.example.org", port: 80 });
  for (const text of ["", ":80", "a", "a:", "a:b", "a:65536", "::1:80", "[a]:80", "a b:80"]) {
    expect(parseHostPort(text)).toBeNull();
  }
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain()), fc.nat(65_535), (host, port) => {
      expect(parseHostPort(formatHostPort(host, port))).toEqual({ host, port });
    }),
  );
  expect(["127.0.0.1", "127.9.9.9", "::1", "localhost"].every(isLoopback)).toBe(true);
  expect(["10.0.0.1", "::2", "127.example.org"].some(isLoopback)).toBe(false);
  expect(["0.0.0.0", "::", "0:0::0"].every(isUnspecified)).toBe(true);
  expect(["10.0.0.0", "::1"].some(isUnspecified)).toBe(false);
  expect(["::ffff:10.0.0.1", "10.0.0.1", "::1"].map(unmapped)).toEqual([
    "10.0.0.1",
    "10.0.0.1",
    "::1",
  ]);
});

describe("what a peer sends without a meaning", () => {
  const packetBytes = 1350;

  test("in a handshake it is no more than handshakes take", () => {
    const meaning = new Meaning();
    let packets = 0;
    while (meaning.packet(packetBytes, false) === null) packets++;
    expect(packets).toBe(Math.floor(maxHandshakeBytes / packetBytes));
  });

  test("later it may be a part of what is read, and is cut off when it is much of all", () => {
    const meaning = new Meaning();
    // A gigabyte, of which a sixth came twice.
    let cut = 0;
    for (let i = 0; i < 800_000; i++) {
      if (meaning.packet(packetBytes, true) !== null) cut++;
      if (i % 6 > 0) meaning.read(packetBytes - 50);
    }
    expect(cut).toBe(0);
    const hostile = new Meaning();
    let bytes = 0;
    for (; hostile.packet(packetBytes, true) === null; bytes += packetBytes) continue;
    expect(bytes).toBeGreaterThan(maxIdleBytes);
    expect(bytes).toBeLessThan(maxIdleBytes * 1.1);
  });

  test("acknowledgements alone are never too many", () => {
    const meaning = new Meaning();
    const said = Array.from({ length: 1_000_000 }, () => meaning.packet(60, true));
    expect(said.every((why) => why === null)).toBe(true);
  });
});

/** Parts of the network thread and of the pipes between processes, by themselves. */
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { ActorId, Address } from "../../../core/base/ids.ts";
import { WireError } from "../../../core/wire/wire-error.ts";
import { DueTimers } from "../../../runtime/agent/due-timers.ts";
import { decodeHost, encodeHost } from "../../../runtime/agent/host-messages.ts";
import { LagWindow, quantile } from "../../../runtime/agent/lag-window.ts";
import { PeerWaits } from "../../../runtime/agent/peer-waits.ts";
import { resolveSeeds } from "../../../runtime/agent/seeds.ts";
import { VersionWaits } from "../../../runtime/agent/version-waits.ts";
import { encodeFrame, FrameReader, longBytes } from "../../../runtime/ipc/frame.ts";

const actor = "ab".repeat(16) as ActorId;

describe("frames", () => {
  test("come out as they went in, however the pipe cuts them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue(), { maxLength: 6 }),
        fc.integer({ min: 1, max: 50 }),
        (sent, cut) => {
          const bytes = Buffer.concat(sent.flatMap(encodeFrame));
          const got: unknown[] = [];
          const reader = new FrameReader<unknown>((value) => got.push(value));
          for (let at = 0; at < bytes.length; at += cut) reader.push(bytes.subarray(at, at + cut));
          expect(got).toEqual(sent);
        },
      ),
    );
  });

  test("carry bytes, and integers past those of JSON", () => {
    const value = { bytes: Uint8Array.of(1, 2, 3), long: 2n ** 62n, text: "\u{1f600}é" };
    const got: unknown[] = [];
    new FrameReader<unknown>((one) => got.push(one)).push(Buffer.concat(encodeFrame(value)));
    expect(got).toEqual([value]);
  });

  test("carry long byte strings among short ones, of either kind, however the pipe cuts them", () => {
    const long = (fill: number) => new Uint8Array(longBytes + fill).fill(fill);
    const short = new Uint8Array(longBytes - 1).fill(9);
    const sent = [
      { one: long(1), text: "between", two: Buffer.from(long(2)), short },
      "a short frame",
      [Buffer.from("short"), [long(3)], Uint8Array.of(4)],
      Uint8Array.of(5),
    ];
    const bytes = Buffer.concat(sent.flatMap(encodeFrame));
    for (const cut of [1000, 65_536, longBytes, bytes.length]) {
      const got: unknown[] = [];
      const reader = new FrameReader<unknown>((value) => got.push(value));
      for (let at = 0; at < bytes.length; at += cut) reader.push(bytes.subarray(at, at + cut));
      expect(got).toEqual(sent);
    }
  });

  test("share their memory with long byte strings, and copy them piece by piece as they come", () => {
    const value = new Uint8Array(8 * 1024 * 1024).fill(7);
    const pieces = encodeFrame({ value });
    expect(pieces.at(-1)).toBe(value);
    const got: unknown[] = [];
    const reader = new FrameReader<unknown>((one) => got.push(one));
    const concat = vi.spyOn(Buffer, "concat");
    const stream = pieces.flatMap((piece) =>
      Array.from({ length: Math.ceil(piece.length / 65_536) }, (_, i) =>
        Buffer.from(piece.subarray(i * 65_536, (i + 1) * 65_536)),
      ),
    );
    for (const piece of stream) reader.push(piece);
    const joined = concat.mock.calls.map(([, bytes]) => bytes ?? 0);
    concat.mockRestore();
    expect(got).toEqual([{ value }]);
    expect(Math.max(0, ...joined)).toBeLessThan(longBytes);
  });
});

describe("timers", () => {
  test("fire in the order in which they are due, after what has arrived, and never once stopped", async () => {
    const fired: (number | string)[] = [];
    const late = vi.fn();
    const timers = new DueTimers((token) => fired.push(token), late);
    const nowMs = performance.now();
    timers.add(nowMs, 1, 20);
    timers.add(nowMs, 2, 10);
    timers.add(nowMs, 3, 10);
    await vi.waitFor(() => expect(fired).toEqual([2, 3, 1]));
    expect(late).toHaveBeenCalled();
    timers.add(performance.now(), 4, 5);
    timers.stop();
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(fired).toEqual([2, 3, 1]);
  });

  test("one that sets itself anew for at once does not keep the others from their turn", async () => {
    const fired: number[] = [];
    const timers = new DueTimers(
      (token) => {
        fired.push(token);
        if (token === 1 && fired.length < 50) timers.add(performance.now(), 1, 0);
      },
      () => {},
    );
    timers.add(performance.now(), 1, 0);
    timers.add(performance.now(), 2, 1);
    await vi.waitFor(() => expect(fired).toContain(2));
    timers.stop();
  });
});

describe("lag", () => {
  test("quantiles are of the last minutes, by author and over all; a clock ahead of ours counts as none", () => {
    const lags = new LagWindow();
    const other = "cd".repeat(16) as ActorId;
    expect(lags.p99(0)).toBe(0);
    for (let i = 1; i <= 100; i++) lags.add(0, actor, i);
    lags.add(1000, other, -500);
    expect(lags.quantiles(1000, actor)).toEqual({ p50: 0.05, p99: 0.099 });
    expect(lags.quantiles(1000, other)).toEqual({ p50: 0, p99: 0 });
    expect(lags.quantiles(301_000, actor)).toEqual({ p50: 0, p99: 0 });
    expect(quantile([], 0.5)).toBe(0);
  });
});

describe("waits", () => {
  test("for a version: told once it is here, at once if it is, never after their time", () => {
    let head = 3;
    const waits = new VersionWaits((_, version) => version <= head);
    const told: number[] = [];
    waits.add(actor, 2, 100, () => told.push(2));
    waits.add(actor, 5, 100, () => told.push(5));
    waits.add(actor, 6, 10, () => told.push(6));
    expect([told, waits.size]).toEqual([[2], 2]);
    waits.sweep(50);
    head = 9;
    waits.moved(actor);
    expect([told, waits.size]).toEqual([[2, 5], 0]);
  });

  test("for peers: each counts once, and enough are enough", async () => {
    const asked: [Address, number][] = [];
    const waits = new PeerWaits((to, id) => asked.push([to, id]));
    const [a, b, c] = ["a:1", "b:1", "c:1"] as [Address, Address, Address];
    const done = new Promise((resolve) => waits.begin([a, b, c], 2, 10_000, resolve));
    const id = asked[0]?.[1] ?? 0;
    expect(asked.map(([to]) => to)).toEqual([a, b, c]);
    waits.applied(a, id);
    waits.applied(a, id);
    expect(waits.size).toBe(1);
    waits.applied(c, id);
    expect(await done).toEqual({ wanted: 2, applied: 2 });
    const short = new Promise((resolve) => waits.begin([a], 3, 5, resolve));
    expect(await short).toEqual({ wanted: 3, applied: 0 });
  });
});

describe("what hosts say to each other", () => {
  test("comes out as it went in; kinds that are not known are passed over, damage is refused", () => {
    const ask = { kind: "askApplied", id: 300, actor, version: 2 ** 40 } as const;
    expect(decodeHost(encodeHost(ask))).toEqual(ask);
    const applied = { kind: "applied", id: 1 } as const;
    expect(decodeHost(encodeHost(applied))).toEqual(applied);
    expect(decodeHost(Uint8Array.of(1, 250, 1, 2, 3))).toBeNull();
    expect(() => decodeHost(Uint8Array.of(9, 1))).toThrow(WireError);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decodeHost(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });
});

test("seeds: addresses as they are, names looked up, each once, without the node itself", async () => {
  const self = "127.0.0.1:1" as Address;
  const seeds = await resolveSeeds(
    ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:2", "[::1]:3", "no-such-name.invalid:4"],
    self,
  );
  expect([...seeds.found]).toEqual([
    ["127.0.0.1:2", ["127.0.0.1:2"]],
    ["[::1]:3", ["[::1]:3"]],
  ]);
  expect(seeds.failed.map(({ name }) => name)).toEqual(["no-such-name.invalid:4"]);
});

/** Which carrier a dial tries when. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import { Dial } from "../../../runtime/net/dial.ts";
import type { DialOwner } from "../../../runtime/net/dial.ts";
import { dialTimeoutMs, udpHeadStartMs } from "../../../runtime/net/limits.ts";
import type { Carrier, PipeEvents } from "../../../runtime/net/pipe.ts";
import { Resolver } from "../../../runtime/net/resolver.ts";
import { MemoryPipe } from "./memory-pipe.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] }));
afterEach(() => void vi.useRealTimers());

interface Attempt {
  readonly kind: string;
  readonly events: PipeEvents;
}

/** @returns what is tried, and why the dial failed. */
function dialled(): { readonly tried: Attempt[]; readonly failed: string[] } {
  const tried: Attempt[] = [];
  const failed: string[] = [];
  const carrier = (kind: Carrier["kind"]): Carrier => ({
    kind,
    port: 1,
    traffic: { bytesSent: 0, bytesReceived: 0 },
    dial(_ip, _port, events) {
      tried.push({ kind, events });
      return new MemoryPipe(true);
    },
    look() {},
    close: () => Promise.resolve(),
  });
  const owner: DialOwner = {
    resolver: new Resolver(),
    forbidden: () => null,
    began() {},
    dialFailed: (_dial, why) => failed.push(why),
    introduction: () => {
      throw new Error("nobody is introduced here");
    },
    opened() {},
    hello() {},
    welcome() {},
    rtt() {},
    refused() {},
    drained() {},
    message() {},
    closed() {},
    violation() {},
  };
  const to = "127.0.0.1:9" as Address;
  expect(new Dial(owner, to, [carrier("quic"), carrier("tcp")], "meet").over).toBe(false);
  return { tried, failed };
}

const kinds = (tried: readonly Attempt[]): readonly string[] => tried.map(({ kind }) => kind);

test("TCP is tried when UDP has not answered for a while", async () => {
  const { tried, failed } = dialled();
  await vi.advanceTimersByTimeAsync(udpHeadStartMs - 10);
  expect(kinds(tried)).toEqual(["quic"]);
  await vi.advanceTimersByTimeAsync(20);
  expect(kinds(tried)).toEqual(["quic", "tcp"]);
  await vi.advanceTimersByTimeAsync(dialTimeoutMs);
  expect(failed).toEqual(["no answer"]);
});

test("TCP is not tried where QUIC's handshake is complete, and only the welcome takes its time", async () => {
  const { tried, failed } = dialled();
  await vi.advanceTimersByTimeAsync(udpHeadStartMs - 10);
  tried[0]?.events.opened();
  await vi.advanceTimersByTimeAsync(dialTimeoutMs);
  expect(kinds(tried)).toEqual(["quic"]);
  expect(failed).toEqual(["no answer"]);
});

test("a handshake that was completed while this node was busy counts", async () => {
  const { tried } = dialled();
  await vi.advanceTimersByTimeAsync(udpHeadStartMs - 10);
  // Timers come first in a turn of the event loop, then what has arrived: here, right after them.
  setTimeout(() => tried[0]?.events.opened(), 10);
  await vi.advanceTimersByTimeAsync(20);
  expect(kinds(tried)).toEqual(["quic"]);
});

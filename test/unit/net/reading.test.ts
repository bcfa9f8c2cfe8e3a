/** How much of what peers send is read in one turn of the event loop, so that pings are answered between. */
import { describe, expect, test } from "vitest";
import { writeBytes } from "../../../runtime/net/limits.ts";
import { controlLane, laneOf } from "../../../runtime/net/pipe.ts";
import type { CarrierOwner, Pipe } from "../../../runtime/net/pipe.ts";
import { maxPausedTurns, ReadBudget, turnBytes } from "../../../runtime/net/quic/read-budget.ts";
import { until } from "../../contract/transport-nodes.ts";
import { quicCarrier, refusing, silent } from "./quic-carriers.ts";

const gossip = laneOf("gossip");
const sync = laneOf("sync");

/** One that listens, and counts what it reads in each turn of its event loop. */
async function listener() {
  const turns: number[] = [];
  const read = new Map<number, number>();
  const state = { behind: false, datagrams: 0, total: 0, turns, read };
  let open = false;
  const owner: CarrierOwner = {
    ...refusing,
    accepted: () => ({
      ...silent,
      data(lane, bytes) {
        if (lane === controlLane) return;
        if (!open) {
          open = true;
          turns.push(0);
          // Microtasks and other immediates of this turn still belong to it.
          setImmediate(() => {
            open = false;
          });
        }
        turns[turns.length - 1] = (turns.at(-1) ?? 0) + bytes.length;
        state.total += bytes.length;
        read.set(lane, (read.get(lane) ?? 0) + bytes.length);
      },
      datagramReceived() {
        state.datagrams++;
      },
    }),
    get behind() {
      return state.behind;
    },
  };
  return { carrier: await quicCarrier(owner), state };
}

/** A connection on which each lane given writes as much as it may. */
async function writer(port: number, lanes: readonly number[], bytes: number): Promise<Pipe> {
  const carrier = await quicCarrier(refusing);
  const left = new Map(lanes.map((lane) => [lane, bytes]));
  let opened = false;
  const pump = (): void => {
    for (const [lane, rest] of left) {
      const now = Math.min(rest, pipe.capacity(lane), writeBytes);
      if (now === 0) continue;
      pipe.write(lane, new Uint8Array(now));
      left.set(lane, rest - now);
    }
  };
  const pipe = carrier.dial("127.0.0.1", port, {
    ...silent,
    opened() {
      opened = true;
    },
    writable: pump,
  });
  await until("it is connected", () => opened);
  return pipe;
}

const megabyte = 1024 * 1024;

describe("messages of several connections", () => {
  test("no turn reads more than its bound, however many send, and all is read", async () => {
    const { carrier, state } = await listener();
    for (let i = 0; i < 3; i++) (await writer(carrier.port, [gossip, sync], megabyte)).wake();
    await until("all is read", () => state.total >= 6 * megabyte);
    expect(Math.max(...state.turns)).toBeLessThanOrEqual(turnBytes);
    expect(state.turns.length).toBeGreaterThanOrEqual((6 * megabyte) / turnBytes);
  });

  test("a lane with much to say does not keep another from being read", async () => {
    const { carrier, state } = await listener();
    (await writer(carrier.port, [gossip, sync], 4 * megabyte)).wake();
    await until("one lane is read", () => [...state.read.values()].some((n) => n > 3 * megabyte));
    for (const lane of [gossip, sync]) expect(state.read.get(lane)).toBeGreaterThan(megabyte);
  });

  test("while the receiver is behind only datagrams are read; then the rest", async () => {
    const { carrier, state } = await listener();
    state.behind = true;
    const pipe = await writer(carrier.port, [gossip], megabyte);
    pipe.wake();
    expect(pipe.datagram(new Uint8Array(10))).toBe(true);
    await until("the datagram has come", () => state.datagrams === 1);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    const before = state.total;
    state.behind = false;
    await until("all is read", () => state.total >= megabyte);
    expect(before).toBe(0);
  });
});

describe("a socket with more packets than one turn takes in", () => {
  const turn = (budget: ReadBudget, packets: number): number => {
    for (let i = 0; i < packets; i++) budget.packet();
    return budget.turn(false);
  };

  test("is emptied before messages are read", () => {
    const budget = new ReadBudget();
    expect(turn(budget, 32)).toBe(0);
    expect(turn(budget, 32)).toBe(0);
    expect(turn(budget, 5)).toBe(turnBytes);
  });

  test("does not keep them waiting for ever", () => {
    const budget = new ReadBudget();
    const turns = Array.from({ length: 3 * (maxPausedTurns + 1) }, () => turn(budget, 32));
    expect(turns.filter((bytes) => bytes === turnBytes)).toHaveLength(3);
    expect(turns[maxPausedTurns]).toBe(turnBytes);
  });
});

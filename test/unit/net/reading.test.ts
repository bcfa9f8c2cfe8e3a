/** How much of what peers send is read in one turn of the event loop, so that pings are answered between. */
import { afterEach, describe, expect, test } from "vitest";
import type { Credentials } from "../../../runtime/net/credentials.ts";
import { turnBytes, writeBytes } from "../../../runtime/net/limits.ts";
import type { RotatingCarrier } from "../../../runtime/net/node-transport.ts";
import { controlLane, laneOf } from "../../../runtime/net/pipe.ts";
import type { CarrierOwner, Pipe } from "../../../runtime/net/pipe.ts";
import { maxPausedTurns, ReadBudget } from "../../../runtime/net/quic/read-budget.ts";
import {
  maxWaitingBytes,
  Reading,
  type ReadingPipe,
  turnReadBytes,
} from "../../../runtime/net/tcp/reading.ts";
import { TcpCarrier } from "../../../runtime/net/tcp/tcp-carrier.ts";
import { until } from "../../contract/transport-nodes.ts";
import { credentials, quicCarrier, refusing, silent } from "./quic-carriers.ts";

const open: TcpCarrier[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((carrier) => carrier.close()));
});

async function tcpCarrier(owner: CarrierOwner, by: Credentials | null): Promise<TcpCarrier> {
  const made = await TcpCarrier.listen("127.0.0.1", 0, owner, by);
  open.push(made);
  return made;
}

type Listen = (owner: CarrierOwner) => Promise<RotatingCarrier>;
const kinds: readonly (readonly [kind: string, listen: Listen])[] = [
  ["QUIC", (owner) => quicCarrier(owner)],
  ["TLS over TCP", (owner) => tcpCarrier(owner, credentials)],
  ["plain TCP", (owner) => tcpCarrier(owner, null)],
];

const gossip = laneOf("gossip");
const sync = laneOf("sync");

/** One that listens, and counts what it reads in each turn of its event loop. */
async function listener(listen: Listen) {
  const turns: number[] = [];
  const read = new Map<number, number>();
  const state = { behind: false, datagrams: 0, total: 0, turns, read };
  let open = false;
  const owner: CarrierOwner = {
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
    rejected() {},
    stray() {},
    handshakeRefused() {},
    get behind() {
      return state.behind;
    },
  };
  const carrier = await listen(owner);
  return { carrier, state };
}

/** A connection on which each lane given writes as much as it may, up to so many bytes. */
async function writer(
  listen: Listen,
  port: number,
  lanes: readonly number[],
  bytes: number,
): Promise<{ readonly pipe: Pipe; readonly written: () => boolean }> {
  const carrier = await listen(refusing);
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
  return { pipe, written: () => [...left.values()].every((rest) => rest === 0) };
}

const megabyte = 1024 * 1024;

describe.each(kinds)("messages of several connections over %s", (_, listen) => {
  test("no turn reads more than its bound, however many send, and all is read", async () => {
    const { carrier, state } = await listener(listen);
    for (let i = 0; i < 3; i++)
      (await writer(listen, carrier.port, [gossip, sync], megabyte)).pipe.wake();
    await until("all is read", () => state.total >= 6 * megabyte);
    expect(Math.max(...state.turns)).toBeLessThanOrEqual(turnBytes);
    expect(state.turns.length).toBeGreaterThanOrEqual((6 * megabyte) / turnBytes);
  });

  test("a lane with much to say does not keep another from being read", async () => {
    const { carrier, state } = await listener(listen);
    (await writer(listen, carrier.port, [gossip, sync], 4 * megabyte)).pipe.wake();
    await until("one lane is read", () => [...state.read.values()].some((n) => n > 3 * megabyte));
    for (const lane of [gossip, sync]) expect(state.read.get(lane)).toBeGreaterThan(megabyte);
  });

  test("while the receiver is behind it hears datagrams behind all that waits; then the rest", async () => {
    const { carrier, state } = await listener(listen);
    state.behind = true;
    const { pipe, written } = await writer(listen, carrier.port, [gossip], megabyte);
    pipe.wake();
    await until("all is written", written);
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

describe.each(kinds.slice(1))("messages that wait over %s", (_, listen) => {
  test("are handed on when the other side ends the connection", async () => {
    const { carrier, state } = await listener(listen);
    state.behind = true;
    const { pipe, written } = await writer(listen, carrier.port, [gossip], megabyte);
    pipe.wake();
    await until("all is written", written);
    pipe.close(0, "done");
    await until("all is read", () => state.total === megabyte);
  });

  test("keep the other side from sending ever more", async () => {
    const { carrier, state } = await listener(listen);
    state.behind = true;
    const { pipe, written } = await writer(listen, carrier.port, [gossip], 64 * megabyte);
    pipe.wake();
    const bytesRead = () => carrier.traffic.bytesReceived;
    await until("as much waits as may", () => bytesRead() >= maxWaitingBytes);
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(bytesRead()).toBeLessThan(maxWaitingBytes + megabyte);
    expect(written()).toBe(false);
    state.behind = false;
    await until("all is read", () => state.total === 64 * megabyte);
  });
});

describe("reading from sockets", () => {
  /** A pipe that tells what is done to it. */
  function made() {
    const state = { waiting: 0, paused: false, handed: [] as number[] };
    const pipe: ReadingPipe = {
      get waitingBytes() {
        return state.waiting;
      },
      handOn(most) {
        const bytes = Math.min(most, state.waiting);
        state.waiting -= bytes;
        state.handed.push(bytes);
        return bytes;
      },
      pause() {
        state.paused = true;
      },
      resume() {
        state.paused = false;
      },
    };
    return { state, pipe };
  }
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

  test("stops for a turn when all of them together have brought its bound", async () => {
    const reading = new Reading(() => false);
    const [one, other] = [made(), made()];
    reading.arrived(one.pipe, turnReadBytes - 1);
    expect(one.state.paused).toBe(false);
    reading.arrived(other.pipe, 1);
    expect([one.state.paused, other.state.paused]).toEqual([false, true]);
    await nextTurn();
    expect(other.state.paused).toBe(false);
  });

  test("serves connections in turn", async () => {
    const reading = new Reading(() => false);
    const pipes = [made(), made(), made()];
    for (const { state, pipe } of pipes) {
      state.waiting = 2 * turnBytes;
      reading.arrived(pipe, 0);
    }
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    expect(pipes.map(({ state }) => state.handed)).toEqual([[turnBytes], [turnBytes], [turnBytes]]);
  });

  test("leaves a socket alone until half of what waits of it is handed on", async () => {
    const reading = new Reading(() => false);
    const { state, pipe } = made();
    state.waiting = maxWaitingBytes;
    reading.arrived(pipe, 0);
    expect(state.paused).toBe(true);
    while (state.paused) {
      expect(state.waiting).toBeGreaterThan(maxWaitingBytes / 2);
      await nextTurn();
    }
    expect(state.waiting).toBe(maxWaitingBytes / 2);
  });

  test("forgets a connection that is over", async () => {
    const reading = new Reading(() => false);
    const { state, pipe } = made();
    state.waiting = turnBytes;
    reading.arrived(pipe, 0);
    reading.forget(pipe);
    await nextTurn();
    expect(state.handed).toEqual([]);
  });
});

/** Moves to a better connection: back to QUIC from TCP, and away from a QUIC that has lost count of time. */
import { Socket } from "node:dgram";
import { connect, createServer } from "node:net";
import fc from "fast-check";
import { afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import type { Dial } from "../../../runtime/net/dial.ts";
import { Moves } from "../../../runtime/net/moves.ts";
import { NodeTransport } from "../../../runtime/net/node-transport.ts";
import type { RotatingCarrier } from "../../../runtime/net/node-transport.ts";
import { channels, laneCount } from "../../../runtime/net/pipe.ts";
import type { PipeEvents, PipeKind } from "../../../runtime/net/pipe.ts";
import type { Session } from "../../../runtime/net/session.ts";
import type { Channel, TransportStats } from "../../../runtime/net/transport.ts";
import { numbered, numberOf, pause, TestNodes, until } from "../../contract/transport-nodes.ts";
import { MemoryPipe, memoryPipes, settle } from "./memory-pipe.ts";
import { udpProxy } from "./udp-proxy.ts";

const nodes = new TestNodes("auto");
afterEach(() => nodes.close());

describe("a connection that fell back to TCP", () => {
  test("moves to QUIC when UDP passes again, and nothing is lost or overtaken", async () => {
    const a = await nodes.node();
    const proxy = await udpProxy(a.address);
    onTestFinished(() => proxy.close());
    const b = await nodes.node({ advertise: proxy.address });
    proxy.node = b.transport.listening;
    proxy.passes = () => false;
    const door = createServer((socket) => {
      const inner = connect(Number(b.transport.listening.split(":")[1]), "127.0.0.1");
      for (const [from, to] of [
        [socket, inner],
        [inner, socket],
      ] as const) {
        from.pipe(to);
        from.on("error", () => to.destroy());
      }
    });
    await new Promise<void>((resolve) => {
      door.listen(Number(proxy.address.split(":")[1]), "127.0.0.1", resolve);
    });
    onTestFinished(() => void door.close());

    let sent = 0;
    const talk = (): void => {
      for (const channel of ["gossip", "sync", "host"] as const) {
        const bytes = channel === "sync" && sent % 20 === 0 ? 500_000 : 100;
        a.transport.send(b.address, channel, true, numbered(sent, bytes));
        b.transport.send(a.address, channel, true, numbered(sent, bytes));
      }
      sent++;
    };
    a.transport.send(b.address, "gossip", true, numbered(sent));
    a.transport.send(b.address, "sync", true, numbered(sent));
    a.transport.send(b.address, "host", true, numbered(sent++));
    await until("they are connected", () => b.heard.length === 3);
    for (const { transport } of [a, b]) expect(transport.stats().connectionsOverTcp).toBe(1);
    proxy.passes = () => true;
    for (let quiet = 0; quiet < 20; await pause(5)) {
      talk();
      const overTcp = [a, b].map(({ transport }) => transport.stats().connectionsOverTcp);
      quiet = overTcp.some((count) => count > 0) ? 0 : quiet + 1;
      expect(sent).toBeLessThan(20_000);
    }
    const numbers = [...Array(sent).keys()];
    for (const [node, first] of [
      [a, 1],
      [b, 0],
    ] as const) {
      for (const channel of ["gossip", "sync", "host"] as const) {
        const heard = (): number[] =>
          node.heard.filter((one) => one.channel === channel).map(({ bytes }) => numberOf(bytes));
        await until("all came", () => heard().length >= sent - first);
        expect(heard()).toEqual(numbers.slice(first));
      }
      expect(node.unreachable).toEqual([]);
      expect(node.rejected).toEqual([]);
    }
  });

  test("is one of many where a crowd starts: all of them move, and no message is lost", async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => nodes.node()));
    const links = all.length * (all.length - 1);
    // No packet gets through, and nobody is told.
    const silence = vi
      .spyOn(Socket.prototype, "send")
      .mockImplementation((...args: unknown[]) => (args.at(-1) as (error: null) => void)(null));
    onTestFinished(() => silence.mockRestore());
    let sent = 0;
    const talk = (): void => {
      for (const from of all) {
        for (const to of all) {
          if (from !== to) from.transport.send(to.address, "gossip", true, numbered(sent));
        }
      }
      sent++;
    };
    const sum = (of: (stats: TransportStats) => number): number =>
      all.reduce((total, { transport }) => total + of(transport.stats()), 0);
    const overTcp = (): number => sum(({ connectionsOverTcp }) => connectionsOverTcp);
    talk();
    await until("all are connected", () => sum(({ connections }) => connections) === links);
    expect(overTcp()).toBe(links);
    silence.mockRestore();
    const startMs = performance.now();
    while (overTcp() > 0) {
      talk();
      await pause(20);
      expect(performance.now() - startMs).toBeLessThan(60_000);
    }
    talk();
    const whole = sent * (all.length - 1);
    await until("all came", () => all.every(({ heard }) => heard.length === whole));
    expect(all.flatMap(({ unreachable }) => unreachable)).toEqual([]);
    expect(sum(({ connections }) => connections)).toBe(links);
  }, 90_000);

  test("is tried again ever less often where UDP does not pass", async () => {
    const world = new World();
    const [a] = world.transports;
    const [, b] = world.names;
    a.send(b, "gossip", true, Uint8Array.of(1));
    await world.quiet();
    await world.makeLate();
    const peer = a.peers.of(b);
    world.deaf = true;
    const moves = new Moves(a, world.carriers.slice(0, 1), {});
    const tried: number[] = [];
    const startMs = peer.moveAtMs;
    for (let s = 0; s < 1800; s++) {
      const nowMs = startMs + s * 1000;
      moves.look([peer], nowMs);
      const { move } = peer;
      if (move === null) continue;
      tried.push(s);
      move.giveUp("the test is in a hurry");
      expect(moves.failed(peer, move, nowMs)).toBe(true);
    }
    expect(tried.slice(0, 4)).toEqual([0, 6, 18, 42]);
    const gaps = tried.slice(1).map((s, i) => s - (tried[i] as number));
    expect(gaps.at(-1)).toBe(300);
    await world.close();
  });
});

test("that UDP does not reach a peer is told once, after the second try, and that it does again", async () => {
  const world = new World();
  const [a] = world.transports;
  const [, b] = world.names;
  a.send(b, "gossip", true, Uint8Array.of(1));
  await world.quiet();
  world.deaf = true;
  const told: [Address, boolean][] = [];
  const moves = new Moves(a, world.carriers.slice(0, 1), {
    udp: (to, passes) => told.push([to, passes]),
  });
  const peer = a.peers.of(b);
  const pipe = world.pipes[0] as MemoryPipe;
  const use = (kind: PipeKind): void => {
    pipe.kind = kind;
    moves.connected(peer, peer.session as Session, 0);
  };
  const fail = (): void => {
    moves.look([peer], peer.moveAtMs);
    const { move } = peer;
    move?.giveUp("the test is in a hurry");
    expect(moves.failed(peer, move as Dial, peer.moveAtMs)).toBe(true);
  };
  use("tcp");
  fail();
  expect(told).toEqual([]);
  for (let i = 0; i < 3; i++) fail();
  expect(told).toEqual([[b, false]]);
  for (let i = 0; i < 2; i++) use("quic");
  expect(told).toEqual([
    [b, false],
    [b, true],
  ]);
  await world.close();
});

describe("whoever moves when", () => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant("send" as const),
      by: fc.nat(1),
      channel: fc.constantFrom(...channels),
      length: fc.integer({ min: 1, max: 120 }),
    }),
    fc.record({
      do: fc.constant("carry" as const),
      pipe: fc.nat(9),
      lane: fc.nat(laneCount - 1),
      most: fc.integer({ min: 1, max: 200 }),
    }),
    fc.record({ do: fc.constant("move" as const), by: fc.nat(2) }),
    fc.record({ do: fc.constant("turn" as const) }),
  );

  test("what is sent arrives once and in order, and one connection is left", async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = new World();
        const sent: Record<Channel, string[]>[] = [empty(), empty()];
        const send = (by: number, channel: Channel, length: number): void => {
          const mine = (sent[by] as Record<Channel, string[]>)[channel];
          const text = `${mine.length}`.padEnd(length, "x");
          mine.push(text);
          const to = world.names[1 - by] as Address;
          (world.transports[by] as NodeTransport).send(to, channel, true, Buffer.from(text));
        };
        send(0, "gossip", 5);
        await world.quiet();
        await world.makeLate();
        for (const one of steps) {
          if (one.do === "send") send(one.by, one.channel, one.length);
          else if (one.do === "carry") world.pipes[one.pipe]?.carry(one.lane, one.most);
          // 2: both at once.
          else if (one.do === "move")
            for (const by of one.by === 2 ? [0, 1] : [one.by]) world.move(by);
          else await turn();
        }
        await world.quiet();
        for (const by of [0, 1]) {
          expect(world.heard[1 - by]).toEqual(sent[by]);
          expect(world.unreachable[by]).toEqual([]);
          expect((world.transports[by] as NodeTransport).stats().connections).toBe(1);
        }
        expect(world.open).toBe(2);
        moved += world.pipes.length / 2 - 1;
        await world.close();
      }),
      { numRuns: 300 },
    );
    expect(moved).toBeGreaterThan(150);
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Two transports on carriers in memory, which claim to be QUIC. */
class World {
  readonly names: readonly [Address, Address] = ["10.0.0.1:1" as Address, "10.0.0.2:1" as Address];
  readonly pipes: MemoryPipe[] = [];
  readonly heard: readonly Record<Channel, string[]>[] = [empty(), empty()];
  readonly unreachable: readonly string[][] = [[], []];
  readonly transports: readonly [NodeTransport, NodeTransport];
  readonly carriers: readonly RotatingCarrier[];
  /** Nobody answers a new connection. */
  deaf = false;

  constructor() {
    this.transports = [this.#transport(0), this.#transport(1)];
    this.carriers = [this.#carrier(1), this.#carrier(0)];
    this.transports.forEach((transport, i) => {
      transport.start([this.carriers[i] as RotatingCarrier]);
    });
  }

  get open(): number {
    return this.pipes.filter((pipe) => pipe.events !== null).length;
  }

  /** Until nothing moves any more. */
  async quiet(): Promise<void> {
    for (let turns = 0; turns < 6; turns++) {
      settle(this.pipes);
      await turn();
    }
  }

  /** Both sides come to know that their carrier tells them absurd round trips. */
  async makeLate(): Promise<void> {
    for (let i = 0; i < 3; i++) {
      this.transports.forEach((transport, by) => {
        transport.peers.of(this.names[1 - by] as Address).session?.ping();
      });
      await this.quiet();
    }
  }

  move(by: number): void {
    const transport = this.transports[by] as NodeTransport;
    const moves = new Moves(transport, [this.carriers[by] as RotatingCarrier], {});
    const nowMs = Number.POSITIVE_INFINITY;
    moves.look([transport.peers.of(this.names[1 - by] as Address)], nowMs);
  }

  async close(): Promise<void> {
    await Promise.all(this.transports.map((transport) => transport.close(0)));
  }

  #transport(by: number): NodeTransport {
    const name = this.names[by] as Address;
    return new NodeTransport({
      listening: name,
      advertise: name,
      clusterId: 0,
      credentials: null,
      parse: () => {
        throw new Error("there are no certificates");
      },
      plaintextAnywhere: true,
      events: {
        message: (_from, channel, bytes) =>
          (this.heard[by] as Record<Channel, string[]>)[channel].push(
            Buffer.from(bytes).toString(),
          ),
        unreachable: (_to, channel, why) => this.unreachable[by]?.push(`${channel}: ${why}`),
        rtt() {},
        datagramBytes() {},
        rejected() {},
      },
    });
  }

  #carrier(towards: number): RotatingCarrier {
    const dial = (_ip: string, _port: number, events: PipeEvents): MemoryPipe => {
      const [here, there] = memoryPipes();
      for (const pipe of [here, there]) pipe.rttMs = 262_000;
      here.events = events;
      if (this.deaf) return here;
      there.events = (this.transports[towards] as NodeTransport).accepted(there);
      this.pipes.push(here, there);
      setImmediate(() => {
        here.events?.opened();
        there.events?.opened();
      });
      return here;
    };
    return {
      kind: "quic",
      port: 1,
      traffic: { bytesSent: 0, bytesReceived: 0 },
      dial,
      look() {},
      rotate() {},
      close: () => Promise.resolve(),
    };
  }
}

function empty(): Record<Channel, string[]> {
  return { swim: [], gossip: [], host: [], sync: [] };
}

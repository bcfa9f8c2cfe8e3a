import { expect, test } from "vitest";
import { evArrive, evRtt, evUnreachable } from "../../../sim/event-kinds.ts";
import { Kernel } from "../../../sim/kernel.ts";
import { createLatencyModel, type LatencySpec } from "../../../sim/network/latency.ts";
import { Network, unreachableAfterUs } from "../../../sim/network/network.ts";
import type { Packet } from "../../../sim/network/packet.ts";
import { createRng } from "../../../sim/rng.ts";

interface Setup {
  readonly latencyMs?: LatencySpec;
  readonly loss?: number;
  readonly duplicate?: number;
  readonly corrupt?: number;
  readonly bytesPerSec?: number;
}

const swim = 0;
const sync = 2;

/** A network whose nodes are boots in a list, and what it told. */
class Lab {
  readonly kernel = new Kernel();
  readonly network: Network;
  readonly boots = [1, 1, 1, 1];
  readonly log: string[] = [];
  sent = 0;

  constructor(setup: Setup = {}) {
    const { latencyMs = { min: 10, max: 10 }, loss = 0, duplicate = 0, corrupt = 0 } = setup;
    const latency = createLatencyModel(latencyMs, () => 0);
    const config = { loss, duplicate, corrupt, bytesPerSec: setup.bytesPerSec ?? 0 };
    this.network = new Network(this.kernel, config, latency, createRng("net"), {
      bootOf: (n) => this.boots[n] as number,
      sent: () => this.sent++,
      arrived: (packet) => this.log.push(`${this.ms} recv ${packet.m}`),
      dropped: (packet, why) => this.log.push(`${this.ms} drop ${packet.m} ${why}`),
      unreachable: (from, to, plane) =>
        this.log.push(`${this.ms} unreachable ${from}>${to}/${plane}`),
    });
  }

  get ms(): number {
    return this.kernel.nowUs / 1000;
  }

  send(
    from: number,
    to: number,
    reliable: boolean,
    bytes = 100,
    plane = reliable ? sync : swim,
  ): void {
    const { nowUs } = this.kernel;
    this.network.send(from, to, plane, reliable, "ping", new Uint8Array(bytes), nowUs);
  }

  /** Runs until `ms`. */
  until(ms: number): this {
    while (this.kernel.take(ms * 1000)) {
      const { kind, a, b, c, ref } = this.kernel;
      if (kind === evArrive) this.network.arrive(ref as Packet);
      else if (kind === evUnreachable) this.network.giveUp(b, a, c);
      else if (kind === evRtt) this.log.push(`${this.ms} rtt ${this.kernel.b / 1000}`);
    }
    this.kernel.advance(ms * 1000);
    return this;
  }

  count(word: string): number {
    return this.log.filter((line) => line.includes(word)).length;
  }
}

const timeoutMs = unreachableAfterUs / 1000;

test("SI05: datagrams are lost and doubled as often as the network says", () => {
  const lab = new Lab({ loss: 0.2, duplicate: 0.1 });
  for (let i = 0; i < 10_000; i++) lab.send(0, 1, false);
  lab.until(100);
  expect(lab.count("drop")).toBeGreaterThan(1800);
  expect(lab.count("drop")).toBeLessThan(2200);
  const arrived = lab.count("recv");
  expect(arrived / 8000).toBeGreaterThan(1.07);
  expect(arrived / 8000).toBeLessThan(1.13);
  // Every message ends at least once.
  expect(new Set(lab.log.map((line) => line.split(" ")[2])).size).toBe(10_000);
});

test("SI05: a damaged datagram never arrives", () => {
  const lab = new Lab({ corrupt: 1 });
  lab.send(0, 1, false);
  expect(lab.until(100).log).toEqual(["10 drop 1 corrupt"]);
});

test("SI05: datagrams overtake one another, reliable messages do not", () => {
  const order = (reliable: boolean): number[] => {
    const lab = new Lab({ latencyMs: { min: 1, max: 50 }, loss: reliable ? 0.3 : 0 });
    for (let i = 0; i < 200; i++) {
      lab.send(0, 1, reliable);
      lab.until(lab.ms + 1);
    }
    lab.until(20_000);
    return lab.log
      .filter((line) => line.includes("recv"))
      .map((line) => Number(line.split(" ")[2]));
  };
  const sorted = (list: number[]): number[] => [...list].sort((a, b) => a - b);
  const datagrams = order(false);
  expect(datagrams).toHaveLength(200);
  expect(datagrams).not.toEqual(sorted(datagrams));
  const reliable = order(true);
  expect(reliable).toEqual(sorted(reliable));
});

test("SI06: loss is delay on a stream: everything arrives", () => {
  const lab = new Lab({ loss: 0.1 });
  for (let i = 0; i < 1000; i++) lab.send(0, 1, true);
  lab.until(60_000);
  expect(lab.count("recv")).toBe(1000);
  expect(lab.count("drop")).toBe(0);
  const late = lab.log.filter((line) => line.includes("recv") && Number(line.split(" ")[0]) > 10);
  expect(late.length).toBeGreaterThan(0);
});

test("SI06: planes do not wait for one another", () => {
  const lab = new Lab({ loss: 0.5 });
  for (let i = 0; i < 50; i++) lab.send(0, 1, true, 100, 1);
  lab.send(0, 1, true, 100, sync);
  lab.until(30_000);
  const times = (m: (n: number) => boolean): number[] =>
    lab.log
      .filter((line) => line.includes("recv") && m(Number(line.split(" ")[2])))
      .map((line) => Number(line.split(" ")[0]));
  expect(times((m) => m === 51)[0]).toBeLessThan(Math.max(...times((m) => m <= 50)));
});

test("SI06: a crash of the receiver breaks the connection, and the sender is told once, later", () => {
  const lab = new Lab();
  lab.send(0, 1, true);
  lab.send(0, 1, true);
  lab.until(5);
  lab.boots[1] = -1;
  expect(lab.until(10_000).log).toEqual([
    "10 drop 1 dead",
    "10 drop 2 dead",
    `${10 + timeoutMs} unreachable 0>1/2`,
  ]);
});

test("SI06: a process that was restarted does not receive what was sent to the one before", () => {
  const lab = new Lab();
  lab.send(0, 1, true);
  lab.send(0, 1, false);
  lab.until(5);
  lab.boots[1] = 2;
  lab.until(100);
  // The stream belonged to the old process; the datagram only to the address.
  expect(lab.log).toEqual(["10 drop 1 dead", "10 recv 2"]);
});

test("SI06: a sender that crashed is told nothing, and does not retransmit", () => {
  const lab = new Lab({ loss: 0.9 });
  for (let i = 0; i < 20; i++) lab.send(0, 1, true);
  lab.until(5);
  lab.boots[0] = -1;
  lab.until(60_000);
  expect(lab.count("unreachable")).toBe(0);
  expect(lab.count("recv")).toBe(lab.log.filter((line) => line.startsWith("10 recv")).length);
  expect(lab.count("recv") + lab.count("drop")).toBe(20);
});

test("SI06: a connection that cannot get through gives up", () => {
  const lab = new Lab({ loss: 1 });
  lab.send(0, 1, true);
  lab.until(10_000);
  expect(lab.log).toEqual(["0 drop 1 loss", `${timeoutMs} unreachable 0>1/2`]);
});

test("SI06: a connection tells its round trip now and then", () => {
  const lab = new Lab();
  for (let i = 0; i < 100; i++) {
    lab.send(0, 1, true);
    lab.until(lab.ms + 100);
  }
  lab.until(20_000);
  const told = lab.log.filter((line) => line.includes("rtt"));
  expect(told).toEqual(["20 rtt 20", "5020 rtt 20"]);
});

test("SI07: a partition in force at sending keeps everything out; the other groups keep their links", () => {
  const lab = new Lab();
  lab.network.cuts.partition(1, [[0, 1], [2]], false);
  lab.send(0, 1, false);
  lab.send(0, 2, false);
  lab.send(2, 1, false);
  lab.send(3, 2, false);
  lab.until(100);
  expect(lab.log).toEqual(["0 drop 2 partition", "0 drop 3 partition", "10 recv 1", "10 recv 4"]);
});

test("SI07: a partition that begins while a message is under way keeps it out too", () => {
  const lab = new Lab();
  lab.send(0, 1, false);
  lab.send(0, 1, true);
  lab.until(5);
  lab.network.cuts.partition(1, [[0], [1]], false);
  lab.until(5000);
  expect(lab.log).toEqual([
    "10 drop 1 partition",
    "10 drop 2 partition",
    `${10 + timeoutMs} unreachable 0>1/2`,
  ]);
});

test("SI07: one way: the first group is not heard; a stream needs both ways", () => {
  const lab = new Lab();
  lab.network.cuts.partition(1, [[0], [1, 2]], true);
  lab.send(0, 1, false);
  lab.send(1, 0, false);
  lab.send(1, 2, false);
  lab.send(1, 0, true);
  lab.until(100);
  expect(lab.log).toEqual(["0 drop 1 partition", "0 drop 4 partition", "10 recv 2", "10 recv 3"]);
});

test("SI07: several cuts add up, and each ends by itself", () => {
  const lab = new Lab();
  const { cuts } = lab.network;
  cuts.partition(1, [[0], [1]], false);
  cuts.partition(2, [[0], [1, 2]], false);
  cuts.link(3, 0, 3, { loss: 0, cut: true, delayUs: null });
  const reachable = (): number[] => [1, 2, 3].filter((to) => cuts.between(0, to) === null);
  expect(reachable()).toEqual([]);
  expect(cuts.between(0, 3)).toBe("cut");
  expect(cuts.between(3, 0)).toBeNull();
  expect(cuts.lift(1)).toBe(true);
  expect(cuts.lift(1)).toBe(false);
  expect(reachable()).toEqual([]);
  cuts.lift(2);
  expect(reachable()).toEqual([1, 2]);
  expect(cuts.active).toBe(true);
  cuts.lift(3);
  expect(reachable()).toEqual([1, 2, 3]);
  expect(cuts.active).toBe(false);
});

test("SI07: link faults add loss and replace delays, one way", () => {
  const lab = new Lab();
  lab.network.cuts.link(1, 0, 1, { loss: 0.5, cut: false, delayUs: () => 77_000 });
  for (let i = 0; i < 200; i++) {
    lab.send(0, 1, false);
    lab.send(1, 0, false);
  }
  lab.until(200);
  const forward = lab.log.filter((line) => line.startsWith("77 recv")).length;
  expect(forward).toBeGreaterThan(70);
  expect(forward).toBeLessThan(130);
  expect(lab.log.filter((line) => line.startsWith("10 recv")).length).toBe(200);
});

test("SI08: a link of limited bandwidth sends one message after another", () => {
  const lab = new Lab({ bytesPerSec: 10_000 });
  lab.send(0, 1, false, 100);
  lab.send(0, 1, true, 200);
  lab.send(1, 0, false, 100);
  lab.until(1000);
  // 10 ms and 20 ms for their bytes, and 10 ms on the way; the other direction is a link of its own.
  expect(lab.log.filter((line) => line.includes("recv"))).toEqual([
    "20 recv 1",
    "20 recv 3",
    "40 recv 2",
  ]);
});

test("SI08: datagrams that do not fit into the queue are dropped", () => {
  const lab = new Lab({ bytesPerSec: 100_000 });
  for (let i = 0; i < 300; i++) lab.send(0, 1, false, 1000);
  lab.until(60_000);
  expect(lab.count("overflow")).toBeGreaterThan(30);
  expect(lab.count("recv")).toBe(300 - lab.count("overflow"));
});

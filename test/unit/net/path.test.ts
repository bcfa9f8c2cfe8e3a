/** How long packets may be: asked before a connection, noticed on one, and told. */
import { createSocket } from "node:dgram";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { PathProbes } from "../../../runtime/net/quic/path-probe.ts";
import { numbered, numberOf, TestNodes, until } from "../../contract/transport-nodes.ts";
import { udpProxy } from "./udp-proxy.ts";

const nodes = new TestNodes("quic");
afterEach(() => nodes.close());

describe("probes", () => {
  /** Two ends that lose what is longer than `passing`. */
  function measured(passing: number, ip = "192.0.2.7"): Promise<number> {
    const nowMs = 1000;
    return new Promise((resolve) => {
      const there = new PathProbes(16_383, (packet) => {
        here.received(packet, ip, 1, nowMs);
      });
      const here = new PathProbes(16_383, (packet) => {
        if (packet.length <= passing) there.received(packet, ip, 2, nowMs);
      });
      here.measure(ip, 1, nowMs, resolve);
    });
  }

  test("the longest that arrives is used", async () => {
    expect(await measured(1500)).toBe(1452);
  });

  test("where none arrives, packets stay at the base", async () => {
    expect(await measured(1400)).toBe(1350);
  });

  test("on this machine there is nothing to ask", async () => {
    expect(await measured(0, "127.0.0.1")).toBe(16_383);
  });

  test("an answer that arrived while this node was busy counts", async () => {
    const [near, far] = [createSocket("udp4"), createSocket("udp4")];
    onTestFinished(() => [near, far].forEach((socket) => socket.close()));
    for (const socket of [near, far]) {
      await new Promise<void>((resolve) => {
        socket.bind(0, "127.0.0.1", resolve);
      });
    }
    const [ip, nowMs] = ["192.0.2.7", 1000];
    const there = new PathProbes(16_383, (packet) => {
      far.send(packet, near.address().port, "127.0.0.1");
      // Everything else waits, here as well.
      const endMs = performance.now() + 120;
      while (performance.now() < endMs) continue;
    });
    const here = new PathProbes(16_383, (packet) => {
      if (packet.length <= 1500) far.emit("message", packet);
    });
    near.on("message", (packet) => here.received(packet, ip, 1, nowMs));
    far.on("message", (packet) => setImmediate(() => there.received(packet, ip, 2, nowMs)));
    const found = new Promise<number>((resolve) => {
      here.measure(ip, 1, nowMs, resolve);
    });
    expect(await found).toBe(1452);
  });

  test("what is no probe is left alone", () => {
    const sent: Uint8Array[] = [];
    const probes = new PathProbes(16_383, (packet) => sent.push(packet));
    for (const packet of [
      Buffer.alloc(0),
      Buffer.alloc(20),
      Buffer.from("\u0001patin"),
      Buffer.from("\u0003patina0123456789"),
    ]) {
      expect(probes.received(packet, "192.0.2.7", 1, 0)).toBe(false);
    }
    expect(sent).toEqual([]);
  });

  test("an answer is shorter than its probe, and there are only so many a second", () => {
    const sent: Uint8Array[] = [];
    const probes = new PathProbes(16_383, (packet) => sent.push(packet));
    const probe = Buffer.alloc(1400);
    probe.set(Buffer.from("\u0001patina"));
    for (let i = 0; i < 2000; i++) probes.received(probe, "192.0.2.7", 1, 5000);
    expect(sent[0]?.length).toBeLessThan(20);
    expect(sent.length).toBeLessThanOrEqual(500);
  });
});

describe("a path that does not carry long packets", () => {
  test.each(["from the start", "later on"])("is noticed, and messages pass: %s", async (when) => {
    const [a, b] = [await nodes.node(), await nodes.node()];
    const proxy = await udpProxy(b.address);
    const narrow = (bytes: number): boolean => bytes <= 1400;
    if (when === "from the start") proxy.passes = narrow;
    a.transport.send(proxy.address, "gossip", true, numbered(0));
    await until("they are connected", () => b.heard.length === 1);
    proxy.passes = narrow;
    for (let i = 1; i <= 5; i++) {
      a.transport.send(b.address, "sync", true, numbered(i, 100_000));
      b.transport.send(a.address, "sync", true, numbered(i, 100_000));
    }
    await until("all came", () => b.heard.length === 6 && a.heard.length === 5, 30_000);
    expect(a.heard.map(({ bytes }) => numberOf(bytes))).toEqual([1, 2, 3, 4, 5]);
    expect(a.unreachable.concat(b.unreachable)).toEqual([]);
    await until("it is told", () => (a.datagramBytes.at(-1) ?? 0) < 1400);
    expect(a.datagramBytes.at(-1)).toBeGreaterThanOrEqual(1200);
    proxy.close();
  });
});

test("a peer that falls silent is given up, and told for each channel in use", async () => {
  const [a, b] = [await nodes.node(), await nodes.node()];
  const proxy = await udpProxy(b.address);
  a.transport.send(proxy.address, "gossip", true, numbered(0));
  await until("they are connected", () => b.heard.length === 1);
  proxy.passes = () => false;
  a.transport.send(b.address, "sync", true, numbered(1));
  await until("it is told", () => a.unreachable.length > 0, 15_000);
  const names = a.unreachable.map(({ to, channel }) => `${to} ${channel}`);
  expect(names).toContain(`${b.address} sync`);
  expect(names).toContain(`${b.address} gossip`);
  expect(a.transport.stats().connections).toBe(0);
  proxy.close();
});

test("a tenth of all packets lost, each way: everything arrives in order", async () => {
  const [a, b] = [await nodes.node(), await nodes.node()];
  const proxy = await udpProxy(b.address);
  let n = 0;
  proxy.passes = () => n++ % 10 !== 7;
  a.transport.send(proxy.address, "gossip", true, numbered(0));
  await until("they are connected", () => b.heard.length === 1);
  for (let i = 0; i < 200; i++) {
    a.transport.send(b.address, "sync", true, numbered(i, 2000));
    b.transport.send(a.address, "gossip", true, numbered(i, 2000));
  }
  await until("all came", () => b.heard.length === 201 && a.heard.length === 200, 60_000);
  expect(a.heard.map(({ bytes }) => numberOf(bytes))).toEqual([...Array(200).keys()]);
  expect(a.unreachable.concat(b.unreachable)).toEqual([]);
  proxy.close();
});

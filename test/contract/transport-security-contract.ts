/** What every transport with TLS promises: who gets in, who does not, and what strangers can do to it. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import type { Address } from "../../core/base/ids.ts";
import { makeAuthority } from "../../runtime/security/certificates.ts";
import {
  authority,
  certificates,
  numbered,
  numberOf,
  pause,
  TestNodes,
  until,
} from "./transport-nodes.ts";
import type { TestNode } from "./transport-nodes.ts";

const foreign = await makeAuthority({ cluster: "test", nowMs: Date.now() });
const elsewhere = await makeAuthority({ cluster: "elsewhere", nowMs: Date.now() });
/** Two authorities, as while the one takes over from the other. */
const bothAuthorities = authority.cert + elsewhere.cert;

/** Neither hears a word of the other, both are told, and it is counted and reported. */
async function expectTurnedAway(strict: TestNode, other: TestNode, why: RegExp): Promise<void> {
  strict.transport.send(other.address, "gossip", true, numbered(1));
  await until("the strict one is told", () => strict.unreachable.length > 0);
  expect(strict.unreachable[0]?.why).toMatch(why);
  await until("it is reported", () => strict.rejected.some((one) => why.test(one.why)));
  const refusals = (): number =>
    strict.transport.stats().handshakesRefused + other.transport.stats().handshakesRefused;
  const before = refusals();
  expect(before).toBeGreaterThan(0);

  // The other way round; which of the two finds fault first is open where both do.
  await until("it is counted", () => {
    other.transport.send(strict.address, "gossip", true, numbered(2));
    return refusals() > before;
  });
  await until("the other one is told", () => other.unreachable.length > 0);
  expect([strict.heard, other.heard]).toEqual([[], []]);
  expect(strict.transport.stats().connections).toBe(0);
}

export function transportSecurityContract(kind: "quic" | "tcp"): void {
  const nodes = new TestNodes(kind);
  afterEach(() => nodes.close());

  describe("who is turned away", () => {
    test("a certificate of another authority, whatever cluster it names", async () => {
      const strict = await nodes.node();
      const trust = authority.cert + foreign.cert;
      const tls = await certificates({ authority: foreign, trust });
      await expectTurnedAway(strict, await nodes.unchecked({ tls }), /authority/);
    });

    test("a certificate of another authority whose holder dials: who it is and why is told", async () => {
      const strict = await nodes.node();
      const trust = authority.cert + foreign.cert;
      const tls = await certificates({ authority: foreign, trust });
      const other = await nodes.unchecked({ tls });
      other.transport.send(strict.address, "gossip", true, numbered(1));
      await until("it is told", () => strict.rejected.length > 0);
      expect(strict.rejected[0]?.from).toMatch(/^127\.0\.0\.1:\d+$/);
      expect(strict.rejected[0]?.why).toMatch(/^turned away: .* authority/);
    });

    test("a certificate that names another cluster", async () => {
      const strict = await nodes.node({ tls: await certificates({ trust: bothAuthorities }) });
      const tls = await certificates({ authority: elsewhere, trust: bothAuthorities });
      await expectTurnedAway(
        strict,
        await nodes.unchecked({ tls }),
        /names the cluster "elsewhere"/,
      );
    });

    test("a certificate that does not cover the address its holder goes by", async () => {
      const strict = await nodes.node();
      const tls = await certificates({ name: "liar", hosts: ["10.9.9.9"] });
      await expectTurnedAway(
        strict,
        await nodes.unchecked({ tls }),
        /liar.*covers 10\.9\.9\.9 only/,
      );
    });

    test("a certificate that has expired", async () => {
      const strict = await nodes.node();
      const tls = await certificates({ fromDay: -400 });
      await expectTurnedAway(strict, await nodes.unchecked({ tls }, -100), /expired/);
    });
  });

  test("a node does not start with certificates that nobody would accept", async () => {
    const start = async (tls: Awaited<ReturnType<typeof certificates>>): Promise<unknown> =>
      nodes.node({ tls });
    await expect(start(await certificates({ fromDay: -400 }))).rejects.toThrow(/expired/);
    await expect(start(await certificates({ authority: foreign }))).rejects.toThrow(/authority/);
    await expect(start(await certificates({ hosts: ["10.9.9.9"] }))).rejects.toThrow(/covers/);
    const [one, two] = [await certificates(), await certificates()];
    await expect(start({ ...one, key: two.key })).rejects.toThrow(/does not belong/);
    await expect(start({ ...one, ca: "nothing" })).rejects.toThrow(/authority's certificate/);
  });

  test("new certificates are taken over under traffic without a lost message", async () => {
    const [a, b] = [await nodes.node(), await nodes.node()];
    let sent = 0;
    const feed = setInterval(() => {
      for (let i = 0; i < 10; i++) {
        a.transport.send(b.address, "sync", true, numbered(sent, 5000));
        b.transport.send(a.address, "gossip", true, numbered(sent, 500));
        sent++;
      }
    }, 1);
    await until("traffic flows", () => b.heard.length > 50);
    const { handshakes } = a.transport.stats();
    for (let round = 0; round < 3; round++) {
      for (const node of [a, b]) {
        node.transport.rotate(await certificates({ name: `round-${round}` }));
        await pause(20);
      }
    }
    clearInterval(feed);
    for (const node of [a, b]) {
      await until("all came", () => node.heard.length === sent);
      node.heard.forEach((heard, i) => expect(numberOf(heard.bytes)).toBe(i));
      expect(node.unreachable).toEqual([]);
    }
    expect(a.transport.stats().handshakes).toBe(handshakes);
    const c = await nodes.node();
    c.transport.send(a.address, "gossip", true, numbered(1));
    a.transport.send(c.address, "gossip", true, numbered(2));
    await until("c is answered", () => c.heard.length === 1);
    expect(c.heard[0]?.name).toBe("round-2");
    const before = a.transport.stats();
    await expect(async () =>
      a.transport.rotate(await certificates({ hosts: ["10.9.9.9"] })),
    ).rejects.toThrow(/covers/);
    expect(a.transport.stats().connections).toBe(before.connections);
  });

  test("garbage on its port changes nothing for its peers, and is told of sparingly", async () => {
    const [a, b] = [await nodes.node(), await nodes.node()];
    a.transport.send(b.address, "gossip", true, numbered(0));
    await until("they are connected", () => b.heard.length === 1);
    const flood = kind === "quic" ? udpGarbage(b.address) : tcpGarbage(b.address);
    for (let i = 1; i <= 100; i++) {
      a.transport.send(b.address, "sync", true, numbered(i, 3000));
      b.transport.send(a.address, "swim", false, numbered(i));
      await pause(1);
    }
    await flood;
    await until("all came", () => b.heard.length === 101);
    await until("it was noticed", () => b.transport.stats().rejected > 20);
    expect(b.rejected.length).toBeLessThan(b.transport.stats().rejected / 2);
    expect(a.unreachable.concat(b.unreachable)).toEqual([]);
    const c = await nodes.node();
    c.transport.send(b.address, "gossip", true, numbered(1));
    await until("newcomers get in", () => b.heard.some(({ from }) => from === c.address));
  });
}

/** 4,000 packets: noise, and noise that begins like QUIC. */
async function udpGarbage(to: Address): Promise<void> {
  const port = Number(to.split(":")[1]);
  const socket = createSocket("udp4");
  const noise = new Uint8Array(1300);
  for (let i = 0; i < 4000; i++) {
    const length = 1 + ((i * 7919) % noise.length);
    for (let j = 0; j < length; j += 1 + (i % 3)) noise[j] = (i * 31 + j * 17 + (i ^ j)) & 0xff;
    if (i % 4 === 0) noise.set([0xc0, 0, 0, 0, 1, 8], 0);
    if (i % 4 === 1) noise[0] = 0x40 | (i & 0x3f);
    if (i % 64 === 0) noise.set(Buffer.from("\u0001patina"), 0);
    socket.send(noise.slice(0, i % 8 === 0 ? noise.length : length), port, "127.0.0.1");
    if (i % 100 === 0) await pause(1);
  }
  await new Promise<void>((resolve) => {
    socket.close(() => resolve());
  });
}

/** 60 connections that talk nonsense. */
async function tcpGarbage(to: Address): Promise<void> {
  const port = Number(to.split(":")[1]);
  const sockets: Socket[] = [];
  for (let i = 0; i < 60; i++) {
    const socket = connect({ host: "127.0.0.1", port });
    socket.on("error", () => socket.destroy());
    const noise = Buffer.alloc(200, i);
    if (i % 2 === 0) noise.set([0x16, 3, 1, 0, 100]);
    socket.write(noise);
    sockets.push(socket);
    await pause(2);
  }
  for (const socket of sockets) socket.destroy();
}

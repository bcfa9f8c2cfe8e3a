/** QUIC where UDP passes, TCP where it does not; names, families and ways to one node. */
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import type { Socket } from "node:net";
import { Worker } from "node:worker_threads";
import { native } from "@matrixai/quic";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import type { Address } from "../../core/base/ids.ts";
import { Credentials } from "../../runtime/net/credentials.ts";
import { maxHandshakes, retryFromHandshakes } from "../../runtime/net/limits.ts";
import { makeConfig } from "../../runtime/net/quic/quic-config.ts";
import { openTransport } from "../../runtime/net/create-transport.ts";
import type { Transport, TransportEvents, TransportOptions } from "../../runtime/net/transport.ts";
import { certificates, numbered, numberOf, pause, TestNodes, until } from "./transport-nodes.ts";

const { quiche } = native;
const silentEvents: TransportEvents = {
  message() {},
  unreachable() {},
  rtt() {},
  datagramBytes() {},
  rejected() {},
};
const nodes = new TestNodes("auto");
afterEach(() => nodes.close());

describe("both carriers", () => {
  test("UDP is used where it passes, at the same port number as TCP", async () => {
    const [a, b] = [await nodes.node(), await nodes.node()];
    a.transport.send(b.address, "gossip", true, numbered(1));
    await until("b heard it", () => b.heard.length === 1);
    expect(a.transport.stats()).toMatchObject({ connections: 1, connectionsOverTcp: 0 });
    expect(b.transport.stats()).toMatchObject({ connections: 1, connectionsOverTcp: 0 });
  });

  test("TCP is tried when nothing answers by UDP, and first at the next time", async () => {
    const [a, b] = [await nodes.node(), await nodes.node({ kind: "tcp" })];
    const silent = createSocket("udp4");
    let knocks = 0;
    silent.on("message", () => knocks++);
    await new Promise<void>((resolve) => {
      silent.bind(Number(b.address.split(":")[1]), "127.0.0.1", resolve);
    });
    a.transport.send(b.address, "gossip", true, numbered(1));
    await until("b heard it", () => b.heard.length === 1);
    expect(a.transport.stats().connectionsOverTcp).toBe(1);
    await b.transport.close(0);
    await until("a noticed", () => a.transport.stats().connections === 0);
    const again = await nodes.node({ kind: "tcp", listen: b.address });
    const before = knocks;
    expect(before).toBeGreaterThan(0);
    await until("it is reached again", () => {
      a.transport.send(again.address, "gossip", true, numbered(2));
      return again.heard.length > 0;
    });
    expect(knocks).toBe(before);
    silent.close();
  });

  test("a node that has TCP only reaches one that has both", async () => {
    const [a, b] = [await nodes.node({ kind: "tcp" }), await nodes.node()];
    a.transport.send(b.address, "gossip", true, numbered(1));
    await until("b heard it", () => b.heard.length === 1);
    b.transport.send(a.address, "gossip", true, numbered(2));
    await until("a heard it", () => a.heard.length === 1);
    expect(b.transport.stats().connectionsOverTcp).toBe(1);
  });

  test("where QUIC cannot be loaded, TCP does for auto, and says so; quic alone is an error with the mend", async () => {
    const tls = await certificates();
    const load = (): Promise<never> =>
      Promise.reject(new Error("Cannot find native binding\n  looked for it here"));
    const open = (kind: "auto" | "quic", told: string[]): Promise<Transport> =>
      openTransport(
        {
          listen: "127.0.0.1:0",
          clusterId: 7,
          tls,
          kind,
          events: silentEvents,
          withoutQuic: (why) => told.push(why),
        },
        new Credentials(tls, Date.now()),
        load,
      );
    const told: string[] = [];
    const without = await open("auto", told);
    onTestFinished(() => without.close(0));
    expect(told).toEqual(["the QUIC module cannot be loaded here (Cannot find native binding)"]);
    expect(without.stats().kind).toBe("tcp");
    const both = await nodes.node();
    both.transport.send(without.listening, "gossip", true, numbered(1));
    await until("they are connected", () => both.transport.stats().connectionsOverTcp === 1);
    await expect(open("quic", [])).rejects.toThrow(/native binding.*set gossip.transport to "tcp"/);
  });

  test("the port taken for one of the two is not taken for the other", async () => {
    const quic = await nodes.node({ kind: "quic" });
    await expect(nodes.node({ listen: quic.address })).rejects.toThrow(/cannot listen on/);
    const tcp = await nodes.node({ kind: "tcp" });
    await expect(nodes.node({ listen: tcp.address })).rejects.toThrow(/cannot listen on/);
    await quic.transport.close(0);
    // Whoever failed to listen has given back what it held.
    await nodes.node({ kind: "tcp", listen: quic.address });
  });
});

describe.each(["quic", "tcp"] as const)("names and families (%s)", (kind) => {
  test("a peer dialled by another name is known by the address that it advertises", async () => {
    const [a, b] = [await nodes.node({ kind }), await nodes.node({ kind })];
    const name = b.address.replace("127.0.0.1", "localhost") as Address;
    a.transport.send(name, "gossip", true, numbered(1));
    await until("b heard it", () => b.heard.length === 1);
    b.transport.send(a.address, "gossip", true, numbered(2));
    await until("a heard it", () => a.heard.length === 1);
    expect(a.heard[0]?.from).toBe(b.address);
    a.transport.send(b.address, "gossip", true, numbered(3));
    a.transport.send(name, "gossip", true, numbered(4));
    await until("b heard both", () => b.heard.length === 3);
    expect(b.heard.map(({ bytes }) => numberOf(bytes))).toEqual([1, 3, 4]);
    expect(a.transport.stats().connections).toBe(1);
    await b.transport.close(0);
    await until("a noticed", () => a.transport.stats().connections === 0);
  });

  test("two that know each other by different names still end with one connection", async () => {
    const [a, b] = [await nodes.node({ kind }), await nodes.node({ kind })];
    const other = (address: Address): Address =>
      address.replace("127.0.0.1", "localhost") as Address;
    for (let i = 0; i < 10; i++) {
      a.transport.send(other(b.address), "gossip", true, numbered(i));
      b.transport.send(other(a.address), "gossip", true, numbered(i));
    }
    for (const node of [a, b]) {
      await until("all came", () => node.heard.length === 10);
      expect(node.heard.map(({ bytes }) => numberOf(bytes))).toEqual([...Array(10).keys()]);
      expect(node.unreachable).toEqual([]);
      expect(node.transport.stats().connections).toBe(1);
    }
  });

  test("IPv6, and IPv4 through a socket of IPv6", async () => {
    const tls = await certificates({ hosts: ["::1", "127.0.0.1"] });
    const six = await nodes.node({ kind, tls, listen: "[::1]:0" });
    const both = await nodes.node({ kind, tls, listen: "[::]:0", advertise: "[::1]:1" as Address });
    const port = both.transport.listening.split(":").at(-1);
    const four = await nodes.node({ kind, tls });
    six.transport.send(`[::1]:${port}` as Address, "gossip", true, numbered(1));
    await until("it came by IPv6", () => both.heard.length === 1);
    expect(both.heard[0]?.from).toMatch(/^\[::1\]:\d+$/);
    four.transport.send(`127.0.0.1:${port}` as Address, "gossip", true, numbered(2));
    await until("it came by IPv4", () => both.heard.length === 2);
    both.transport.send(four.address, "gossip", true, numbered(3));
    await until("it went back by IPv4", () => four.heard.length === 1);
  });
});

test("a node that listens everywhere has to say where peers dial it", async () => {
  await expect(nodes.node({ listen: "0.0.0.0:0" })).rejects.toThrow(/external_addr/);
});

test("plaintext stays on loopback unless it is forced", async () => {
  const plain = { tls: null, kind: "tcp", listen: "0.0.0.0:0" } as const;
  const advertise = "127.0.0.1:9" as Address;
  await expect(nodes.node({ ...plain, advertise })).rejects.toThrow(/loopback only/);
  const a = await nodes.node({ ...plain, listen: "127.0.0.1:0" });
  a.transport.send("192.0.2.1:9" as Address, "gossip", true, numbered(1));
  await until("it is told", () => a.unreachable.length === 1);
  expect(a.unreachable[0]?.why).toMatch(/plaintext/);
  await nodes.node({ ...plain, advertise, plaintextAnywhere: true });
});

test("connections that nobody uses for a while live on", async () => {
  const kinds = [{ kind: "quic" }, { kind: "tcp" }, { kind: "tcp", tls: null }] as const;
  const pairs = await Promise.all(
    kinds.map(async (more) => [await nodes.node(more), await nodes.node(more)] as const),
  );
  for (const [a, b] of pairs) {
    a.transport.send(b.address, "gossip", true, numbered(1));
    await until("b heard it", () => b.heard.length === 1);
  }
  // Longer than handshakes, hellos and answers may take.
  await pause(6500);
  for (const [a, b] of pairs) {
    b.transport.send(a.address, "gossip", true, numbered(2));
    await until("a heard it", () => a.heard.length === 1);
    expect([a.unreachable, b.unreachable, b.rejected]).toEqual([[], [], []]);
    expect(a.transport.stats().handshakes).toBe(1);
  }
});

describe("limits on strangers", () => {
  test("under a flood of QUIC handshakes, those who prove their address still get in", async () => {
    const a = await nodes.node({ kind: "quic" });
    const port = Number(a.address.split(":")[1]);
    const config = makeConfig(new Credentials(await certificates(), Date.now()));
    const retries = { count: 0 };
    const socket = createSocket("udp4");
    socket.on("message", (packet) => {
      if (quiche.Header.fromSlice(packet, 8).ty === quiche.Type.Retry) retries.count++;
    });
    const first = Buffer.alloc(1400);
    for (let i = 0; i < 80; i++) {
      const id = Buffer.alloc(8, i);
      const [from, to] = [
        { host: "127.0.0.1", port: 9 },
        { host: "127.0.0.1", port },
      ];
      const sent = quiche.Connection.connect(null, id, from, to, config).send(first);
      socket.send(first.subarray(0, sent?.[0]), port, "127.0.0.1");
      await pause(1);
    }
    await until("strangers are asked to come again", () => retries.count > 0);
    expect(retries.count).toBeLessThanOrEqual(80 - retryFromHandshakes);
    const b = await nodes.node({ kind: "quic" });
    b.transport.send(a.address, "gossip", true, numbered(1));
    await until("b got in", () => a.heard.length === 1);
    socket.close();
  });

  test("a member may open the streams that there are, and no other", async () => {
    const a = await nodes.node({ kind: "quic" });
    const port = Number(a.address.split(":")[1]);
    const config = makeConfig(new Credentials(await certificates(), Date.now()));
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    await new Promise<void>((resolve) => {
      socket.bind(0, "127.0.0.1", resolve);
    });
    const [from, to] = [
      { host: "127.0.0.1", port: socket.address().port },
      { host: "127.0.0.1", port },
    ];
    const member = quiche.Connection.connect(null, Buffer.alloc(8, 7), from, to, config);
    const packet = Buffer.alloc(1500);
    const flush = (): void => {
      for (let sent = member.send(packet); sent !== null; sent = member.send(packet)) {
        socket.send(packet.subarray(0, sent[0]), port, "127.0.0.1");
      }
    };
    socket.on("message", (received) => {
      member.recv(received, { from: to, to: from });
      flush();
    });
    flush();
    await until("it is let in", () => member.isEstablished());
    const open = (stream: number): number | null =>
      member.streamSend(stream, Buffer.from([1]), false);
    // Of bidirectional ones 0, 4 and 8, of the others 2 and 6: see `ownLanes`.
    expect([0, 4, 8, 2, 6].map(open)).toEqual([1, 1, 1, 1, 1]);
    for (const stream of [12, 10]) expect(() => open(stream)).toThrow(/StreamLimit/);
  });

  test.each([
    ["tcp", {}],
    ["plaintext", { tls: null }],
  ] as const)("one address cannot have any number of TCP handshakes (%s)", async (_, more) => {
    const a = await nodes.node({ kind: "tcp", ...more });
    const port = Number(a.address.split(":")[1]);
    const sockets: Socket[] = [];
    for (let i = 0; i < maxHandshakes + 60; i++) {
      const socket = connect({ host: "127.0.0.1", port });
      socket.on("error", () => socket.destroy());
      sockets.push(socket);
    }
    await until("some are turned away", () => a.transport.stats().handshakesRefused >= 50);
    for (const socket of sockets) socket.destroy();
    expect(a.rejected.some(({ why }) => /too many handshakes/.test(why))).toBe(true);
  });
});

describe.each(["quic", "tcp"] as const)("a peer that is killed (%s)", (kind) => {
  test("on a thread of its own, it is missed as soon as it is back", async () => {
    const tls = await certificates();
    const a = await nodes.node({ kind });
    const first = await worker({ listen: "127.0.0.1:0", clusterId: 7, tls, kind });
    a.transport.send(first.address, "gossip", true, numbered(1));
    await until("it echoes", () => a.heard.length === 1);
    await first.worker.terminate();
    const again = await worker({ listen: first.address, clusterId: 7, tls, kind });
    await until("it is reached again", () => {
      a.transport.send(again.address, "gossip", true, numbered(2, 100));
      return a.heard.length > 1;
    });
    expect(a.unreachable[0]).toMatchObject({ to: first.address, channel: "gossip" });
    // It is told so, and not found out by its silence.
    expect(a.unreachable[0]?.why).toMatch(kind === "quic" ? /restarted/ : /broke|closed|listens/);
    await again.worker.terminate();
  });
});

async function worker(
  workerData: Pick<TransportOptions, "listen" | "clusterId" | "tls" | "kind">,
): Promise<{ readonly worker: Worker; readonly address: Address }> {
  const thread = new Worker(new URL("./transport-worker.ts", import.meta.url), { workerData });
  const address = await new Promise<Address>((resolve, reject) => {
    thread.on("error", reject);
    thread.on("message", (message: { readonly listening?: Address }) => {
      if (message.listening !== undefined) resolve(message.listening);
    });
  });
  return { worker: thread, address };
}

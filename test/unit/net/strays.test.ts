/** What comes to a node without anybody strange behind it: nobody is told of strangers. */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { certificates, numbered, TestNodes, until } from "../../contract/transport-nodes.ts";
import type { TestNode } from "../../contract/transport-nodes.ts";
import { udpProxy } from "./udp-proxy.ts";

const nodes = new TestNodes("auto");
afterEach(() => nodes.close());

const portOf = ({ address }: TestNode): number => Number(address.split(":")[1]);

describe("packets of a connection that is not there", () => {
  test("are answered with a reset and counted", async () => {
    const a = await nodes.node();
    const socket = createSocket("udp4");
    onTestFinished(() => void socket.close());
    let answers = 0;
    socket.on("message", () => answers++);
    const packet = randomBytes(60);
    // The first byte of a short packet.
    packet[0] = 0x40 | ((packet[0] as number) & 0x3f);
    socket.send(packet, portOf(a), "127.0.0.1");
    await until("it is answered", () => answers === 1);
    expect(a.transport.stats().rejected).toBe(1);
    expect(a.rejected).toEqual([]);
  });

  test("come from peers of a node that was killed and is back, and it calls them no strangers", async () => {
    const b = await nodes.node({ kind: "quic" });
    const proxy = await udpProxy(b.address);
    onTestFinished(() => proxy.close());
    const own = { tls: await certificates(), kind: "quic", advertise: proxy.address } as const;
    const a = await nodes.node(own);
    const listen = a.transport.listening;
    proxy.node = listen;
    b.transport.send(a.address, "gossip", true, numbered(1));
    await until("they are connected", () => a.heard.length === 1);
    // It goes without a word.
    proxy.passes = () => false;
    await a.transport.close(0);
    const again = await nodes.node({ ...own, listen });
    proxy.passes = () => true;
    await until("it is reached again", () => {
      b.transport.send(a.address, "gossip", true, numbered(2));
      return again.heard.length > 0;
    });
    expect(again.transport.stats().rejected).toBeGreaterThan(0);
    expect(again.rejected).toEqual([]);
    expect(b.rejected).toEqual([]);
  });
});

test.each(["resetAndDestroy", "end"] as const)(
  "whoever goes away amid its TLS handshake is not turned away (%s)",
  async (go) => {
    const a = await nodes.node({ kind: "tcp" });
    for (let i = 0; i < 3; i++) {
      const socket = connect(portOf(a), "127.0.0.1");
      await new Promise<void>((resolve) => {
        socket.once("connect", resolve);
      });
      const closed = new Promise<void>((resolve) => {
        socket.once("close", () => resolve());
      });
      socket.resume();
      socket[go]();
      await closed;
    }
    const b = await nodes.node({ kind: "tcp" });
    b.transport.send(a.address, "gossip", true, numbered(1));
    await until("others are served", () => a.heard.length === 1);
    expect(a.rejected).toEqual([]);
    expect(a.transport.stats().handshakesRefused).toBe(0);
  },
);

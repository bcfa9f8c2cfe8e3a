/** What every transport promises its host (`runtime/net/transport.ts`). */
import { afterEach, describe, expect, test } from "vitest";
import type { Address } from "../../core/base/ids.ts";
import type { Channel } from "../../runtime/net/transport.ts";
import { numbered, numberOf, pause, TestNodes, until } from "./transport-nodes.ts";
import type { TransportKind } from "./transport-nodes.ts";

const allChannels: readonly Channel[] = ["swim", "gossip", "sync", "host"];

export function transportContract(kind: TransportKind): void {
  const nodes = new TestNodes(kind);
  afterEach(() => nodes.close());

  describe("delivery", () => {
    test("a first message makes the connection, and answers go back on it", async () => {
      const [a, b] = [await nodes.node(), await nodes.node()];
      a.transport.send(b.address, "gossip", true, numbered(1));
      await until("b heard it", () => b.heard.length === 1);
      expect(b.heard[0]).toMatchObject({ from: a.address, channel: "gossip" });
      expect(b.heard[0]?.name).toBe(kind === "plaintext" || kind === "sim" ? null : "node");
      b.transport.send(a.address, "sync", true, numbered(2));
      await until("a heard the answer", () => a.heard.length === 1);
      expect(a.transport.stats().connections).toBe(1);
      expect(b.transport.stats().connections).toBe(1);
      expect(b.transport.stats().handshakes).toBe(1);
    });

    test("each channel keeps its order, both ways at once", async () => {
      const [a, b] = [await nodes.node(), await nodes.node()];
      const count = 500;
      for (let i = 0; i < count; i++) {
        for (const channel of allChannels) {
          a.transport.send(b.address, channel, true, numbered(i, 8 + (i % 700)));
          b.transport.send(a.address, channel, true, numbered(i, 8 + (i % 300)));
        }
      }
      for (const node of [a, b]) {
        await until("all came", () => node.heard.length === count * allChannels.length);
        for (const channel of allChannels) {
          const numbers = node.heard
            .filter((heard) => heard.channel === channel)
            .map((heard) => numberOf(heard.bytes));
          expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
        }
      }
    });

    test.each(["swim", "gossip"] as const)(
      "a datagram of 1,200 bytes passes, with the first one making the connection: %s",
      async (channel) => {
        const [a, b] = [await nodes.node(), await nodes.node()];
        const sent = numbered(9, 1200);
        a.transport.send(b.address, channel, false, sent);
        await until("b heard it", () => b.heard.length === 1);
        expect(b.heard[0]).toMatchObject({ from: a.address, channel });
        expect(b.heard[0]?.bytes).toEqual(sent);
        expect(Math.min(...a.datagramBytes)).toBeGreaterThanOrEqual(1200);
      },
    );

    test("messages of many lengths come whole, up to tens of megabytes", async () => {
      const [a, b] = [await nodes.node(), await nodes.node()];
      const lengths = [4, 1199, 1200, 65_535, 65_536, 65_537, 300_000, 20_000_000];
      lengths.forEach((length, i) => {
        a.transport.send(b.address, "sync", true, numbered(i, length));
      });
      await until("all came", () => b.heard.length === lengths.length, 60_000);
      expect(b.heard.map((heard) => heard.bytes.length)).toEqual(lengths);
      b.heard.forEach((heard, i) => {
        expect(Buffer.compare(heard.bytes, numbered(i, lengths[i]))).toBe(0);
      });
    });
  });

  describe("who cannot be reached", () => {
    test("is told for each channel, and later sends are told too", async () => {
      const [a, gone] = [await nodes.node(), await nodes.node()];
      await gone.transport.close(0);
      a.transport.send(gone.address, "sync", true, numbered(1));
      a.transport.send(gone.address, "gossip", true, numbered(2));
      await until("both are told", () => a.unreachable.length === 2);
      expect(a.unreachable.map(({ to }) => to)).toEqual([gone.address, gone.address]);
      expect(a.unreachable.map(({ channel }) => channel).sort()).toEqual(["gossip", "sync"]);
      a.transport.send(gone.address, "sync", true, numbered(3));
      await until("it is told again", () => a.unreachable.length === 3);
    });

    test.each(["nonsense", "127.0.0.1:0", "127.0.0.1:99999", "no-such-name.invalid:1"])(
      "%s is told as well",
      async (text) => {
        const a = await nodes.node();
        a.transport.send(text as Address, "sync", true, numbered(1));
        await until("it is told", () => a.unreachable.length === 1);
        expect(a.unreachable[0]?.why).not.toBe("");
      },
    );

    test("this very node is not dialled", async () => {
      const a = await nodes.node();
      a.transport.send(a.address, "sync", true, numbered(1));
      await until("it is told", () => a.unreachable.length === 1);
      const other = a.address.replace("127.0.0.1", "localhost") as Address;
      a.transport.send(other, "sync", true, numbered(1));
      await until("it is told", () => a.unreachable.length === 2);
      expect(a.unreachable[1]?.why).toMatch(/this very node/);
    });
  });

  describe("connections", () => {
    test("two that dial each other at once end with one, and no message is lost", async () => {
      const all = await Promise.all(Array.from({ length: 6 }, () => nodes.node()));
      const count = 20;
      for (let i = 0; i < count; i++) {
        for (const from of all) {
          for (const to of all) {
            if (from !== to) from.transport.send(to.address, "gossip", true, numbered(i, 3000));
          }
        }
      }
      for (const node of all) {
        await until("all came", () => node.heard.length === count * (all.length - 1));
        for (const from of all.filter((other) => other !== node)) {
          const numbers = node.heard
            .filter((heard) => heard.from === from.address)
            .map((heard) => numberOf(heard.bytes));
          expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i));
        }
      }
      for (const node of all) {
        expect(node.transport.stats().connections).toBe(all.length - 1);
        expect(node.unreachable).toEqual([]);
      }
    });

    test("a peer that restarts on its port is reached again, whoever begins", async () => {
      const [a, b] = [await nodes.node(), await nodes.node()];
      a.transport.send(b.address, "gossip", true, numbered(1));
      await until("b heard it", () => b.heard.length === 1);
      await b.transport.close(0);
      const again = await nodes.node({ listen: b.address });
      again.transport.send(a.address, "gossip", true, numbered(2));
      await until("a heard it", () => a.heard.length === 1);
      a.transport.send(again.address, "gossip", true, numbered(3));
      await until("it heard a", () => again.heard.length === 1);
      await again.transport.close(0);
      const third = await nodes.node({ listen: b.address });
      await until("a reaches the third", () => {
        a.transport.send(third.address, "gossip", true, numbered(4));
        return third.heard.length > 0;
      });
    });

    test("closing hands over what waits, and tells the peers", async () => {
      const [a, b] = [await nodes.node(), await nodes.node()];
      const count = 200;
      a.transport.send(b.address, "sync", true, numbered(0));
      await until("b heard it", () => b.heard.length === 1);
      // What has arrived there is none of what b is told about.
      b.transport.send(a.address, "gossip", true, numbered(0));
      await until("a heard it", () => a.heard.length === 1);
      for (let i = 1; i < count; i++) {
        a.transport.send(b.address, "sync", true, numbered(i, 20_000));
      }
      await a.transport.close(20_000);
      await until("all came", () => b.heard.length === count);
      await until("b knows", () => b.transport.stats().connections === 0);
      expect(b.unreachable).toEqual([]);
      a.transport.send(b.address, "sync", true, numbered(1));
      await until("a closed transport sends no more", () => a.unreachable.length === 1);
    });
  });

  describe("back-pressure", () => {
    test("what waits is told, and bounded", async () => {
      const [a, b] = [await nodes.node(), await nodes.node()];
      const mebibyte = 1 << 20;
      for (let i = 0; i < 60; i++) a.transport.send(b.address, "sync", true, numbered(i, mebibyte));
      expect(a.transport.queuedBytes(b.address)).toBeGreaterThan(30 * mebibyte);
      expect(a.transport.queuedBytes(b.address)).toBeLessThan(34 * mebibyte);
      expect(a.transport.stats().queuedBytes).toBeGreaterThan(30 * mebibyte);
      await until("the rest is told", () => a.unreachable.length > 0);
      expect(a.unreachable).toHaveLength(1);
      await until("all left", () => a.transport.queuedBytes(b.address) === 0, 60_000);
      await until("those kept arrived", () => b.heard.length >= 31, 60_000);
      b.heard.forEach((heard, i) => expect(numberOf(heard.bytes)).toBe(i));
    });

    test("datagrams are not held up by a long message", async () => {
      const [a, b] = [await nodes.node(), await nodes.node()];
      a.transport.send(b.address, "gossip", true, numbered(1));
      await until("they are connected", () => b.heard.length === 1);
      a.transport.send(b.address, "sync", true, numbered(2, 30_000_000));
      // One may be dropped: the next one gets through.
      await until("a datagram overtook it", () => {
        a.transport.send(b.address, "swim", false, numbered(3));
        return b.heard.some((heard) => heard.channel === "swim");
      });
      await until("it came", () => b.heard.some((heard) => heard.channel === "sync"), 60_000);
      const first = (channel: Channel): number =>
        b.heard.findIndex((heard) => heard.channel === channel);
      expect(first("swim")).toBeLessThan(first("sync"));
    });
  });

  test("round trips are told", async () => {
    const [a, b] = [await nodes.node(), await nodes.node()];
    a.transport.send(b.address, "gossip", true, numbered(1));
    await until("it is told", () => a.rtts.length > 0);
    expect(a.rtts[0]?.peer).toBe(b.address);
    expect(a.rtts[0]?.ms).toBeGreaterThanOrEqual(0);
    expect(a.rtts[0]?.ms).toBeLessThan(5000);
  });

  test("a node of another cluster id is turned away", async () => {
    const [a, b] = [await nodes.node(), await nodes.node({ clusterId: 8 })];
    a.transport.send(b.address, "gossip", true, numbered(1));
    await until("a is told", () => a.unreachable.length === 1);
    expect(a.unreachable[0]?.why).toMatch(/cluster/);
    expect(b.rejected.some(({ why }) => /cluster/.test(why))).toBe(true);
    expect(b.heard).toEqual([]);
    await pause(10);
    expect(b.transport.stats().handshakesRefused).toBeGreaterThan(0);
  });
}

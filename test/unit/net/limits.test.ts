/** Each bound of a transport holds: on a carrier in memory, whose connections cost nothing. */
import { X509Certificate } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import type { Address } from "../../../core/base/ids.ts";
import { encodeControl } from "../../../runtime/net/control.ts";
import { Door } from "../../../runtime/net/door.ts";
import {
  maxConnections,
  maxEarlyDatagrams,
  maxHandshakes,
  maxHandshakesPerAddress,
  maxQueuedBytes,
} from "../../../runtime/net/limits.ts";
import { NodeTransport } from "../../../runtime/net/node-transport.ts";
import type { RotatingCarrier } from "../../../runtime/net/node-transport.ts";
import type { PipeEvents } from "../../../runtime/net/pipe.ts";
import { certificates } from "../../contract/transport-nodes.ts";
import { MemoryPipe } from "./memory-pipe.ts";

class Stranger extends MemoryPipe {
  override readonly remote: string;

  constructor(remote: string) {
    super(false);
    this.remote = remote;
  }
}

class FakeCarrier implements RotatingCarrier {
  readonly kind = "plaintext";
  readonly port = 1;
  readonly traffic = { bytesSent: 0, bytesReceived: 0 };
  readonly dialled: MemoryPipe[] = [];

  dial(_ip: string, _port: number, events: PipeEvents): MemoryPipe {
    const pipe = new MemoryPipe(true);
    pipe.events = events;
    this.dialled.push(pipe);
    return pipe;
  }

  look(): void {
    // There is nothing to look after.
  }

  rotate(): void {
    // There are no certificates.
  }

  async close(): Promise<void> {
    await Promise.resolve();
  }
}

const open: NodeTransport[] = [];
afterEach(async () => {
  for (const transport of open.splice(0)) await transport.close(0);
});

function node(): {
  readonly transport: NodeTransport;
  readonly carrier: FakeCarrier;
  readonly unreachable: string[];
  /** @returns whether somebody from there is let in. */
  readonly comes: (ip: string) => boolean;
  readonly refused: () => number;
} {
  const unreachable: string[] = [];
  const carrier = new FakeCarrier();
  const transport = new NodeTransport({
    listening: "10.0.0.1:1" as Address,
    advertise: "10.0.0.1:1" as Address,
    clusterId: 0,
    credentials: null,
    parse: () => {
      throw new Error("there are no certificates");
    },
    plaintextAnywhere: true,
    events: {
      message() {},
      unreachable: (_to, _channel, why) => unreachable.push(why),
      rtt() {},
      datagramBytes() {},
      rejected() {},
    },
  });
  transport.start([carrier]);
  open.push(transport);
  let port = 0;
  const comes = (ip: string): boolean => {
    const events = transport.accepted(new Stranger(`${ip}:${++port}`));
    events?.opened();
    return events !== null;
  };
  const refused = (): number => transport.stats().handshakesRefused;
  return { transport, carrier, unreachable, comes, refused };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("connections", () => {
  test("of strangers: so many from one address, so many in all", () => {
    const { comes, refused } = node();
    const count = (ip: string): number =>
      Array.from({ length: maxHandshakes }, () => comes(ip)).filter(Boolean).length;
    expect(count("10.0.0.66")).toBe(maxHandshakesPerAddress);
    expect(count("10.0.0.67")).toBe(maxHandshakes - maxHandshakesPerAddress);
    expect(count("10.0.0.68")).toBe(0);
    expect(refused()).toBe(2 * maxHandshakes);
  });

  test("of all kinds: no more are dialled or taken, and who waits is told", async () => {
    const { transport, carrier, unreachable, comes } = node();
    for (let i = 0; i < maxConnections + 5; i++) {
      const to = `10.1.${i >> 8}.${i & 255}:1` as Address;
      transport.send(to, "gossip", true, Uint8Array.of(1));
      // Each dial begins in a turn of its own.
      await turn();
    }
    expect(carrier.dialled).toHaveLength(maxConnections);
    expect(unreachable).toEqual(Array(5).fill("this node has too many connections"));
    expect(comes("10.0.0.66")).toBe(false);
  });
});

test("whoever turns a dial away cannot hand what waits for it to somebody whom it is not", async () => {
  const { transport, carrier, unreachable } = node();
  const [to, other] = ["10.0.0.2:1" as Address, "10.0.0.3:1" as Address];
  transport.send(to, "sync", true, new Uint8Array(5000));
  await turn();
  const pipe = carrier.dialled[0] as MemoryPipe;
  const { cert } = await certificates({ hosts: ["10.0.0.2"] });
  pipe.certificate = new X509Certificate(cert);
  const { events } = pipe;
  events?.opened();
  const refused = encodeControl({ type: "refused", code: "duplicate", address: other, reason: "" });
  events?.data(0, Uint8Array.of(0, 0, 0, refused.length, ...refused));
  await turn();
  expect(transport.queuedBytes(other)).toBe(0);
  expect(unreachable).toHaveLength(1);
  expect(unreachable[0]).toMatch(/10\.0\.0\.3/);
});

describe("what waits for a peer that does not come", () => {
  test("messages up to their bound; the next is told once and dropped", async () => {
    const { transport, unreachable } = node();
    const to = "10.0.0.2:1" as Address;
    const mebibyte = new Uint8Array(1 << 20);
    for (let i = 0; i < 40; i++) transport.send(to, "sync", true, mebibyte);
    expect(transport.queuedBytes(to)).toBeLessThanOrEqual(maxQueuedBytes);
    expect(transport.queuedBytes(to)).toBeGreaterThan(maxQueuedBytes - 2 * mebibyte.length);
    await turn();
    expect(unreachable).toEqual(["too many bytes wait for it"]);
  });

  test("a few datagrams, the newest of them", () => {
    const { transport } = node();
    const to = "10.0.0.2:1" as Address;
    for (let i = 0; i < 100; i++) transport.send(to, "swim", false, Uint8Array.of(i));
    expect(transport.stats().datagramsDropped).toBe(100 - maxEarlyDatagrams);
  });
});

describe("the door", () => {
  test("counts the handshakes of an address that are not finished", () => {
    const door = new Door();
    let nowMs = 0;
    const comes = (): string | null => {
      nowMs += 1000;
      return door.refusal("10.0.0.66", nowMs);
    };
    for (let i = 0; i < maxHandshakesPerAddress; i++) {
      expect(comes()).toBeNull();
      door.begin("10.0.0.66");
    }
    expect(comes()).toMatch(/unfinished/);
    expect(door.refusal("10.0.0.67", nowMs)).toBeNull();
    door.end("10.0.0.66");
    expect(comes()).toBeNull();
    for (let i = 0; i < maxHandshakesPerAddress; i++) door.end("10.0.0.66");
    expect(comes()).toBeNull();
  });
});

/** A UDP proxy between two nodes: packets can be dropped and delayed as a test pleases. */
import { createSocket } from "node:dgram";
import type { Socket } from "node:dgram";
import type { Address } from "../../../core/base/ids.ts";

export interface UdpProxy {
  /** Dial this instead of the node. */
  readonly address: Address;
  node: Address;
  /** Whether a packet passes; asked for each. */
  passes: (bytes: number, towards: "node" | "back") => boolean;
  /** How long each is held. */
  delayMs: number;
  close(): void;
}

export async function udpProxy(node: Address): Promise<UdpProxy> {
  const front = await bound();
  const backs = new Map<number, Socket>();
  const proxy = {
    node,
    address: `127.0.0.1:${front.address().port}` as Address,
    passes: (_bytes: number, _towards: "node" | "back"): boolean => true,
    delayMs: 0,
    close: () => {
      closed = true;
      for (const socket of [front, ...backs.values()]) socket.close();
    },
  };
  let closed = false;
  const later = (send: () => void): void => {
    if (proxy.delayMs === 0) send();
    else setTimeout(() => !closed && send(), proxy.delayMs);
  };
  const backOf = async (client: number): Promise<Socket> => {
    const known = backs.get(client);
    if (known !== undefined) return known;
    const back = createSocket("udp4");
    backs.set(client, back);
    await new Promise<void>((resolve) => {
      back.bind(0, "127.0.0.1", resolve);
    });
    back.on("message", (packet) => {
      if (!proxy.passes(packet.length, "back")) return;
      later(() => front.send(packet, client, "127.0.0.1"));
    });
    return back;
  };
  front.on("message", (packet, from) => {
    if (!proxy.passes(packet.length, "node")) return;
    void backOf(from.port).then((back) =>
      later(() => back.send(packet, portOf(proxy.node), "127.0.0.1")),
    );
  });
  return proxy;
}

function portOf(address: Address): number {
  return Number(address.split(":")[1]);
}

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => {
    socket.bind(0, "127.0.0.1", resolve);
  });
  return socket;
}

/**
 * A UDP proxy before each node, which its peers dial in its place: it drops and delays packets by who
 * sends them to whom. A node dials from the port on which it listens, so that a packet's source tells
 * who sent it. TCP does not pass at all. Works wherever loopback does.
 */
import { createSocket, type Socket } from "node:dgram";
import seedrandom from "seedrandom";
import type { NodePlace } from "../../runtime/cluster/cluster-files.ts";
import { type BadNetwork, fair, type Weather } from "./network.ts";

const host = "127.0.0.1";

interface Door {
  readonly socket: Socket;
  readonly port: number;
  /** Towards the node in the name of another, by that one's number. */
  readonly ways: Map<number, Socket>;
}

export class UdpNetwork implements BadNetwork {
  readonly name = "UDP proxies";
  readonly hasWeather = true;
  /** Packets that were dropped. */
  dropped = 0;
  readonly #doors: readonly Door[];
  readonly #random: () => number;
  #ports: readonly number[] = [];
  /** The group of each node; empty: all in one. */
  #groups = new Map<number, number>();
  #weather = fair;
  #closed = false;

  private constructor(doors: readonly Door[], seed: string) {
    this.#doors = doors;
    this.#random = seedrandom.alea(seed);
    doors.forEach(({ socket }, to) => {
      socket.on("message", (packet, { port }) => {
        const from = this.#ports.indexOf(port);
        if (from >= 0) this.#pass(from, to, () => this.#towards(from, to, packet));
      });
    });
  }

  static async open(nodes: number, seed: string): Promise<UdpNetwork> {
    const doors = await Promise.all(
      Array.from({ length: nodes }, async (): Promise<Door> => {
        const socket = await bound();
        return { socket, port: socket.address().port, ways: new Map() };
      }),
    );
    return new UdpNetwork(doors, seed);
  }

  place(node: number): NodePlace {
    return { gossip: host, api: host, external: `${host}:${this.#door(node).port}` };
  }

  under(): readonly string[] {
    return [];
  }

  connect(gossip: readonly string[]): void {
    this.#ports = gossip.map((address) => Number(address.split(":")[1]));
  }

  cut(groups: readonly (readonly number[])[]): void {
    this.#groups = new Map(groups.flatMap((group, i) => group.map((node) => [node, i])));
  }

  weather(weather: Weather): void {
    this.#weather = weather;
  }

  heal(): void {
    this.#groups.clear();
    this.#weather = fair;
  }

  async close(): Promise<void> {
    this.#closed = true;
    const sockets = this.#doors.flatMap(({ socket, ways }) => [socket, ...ways.values()]);
    await Promise.all(
      sockets.map((socket) => new Promise<void>((resolve) => socket.close(() => resolve()))),
    );
  }

  /** Each packet by itself is dropped, or passes now or later. */
  #pass(from: number, to: number, send: () => void): void {
    const { loss, delayMs } = this.#weather;
    const apart = this.#groups.get(from) !== this.#groups.get(to);
    if (apart || (loss > 0 && this.#random() < loss)) {
      this.dropped++;
      return;
    }
    const [least, most] = delayMs;
    if (most === 0) send();
    else setTimeout(() => this.#closed || send(), least + (most - least) * this.#random());
  }

  #towards(from: number, to: number, packet: Buffer): void {
    const port = this.#ports[to] as number;
    void this.#way(from, to).then((way) => {
      if (!this.#closed) way.send(packet, port, host);
    });
  }

  async #way(from: number, to: number): Promise<Socket> {
    const { ways, socket } = this.#door(to);
    const known = ways.get(from);
    if (known !== undefined) return known;
    const way = createSocket("udp4");
    ways.set(from, way);
    // What comes back goes to the one who asked, from the port that it knows the node by.
    way.on("message", (packet) => {
      this.#pass(to, from, () => socket.send(packet, this.#ports[from] as number, host));
    });
    await bind(way);
    return way;
  }

  #door(node: number): Door {
    const door = this.#doors[node];
    if (door === undefined) throw new Error(`there is no node ${node}`);
    return door;
  }
}

async function bound(): Promise<Socket> {
  const socket = createSocket({ type: "udp4", recvBufferSize: 4 << 20, sendBufferSize: 4 << 20 });
  await bind(socket);
  return socket;
}

function bind(socket: Socket): Promise<void> {
  // Whoever it was sent to may have been killed.
  socket.on("error", () => {});
  return new Promise((resolve) => socket.bind(0, host, resolve));
}

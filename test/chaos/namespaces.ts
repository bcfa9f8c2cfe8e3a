/**
 * A network of the kernel's own: each node in a network namespace, all of them on one switch, which is
 * cut by moving their plugs to bridges of their own. A second pair of plugs joins each with the tests,
 * so that the API can be asked amid a cut. Loss and delay by netem, where the kernel has it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NodePlace } from "../../runtime/cluster/cluster-files.ts";
import { type BadNetwork, fair, type Weather } from "./network.ts";

const prefix = "patina-chaos-";
/** On the switch, where nobody else is. */
const gossipNet = "10.231.0";
/** Networks of 10.0.0.0/8 in which the tests meet the nodes: the first that is free, several runs side by side. */
const apiNets = Array.from({ length: 64 }, (_, i) => `10.${128 + ((process.pid + i) % 64)}`);

function ip(...words: readonly string[]): string {
  return execFileSync("ip", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Why there are no namespaces here; null: there are. */
export function whyNoNamespaces(): string | null {
  if (process.platform !== "linux") return "network namespaces are Linux's";
  if (process.getuid?.() !== 0) return "network namespaces take root";
  const name = `${prefix}${process.pid}-try`;
  try {
    ip("netns", "add", name);
    ip("-n", name, "link", "add", "br0", "type", "bridge");
    ip("-n", name, "link", "add", "veth0", "type", "veth", "peer", "name", "veth1");
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return "there is no command ip (iproute2)";
    return `this kernel gives none: ${message.trim().split("\n").at(-1)}`;
  } finally {
    removeNamespace(name);
  }
}

/** Why there is no netem here; null: there is. */
export function whyNoNetem(): string | null {
  const name = `${prefix}${process.pid}-netem`;
  try {
    ip("netns", "add", name);
    inside(name, "tc", "qdisc", "add", "dev", "lo", "root", "netem", "loss", "1%");
    return null;
  } catch (error) {
    const said = (error as Error).message.trim().split("\n").at(-1) ?? "";
    return `this kernel has no netem (${said})`;
  } finally {
    removeNamespace(name);
  }
}

function inside(name: string, ...words: readonly string[]): void {
  ip("netns", "exec", name, ...words);
}

/** What stands in /etc there instead of here (ip-netns(8)). */
function etcOf(name: string): string {
  return join("/etc/netns", name);
}

function removeNamespace(name: string): void {
  rmSync(etcOf(name), { recursive: true, force: true });
  try {
    if (existsSync(`/run/netns/${name}`)) ip("netns", "del", name);
  } catch {
    // Whoever else removed it did what was wanted.
  }
}

/** What earlier runs that were killed have left behind. */
function sweep(): void {
  for (const line of ip("netns", "list").split("\n")) {
    const [name = ""] = line.split(" ");
    const [, pid] = /^patina-chaos-(\d+)-/.exec(name) ?? [];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) removeNamespace(name);
  }
  for (const [, plug = "", pid] of ip("-o", "link").matchAll(/: (pt(\d+)m\d+)@/g)) {
    if (!existsSync(`/proc/${pid}`)) ip("link", "del", plug);
  }
}

/** @throws Error when each has its address on this machine already. */
function freeNet(): string {
  const taken = ip("-o", "-4", "addr");
  const free = apiNets.find((net) => !taken.includes(` ${net}.`));
  if (free === undefined) throw new Error("there is no free network for the tests");
  return free;
}

export class Namespaces implements BadNetwork {
  readonly name: string;
  readonly hasWeather: boolean;
  readonly #id = `${prefix}${process.pid}-`;
  readonly #nodes: number;
  readonly #switch: string;
  readonly #apiNet: string;

  /** @throws Error where there are no namespaces. */
  constructor(nodes: number) {
    this.#nodes = nodes;
    this.#switch = `${this.#id}sw`;
    this.hasWeather = whyNoNetem() === null;
    this.name = this.hasWeather ? "network namespaces with netem" : "network namespaces, no netem";
    sweep();
    this.#apiNet = freeNet();
    try {
      this.#build();
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  #build(): void {
    const sw = this.#switch;
    ip("netns", "add", sw);
    for (let i = 0; i < this.#nodes; i++) {
      // No spanning tree: a plug carries as soon as it is in.
      ip(
        "-n",
        sw,
        "link",
        "add",
        `br${i}`,
        "type",
        "bridge",
        "forward_delay",
        "0",
        "stp_state",
        "0",
      );
      ip("-n", sw, "link", "set", `br${i}`, "up");
    }
    for (let i = 0; i < this.#nodes; i++) {
      const ns = this.#namespace(i);
      ip("netns", "add", ns);
      ip("-n", ns, "link", "set", "lo", "up");
      ip("-n", sw, "link", "add", `p${i}`, "type", "veth", "peer", "name", "gossip", "netns", ns);
      ip("-n", ns, "addr", "add", `${gossipNet}.${i + 1}/24`, "dev", "gossip");
      ip("-n", ns, "link", "set", "gossip", "up");
      ip("-n", sw, "link", "set", `p${i}`, "master", "br0", "up");
      const plug = this.#plug(i);
      ip("link", "add", plug, "type", "veth", "peer", "name", "api", "netns", ns);
      ip("addr", "add", `${this.#apiNet}.${i}.1/30`, "dev", plug);
      ip("link", "set", plug, "up");
      ip("-n", ns, "addr", "add", `${this.#apiNet}.${i}.2/30`, "dev", "api");
      ip("-n", ns, "link", "set", "api", "up");
    }
  }

  place(node: number): NodePlace {
    return { gossip: `${gossipNet}.${node + 1}`, api: `${this.#apiNet}.${node}.2` };
  }

  under(node: number): readonly string[] {
    return ["ip", "netns", "exec", this.#namespace(node)];
  }

  /**
   * What a node takes host names for, in place of this machine's: lines as of /etc/hosts. Nobody else is
   * asked. Before the node starts; again at any time.
   */
  hosts(node: number, text: string): void {
    const etc = etcOf(this.#namespace(node));
    mkdirSync(etc, { recursive: true });
    // The file that the node sees is this very one: written over, not replaced.
    writeFileSync(join(etc, "hosts"), text);
    writeFileSync(join(etc, "resolv.conf"), "nameserver 127.0.0.1\n");
  }

  /** No UDP leaves a node from now on, as behind a firewall that takes it for an attack. */
  blockUdp(node: number): void {
    ip("-n", this.#namespace(node), "rule", "add", "ipproto", "udp", "prohibit");
  }

  connect(): void {
    // Nodes are found by their addresses.
  }

  cut(groups: readonly (readonly number[])[]): void {
    groups.forEach((group, i) => {
      for (const node of group)
        ip("-n", this.#switch, "link", "set", `p${node}`, "master", `br${i}`);
    });
  }

  weather({ loss, delayMs: [least, most] }: Weather): void {
    if (!this.hasWeather) return;
    const middle = (least + most) / 2;
    const how = ["loss", `${loss * 100}%`, "delay", `${middle}ms`, `${(most - least) / 2}ms`];
    for (let i = 0; i < this.#nodes; i++) {
      inside(
        this.#namespace(i),
        "tc",
        "qdisc",
        "replace",
        "dev",
        "gossip",
        "root",
        "netem",
        ...how,
      );
    }
  }

  heal(): void {
    this.cut([Array.from({ length: this.#nodes }, (_, i) => i)]);
    this.weather(fair);
  }

  async close(): Promise<void> {
    this.#remove();
    await Promise.resolve();
  }

  #remove(): void {
    for (let i = 0; i < this.#nodes; i++) {
      // A namespace may live on for a while, and its plugs with it.
      try {
        ip("link", "del", this.#plug(i));
      } catch {
        // It was not made yet.
      }
      removeNamespace(this.#namespace(i));
    }
    removeNamespace(this.#switch);
  }

  /** At the side of the tests; at most 15 letters. */
  #plug(node: number): string {
    return `pt${process.pid % 1_000_000}m${node}`;
  }

  #namespace(node: number): string {
    return `${this.#id}n${node}`;
  }
}

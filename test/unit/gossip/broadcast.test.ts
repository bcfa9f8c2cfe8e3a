/** Broadcast between a few replicas: what is sent to whom, and what is not. */
import { describe, expect, test } from "vitest";
import type { ReplicaConfig } from "../../../core/node/config.ts";
import { lanGossip } from "../../../core/gossip/config.ts";
import {
  encodeGraft,
  encodeIhave,
  encodePrune,
  encodePush,
} from "../../../core/wire/gossip-messages.ts";
import { maxVersion } from "../../../core/sync/actor-ledger.ts";
import { actorOf, Cluster, identityOf, type Sent } from "../node/cluster.ts";
import { messages } from "./messages.ts";

function mode(gossip: "flood" | "tree"): (config: ReplicaConfig) => ReplicaConfig {
  return (config) => ({ ...config, gossip: { ...config.gossip, mode: gossip } });
}

/** Sync never comes to the rescue. */
const alone = ({ effect }: Sent): boolean => effect.plane === "sync";

const foreign = { ms: 1_780_000_000_000, counter: 0 };

function push(version: number, count = 1, index = 0, payload = new Uint8Array(8)): Uint8Array {
  return encodePush({ actor: actorOf(7), version, index, count, hlc: foreign, payload }, 1);
}

describe.each(["flood", "tree"] as const)("broadcast by %s", (way) => {
  test("GO01: a commit's chunks leave in the very call that tells of it", () => {
    const cluster = new Cluster({ nodes: 5, config: mode(way), chunkBytes: 100 });
    cluster.run(1000);
    cluster.loses = alone;
    const since = cluster.sent.length;
    cluster.commit(
      0,
      ...[1, 2, 3, 4].map((i) => ["insert", "kv", { k: `k${i}`, v: "x".repeat(80) }] as const),
    );
    const left = messages(cluster.sent.slice(since), "push");
    const [first] = left;
    expect(first?.message.chunk.count).toBeGreaterThan(1);
    const indexes = new Set(left.map(({ message }) => message.chunk.index));
    expect(indexes.size).toBe(first?.message.chunk.count);
    expect(new Set(left.map(({ to }) => to)).size).toBeGreaterThanOrEqual(2);
  });

  test("GO02: what is new is passed on before the store has it, and handed to the store once", () => {
    const cluster = new Cluster({ nodes: 12, config: mode(way) });
    cluster.run(1000);
    cluster.loses = alone;
    for (const node of cluster.nodes) if (node.n > 0) node.storeHangs = true;
    cluster.put(0, "a");
    cluster.run(1000);
    for (const node of cluster.nodes) {
      if (node.n === 0) continue;
      expect(node.hanging).toHaveLength(1);
      cluster.releaseStore(node.n);
    }
    cluster.run(10);
    expect(cluster.agrees).toBe(true);
  });

  test("GO04: whoever passes a push on changes the hop count and nothing else, bytes it does not know included", () => {
    const cluster = new Cluster({ nodes: 20, config: mode(way) });
    cluster.run(1000);
    cluster.loses = alone;
    const since = cluster.sent.length;
    const original = new Uint8Array([...push(1, 2), 1, 2, 3]);
    const from = identityOf(1).address;
    cluster.handle(0, { type: "message", from, plane: "gossip", bytes: original });
    cluster.run(2000);
    const passed = messages(cluster.sent.slice(since), "push");
    expect(passed.length).toBeGreaterThan(10);
    const hops = new Set<number>();
    for (const { bytes } of passed) {
      hops.add(bytes[2] as number);
      const plain = bytes.slice();
      plain[2] = original[2] as number;
      expect(plain).toEqual(original);
    }
    expect(hops.size).toBeGreaterThan(1);
    expect(Math.min(...hops)).toBe(2);
  });

  test("GO05: nobody is pushed what it pushed, and nobody is pushed the same twice by one node", () => {
    const cluster = new Cluster({ nodes: 16, config: mode(way) });
    cluster.run(1000);
    cluster.loses = alone;
    const since = cluster.sent.length;
    for (let i = 0; i < 30; i++) {
      cluster.put(i % 16, `k${i}`);
      cluster.run(40);
    }
    cluster.run(1000);
    expect(cluster.agrees).toBe(true);
    const pairs = new Set<string>();
    const firstFrom = new Map<string, number>();
    for (const { from, to, message } of messages(cluster.sent.slice(since), "push")) {
      const { actor, version } = message.chunk;
      expect(pairs.has(`${actor}/${version} ${from} ${to}`)).toBe(false);
      pairs.add(`${actor}/${version} ${from} ${to}`);
      if (!firstFrom.has(`${actor}/${version} ${to}`)) {
        firstFrom.set(`${actor}/${version} ${to}`, from);
      }
      expect(firstFrom.get(`${actor}/${version} ${from}`)).not.toBe(to);
    }
  });

  test("GO03: a duplicate is neither passed on nor stored nor read", () => {
    const cluster = new Cluster({ nodes: 3, config: mode(way) });
    cluster.run(1000);
    cluster.put(0, "a");
    cluster.run(2000);
    const [known] = messages(cluster.sent, "push");
    const damaged = (known?.bytes ?? new Uint8Array(0)).slice(0, -3);
    const since = cluster.sent.length;
    for (const bytes of [known?.bytes ?? new Uint8Array(0), damaged]) {
      const from = identityOf(2).address;
      cluster.handle(1, { type: "message", from, plane: "gossip", bytes });
    }
    expect(messages(cluster.sent.slice(since), "push")).toEqual([]);
    expect(cluster.notices(1, "rejected")).toEqual([]);
    expect(cluster.node(1).replica.stats().broadcast.duplicates).toBeGreaterThanOrEqual(2);
  });

  test("GO15: garbled and contradicting messages are counted and dropped", () => {
    const cluster = new Cluster({ nodes: 2, config: mode(way) });
    cluster.run(1000);
    const from = identityOf(1).address;
    const tell = (bytes: Uint8Array): void =>
      cluster.handle(0, { type: "message", from, plane: "gossip", bytes });
    tell(push(1, 3));
    const since = cluster.sent.length;
    tell(push(1, 4, 1));
    tell(push(1, 4, 1).slice(0, 30));
    tell(push(maxVersion + 1));
    tell(new Uint8Array([1, 33, 0xff]));
    tell(new Uint8Array([1, 250]));
    expect(cluster.notices(0, "rejected")).toHaveLength(4);
    expect(cluster.notices(0, "unknown")).toEqual([{ type: "unknown", from, what: "kind" }]);
    expect(messages(cluster.sent.slice(since), "push")).toEqual([]);
    tell(new Uint8Array([...encodePrune(), 9]));
    expect(cluster.notices(0, "unknown")).toHaveLength(2);
  });

  test("GO15: what the store rejects is not passed on again and again", () => {
    const cluster = new Cluster({ nodes: 6, config: mode(way) });
    cluster.run(1000);
    const since = cluster.sent.length;
    const from = identityOf(1).address;
    const bytes = push(1, 1, 0, new Uint8Array([99, 1, 2, 3]));
    cluster.handle(0, { type: "message", from, plane: "gossip", bytes });
    cluster.run(20_000);
    expect(messages(cluster.sent.slice(since), "push").length).toBeLessThan(6 * 6);
    expect(cluster.agrees).toBe(true);
    expect(cluster.node(0).store.holdings()).toEqual([]);
  });

  test("GO16: a large version's chunks are messages of their own, and arrive in any order", () => {
    const cluster = new Cluster({ nodes: 8, config: mode(way), chunkBytes: 300 });
    cluster.run(1000);
    cluster.loses = alone;
    const rows = Array.from({ length: 60 }, (_, i) => i);
    cluster.commit(
      3,
      ...rows.map((i) => ["insert", "kv", { k: `k${i}`, v: "x".repeat(50) }] as const),
    );
    cluster.run(2000);
    expect(cluster.agrees).toBe(true);
    expect(cluster.node(0).store.summary().rows).toBe(60);
  });
});

describe("flood", () => {
  test("GO06: copies a node and message stay near log2 n, and all are reached without the help of sync", () => {
    const nodes = 40;
    const cluster = new Cluster({ nodes, config: mode("flood") });
    cluster.run(1000);
    cluster.loses = alone;
    for (let i = 0; i < 20; i++) {
      cluster.put(i % nodes, `k${i}`);
      cluster.run(500);
    }
    expect(cluster.agrees).toBe(true);
    const pushes = messages(cluster.sent, "push").length;
    expect(pushes / nodes / 20).toBeGreaterThan(3);
    expect(pushes / nodes / 20).toBeLessThan(7);
  });

  test("GO06: a second round goes to a few more", () => {
    const cluster = new Cluster({ nodes: 40, config: mode("flood") });
    cluster.run(1000);
    cluster.loses = alone;
    const since = cluster.sent.length;
    cluster.put(0, "a");
    cluster.run(90);
    const first = messages(cluster.sent.slice(since), "push").filter(({ from }) => from === 0);
    cluster.run(200);
    const both = messages(cluster.sent.slice(since), "push").filter(({ from }) => from === 0);
    expect(both.length - first.length).toBe(lanGossip.repeatFanout);
    expect(new Set(both.map(({ to }) => to)).size).toBe(both.length);
  });
});

describe("tree", () => {
  const calm = (nodes: number): Cluster => {
    const cluster = new Cluster({ nodes });
    cluster.run(1000);
    for (let i = 0; i < 10; i++) {
      cluster.put(0, `k${i}`);
      cluster.run(200);
    }
    return cluster;
  };

  test("GO08: once duplicates have cut the cycles, each node gets each message once", () => {
    const cluster = calm(30);
    const since = cluster.sent.length;
    for (let i = 0; i < 40; i++) {
      cluster.put(i % 30, `m${i}`);
      cluster.run(60);
    }
    expect(cluster.agrees).toBe(true);
    const copies = messages(cluster.sent.slice(since), "push").length / 29 / 40;
    expect(copies).toBeGreaterThanOrEqual(1);
    expect(copies).toBeLessThan(1.1);
  });

  test("GO08: a link cut by one end is cut at the other; the trunk's end keeps it", () => {
    const cluster = calm(4);
    const eager = (n: number): number => cluster.node(n).replica.stats().broadcast.eager;
    const links = [0, 1, 2, 3].reduce((sum, n) => sum + eager(n), 0);
    expect(links).toBe(2 * 3);
    const parent = messages(cluster.sent, "push").findLast(({ to }) => to === 3)?.from ?? -1;
    const since = cluster.sent.length;
    const from = identityOf(parent).address;
    cluster.handle(3, { type: "message", from, plane: "gossip", bytes: encodePrune() });
    expect(messages(cluster.sent.slice(since), "graft").map(({ to }) => to)).toEqual([parent]);
    expect(eager(3)).toBeGreaterThanOrEqual(1);
  });

  test("GO07: lazy neighbours are told in batches, and not what they have or were told", () => {
    const cluster = calm(5);
    const since = cluster.sent.length;
    for (let i = 0; i < 6; i++) cluster.put(0, `b${i}`);
    cluster.run(1000);
    const told = messages(cluster.sent.slice(since), "ihave");
    expect(told.length).toBeGreaterThan(0);
    for (const { message } of told) expect(message.have).toHaveLength(6);
    const pairs = told.map(({ from, to }) => `${Math.min(from, to)}-${Math.max(from, to)}`);
    // Six lazy links of ten; both ends may have told at the same moment.
    expect(new Set(pairs).size).toBeLessThanOrEqual(6);
  });

  test("GO09, GO10: what was announced and does not come is asked for, and the link becomes eager", () => {
    const cluster = calm(5);
    const lost = messages(cluster.sent, "push").findLast(({ from }) => from === 0)?.to ?? -1;
    cluster.loses = ({ to, effect }) =>
      effect.plane === "sync" || (to === lost && effect.kind === "push");
    cluster.put(0, "x");
    cluster.run(20);
    cluster.loses = alone;
    const since = cluster.sent.length;
    cluster.run(1000);
    expect(cluster.agrees).toBe(true);
    const grafts = messages(cluster.sent.slice(since), "graft").filter(({ from }) => from === lost);
    expect(grafts[0]?.message.refs).toHaveLength(1);
  });

  test("GO09: one who announced and does not answer is not the only one asked", () => {
    const cluster = calm(5);
    const ref = { actor: actorOf(7), version: 1, index: 0, count: 1, atMs: 0 };
    const bytes = encodeIhave(0, [ref]);
    const tell = (n: number): void =>
      cluster.handle(0, {
        type: "message",
        from: identityOf(n).address,
        plane: "gossip",
        bytes,
      });
    tell(3);
    tell(2);
    const since = cluster.sent.length;
    cluster.run(3000);
    const grafts = messages(cluster.sent.slice(since), "graft").filter((g) => g.from === 0);
    expect(grafts.map(({ to }) => to)).toEqual([3, 2]);
    // Then it is left to sync, which asks.
    expect(cluster.sentOf("syncSummary", since).length).toBeGreaterThan(0);
    expect(cluster.node(0).replica.stats().broadcast.missing).toBe(0);
  });

  test("GO09: of those who announced it one of the own region is asked first", () => {
    const cluster = new Cluster({ nodes: 5, regionOf: (n) => `r${n % 2}` });
    cluster.run(1000);
    const ref = { actor: actorOf(7), version: 1, index: 0, count: 1, atMs: 0 };
    const bytes = encodeIhave(0, [ref]);
    for (const n of [1, 3, 2]) {
      const from = identityOf(n).address;
      cluster.handle(0, { type: "message", from, plane: "gossip", bytes });
    }
    const since = cluster.sent.length;
    cluster.run(3000);
    const grafts = messages(cluster.sent.slice(since), "graft").filter((g) => g.from === 0);
    expect(grafts.map(({ to }) => to)).toEqual([2, 1, 3]);
  });

  test("GO10: a graft is answered with the message while it is remembered, else by silence", () => {
    const cluster = calm(3);
    const refs = [
      { actor: actorOf(0), version: 5, index: 0, count: 1 },
      { actor: actorOf(0), version: 999, index: 0, count: 1 },
    ];
    const since = cluster.sent.length;
    const from = identityOf(2).address;
    cluster.handle(0, { type: "message", from, plane: "gossip", bytes: encodeGraft(refs) });
    const answer = messages(cluster.sent.slice(since), "push");
    expect(answer.map(({ to, message }) => [to, message.chunk.version])).toEqual([[2, 5]]);
  });

  test("GO11: a lazy link that would bring the reference's messages sooner takes the parent's place", () => {
    const cluster = calm(5);
    const late = 4;
    const parent = messages(cluster.sent, "push").findLast(({ to }) => to === late)?.from ?? -1;
    const other = [1, 2, 3].find((n) => n !== parent) as number;
    const since = cluster.sent.length;
    for (let i = 0; i < 8; i++) {
      cluster.put(0, `s${i}`);
      cluster.run(40);
      const { atMs } = cluster.sent.findLast(
        ({ to, effect }) => to === late && effect.kind === "push",
      ) as Sent;
      // The other had it 30 ms before it came here.
      const version = 11 + i;
      const ref = { actor: actorOf(0), version, index: 0, count: 1, atMs: atMs - 25 };
      cluster.handle(late, {
        type: "message",
        from: identityOf(other).address,
        plane: "gossip",
        bytes: encodeIhave(cluster.nowMs, [ref]),
      });
    }
    const sent = cluster.sent.slice(since).filter(({ from }) => from === late);
    expect(messages(sent, "graft").some(({ to }) => to === other)).toBe(true);
    expect(messages(sent, "prune").some(({ to }) => to === parent)).toBe(true);
    expect(cluster.agrees).toBe(true);
  });

  test("GO12: when an inner node dies, the tree closes around it", () => {
    const cluster = calm(20);
    const forwards = messages(cluster.sent, "push").slice(-19);
    const inner = forwards.find(({ from }) => from !== 0)?.from as number;
    cluster.node(inner).down = true;
    cluster.loses = alone;
    for (let i = 0; i < 40; i++) {
      cluster.put(i % 20 === inner ? 0 : i % 20, `d${i}`);
      cluster.run(100);
    }
    cluster.run(2000);
    expect(cluster.agrees).toBe(true);
  });
});

describe("both together", () => {
  test("GO18: nodes that flood and nodes that build a tree understand one another", () => {
    const cluster = new Cluster({
      nodes: 12,
      config: (config, n) => mode(n % 2 === 0 ? "flood" : "tree")(config),
    });
    cluster.run(1000);
    for (let i = 0; i < 40; i++) {
      cluster.put(i % 12, `k${i}`);
      cluster.run(50);
    }
    cluster.run(3000);
    expect(cluster.agrees).toBe(true);
  });
});

import { describe, expect, test } from "vitest";
import { decodeMessage } from "../../../core/wire/envelope.ts";
import { peekPush } from "../../../core/wire/gossip-messages.ts";
import {
  encodeDone,
  encodeRequest,
  maxSyncBytes,
  type SyncMessage,
  syncDecoders,
} from "../../../core/wire/sync-messages.ts";
import { actorOf, Cluster, type ClusterOptions, identityOf, type Sent } from "../node/cluster.ts";

function decoded(sent: Sent): SyncMessage {
  const result = decodeMessage(sent.effect.bytes, syncDecoders, maxSyncBytes);
  if (result.type !== "message") throw new Error(`${sent.effect.kind}: ${result.type}`);
  return result.message;
}

type Of<T extends SyncMessage["type"]> = Extract<SyncMessage, { type: T }>;

function messages<T extends SyncMessage["type"]>(
  cluster: Cluster,
  type: T,
  since = 0,
): { from: number; to: number; message: Of<T> }[] {
  return cluster.sent.slice(since).flatMap((sent) => {
    if (sent.effect.plane !== "sync") return [];
    const message = decoded(sent);
    return message.type === type
      ? [{ from: sent.from, to: sent.to, message: message as Of<T> }]
      : [];
  });
}

/** Nodes that only sync can bring together. */
function silent(options: ClusterOptions): Cluster {
  const cluster = new Cluster(options);
  cluster.loses = ({ effect }) => effect.plane === "gossip";
  return cluster;
}

/** Versions that were asked for more than once, by one node, while the first answer was awaited or had come. */
function askedTwice(cluster: Cluster, since = 0): string[] {
  const asked = new Set<string>();
  const twice: string[] = [];
  for (const { from, message } of messages(cluster, "request", since)) {
    for (const { actor, from: low, to, chunks } of message.wants) {
      for (let v = low; v <= to; v++) {
        const key = `${from}: ${actor}/${v}/${JSON.stringify(chunks ?? null)}`;
        if (asked.has(key)) twice.push(key);
        asked.add(key);
      }
    }
  }
  return twice;
}

describe("comparing", () => {
  test("SY01: two nodes in agreement find it out with one digest that is not answered", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.put(0, "a");
    cluster.run(30_000);
    expect(cluster.agrees).toBe(true);
    const before = cluster.sent.length;
    cluster.run(40_000);
    const quiet = cluster.sent.slice(before);
    expect(quiet.length).toBeGreaterThan(2);
    expect(quiet.every(({ effect }) => effect.kind === "syncDigest")).toBe(true);
    expect(quiet.every(({ effect }) => effect.bytes.length < 40)).toBe(true);
  });

  test("SY19: as long as nothing changes, digests grow rarer up to their bound", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.put(0, "a");
    cluster.run(120_000);
    const before = cluster.sent.length;
    cluster.run(150_000);
    // Two nodes, one each 15 s, spread by an eighth either way.
    expect(cluster.sentOf("syncDigest", before).length).toBeGreaterThanOrEqual(2 * 8);
    expect(cluster.sentOf("syncDigest", before).length).toBeLessThanOrEqual(2 * 12);
    cluster.put(1, "b");
    const busy = cluster.sent.length;
    cluster.run(5000);
    expect(cluster.sentOf("syncDigest", busy).length).toBeGreaterThanOrEqual(4);
  });

  test("SY02: who hears a digest that it does not know pulls; who knows it as its past lets the other pull", () => {
    const cluster = silent({ nodes: 2 });
    cluster.run(3000);
    const since = cluster.sent.length;
    cluster.put(0, "a");
    cluster.run(3000);
    expect(cluster.agrees).toBe(true);
    const asks = messages(cluster, "ask", since);
    expect(asks.map(({ from }) => from)).toEqual([1]);
    const replies = messages(cluster, "digest", since).filter(({ message }) => message.reply);
    expect(replies.every(({ from }) => from === 0)).toBe(true);
  });

  test("SY02: one whose digest is another's past is answered with a digest, and pulls", () => {
    const cluster = silent({ nodes: 2 });
    cluster.run(3000);
    // Node 0 says nothing by itself: node 1 only learns by what its own digest is answered with.
    cluster.loses = (sent) => {
      const { kind, plane } = sent.effect;
      if (sent.from !== 0 || kind !== "syncDigest") return plane === "gossip";
      return !(decoded(sent) as Of<"digest">).reply;
    };
    cluster.put(0, "a");
    cluster.run(20_000);
    expect(cluster.agrees).toBe(true);
  });

  test("SY02: when each holds something that the other lacks, both pull after one question", () => {
    const cluster = silent({ nodes: 2 });
    cluster.run(3000);
    cluster.cut([0], [1]);
    cluster.put(0, "a");
    cluster.put(1, "b");
    cluster.loses = ({ effect }) => effect.plane === "gossip";
    cluster.run(3000);
    expect(cluster.agrees).toBe(true);
    expect(cluster.node(0).store.holdings()).toHaveLength(2);
  });

  test("SY03: only actors in buckets that differ are told", () => {
    const cluster = silent({ nodes: 8 });
    for (let n = 0; n < 8; n++) cluster.put(n, `k${n}`);
    cluster.run(20_000);
    expect(cluster.agrees).toBe(true);
    const since = cluster.sent.length;
    cluster.put(3, "k3", "again");
    cluster.run(10_000);
    expect(cluster.agrees).toBe(true);
    const tells = messages(cluster, "tell", since).filter(({ message }) => message.entries.length);
    expect(tells.length).toBeGreaterThan(0);
    for (const { message } of tells) {
      expect(message.entries.length).toBeLessThan(8);
      expect(message.entries.some(({ actor }) => actor === actorOf(3))).toBe(true);
    }
  });

  test("SY11: a member that appears is compared with at once, and brings all that it lacks", () => {
    const cluster = new Cluster({ nodes: 3, absent: [2] });
    for (let i = 0; i < 20; i++) cluster.put(i % 2, `k${i}`);
    cluster.run(20_000);
    const atMs = cluster.nowMs;
    cluster.join(2, 0);
    while (!cluster.agrees && cluster.nowMs < atMs + 5000) cluster.run(10);
    expect(cluster.agrees).toBe(true);
    expect(cluster.nowMs - atMs).toBeLessThan(500);
  });

  test("SY20: digests go to members that are down too, so that a healed cut is found whatever membership thinks", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.run(1000);
    cluster.cut([0], [1]);
    cluster.run(60_000);
    expect(cluster.node(0).replica.membership.stateOf(identityOf(1).address)).toBe("down");
    cluster.put(0, "a");
    const cut = cluster.sent.length;
    cluster.run(20_000);
    expect(cluster.sentOf("syncDigest", cut).length).toBeGreaterThan(2);
    // Membership hears nothing, yet the data come together.
    cluster.loses = ({ effect }) => effect.plane !== "sync";
    cluster.run(10_000);
    expect(cluster.states()[0]).toBe(cluster.states()[1]);
  });
});

describe("fetching", () => {
  test("SY04: what is missing is asked for, newest first, and nothing else", () => {
    const cluster = silent({ nodes: 2 });
    cluster.run(1000);
    for (let i = 0; i < 600; i++) cluster.put(0, `k${i}`);
    const since = cluster.sent.length;
    cluster.run(5000);
    expect(cluster.agrees).toBe(true);
    const wants = messages(cluster, "request", since).flatMap(({ message }) => message.wants);
    expect(wants.map(({ from, to }) => [from, to])).toEqual([
      [345, 600],
      [89, 344],
      [1, 88],
    ]);
    expect(cluster.node(1).replica.stats().sync.duplicates).toBe(0);
  });

  test("SY05: several peers are asked at once, and no two for the same", () => {
    const cluster = silent({ nodes: 4, absent: [3] });
    for (let i = 0; i < 1500; i++) cluster.put(i % 3, `k${i}`);
    cluster.run(20_000);
    const since = cluster.sent.length;
    cluster.join(3, 0);
    cluster.run(3000);
    expect(cluster.agrees).toBe(true);
    const asked = new Set(messages(cluster, "request", since).map(({ to }) => to));
    expect(asked.size).toBeGreaterThan(1);
    expect(askedTwice(cluster, since)).toEqual([]);
    expect(cluster.node(3).replica.stats().sync.duplicates).toBe(0);
  });

  test("SY05: a peer that falls silent is given up, and others are asked for what it owed", () => {
    const cluster = silent({ nodes: 3 });
    cluster.run(1000);
    cluster.cut([0, 1], [2]);
    for (let i = 0; i < 900; i++) cluster.put(0, `k${i}`);
    cluster.run(500);
    expect(cluster.states()[0]).toBe(cluster.states()[1]);
    // Node 0 takes requests and answers none; for a while nobody else can be reached.
    let alone = true;
    cluster.loses = ({ from, to, effect }) =>
      effect.plane === "gossip" ||
      (from === 0 && /Chunks|Done/.test(effect.kind)) ||
      (alone && effect.plane === "sync" && from + to === 3);
    const since = cluster.sent.length;
    cluster.run(4000);
    expect(cluster.node(2).replica.stats().sync.openRequests).toBeGreaterThan(0);
    alone = false;
    cluster.run(20_000);
    expect(cluster.agrees).toBe(true);
    const asked = new Set(messages(cluster, "request", since).map(({ to }) => to));
    expect(asked).toEqual(new Set([0, 1]));
    expect(cluster.node(2).replica.stats().sync.openRequests).toBe(0);
  });

  test("SY05: a request that cannot be delivered frees what it asked for", () => {
    const cluster = silent({ nodes: 2 });
    cluster.run(1000);
    for (let i = 0; i < 10; i++) cluster.put(0, `k${i}`);
    cluster.loses = ({ effect }) => effect.plane === "gossip" || effect.kind === "syncRequest";
    cluster.run(2000);
    expect(cluster.agrees).toBe(false);
    expect(cluster.sentOf("syncRequest").length).toBeGreaterThan(0);
    cluster.loses = ({ effect }) => effect.plane === "gossip";
    cluster.run(3000);
    expect(cluster.agrees).toBe(true);
  });

  test("SY06: an answer holds no more than the window, and what did not fit is asked for again", () => {
    const windowBytes = 8 * 1024;
    const cluster = silent({
      nodes: 2,
      config: (config) => ({ ...config, sync: { ...config.sync, windowBytes } }),
    });
    cluster.run(1000);
    for (let i = 0; i < 100; i++) cluster.put(0, `k${i}`, "v".repeat(1000));
    const since = cluster.sent.length;
    cluster.run(10_000);
    expect(cluster.agrees).toBe(true);
    const perRequest = new Map<number, number>();
    for (const { message } of messages(cluster, "chunks", since)) {
      const bytes = message.chunks.reduce((sum, { payload }) => sum + payload.length, 0);
      perRequest.set(message.id, (perRequest.get(message.id) ?? 0) + bytes);
    }
    expect(perRequest.size).toBeGreaterThan(10);
    for (const bytes of perRequest.values()) expect(bytes).toBeLessThan(windowBytes + 2000);
    expect(cluster.node(1).replica.stats().sync.duplicates).toBe(0);
  });

  test("SY07: of a version in parts only the missing chunks are asked for, also from those who hold a part", () => {
    const cluster = new Cluster({ nodes: 3, chunkBytes: 200 });
    cluster.run(1000);
    // One node gets the even chunks, the other the odd ones.
    cluster.loses = ({ from, to, effect }) =>
      from !== 0 || (peekPush(effect.bytes)?.index ?? 0) % 2 === to % 2;
    const rows = Array.from({ length: 40 }, (_, i) => i);
    cluster.commit(
      0,
      ...rows.map((i) => ["insert", "kv", { k: `k${i}`, v: "x".repeat(60) }] as const),
    );
    cluster.run(30);
    cluster.node(0).down = true;
    expect(cluster.node(1).replica.ledger.partialCount).toBe(1);
    expect(cluster.node(2).replica.ledger.partialCount).toBe(1);
    cluster.loses = ({ effect }) => effect.plane === "gossip";
    cluster.run(10_000);
    expect(cluster.node(1).replica.ledger.partialCount).toBe(0);
    expect(cluster.agrees).toBe(true);
    const wants = messages(cluster, "request").flatMap(({ message }) => message.wants);
    expect(wants.every(({ chunks }) => chunks !== undefined)).toBe(true);
    for (const n of [1, 2]) expect(cluster.node(n).replica.stats().sync.duplicates).toBe(0);
  });

  test("SY12: a version that overtook another leaves a gap, which is asked about soon", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.run(10_000);
    cluster.loses = ({ effect }) => effect.kind === "push";
    cluster.put(0, "a");
    cluster.run(6);
    cluster.loses = ({ effect }) => effect.kind === "ihave";
    cluster.put(0, "b");
    const atMs = cluster.nowMs;
    cluster.run(100);
    expect(cluster.node(1).replica.ledger.get(actorOf(0))?.wanting(1, 2)).toEqual([[1, 1]]);
    while (!cluster.agrees && cluster.nowMs < atMs + 5000) cluster.run(10);
    expect(cluster.nowMs - atMs).toBeLessThan(400);
    expect(cluster.notices(1, "need")).toEqual([
      { type: "need", actor: actorOf(0), from: 1, to: 1 },
    ]);
  });

  test("SY13: what a periodic comparison finds missing has some time to come by itself", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.run(3000);
    cluster.loses = ({ effect }) => effect.plane === "gossip";
    cluster.put(0, "a");
    while (messages(cluster, "tell").every(({ message }) => message.entries.length === 0)) {
      cluster.run(5);
    }
    const told = cluster.sent.length;
    cluster.run(200);
    expect(messages(cluster, "request", told)).toEqual([]);
    cluster.run(100);
    expect(messages(cluster, "request", told)).toHaveLength(1);
  });

  test("SY11: news that a pull brought spreads at once", () => {
    const cluster = silent({ nodes: 8 });
    cluster.run(60_000);
    cluster.put(0, "a");
    const atMs = cluster.nowMs;
    // Someone learns of it; the others would hear by their own digests within fifteen seconds.
    while (cluster.notices(1, "synced").length === 0 && cluster.nowMs < atMs + 60_000) {
      cluster.run(10);
    }
    const firstMs = cluster.nowMs;
    while (!cluster.agrees && cluster.nowMs < firstMs + 60_000) cluster.run(10);
    expect(cluster.nowMs - firstMs).toBeLessThan(2500);
  });
});

describe("a store that fails", () => {
  test("SY14: what could not be stored is asked for again when the store works, and nothing is forgotten", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.run(2000);
    cluster.node(2).storeFails = true;
    for (let i = 0; i < 50; i++) {
      cluster.put(i % 2, `k${i}`);
      cluster.run(50);
    }
    cluster.run(5000);
    expect(cluster.node(2).store.holdings()).toEqual([]);
    const failing = cluster.sent.length;
    cluster.run(10_000);
    // It asks now and then, not all the time.
    expect(cluster.sentOf("syncRequest", failing).length).toBeLessThan(40);
    cluster.node(2).storeFails = false;
    cluster.run(15_000);
    expect(cluster.agrees).toBe(true);
  });

  test("SY14: a failing store of a peer is told as such, and another peer is asked", () => {
    const cluster = silent({ nodes: 3 });
    cluster.run(1000);
    for (let i = 0; i < 10; i++) cluster.put(0, `k${i}`);
    cluster.run(10_000);
    cluster.node(1).storeFails = true;
    for (let i = 0; i < 10; i++) cluster.put(0, `l${i}`);
    cluster.run(15_000);
    expect(cluster.states()[0]).toBe(cluster.states()[2]);
    cluster.node(1).storeFails = false;
    cluster.run(20_000);
    expect(cluster.agrees).toBe(true);
  });

  test("BK10: while the store is busy, arrivals wait and come in one call", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.run(2000);
    cluster.node(1).storeHangs = true;
    for (let i = 0; i < 20; i++) cluster.put(0, `k${i}`);
    cluster.run(100);
    expect(cluster.node(1).hanging).toHaveLength(1);
    cluster.releaseStore(1);
    cluster.run(10);
    expect(cluster.agrees).toBe(true);
  });
});

describe("peers that do wrong", () => {
  const unknown = identityOf(7).address;

  test("SY18: an answer to no question is rejected; a late one is passed over", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.run(1000);
    cluster.handle(0, {
      type: "message",
      from: unknown,
      plane: "sync",
      bytes: encodeDone(7, false, [{ actor: actorOf(3), from: 1, to: 2 ** 40 }], []),
    });
    expect(cluster.notices(0, "rejected")).toEqual([
      { type: "rejected", from: unknown, plane: "sync", why: "an answer to no question" },
    ]);
    expect(cluster.node(0).replica.stats().sync.markerRanges).toBe(0);
  });

  test("SY17: absurd ranges are cut to what is held before the store sees them", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.put(0, "a");
    cluster.run(1000);
    const node = cluster.node(0);
    node.storeHangs = true;
    const wants = [
      { actor: actorOf(0), from: 1, to: 2 ** 48 },
      { actor: actorOf(5), from: 1, to: 2 ** 48 },
    ];
    const bytes = encodeRequest(1, Number.MAX_SAFE_INTEGER, wants);
    cluster.handle(0, { type: "message", from: identityOf(1).address, plane: "sync", bytes });
    expect(node.hanging.map(({ request }) => request)).toMatchObject([
      { type: "serve", wants: [{ actor: actorOf(0), from: 1, to: 1 }] },
    ]);
  });

  test("SY17: past its bound a request is refused at once", () => {
    const cluster = new Cluster({ nodes: 2 });
    cluster.put(0, "a");
    cluster.run(1000);
    cluster.node(0).storeHangs = true;
    const since = cluster.sent.length;
    for (let id = 1; id <= 70; id++) {
      const bytes = encodeRequest(id, 1000, [{ actor: actorOf(0), from: 1, to: 1 }]);
      cluster.handle(0, { type: "message", from: identityOf(1).address, plane: "sync", bytes });
    }
    const refused = messages(cluster, "done", since).filter(({ message }) => message.failed);
    expect(refused).toHaveLength(6);
    expect(cluster.notices(0, "overflow")).toHaveLength(6);
  });

  test("SY21: a peer that offers what it does not give is left alone after a few answers", () => {
    const cluster = silent({ nodes: 2 });
    cluster.run(1000);
    for (let i = 0; i < 3000; i++) cluster.put(0, `k${i}`);
    // Its answers arrive empty.
    cluster.loses = ({ effect }) => effect.plane === "gossip" || effect.kind === "syncDone";
    const liar = identityOf(0).address;
    let answered = 0;
    for (let t = 0; t < 200; t++) {
      cluster.run(10);
      for (const { message } of messages(cluster, "request").slice(answered)) {
        answered++;
        const bytes = encodeDone(message.id, false, [], []);
        cluster.handle(1, { type: "message", from: liar, plane: "sync", bytes });
      }
      cluster.loses = ({ effect }) =>
        effect.plane === "gossip" || effect.kind === "syncDone" || effect.kind === "syncChunks";
    }
    expect(answered).toBeGreaterThan(3);
    expect(answered).toBeLessThan(30);
  });
});

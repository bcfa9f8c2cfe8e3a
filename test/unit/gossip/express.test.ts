/** Copies that go ahead of the tree to other regions. */
import { describe, expect, test } from "vitest";
import { maxExpress } from "../../../core/gossip/express.ts";
import { seedOfId } from "../../../core/sync/set-hash.ts";
import { profileConfig, type ReplicaConfig } from "../../../core/node/config.ts";
import { expressHops, wentAhead } from "../../../core/wire/gossip-messages.ts";
import { maxDatagramBytes } from "../../../core/wire/limits.ts";
import { actorOf, Cluster, identityOf, type Sent } from "../node/cluster.ts";
import { messages, type Told } from "./messages.ts";

const regions = 3;
const regionOf = (n: number): string => `r${n % regions}`;
const wan = (): ReplicaConfig => profileConfig("wan");

/** Sync never comes to the rescue. */
const alone = ({ effect }: Sent): boolean => effect.plane === "sync";

/** The node that is the reference once it has written: its messages are tested by themselves. */
function referenceOf(nodes: number): number {
  const hash = (n: number): number => seedOfId(actorOf(n)).lo >>> 0;
  const numbers = Array.from({ length: nodes }, (_, n) => n);
  return numbers.reduce((least, n) => (hash(n) < hash(least) ? n : least));
}

/** Not the reference of the clusters below. */
const author = 0;

function planet(nodes = 27, config: () => ReplicaConfig = wan): Cluster {
  const cluster = new Cluster({ nodes, config, regionOf });
  cluster.run(1000);
  cluster.loses = alone;
  const reference = referenceOf(nodes);
  expect(reference).not.toBe(author);
  cluster.put(reference, "first");
  cluster.run(500);
  return cluster;
}

function copies(cluster: Cluster, since: number): Told<"push">[] {
  return messages(cluster.sent.slice(since), "push").filter(({ reliable }) => !reliable);
}

/** Returns the copies that went ahead. */
function commit(cluster: Cluster, n = author, text = "x"): Told<"push">[] {
  const since = cluster.sent.length;
  cluster.put(n, `${n}/${since}`, text);
  return copies(cluster, since);
}

describe("express", () => {
  test("GO21: a commit goes straight to two members of every other region, in datagrams", () => {
    const cluster = planet();
    const since = cluster.sent.length;
    const sent = commit(cluster);
    expect(sent.map(({ to }) => regionOf(to)).toSorted()).toEqual(["r1", "r1", "r2", "r2"]);
    for (const { message } of sent) expect(message.hops).toBe(expressHops);
    cluster.run(500);
    // All other copies say so too.
    const pushes = messages(cluster.sent.slice(since), "push");
    expect(pushes.length).toBeGreaterThanOrEqual(26);
    for (const { bytes } of pushes) expect(wentAhead(bytes)).toBe(true);
  });

  test("GO21: they are the same members each time, and others for other authors", () => {
    const cluster = planet();
    const targets = (n: number): Set<number> => new Set(commit(cluster, n).map(({ to }) => to));
    const first = targets(author);
    for (let i = 0; i < 20; i++) {
      cluster.run(50);
      expect(targets(author)).toEqual(first);
    }
    expect(targets(author + regions)).not.toEqual(first);
  });

  test("GO21: of a region of up to eight members one gets a copy", () => {
    expect(commit(planet(24)).map(({ to }) => regionOf(to))).toEqual(["r1", "r2"]);
  });

  test("GO21: where the tree brings nothing across regions, a region has it from its copies alone", () => {
    const cluster = planet();
    cluster.loses = ({ from, to, effect }) =>
      effect.plane !== "swim" && effect.reliable && regionOf(from) !== regionOf(to);
    cluster.put(author, "a");
    // Before anything that was announced is asked for.
    cluster.run(150);
    expect(cluster.agrees).toBe(true);
  });

  test("GO21: what is lost the tree brings", () => {
    const cluster = planet();
    cluster.loses = (sent) =>
      alone(sent) || (sent.effect.plane === "gossip" && !sent.effect.reliable);
    cluster.put(author, "a");
    cluster.run(150);
    expect(cluster.agrees).toBe(true);
  });

  test("GO21: what does not fit a datagram, or is a part of a version, goes along the tree alone", () => {
    const cluster = planet();
    expect(commit(cluster, author, "x".repeat(maxDatagramBytes))).toEqual([]);
    expect(commit(cluster, author, "x".repeat(maxDatagramBytes - 200))).toHaveLength(4);
    const small = new Cluster({ nodes: 27, config: wan, regionOf, chunkBytes: 100 });
    small.run(1000);
    const since = small.sent.length;
    const rows = ["a", "b", "c"].map((k) => ["insert", "kv", { k, v: "x".repeat(80) }] as const);
    small.commit(0, ...rows);
    expect(messages(small.sent.slice(since), "push").length).toBeGreaterThan(3);
    expect(copies(small, since)).toEqual([]);
  });

  test("GO21: in a LAN nothing goes ahead, until some region is far by its measured round trips", () => {
    const cluster = planet(27, () => profileConfig("lan"));
    const reference = referenceOf(27);
    const tell = (about: number, rttMs: number): void =>
      cluster.handle(author, { type: "rtt", peer: identityOf(about).address, rttMs });
    const later = (): Told<"push">[] => {
      cluster.put(reference, `r${cluster.nowMs}`);
      cluster.run(11_000);
      return commit(cluster);
    };
    expect(commit(cluster)).toEqual([]);
    // One slow member does not make a region far.
    tell(1, 150);
    tell(4, 1);
    // What is far within the own region is no reason either.
    tell(3, 150);
    expect(later()).toEqual([]);
    tell(2, 150);
    expect(later()).toHaveLength(4);
  });

  test("GO21: above the rate, when messages wait, nothing goes ahead", () => {
    const slow = { ...wan(), gossip: { ...wan().gossip, bytesPerSec: 3000 } };
    const cluster = planet(27, () => slow);
    const counts = Array.from(
      { length: 12 },
      () => commit(cluster, author, "x".repeat(200)).length,
    );
    expect(counts[0]).toBe(4);
    expect(counts.at(-1)).toBe(0);
    cluster.run(20_000);
    expect(cluster.agrees).toBe(true);
  });

  test("GO21: one message has no more copies than their bound", () => {
    const nodes = maxExpress + 10;
    const cluster = new Cluster({ nodes, config: wan, regionOf: (n) => `r${n}` });
    cluster.put(author, "a");
    expect(copies(cluster, 0)).toHaveLength(maxExpress);
  });

  test("GO21: duplicates of what went ahead cut no link, and few copies are needless", () => {
    const nodes = 60;
    const cluster = planet(nodes);
    const reference = referenceOf(nodes);
    for (let i = 0; i < 16; i++) {
      cluster.put(reference, "shape");
      cluster.run(200);
    }
    const since = cluster.sent.length;
    for (let i = 0; i < 40; i++) {
      cluster.put(i % 7 === reference ? author : i % 7, `m${i}`);
      cluster.run(200);
    }
    expect(cluster.agrees).toBe(true);
    const sent = cluster.sent.slice(since);
    expect(copies(cluster, since)).toHaveLength(40 * 4);
    expect(messages(sent, "prune")).toEqual([]);
    const each = messages(sent, "push").length / (nodes - 1) / 40;
    expect(each).toBeLessThan(1.3);
  });

  test("GO22: of the reference's messages the first sixteen and one in 256 go along the tree alone", () => {
    const cluster = new Cluster({ nodes: 27, config: wan, regionOf });
    const ahead = Array.from({ length: 300 }, () => commit(cluster).length > 0);
    // By its first it becomes the reference.
    expect(ahead[0]).toBe(true);
    expect(ahead.slice(1, 17).some(Boolean)).toBe(false);
    const alongTheTree = ahead.flatMap((is, i) => (is || i < 17 ? [] : [i]));
    expect(alongTheTree).toEqual([257]);
  });
});

/**
 * Whole replicas against a model, driven by random commands: what is committed, delivered, lost,
 * doubled, broken, crashed and forged, in any order, with stores that answer late. After every
 * command the books agree with the store and every queue is within its bound; a store's state is
 * the merge of the full contents of what it counts as held; and once all works, all agree.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Plane } from "../../core/node/event.ts";
import type { Chunk, Op } from "../../core/node/store.ts";
import { holds, modelOf, stateOf } from "./histories.ts";
import { Cluster } from "./replica-cluster.ts";

/** The model is made anew at each look, from the versions that the cluster has recorded. */
type Command = fc.Command<object, Cluster>;

const nodeCount = 3;
const node = fc.nat({ max: nodeCount - 1 });
const link = fc.nat({ max: nodeCount * (nodeCount - 1) - 1 });
const plane = fc.constantFrom<Plane>("swim", "gossip", "sync");

function command(name: string, act: (cluster: Cluster) => void): Command {
  return {
    check: () => true,
    run: (_, cluster) => {
      act(cluster);
      checkBooks(cluster);
    },
    toString: () => name,
  };
}

/** The books mirror the store whenever no answer of it is under way, and queues keep their bounds. */
function checkBooks(cluster: Cluster): void {
  for (const { n, up, work, replica, store } of cluster.nodes) {
    if (!up) continue;
    if (work.length === 0) {
      expect(replica.ledger.holdings(), `books of node ${n}`).toEqual(store.holdings());
      expect(replica.summary, `summary of node ${n}`).toEqual(store.summary());
    }
    for (const { name, size, max } of replica.stats().queues) {
      expect(size, `queue ${name} of node ${n}`).toBeLessThanOrEqual(max);
    }
  }
}

function checkStates(cluster: Cluster): void {
  for (const { n, up, store } of cluster.nodes) {
    if (!up) continue;
    const model = modelOf(store, cluster.contents.values());
    expect(stateOf(store), `state of node ${n}`).toEqual(stateOf(model));
  }
}

const op: fc.Arbitrary<Op> = fc.oneof(
  fc
    .record({ k: fc.constantFrom("a", "b", "c"), n: fc.nat({ max: 99 }) })
    .map((row): Op => ["upsert", "kv", row]),
  fc.constantFrom("a", "b", "c").map((k): Op => ["delete", "kv", { k }]),
  fc
    .record({ k: fc.constantFrom(1, 2), c: fc.nat({ max: 50 }) })
    .map((row): Op => ["upsert", "mix", row]),
  fc
    .record({ a: fc.constantFrom(1, 2), b: fc.constant("x") })
    .map((row): Op => ["upsert", "link", row]),
);

const at = (cluster: Cluster, index: number) => cluster.links[index] as Cluster["links"][number];

function allWork(cluster: Cluster, n: number): void {
  for (let left = cluster.nodes[n]?.work.length ?? 0; left > 0; left--) cluster.work(n);
}

const submit = fc.tuple(node, fc.array(op, { minLength: 1, maxLength: 3 }), fc.boolean());

const write = submit.map(([n, ops, atOnce]) =>
  command(`submit ${n} ${JSON.stringify(ops)}${atOnce ? " at once" : ""}`, (cluster) => {
    cluster.submit(n, ops);
    if (atOnce) allWork(cluster, n);
  }),
);

const deliver = fc.tuple(link, plane, fc.integer({ min: 1, max: 9 })).map(([l, p, count]) =>
  command(`stream ${l} ${p} ×${count}`, (cluster) => {
    for (let i = 0; i < count; i++) cluster.stream(at(cluster, l), p);
  }),
);

const deliverAll = node.map((n) =>
  command(`all to ${n}`, (cluster) => {
    allWork(cluster, n);
    for (const each of cluster.links) {
      if (each.to !== n) continue;
      for (const p of ["swim", "gossip", "sync"] as const) {
        for (let left = each.streams[p].length; left > 0; left--) cluster.stream(each, p);
      }
      for (let left = each.datagrams.length; left > 0; left--) cluster.datagram(each, 0, false);
    }
  }),
);

const wait = fc
  .constantFrom(1, 20, 150, 1000, 6000)
  .map((ms) => command(`advance ${ms}`, (cluster) => cluster.advance(ms)));

/** Commands that leave disks alone; those named more than once are likelier. */
const harmless: fc.Arbitrary<Command>[] = [
  write,
  write,
  write,
  write,
  deliver,
  deliver,
  deliver,
  deliverAll,
  deliverAll,
  wait,
  wait,
  node.map((n) => command(`work ${n}`, (cluster) => cluster.work(n))),
  node.map((n) => command(`all work ${n}`, (cluster) => allWork(cluster, n))),
  fc
    .tuple(link, fc.nat({ max: 9 }), fc.boolean())
    .map(([l, pick, keep]) =>
      command(`datagram ${l} #${pick}${keep ? " doubled" : ""}`, (cluster) =>
        cluster.datagram(at(cluster, l), pick, keep),
      ),
    ),
  link.map((l) =>
    command(`lose datagrams ${l}`, (cluster) => {
      at(cluster, l).datagrams = [];
    }),
  ),
  fc
    .tuple(link, plane)
    .map(([l, p]) =>
      command(`break ${l} ${p}`, (cluster) => cluster.breakStream(at(cluster, l), p)),
    ),
  node.map((n) => command(`checkpoint ${n}`, (cluster) => cluster.checkpoint(n))),
  fc.tuple(link, plane, fc.uint8Array({ maxLength: 40 })).map(([l, p, bytes]) =>
    command(`hostile ${l} ${p} ${String(bytes)}`, (cluster) => {
      bytes[0] = 1;
      cluster.hostile(at(cluster, l), p, bytes);
    }),
  ),
  fc.tuple(node, fc.constantFrom(0, 9_000, -60_000, 31_536_000_000)).map(([n, offset]) =>
    command(`clock ${n} ${offset}`, (cluster) => {
      const found = cluster.nodes[n];
      if (found !== undefined) found.wallOffsetMs = offset;
    }),
  ),
  node.map((n) => command(`crash ${n}`, (cluster) => cluster.crash(n, "kept"))),
  node.map((n) => command(`restart ${n}`, (cluster) => cluster.restart(n))),
  node.map((n) => command(`restart ${n}`, (cluster) => cluster.restart(n))),
];

const harmful: fc.Arbitrary<Command>[] = [
  node.map((n) => command(`crash ${n} torn`, (cluster) => cluster.crash(n, "torn"))),
  node.map((n) => command(`crash ${n} lost`, (cluster) => cluster.crash(n, "lost"))),
];

/** Every version of an actor that is known at all is known to all, and none of a safe disk is missing. */
function run(commands: Iterable<Command>, seed: string, disksAreSafe: boolean): void {
  const cluster = new Cluster(nodeCount, seed);
  fc.modelRun(() => ({ model: {}, real: cluster }), commands);
  checkStates(cluster);
  expect(cluster.settle(120_000), "all agree in time").toBe(true);
  checkBooks(cluster);
  checkStates(cluster);
  const [first, ...others] = cluster.nodes.map((each) => stateOf(each.store));
  for (const other of others) expect(other).toEqual(first);
  if (!disksAreSafe) return;
  const held = holds((cluster.nodes[0] as Cluster["nodes"][number]).store);
  for (const chunks of cluster.contents.values()) {
    const { actor, version } = chunks[0] as Chunk;
    expect(held(actor, version), `version ${version} of ${actor}`).toBe(true);
  }
}

const seed = fc.string({ minLength: 1, maxLength: 4 });

test("BK33: replicas with safe disks lose nothing and agree, whatever the order of events", () => {
  const commands = fc.commands(harmless, { maxCommands: 120, size: "max" });
  fc.assert(
    fc.property(commands, seed, (list, name) => run(list, name, true)),
    { numRuns: 60 },
  );
});

test("BK33: replicas whose disks are torn and lost agree, and reuse no version", () => {
  const commands = fc.commands([...harmless, ...harmful], { maxCommands: 120, size: "max" });
  fc.assert(
    fc.property(commands, seed, (list, name) => run(list, name, false)),
    { numRuns: 60 },
  );
});

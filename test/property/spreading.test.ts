/** Broadcast and anti-entropy over random holdings, losses and cuts: all nodes end equal. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ActorId } from "../../core/base/ids.ts";
import type { Chunk } from "../../core/node/store.ts";
import { encodeChunks } from "../../core/wire/changes.ts";
import { decodeMessage } from "../../core/wire/envelope.ts";
import { maxSyncBytes, syncDecoders } from "../../core/wire/sync-messages.ts";
import { createRng } from "../../sim/rng.ts";
import { actorOf, Cluster, startMs } from "../unit/node/cluster.ts";

const authors = [5, 6, 7];
const versionsEach = 24;

/** Version `n` of an author: one row of its own, in 1 to 3 chunks. */
function versionOf(author: number, n: number): Chunk[] {
  const count = 1 + ((author + n) % 3);
  const rows = Array.from({ length: count }, (_, i) => ({
    table: "kv",
    key: [`${author}/${String(n).padStart(3, "0")}/${i}`],
    causalLength: 1,
    cells: [
      { column: "v", value: `v${n}` },
      { column: "n", value: n },
    ],
  }));
  const payloads = encodeChunks(rows, 1);
  const hlc = { ms: startMs + n, counter: author };
  const actor: ActorId = actorOf(author);
  return payloads.map((payload, index) => ({
    actor,
    version: n,
    index,
    count: payloads.length,
    hlc,
    payload,
  }));
}

test("SY04, SY05, SY07: replicas of random holdings end equal, and each asks nothing twice", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 4 }),
      fc.nat(1e9),
      fc.integer({ min: 0, max: 100 }),
      (nodes, seed, percent) => {
        const rng = createRng(`holdings/${seed}`);
        // Every chunk is somewhere.
        const owners = new Map<string, number>();
        for (const author of authors) {
          for (let v = 1; v <= versionsEach; v++) {
            const chunks = versionOf(author, v);
            for (const { index } of chunks) {
              owners.set(`${author}/${v}/${index}`, rng.below(nodes));
            }
          }
        }
        const cluster = new Cluster({
          nodes,
          seed: `${seed}`,
          fill: (store, n) => {
            for (const author of authors) {
              for (let v = 1; v <= versionsEach; v++) {
                const chunks = versionOf(author, v).filter(
                  ({ index }) =>
                    owners.get(`${author}/${v}/${index}`) === n || rng.below(100) < percent,
                );
                store.receive(startMs, chunks, []);
              }
            }
          },
        });
        for (let i = 0; i < 60 && !cluster.agrees; i++) cluster.run(500);
        expect(cluster.agrees).toBe(true);
        expect(cluster.node(0).store.holdings()).toHaveLength(authors.length);
        expect(cluster.node(0).replica.ledger.heldVersions).toBe(authors.length * versionsEach);
        for (const { replica } of cluster.nodes) {
          expect(replica.stats().sync.duplicates).toBe(0);
          expect(replica.ledger.partialCount).toBe(0);
        }
        expect(askedTwice(cluster)).toEqual([]);
      },
    ),
    { numRuns: 60 },
  );
});

/** Whole versions, and chunks of versions in parts, that one node asked for twice. */
function askedTwice(cluster: Cluster): string[] {
  const asked = new Set<string>();
  const twice: string[] = [];
  for (const { from, effect } of cluster.sent) {
    if (effect.kind !== "syncRequest") continue;
    const decoded = decodeMessage(effect.bytes, syncDecoders, maxSyncBytes);
    if (decoded.type !== "message" || decoded.message.type !== "request") continue;
    for (const { actor, from: low, to, chunks } of decoded.message.wants) {
      for (let v = low; v <= to; v++) {
        const parts = chunks?.flatMap(([a, b]) =>
          Array.from({ length: b - a + 1 }, (_, i) => a + i),
        );
        for (const part of parts ?? ["whole"]) {
          const key = `${from}: ${actor}/${v}/${part}`;
          if (asked.has(key)) twice.push(key);
          asked.add(key);
        }
      }
    }
  }
  return twice;
}

test("GO17: what broadcast loses, grafts and sync bring, over random losses and cuts", () => {
  fc.assert(
    fc.property(
      fc.record({
        nodes: fc.integer({ min: 2, max: 14 }),
        mode: fc.constantFrom("flood" as const, "tree" as const),
        loss: fc.integer({ min: 0, max: 60 }),
        cut: fc.boolean(),
        seed: fc.nat(1e9),
        writes: fc.integer({ min: 1, max: 40 }),
      }),
      ({ nodes, mode, loss, cut, seed, writes }) => {
        const rng = createRng(`losses/${seed}`);
        const cluster = new Cluster({
          nodes,
          seed: `${seed}`,
          config: (config) => ({ ...config, gossip: { ...config.gossip, mode } }),
        });
        cluster.run(1000);
        cluster.loses = ({ from, to, effect }) =>
          (cut && from % 2 !== to % 2) || (effect.plane !== "swim" && rng.below(100) < loss);
        for (let i = 0; i < writes; i++) {
          cluster.put(rng.below(nodes), `k${rng.below(10)}`);
          cluster.run(rng.below(100));
          if (rng.below(10) === 0) cluster.node(rng.below(nodes)).store.checkpoint();
        }
        cluster.heal();
        for (let i = 0; i < 120 && !cluster.agrees; i++) cluster.run(500);
        expect(cluster.agrees).toBe(true);
        // And then it is quiet.
        cluster.run(20_000);
        const since = cluster.sent.length;
        cluster.run(20_000);
        const loud = cluster.sent.slice(since).filter(({ effect }) => effect.kind !== "syncDigest");
        expect(loud.map(({ effect }) => effect.kind)).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
});

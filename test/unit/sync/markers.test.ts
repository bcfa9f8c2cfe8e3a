/** Markers between whole replicas: a node never claims to hold what its state does not contain. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { ActorId } from "../../../core/base/ids.ts";
import type { Chunk } from "../../../core/node/store.ts";
import { createRng } from "../../../sim/rng.ts";
import { MemoryStore } from "../../../sim/store/memory-store.ts";
import { actorOf, Cluster, type ClusterNode, schema, startMs } from "../node/cluster.ts";

/** Every version that was ever committed, with its content. */
class History {
  readonly #chunks = new Map<string, readonly Chunk[]>();

  record(node: ClusterNode): void {
    const own = node.identity.actor;
    const head = node.store.holdings().find(({ actor }) => actor === own)?.head ?? 0;
    const wants = [{ actor: own, from: head, to: head }];
    const { chunks } = node.store.serve(wants, Number.MAX_SAFE_INTEGER);
    this.#chunks.set(`${own}/${head}`, chunks);
  }

  /** The state of a store that got the full content of all that `node` holds. */
  stateOf(node: ClusterNode): string {
    const store = new MemoryStore({ actor: actorOf(9), schema });
    for (const { actor, head, gaps, partial } of node.replica.ledger.holdings()) {
      for (let v = 1; v <= head; v++) {
        if (gaps.some(([from, to]) => v >= from && v <= to)) continue;
        if (partial.some(({ version }) => version === v)) continue;
        store.receive(startMs, this.#chunks.get(`${actor}/${v}`) ?? [], []);
      }
    }
    return store.summary().hash;
  }
}

function put(cluster: Cluster, history: History, n: number, key: string, value: string): void {
  cluster.put(n, key, value);
  history.record(cluster.node(n));
}

function expectHonest(cluster: Cluster, history: History): void {
  for (const node of cluster.nodes) {
    expect(`n${node.n} ${node.store.summary().hash}`).toBe(`n${node.n} ${history.stateOf(node)}`);
  }
}

function heldOf(cluster: Cluster, n: number, actor: ActorId): readonly (readonly number[])[] {
  return cluster.node(n).replica.ledger.get(actor)?.held.ranges() ?? [];
}

/** Runs in small steps, and looks after each. */
function runHonest(cluster: Cluster, history: History, forMs: number): void {
  for (let ms = 0; ms < forMs; ms += 5) {
    cluster.run(5);
    expectHonest(cluster, history);
  }
}

describe("markers", () => {
  test("SY08: overwritten versions become held together with what overwrote them", () => {
    const cluster = new Cluster({ nodes: 2 });
    const history = new History();
    cluster.run(1000);
    cluster.cut([0], [1]);
    for (let i = 1; i <= 50; i++) put(cluster, history, 0, "a", `v${i}`);
    put(cluster, history, 0, "b", "x");
    cluster.node(0).store.checkpoint();
    cluster.run(1000);
    cluster.heal();
    const since = cluster.sent.length;
    runHonest(cluster, history, 3000);
    expect(cluster.agrees).toBe(true);
    expect(heldOf(cluster, 1, actorOf(0))).toEqual([[1, 51]]);
    // Two contents came; the other 49 versions as markers.
    const bytes = cluster
      .sentOf("syncChunks", since)
      .reduce((n, s) => n + s.effect.bytes.length, 0);
    expect(bytes).toBeLessThan(200);
  });

  test("SY08: markers wait while what overwrote them is on its way from somebody else", () => {
    const cluster = new Cluster({ nodes: 3 });
    const history = new History();
    cluster.run(1000);
    cluster.cut([0, 1], [2]);
    put(cluster, history, 0, "a", "old");
    cluster.run(100);
    put(cluster, history, 1, "a", "new");
    cluster.run(100);
    cluster.node(0).store.checkpoint();
    // Node 2 gets node 0's marker, but no content from anybody.
    cluster.loses = ({ to, effect }) =>
      effect.plane === "gossip" || (to === 2 && effect.kind === "syncChunks");
    runHonest(cluster, history, 4000);
    expect(heldOf(cluster, 2, actorOf(0))).toEqual([]);
    cluster.loses = ({ effect }) => effect.plane === "gossip";
    runHonest(cluster, history, 10_000);
    expect(cluster.agrees).toBe(true);
    expect(heldOf(cluster, 2, actorOf(0))).toEqual([[1, 1]]);
  });

  test("SY10: the peer dies midway; what it had overwritten is fetched from another, content and all", () => {
    const cluster = new Cluster({ nodes: 3 });
    const history = new History();
    cluster.run(1000);
    cluster.cut([2], [0, 1]);
    put(cluster, history, 0, "a", "1");
    put(cluster, history, 0, "b", "1");
    cluster.run(200);
    expect(cluster.states()[0]).toBe(cluster.states()[1]);
    // Only node 0 has what overwrites its first version.
    cluster.cut([0], [1, 2]);
    put(cluster, history, 0, "a", "2");
    cluster.node(0).store.checkpoint();
    cluster.run(100);
    // Node 2 gets the marker from node 0 and then loses it for ever.
    cluster.loses = ({ from, to, effect }) =>
      effect.plane === "gossip" ||
      from === 1 ||
      to === 1 ||
      (from === 0 && effect.kind === "syncChunks");
    runHonest(cluster, history, 3000);
    cluster.node(0).down = true;
    cluster.loses = ({ effect }) => effect.plane === "gossip";
    runHonest(cluster, history, 15_000);
    expect(cluster.states()[0]).toBe(cluster.states()[1]);
    expect(heldOf(cluster, 2, actorOf(0))).toEqual([[1, 2]]);
  });

  const action = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ type: fc.constant("put" as const), n: fc.nat(2), key: fc.nat(2) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ type: fc.constant("checkpoint" as const), n: fc.nat(2) }),
    },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("cut" as const), n: fc.nat(2) }) },
    { weight: 3, arbitrary: fc.constant({ type: "mute" as const }) },
    { weight: 1, arbitrary: fc.constant({ type: "heal" as const }) },
    { weight: 4, arbitrary: fc.record({ type: fc.constant("run" as const), ms: fc.nat(2500) }) },
  );

  test("SY08, SY09, SY10: whatever is written, overwritten, cut and healed, no node claims more than its state holds", () => {
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 20, maxLength: 60 }),
        fc.nat(1e6),
        (actions, seed) => {
          const cluster = new Cluster({ nodes: 3, seed: `markers/${seed}` });
          const history = new History();
          const losses = createRng(`losses/${seed}`);
          let value = 0;
          for (const a of actions) {
            if (a.type === "put") put(cluster, history, a.n, `k${a.key}`, `${value++}`);
            else if (a.type === "checkpoint") cluster.node(a.n).store.checkpoint();
            else if (a.type === "cut") {
              cluster.cut(
                [a.n],
                [0, 1, 2].filter((n) => n !== a.n),
              );
            } else if (a.type === "heal") cluster.heal();
            else if (a.type === "mute") {
              // Markers come, contents seldom do.
              cluster.loses = ({ effect }) =>
                effect.plane === "gossip" || (effect.kind === "syncChunks" && losses.below(4) > 0);
            } else {
              for (let ms = 0; ms < a.ms; ms += 50) {
                cluster.run(50);
                expectHonest(cluster, history);
              }
            }
          }
          cluster.heal();
          for (let i = 0; i < 60 && !cluster.agrees; i++) {
            cluster.run(1000);
            expectHonest(cluster, history);
          }
          expect(cluster.agrees).toBe(true);
        },
      ),
      { numRuns: 80 },
    );
  });
});

/** Equal holdings with unequal rows: found, told, located, mended, and never imagined. */
import { describe, expect, test } from "vitest";
import type { Notice } from "../../../core/node/event.ts";
import type { RowState } from "../../../core/node/store.ts";
import { encodeRepair } from "../../../core/wire/repair-messages.ts";
import { encodeDigest } from "../../../core/wire/sync-messages.ts";
import { MemoryStore } from "../../../sim/store/memory-store.ts";
import { actorOf, Cluster, identityOf, schema, startMs } from "../node/cluster.ts";

const everything = new Uint8Array(0);

/** A row as somebody wrote it whose versions nobody knows: what a corrupt page might hold. */
function strayRow(key: string): readonly RowState[] {
  const store = new MemoryStore({ actor: actorOf(5), schema });
  store.commit(startMs + 3_600_000, [["insert", "kv", { k: key, v: "stray" }]]);
  return store.readRows("kv", everything, everything, 1e6).rows;
}

/** Changes a node's rows behind the books' back, and lets it notice at its next commit. */
function corrupt(cluster: Cluster, n: number, ...keys: string[]): void {
  for (const key of keys) cluster.node(n).store.mergeRows(startMs, strayRow(key));
}

function divergences(cluster: Cluster): Extract<Notice, { type: "divergence" }>[] {
  return cluster.nodes.flatMap(({ n }) => cluster.notices(n, "divergence"));
}

function repairs(cluster: Cluster): Extract<Notice, { type: "repaired" }>[] {
  return cluster.nodes.flatMap(({ n }) => cluster.notices(n, "repaired"));
}

function filled(nodes: number, rows: number): Cluster {
  const cluster = new Cluster({ nodes });
  cluster.run(1000);
  for (let i = 0; i < rows; i++) cluster.put(i % nodes, `k${String(i).padStart(5, "0")}`);
  cluster.run(5000);
  expect(cluster.agrees).toBe(true);
  return cluster;
}

describe("repair", () => {
  test("SY15: a row that differs is told, found and mended, and the mending is told", () => {
    const cluster = filled(2, 300);
    corrupt(cluster, 0, "k00123");
    cluster.put(0, "z");
    cluster.run(20_000);
    expect(cluster.agrees).toBe(true);
    expect(divergences(cluster).every(({ table }) => table === "kv")).toBe(true);
    expect(divergences(cluster).length).toBeGreaterThan(0);
    expect(repairs(cluster).reduce((sum, { rows }) => sum + rows, 0)).toBe(1);
  });

  test("SY15: only ranges that differ are looked into, and few rows travel", () => {
    const cluster = filled(2, 3000);
    corrupt(cluster, 0, "k00007", "k02991");
    cluster.put(0, "z");
    const since = cluster.sent.length;
    cluster.run(20_000);
    expect(cluster.agrees).toBe(true);
    const bytes = cluster
      .sentOf("rowStates", since)
      .reduce((sum, { effect }) => sum + effect.bytes.length, 0);
    expect(bytes).toBeGreaterThan(0);
    expect(bytes).toBeLessThan(4 * 64 * 200);
  });

  test("SY15: rows in excess on either side, at both ends of the table, and in an empty table", () => {
    const cluster = filled(2, 100);
    corrupt(cluster, 0, "a-first", "k00050x");
    corrupt(cluster, 1, "zz-last", "k00020x");
    cluster.put(0, "y");
    cluster.put(1, "y");
    cluster.run(30_000);
    expect(cluster.agrees).toBe(true);
    expect(cluster.node(1).store.summary().rows).toBe(105);
    const empty = new Cluster({ nodes: 2 });
    empty.put(0, "a");
    empty.commit(0, ["delete", "kv", { k: "a" }]);
    empty.run(3000);
    corrupt(empty, 1, "b");
    empty.commit(1, ["insert", "kv", { k: "c" }]);
    empty.commit(1, ["delete", "kv", { k: "c" }]);
    empty.run(20_000);
    expect(empty.agrees).toBe(true);
    expect(empty.node(0).store.summary().rows).toBe(1);
  });

  test("SY15: a divergence in a cluster is mended everywhere", () => {
    const cluster = filled(5, 200);
    corrupt(cluster, 3, "k00100", "new");
    cluster.put(3, "z");
    cluster.run(60_000);
    expect(cluster.agrees).toBe(true);
  });

  test("SY15: nothing is compared between unequal schemas or while versions are quarantined", () => {
    const cluster = filled(2, 10);
    const { hash } = cluster.node(0).replica.ledger;
    const digest = {
      holdings: { ...hash },
      state: { hi: 1, lo: 2 },
      schema: { hi: 0, lo: 0 },
      quarantined: false,
      reply: false,
      news: false,
    };
    const from = identityOf(1).address;
    const since = cluster.sent.length;
    const tell = (changed: Partial<typeof digest>): number => {
      const bytes = encodeDigest({ ...digest, ...changed });
      cluster.handle(0, { type: "message", from, plane: "sync", bytes });
      cluster.run(0);
      return cluster.sentOf("rangeDigest", since).length;
    };
    expect(tell({ schema: { hi: 3, lo: 4 } })).toBe(0);
    expect(tell({ quarantined: true })).toBe(0);
    expect(tell({})).toBe(1);
  });

  test("SY16: a digest of another moment raises no alarm", () => {
    const cluster = filled(2, 50);
    // What looks like equal holdings with another state: the peer is asked, and agrees.
    const bytes = encodeDigest({
      holdings: { ...cluster.node(0).replica.ledger.hash },
      state: { hi: 1, lo: 2 },
      schema: { hi: 0, lo: 0 },
      quarantined: false,
      reply: false,
      news: false,
    });
    const from = identityOf(1).address;
    cluster.handle(0, { type: "message", from, plane: "sync", bytes });
    cluster.run(5000);
    expect(divergences(cluster)).toEqual([]);
  });

  test("SY16: while writes go on there is no false alarm, and a repair is put off rather than wrong", () => {
    const cluster = new Cluster({ nodes: 3 });
    cluster.run(1000);
    for (let i = 0; i < 600; i++) {
      cluster.put(i % 3, `k${i % 40}`);
      cluster.run(7);
      if (i % 100 === 50) cluster.node(i % 3).store.checkpoint();
    }
    cluster.run(10_000);
    expect(cluster.agrees).toBe(true);
    expect(divergences(cluster)).toEqual([]);
    expect(cluster.sentOf("rangeDigest")).toEqual([]);
  });

  test("SY16: comparisons made void by a write are repeated, and rows are not merged ahead of the books", () => {
    const cluster = filled(2, 500);
    corrupt(cluster, 0, "k00123");
    cluster.put(0, "z");
    // A write in the middle of each step, for a while.
    for (let i = 0; i < 400; i++) {
      cluster.run(13);
      cluster.put(i % 2, `w${i % 10}`);
    }
    cluster.run(60_000);
    expect(cluster.agrees).toBe(true);
    expect(divergences(cluster).every(({ table }) => table === "kv")).toBe(true);
  });

  test("SY16: rows from somebody who holds more than this node are not merged", () => {
    const cluster = filled(2, 10);
    const node = cluster.node(0);
    const from = identityOf(1).address;
    const before = node.store.summary().hash;
    const step = { token: 9, holdings: { hi: 77, lo: 78 } };
    const start = encodeRepair({ type: "tableDigests", ...step, digests: [] });
    cluster.handle(0, { type: "message", from, plane: "sync", bytes: start });
    cluster.run(0);
    const since = cluster.sent.length;
    const rows = encodeRepair({
      type: "rows",
      ...step,
      answer: false,
      table: "kv",
      from: everything,
      to: everything,
      rows: strayRow("k00001"),
    });
    cluster.handle(0, { type: "message", from, plane: "sync", bytes: rows });
    cluster.run(0);
    expect(node.store.summary().hash).toBe(before);
    expect(cluster.sentOf("rowStates", since)).toHaveLength(1);
  });

  test("SY18: steps of a repair that nobody began are rejected", () => {
    const cluster = filled(2, 3);
    const from = identityOf(1).address;
    const holdings = { hi: 0, lo: 0 };
    const messages = [
      encodeRepair({ type: "tablesDiffer", token: 1, holdings, comparable: true, tables: ["kv"] }),
      encodeRepair({ type: "rangesDiffer", token: 1, holdings, comparable: true, ranges: [0] }),
      encodeRepair({
        type: "rangeDigests",
        token: 1,
        holdings,
        table: "kv",
        to: everything,
        ranges: [],
      }),
      encodeRepair({
        type: "rows",
        token: 1,
        holdings,
        answer: true,
        table: "kv",
        from: everything,
        to: everything,
        rows: [],
      }),
    ];
    for (const bytes of messages) {
      cluster.handle(0, { type: "message", from, plane: "sync", bytes });
    }
    expect(cluster.notices(0, "rejected")).toHaveLength(messages.length);
    expect(divergences(cluster)).toEqual([]);
  });

  test("SY15: a repair whose peer falls silent, or whose store fails, ends and is begun again later", () => {
    const cluster = filled(2, 50);
    corrupt(cluster, 0, "k00011");
    cluster.put(0, "z");
    cluster.loses = ({ effect }) => effect.kind === "rangeDigest";
    cluster.run(30_000);
    expect(cluster.agrees).toBe(false);
    cluster.heal();
    cluster.node(0).storeFails = true;
    cluster.run(20_000);
    cluster.node(0).storeFails = false;
    cluster.run(120_000);
    expect(cluster.agrees).toBe(true);
  });
});

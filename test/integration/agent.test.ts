/** Nodes as processes on loopback: they replicate, survive kills, and stop in order. */
import { describe, expect, test } from "vitest";
import { plannedCluster, startedCluster } from "./node-process.ts";

describe("a cluster of three", () => {
  test("what one node commits is on all, and what a killed node missed comes when it is back", async () => {
    const cluster = await startedCluster();
    const [a, b] = [cluster.node(0), cluster.node(1)];
    const first = await a.transact([["INSERT INTO kv VALUES (?, ?)", ["a", "1"]]], "?wait=all");
    expect(first).toMatchObject({ version: 1, peers: { wanted: 2, applied: 2 } });
    expect(await b.rows("SELECT k, v FROM kv")).toEqual([["a", "1"]]);

    await cluster.node(2).end("SIGKILL");
    for (let i = 0; i < 20; i++) await b.transact([["INSERT INTO kv VALUES (?, 'x')", [`b${i}`]]]);
    await cluster.start(2);
    await cluster.agree();
    expect(await cluster.node(2).rows("SELECT count(*) FROM kv")).toEqual([[21]]);

    const ended = await cluster.node(1).end("SIGTERM");
    expect(ended).toEqual({ code: 0, signal: null });
    const { members } = await a.get<{ members: { left: number } }>("/v1/status");
    expect(members.left).toBe(1);
  });
});

describe("one node", () => {
  test("a statement that overstays its time is cut off, and what waited beside it is done", async () => {
    const cluster = await plannedCluster({ nodes: 1 });
    const node = await cluster.start(0);
    const endless =
      "INSERT INTO kv SELECT 'never', max(x) FROM (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c)";
    const slow = node.post("/v1/transactions?timeout=1", [endless]);
    const others = Array.from({ length: 5 }, (_, i) =>
      node.transact([["INSERT INTO kv VALUES (?, 'y')", [`o${i}`]]]),
    );
    expect((await slow).status).toBe(504);
    const answers = await Promise.all(others);
    expect(answers.map(({ version }) => Number(version)).sort((x, y) => x - y)).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(await node.rows("SELECT count(*) FROM kv")).toEqual([[5]]);
  });
});

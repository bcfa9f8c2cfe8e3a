/** The API in front of real nodes: what only several of them, their processes and their readers can show. */
import { describe, expect, test } from "vitest";
import { PatinaClient } from "../../../runtime/client/client.ts";
import { startedCluster } from "../node-process.ts";
import { Lines, open } from "./open-stream.ts";

const endless =
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i, printf('%1000d', i) FROM n";

describe("real nodes", () => {
  test("what one node commits is read at another, waited for on either side, and seen in both traces", async () => {
    const cluster = await startedCluster({ nodes: 2 });
    const [a, b] = [cluster.node(0), cluster.node(1)];
    const traces = await Promise.all(
      [a, b].map(
        async ({ api }) =>
          new Lines(await open({ address: api.replace("http://", "") }, "GET", "/v1/trace")),
      ),
    );
    const headers = await Promise.all(traces.map((trace) => trace.next()));
    for (const [i, header] of headers.entries()) {
      expect(header).toMatchObject({ trace: 1, source: "live" });
      const nodes = header?.["nodes"] as { n: number; name: string; actor: string }[];
      expect(nodes.map(({ n, name }) => [n, name])).toEqual([
        [0, `n${i}`],
        [1, `n${1 - i}`],
      ]);
      expect(nodes.map(({ actor }) => actor)).toEqual(
        i === 0 ? [a.actorId, b.actorId] : [b.actorId, a.actorId],
      );
    }
    const writer = new PatinaClient({ address: a.api });
    const reader = new PatinaClient({ address: b.api });
    const done = await writer.transact([["INSERT INTO kv VALUES (?, ?)", ["k", "v"]]], {
      wait: "all",
      waitTimeout: 20,
    });
    expect(done).toMatchObject({
      version: 1,
      actor_id: a.actorId,
      peers: { wanted: 1, applied: 1 },
    });
    const { version, actor_id } = await writer.transact(["UPDATE kv SET v = 'w'"]);
    const rows = await reader.query("SELECT v FROM kv", {
      minVersion: { actor_id, version: version ?? 0 },
      timeout: 20,
    });
    expect(await rows.all()).toEqual([["w"]]);
    const [ours, theirs] = traces as [Lines, Lines];
    expect(await lineOf(ours, "commit")).toMatchObject({
      n: 0,
      actor: a.actorId,
      version: 1,
      changes: [["kv", ["k"], 1, [["v", "v"]]]],
    });
    expect(await lineOf(theirs, "apply")).toMatchObject({
      n: 0,
      actor: a.actorId,
      version: 1,
      won: 1,
      lost: 0,
    });
    await checkOrder(theirs);
    for (const trace of traces) trace.stop();
    writer.close();
    reader.close();
  });

  test("clients that do not read hold up neither other queries nor writes, and leave no reader behind", async () => {
    const cluster = await startedCluster({ nodes: 1 });
    const { api } = cluster.node(0);
    const client = new PatinaClient({ address: api });
    const slow = await Promise.all(
      Array.from({ length: 6 }, () =>
        open(
          { address: api.replace("http://", "") },
          "POST",
          "/v1/queries?timeout=0",
          JSON.stringify(endless),
        ),
      ),
    );
    for (let i = 0; i < 20; i++) {
      await client.transact([["INSERT INTO kv VALUES (?, 1)", [`${i}`]]]);
      const rows = await client.query("SELECT count(*) FROM kv", { timeout: 20 });
      expect(await rows.all()).toEqual([[i + 1]]);
    }
    for (const response of slow) response.destroy();
    for (;;) {
      const { queues } = await client.status();
      const open_ = queues.find(({ name }) => name === "queries");
      if (open_ === undefined || open_.size === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    client.close();
  });

  test("a transaction that is sent again after a kill is answered as the first time", async () => {
    const cluster = await startedCluster({ nodes: 1 });
    const send = async () => {
      const client = new PatinaClient({ address: cluster.node(0).api });
      const done = await client.transact(["INSERT INTO kv VALUES ('once', 1)"], {
        idempotencyKey: "once",
      });
      client.close();
      return done;
    };
    const first = await send();
    await cluster.node(0).end("SIGKILL");
    await cluster.start(0);
    const { time, ...told } = first;
    expect(await send()).toEqual({ ...told, time: expect.any(Number) });
    expect(time).toBeGreaterThan(0);
    expect(await cluster.node(0).rows("SELECT count(*) FROM kv")).toEqual([[1]]);
  });
});

async function lineOf(trace: Lines, kind: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = await trace.next();
    if (line === null) throw new Error(`the trace ended before a ${kind}`);
    if (line["k"] === kind) return line;
  }
}

/** What a reader may rely on: time does not go back, and a message is sent before it arrives. */
async function checkOrder(trace: Lines): Promise<void> {
  const sent = new Set<unknown>();
  let before = 0;
  let received = 0;
  while (received < 5) {
    const line = await trace.next();
    if (line === null) throw new Error("the trace ended");
    const { t, k, m } = line as { t: number; k: string; m: number };
    expect(t).toBeGreaterThanOrEqual(before);
    before = t;
    if (k === "send") sent.add(m);
    if (k !== "recv") continue;
    expect(sent.has(m)).toBe(true);
    received++;
  }
}

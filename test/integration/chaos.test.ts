/**
 * Clusters of five and ten under what machines and networks do to them. At the end of each test every
 * write that was acknowledged is on every node, and their digests agree. For longer: `npm run soak`.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { Load, loadSchema } from "../chaos/load.ts";
import { Namespaces, whyNoNamespaces, whyNoNetem } from "../chaos/namespaces.ts";
import type { BadNetwork } from "../chaos/network.ts";
import { SlowReader } from "../chaos/slow-reader.ts";
import { UdpNetwork } from "../chaos/udp-network.ts";
import type { NodeProcess } from "../../runtime/cluster/node-process.ts";
import { plannedCluster, startedCluster, type TestCluster } from "./node-process.ts";

/** The pause of a stopped process, in seconds; for a whole minute: PATINA_TEST_PAUSE=60. */
const pauseSeconds = Number(process.env["PATINA_TEST_PAUSE"] ?? "3");
/** The client that does not read does so for this long: after 30 s the node would cut it off. */
const patientMs = 10_000;

function loadOn(cluster: TestCluster): Load {
  const nodes = cluster.plans.map((_, i) => cluster.at(i));
  const load = new Load({ nodes, pauseMs: 20 });
  onTestFinished(() => load.stop());
  return load;
}

async function aliveOf(node: NodeProcess): Promise<number> {
  const { members } = await node.get<{ members: { alive: number } }>("/v1/status");
  return members.alive;
}

async function tcpConnectionsOf(cluster: TestCluster): Promise<number[]> {
  const metrics = await Promise.all(cluster.nodes.map(({ api }) => fetch(`${api}/metrics`)));
  const texts = await Promise.all(metrics.map((answer) => answer.text()));
  return texts.map((text) => Number(/^patina_transport_tcp_connections (\d+)/m.exec(text)?.[1]));
}

/** @returns how many writes were acknowledged, all of which are everywhere. */
async function allIsWell(cluster: TestCluster, load: Load): Promise<number> {
  await load.stop();
  expect(load.wrong).toBeNull();
  await cluster.agree(120_000);
  expect(cluster.nodes).toHaveLength(cluster.plans.length);
  for (const node of cluster.nodes) expect(await load.missingOn(node)).toBeNull();
  return load.acknowledged;
}

/** Writes on both sides of a cut that lasts some seconds, then bad weather, then neither. */
async function cutAndStorm(cluster: TestCluster, network: BadNetwork): Promise<Load> {
  const load = loadOn(cluster);
  await sleep(500);
  const half = Math.ceil(cluster.plans.length / 2);
  const all = cluster.plans.map((_, i) => i);
  network.cut([all.slice(0, half), all.slice(half)]);
  const [before, key] = [load.acknowledged, "across"];
  const insert = ["INSERT INTO kept VALUES (?, 0)", [key]];
  await cluster.node(0).transact([insert]);
  await sleep(4000);
  expect(load.acknowledged).toBeGreaterThan(before);
  const last = cluster.node(cluster.plans.length - 1);
  const seen = (): Promise<unknown> => last.rows(["SELECT count(*) FROM kept WHERE k = ?", [key]]);
  expect(await seen()).toEqual([[0]]);
  network.heal();
  network.weather({ loss: 0.15, delayMs: [0, 40] });
  await sleep(2000);
  await expect.poll(seen, { timeout: 60_000 }).toEqual([[1]]);
  network.heal();
  return load;
}

describe("five nodes", () => {
  test("behind proxies that cut, drop and delay: both sides go on, and come together", async () => {
    const network = await UdpNetwork.open(5, "suite");
    const cluster = await startedCluster({ nodes: 5, schema: loadSchema, network });
    const load = await cutAndStorm(cluster, network);
    expect(await allIsWell(cluster, load)).toBeGreaterThan(50);
    expect(network.dropped).toBeGreaterThan(100);
  }, 300_000);
});

const noNamespaces = whyNoNamespaces();

describe(`network namespaces${noNamespaces === null ? "" : ` (skipped: ${noNamespaces})`}`, () => {
  const here = test.skipIf(noNamespaces !== null);

  here(
    "a switch that comes apart, and a node from which no UDP passes: all come together",
    async () => {
      const network = new Namespaces(3);
      network.blockUdp(1);
      const cluster = await startedCluster({ nodes: 3, schema: loadSchema, network });
      const load = await cutAndStorm(cluster, network);
      expect(await allIsWell(cluster, load)).toBeGreaterThan(30);
      // The others reach it by TCP, and each other by QUIC.
      await expect.poll(() => tcpConnectionsOf(cluster), { timeout: 60_000 }).toEqual([1, 2, 1]);
    },
    300_000,
  );

  const noNetem = noNamespaces ?? whyNoNetem();
  test.skipIf(noNetem !== null)(
    `netem loses and delays packets${noNetem === null ? "" : ` (skipped: ${noNetem})`}`,
    async () => {
      const network = new Namespaces(3);
      const cluster = await startedCluster({ nodes: 3, schema: loadSchema, network });
      network.weather({ loss: 0.2, delayMs: [5, 50] });
      const load = loadOn(cluster);
      await sleep(5000);
      network.heal();
      expect(await allIsWell(cluster, load)).toBeGreaterThan(30);
    },
    300_000,
  );

  here(
    "a name that means another machine than at the start is looked up again",
    async () => {
      const network = new Namespaces(2);
      const cluster = await plannedCluster({ nodes: 2, schema: loadSchema, network });
      const port = cluster.plans[0]?.gossip.split(":")[1];
      network.hosts(1, "127.0.0.1 localhost\n");
      const alone = await cluster.start(1, ["--set", `gossip.bootstrap=seed.patina.test:${port}`]);
      expect(await aliveOf(alone)).toBe(1);
      expect(cluster.log(1)).toContain("a bootstrap name cannot be looked up");
      // The other knows nobody: it has to be found.
      await cluster.start(0, ["--set", "gossip.bootstrap="]);
      network.hosts(1, `${network.place(0).gossip} seed.patina.test\n`);
      await expect.poll(() => aliveOf(alone), { timeout: 60_000 }).toBe(2);
      await alone.transact([["INSERT INTO kept VALUES ('a', 1)", []]], "?wait=1");
      expect(await cluster.node(0).rows("SELECT k FROM kept")).toEqual([["a"]]);
    },
    300_000,
  );
});

describe("ten nodes", () => {
  test(`stopped processes, a restart storm and a client that does not read (pause ${pauseSeconds} s)`, async () => {
    const cluster = await startedCluster({ nodes: 10, schema: loadSchema });
    const load = loadOn(cluster);
    const big =
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 300000) SELECT x, hex(randomblob(40)) FROM c";
    const reader = await SlowReader.begin(cluster.node(3), big);
    const paused = [cluster.node(8), cluster.node(9)];
    for (const node of paused) node.poke("SIGSTOP");
    const stormed = [0, 1, 2];
    for (let round = 0; round < 2; round++) {
      await Promise.all(stormed.map((i) => cluster.node(i).end("SIGKILL")));
      await Promise.all(stormed.map((i) => cluster.start(i)));
    }
    const restMs = Math.max(0, pauseSeconds - 2) * 1000;
    await sleep(Math.min(restMs, patientMs));
    // The node has gone on beside the client that did not read, which gets its whole answer.
    const answer = await reader.readAll();
    await sleep(Math.max(0, restMs - patientMs));
    for (const node of paused) node.poke("SIGCONT");
    expect(answer.match(/"row":/g)).toHaveLength(300_000);
    expect(answer).toContain('"eoq"');
    expect(await allIsWell(cluster, load)).toBeGreaterThan(30);
    for (const node of cluster.nodes) {
      await expect.poll(() => aliveOf(node), { timeout: 60_000 }).toBe(10);
    }
  }, 400_000);
});

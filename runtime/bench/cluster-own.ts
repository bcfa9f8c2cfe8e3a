/** What needs nodes of one's own to start and stop: clusters on loopback, catching up, joining, idling. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type NodePlan, writeCluster } from "../cluster/cluster-files.ts";
import { NodeProcess } from "../cluster/node-process.ts";
import type { TransportKind, TransportTls } from "../net/transport.ts";
import { benchSchema } from "./cluster-driver.ts";
import { cpuOfTree, memoryOf, type ProcessUse, useOf } from "./process-use.ts";

/** Starting all at once would only make them wait for one another's start. */
const startsAtOnce = 4;
const joinTimeoutMs = 120_000;

export class OwnCluster {
  readonly #dir: string;
  readonly #plans: readonly NodePlan[];
  readonly nodes: (NodeProcess | null)[];
  readonly transport: TransportKind;

  private constructor(dir: string, plans: readonly NodePlan[], transport: TransportKind) {
    this.#dir = dir;
    this.#plans = plans;
    this.transport = transport;
    this.nodes = plans.map(() => null);
  }

  static async make(
    parent: string,
    count: number,
    sign: boolean,
    transport: TransportKind = "auto",
  ): Promise<OwnCluster> {
    mkdirSync(parent, { recursive: true });
    const dir = mkdtempSync(join(parent, "patina-cluster-"));
    const names = Array.from({ length: count }, (_, i) => `n${i}`);
    const settings = {
      "db.synchronous": "normal",
      "log.level": "warn",
      "gossip.sign": sign,
      "gossip.transport": transport,
    };
    const plans = await writeCluster({ dir, names, schema: benchSchema, settings });
    return new OwnCluster(dir, plans, transport);
  }

  get urls(): readonly string[] {
    return this.nodes.flatMap((node) => (node === null ? [] : [node.api]));
  }

  node(i: number): NodeProcess {
    const node = this.nodes[i];
    if (node === undefined || node === null) throw new Error(`node ${i} does not run`);
    return node;
  }

  /** What node `i` is to others: its address, and the certificate for it. */
  identity(i: number): { readonly gossip: string; readonly tls: TransportTls } {
    const { name, gossip } = this.#plans[i] as NodePlan;
    const file = (of: string): string => readFileSync(join(this.#dir, of), "utf8");
    const tls = { ca: file("ca.pem"), cert: file(`${name}.pem`), key: file(`${name}.key`) };
    return { gossip, tls };
  }

  async start(i: number): Promise<NodeProcess> {
    const { name, configFile } = this.#plans[i] as NodePlan;
    const logFile = join(this.#dir, `${name}.log`);
    const node = await NodeProcess.start({ name, configFile, logFile });
    this.nodes[i] = node;
    return node;
  }

  /** Nodes `from` to `to` − 1, until each knows so many members. */
  async startAll(from = 0, to = this.#plans.length): Promise<void> {
    for (let i = from; i < to; i += startsAtOnce) {
      const batch = Array.from({ length: Math.min(startsAtOnce, to - i) }, (_, n) => i + n);
      await Promise.all(batch.map((n) => this.start(n)));
    }
    const running = this.nodes.filter((node) => node !== null);
    const untilMs = performance.now() + joinTimeoutMs;
    for (const node of running) {
      for (;;) {
        const { members } = await node.get<{ members: { alive: number } }>("/v1/status");
        if (members.alive >= running.length) break;
        if (performance.now() > untilMs) throw new Error(`${node.name} knows ${members.alive}`);
        await sleep(100);
      }
    }
  }

  async stop(i: number): Promise<void> {
    await this.node(i).end("SIGTERM");
    this.nodes[i] = null;
  }

  /** Seconds of CPU that all nodes have taken so far. */
  cpu(): number {
    return this.nodes.reduce((sum, node) => sum + (node === null ? 0 : cpuOfTree(node.pid)), 0);
  }

  async stopAll(): Promise<void> {
    const running = this.nodes.filter((node) => node !== null);
    await Promise.all(running.map((node) => node.end("SIGKILL")));
    this.nodes.fill(null);
  }

  async dispose(): Promise<void> {
    await this.stopAll();
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

export interface Caught {
  /** From the start of the process. */
  readonly seconds: number;
  /** From the moment at which it was ready. */
  readonly readySeconds: number;
  readonly peakPssBytes: number;
}

/** Starts node `i` and waits until it holds `rows` rows. */
async function startAndCount(cluster: OwnCluster, i: number, rows: number): Promise<Caught> {
  const begunMs = performance.now();
  const node = await cluster.start(i);
  const readyMs = performance.now();
  let peak = 0;
  for (;;) {
    const { db } = await node.get<{ db: { rows: number } }>("/v1/status");
    peak = Math.max(peak, useOf(node.pid).pssBytes);
    if (db.rows >= rows) break;
    if (performance.now() - begunMs > 600_000) throw new Error(`${db.rows} of ${rows} rows`);
    await sleep(50);
  }
  const nowMs = performance.now();
  return {
    seconds: (nowMs - begunMs) / 1000,
    readySeconds: (nowMs - readyMs) / 1000,
    peakPssBytes: peak,
  };
}

/** A node that was there misses so many one-row versions, and comes back. */
export async function measureCatchUp(cluster: OwnCluster, versions: number): Promise<Caught> {
  await cluster.startAll(0, 3);
  await cluster.stop(2);
  const writer = cluster.node(0);
  let id = 1;
  const write = async (): Promise<void> => {
    while (id <= versions) {
      const mine = id++;
      await writer.transact([["INSERT INTO bench (id, v) VALUES (?, 'some text')", [mine]]]);
    }
  };
  // Many in flight share a commit; each is a version all the same.
  await Promise.all(Array.from({ length: 64 }, write));
  return await startAndCount(cluster, 2, versions);
}

/** A node that has nothing joins a cluster that holds so many rows. */
export async function measureJoin(cluster: OwnCluster, rows: number): Promise<Caught> {
  await cluster.startAll(0, 2);
  const perTransaction = 1000;
  const writer = cluster.node(0);
  for (let from = 0; from < rows; from += perTransaction) {
    const insert =
      "INSERT INTO bench (id, v) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?) SELECT ? + x, 'some text of a row' FROM c";
    const { results } = await writer.transact([[insert, [perTransaction, from]]]);
    if (results[0]?.error !== undefined) throw new Error(results[0].error);
  }
  return await startAndCount(cluster, 2, rows);
}

export interface Idle {
  /** Of one core, a node. */
  readonly cpuPart: number;
  readonly pssBytes: number;
  /** Of all its processes together, and of the main one alone. */
  readonly rssBytes: number;
  readonly mainRssBytes: number;
  readonly processes: number;
}

/** What a start took is given back once it is over for some seconds. */
const settleMs = 20_000;

/** What a node takes while nothing happens, on average over all. */
export async function measureIdle(cluster: OwnCluster, seconds: number): Promise<Idle> {
  const pids = cluster.nodes.flatMap((node) => node?.pid ?? []);
  await sleep(settleMs);
  const before = pids.map(useOf);
  const begunMs = performance.now();
  await sleep(seconds * 1000);
  const after = pids.map(useOf);
  const elapsed = (performance.now() - begunMs) / 1000;
  const sum = (uses: readonly ProcessUse[], of: keyof ProcessUse): number =>
    uses.reduce((total, use) => total + use[of], 0);
  return {
    cpuPart: (sum(after, "cpuSeconds") - sum(before, "cpuSeconds")) / elapsed / pids.length,
    pssBytes: sum(after, "pssBytes") / pids.length,
    rssBytes: sum(after, "rssBytes") / pids.length,
    mainRssBytes: pids.reduce((sum, pid) => sum + memoryOf(pid).rssBytes, 0) / pids.length,
    processes: sum(after, "processes") / pids.length,
  };
}

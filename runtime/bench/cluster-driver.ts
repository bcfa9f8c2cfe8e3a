/**
 * Measures any cluster that speaks Corrosion's API, and knows nothing else of it: what is written
 * through one node is looked for on the others by query, again and again.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LoadConnection, quantile, steadily, throughput } from "./http-load.ts";

/** The table that a cluster has to have. */
export const benchSchema =
  "CREATE TABLE bench (id INTEGER PRIMARY KEY NOT NULL, v TEXT NOT NULL DEFAULT '');";

export interface Figure {
  readonly label: string;
  readonly value: number;
  readonly unit: "ms" | "a second";
  /** What was asked for: at most (ms) or at least (a second). */
  readonly goal?: number;
}

const value = "x".repeat(64);
/**
 * Polls a second, of all nodes together: each adds to what is measured the time until the next, and
 * costs the machine, on which all of them run, as much as a version does.
 */
const pollsPerSecond = (nodes: number): number => (nodes <= 4 ? 1000 : 500);
const settleMs = 10_000;
/** Programs that compile as they run get so much time before anything is counted, whoever they are… */
const warmUpSeconds = 3;
/** …and at least so many versions: what happens rarely is compiled late. */
const warmUpVersions = 600;
const connectionsForWrites = 16;

/** Ids of different runs and phases do not meet. */
let nextId = Date.now() * 1000;
/** Room between phases. */
const idsApart = 1_000_000;

function insert(id: number): string {
  return JSON.stringify([["INSERT INTO bench (id, v) VALUES (?, ?)", [id, value]]]);
}

export interface PropagationPlan {
  readonly urls: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
}

/** From the answer to a commit until a query on another node shows the row; polling adds up to its pause. */
export async function measurePropagation(plan: PropagationPlan): Promise<Figure[]> {
  const { urls, perSecond } = plan;
  const uncounted = Math.max(Math.ceil(perSecond * warmUpSeconds), warmUpVersions);
  const total = uncounted + Math.ceil(perSecond * plan.seconds);
  const [writer, ...others] = urls as [string, ...string[]];
  const firstId = nextId;
  nextId += idsApart;
  const answeredMs: number[] = [];
  const commitMs: number[] = [];
  const seen = others.map(() => new Map<number, number>());
  const polling = { on: true };
  const pauseMs = (1000 * others.length) / pollsPerSecond(others.length);
  const pollers = others.map(async (url, i) => {
    const connection = await LoadConnection.open(url);
    const mine = seen[i] as Map<number, number>;
    let low = firstId;
    while (polling.on) {
      const query = JSON.stringify(["SELECT id FROM bench WHERE id >= ?", [low]]);
      const { status, body } = await connection.post("/v1/queries", query);
      if (status !== 200) throw new Error(`${url}: ${status} ${body}`);
      const nowMs = performance.now();
      for (const [, id] of body.matchAll(/"row":\[\d+,\[(\d+)\]\]/g)) {
        if (!mine.has(Number(id))) mine.set(Number(id), nowMs);
      }
      while (mine.has(low)) low++;
      await sleep(pauseMs);
    }
    connection.close();
  });
  const pool = await Promise.all(
    Array.from({ length: connectionsForWrites }, () => LoadConnection.open(writer)),
  );
  await steadily(perSecond, (total * 1000) / perSecond, async (n) => {
    let connection = pool.pop();
    while (connection === undefined) {
      await sleep(1);
      connection = pool.pop();
    }
    const fromMs = performance.now();
    const { status, body } = await connection.post("/v1/transactions", insert(firstId + n));
    if (status !== 200) throw new Error(`${writer}: ${status} ${body}`);
    answeredMs[n] = performance.now();
    if (n >= uncounted) commitMs.push(performance.now() - fromMs);
    pool.push(connection);
  });
  const untilMs = performance.now() + settleMs;
  while (seen.some((mine) => mine.size < total) && performance.now() < untilMs) await sleep(20);
  polling.on = false;
  await Promise.all(pollers);
  for (const connection of pool) connection.close();
  return propagationFigures(plan, seen, answeredMs, commitMs, { firstId, uncounted });
}

function propagationFigures(
  { urls, perSecond }: PropagationPlan,
  seen: readonly ReadonlyMap<number, number>[],
  answeredMs: readonly number[],
  commitMs: readonly number[],
  { firstId, uncounted }: { readonly firstId: number; readonly uncounted: number },
): Figure[] {
  const delays: number[] = [];
  for (const mine of seen) {
    answeredMs.forEach((atMs, n) => {
      if (n < uncounted) return;
      const seenMs = mine.get(firstId + n);
      // A row may be seen before its commit is answered; one never seen counts as endless.
      delays.push(seenMs === undefined ? Infinity : Math.max(0, seenMs - atMs));
    });
  }
  delays.sort((a, b) => a - b);
  const commits = [...commitMs].sort((a, b) => a - b);
  const what = `${urls.length} nodes, ${perSecond}/s`;
  const [median, p99] = urls.length <= 3 ? [5, 20] : [undefined, 150];
  return [
    {
      label: `${what}: readable elsewhere, median`,
      value: quantile(delays, 0.5),
      unit: "ms",
      ...(median === undefined ? {} : { goal: median }),
    },
    {
      label: `${what}: readable elsewhere, p99`,
      value: quantile(delays, 0.99),
      unit: "ms",
      goal: p99,
    },
    { label: `${what}: commit, median`, value: quantile(commits, 0.5), unit: "ms" },
    { label: `${what}: commit, p99`, value: quantile(commits, 0.99), unit: "ms" },
  ];
}

/** One-row transactions and small queries from so many connections, each as fast as it can. */
export async function measureThroughput(
  url: string,
  connections: number,
  seconds: number,
): Promise<Figure[]> {
  const ms = seconds * 1000;
  const warmUpId = nextId;
  nextId += idsApart;
  const firstId = nextId;
  const warmUp = (n: number): string => insert(warmUpId + n);
  await throughput(url, "/v1/transactions", connections, warmUpSeconds * 1000, warmUp);
  const writes = await throughput(url, "/v1/transactions", connections, ms, (n) => {
    return insert(firstId + n);
  });
  nextId += idsApart;
  const reads = await throughput(url, "/v1/queries", connections, ms, (n) => {
    const id = firstId + (n % writes.latencies.length);
    return JSON.stringify(["SELECT id, v FROM bench WHERE id = ?", [id]]);
  });
  return [
    { label: "one-row transactions", value: writes.perSecond, unit: "a second", goal: 4000 },
    { label: "one-row transactions, p99", value: quantile(writes.latencies, 0.99), unit: "ms" },
    { label: "small queries", value: reads.perSecond, unit: "a second", goal: 10_000 },
    { label: "small queries, p99", value: quantile(reads.latencies, 0.99), unit: "ms" },
  ];
}

/**
 * When others can read what one node commits, of any cluster that speaks Corrosion's API: rows are
 * written through one node at a steady rate, and looked for on the others by query, again and again.
 * Every look costs the machine, on which all of them run, so of many nodes a few are looked at in
 * turns, each often enough to tell milliseconds, and what they take is said beside the result.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Figure, freshIds, insert, warmUpSeconds } from "./cluster-driver.ts";
import { LoadConnection, quantile, steadily } from "./http-load.ts";

/** Nodes looked at together: at each so often, at least, that a look adds a few milliseconds. */
const nodesAtOnce = 3;
/** Looks a second, all together. A few nodes that have the machine for themselves are looked at more often. */
const looksPerSecond = (nodes: number): number => (nodes <= 4 ? 1000 : 400);
/** A node is looked at for what is committed in this time, and then until it has all of that. */
const turnMs = 500;
const settleMs = 10_000;
/** What happens rarely is compiled late: so many versions at least are not counted. */
const warmUpVersions = 600;
const connectionsForWrites = 16;

export interface PropagationPlan {
  readonly urls: readonly string[];
  readonly perSecond: number;
  readonly seconds: number;
  /** CPU seconds that the nodes have taken so far, where that can be told. */
  readonly nodesCpu?: () => number;
}

/** What the writer has done so far. */
interface Written {
  readonly firstId: number;
  /** Versions below this are the warm-up. */
  readonly uncounted: number;
  begun: number;
  /** By version: when its commit was answered. */
  readonly answeredMs: number[];
  over: boolean;
}

interface Looks {
  count: number;
  /** From the answer to a commit until it was seen, of those looked for; a row that never came counts as endless. */
  readonly delays: number[];
}

/** From the answer to a commit until a query on another node shows the row. */
export async function measurePropagation(plan: PropagationPlan): Promise<Figure[]> {
  const { urls, perSecond, seconds } = plan;
  const uncounted = Math.max(Math.ceil(perSecond * warmUpSeconds), warmUpVersions);
  const [writer, ...others] = urls as [string, ...string[]];
  const written: Written = {
    firstId: freshIds(),
    uncounted,
    begun: 0,
    answeredMs: [],
    over: false,
  };
  const looks: Looks = { count: 0, delays: [] };
  const readers = await Promise.all(others.map((url) => LoadConnection.open(url)));
  const atOnce = Math.min(nodesAtOnce, readers.length);
  const pauseMs = (1000 * atOnce) / looksPerSecond(others.length);
  // A connection carries one request at a time: a node that is looked at is not in this list.
  const free = [...readers];
  const turns = Array.from({ length: atOnce }, async () => {
    while (!written.over) {
      const reader = free.shift() as LoadConnection;
      await turn(reader, pauseMs, written, looks);
      free.push(reader);
    }
  });
  const commitMs: number[] = [];
  const cost = { driver: process.cpuUsage(), nodes: 0, looks: 0 };
  const pool = await Promise.all(
    Array.from({ length: connectionsForWrites }, () => LoadConnection.open(writer)),
  );
  const total = uncounted + Math.ceil(perSecond * seconds);
  await steadily(perSecond, (total * 1000) / perSecond, async (n) => {
    if (n === uncounted) {
      cost.driver = process.cpuUsage();
      cost.nodes = plan.nodesCpu?.() ?? 0;
      cost.looks = looks.count;
    }
    written.begun = n + 1;
    let connection = pool.pop();
    while (connection === undefined) {
      await sleep(1);
      connection = pool.pop();
    }
    const fromMs = performance.now();
    const { status, body } = await connection.post("/v1/transactions", insert(written.firstId + n));
    if (status !== 200) throw new Error(`${writer}: ${status} ${body}`);
    written.answeredMs[n] = performance.now();
    if (n >= uncounted) commitMs.push(performance.now() - fromMs);
    pool.push(connection);
  });
  const { user, system } = process.cpuUsage(cost.driver);
  const nodesCpu = plan.nodesCpu === undefined ? null : plan.nodesCpu() - cost.nodes;
  const looksASecond = (looks.count - cost.looks) / seconds;
  written.over = true;
  await Promise.all(turns);
  for (const connection of [...pool, ...readers]) connection.close();
  return [
    ...delayFigures(plan, looks.delays, commitMs),
    {
      label: `${labelOf(plan)}: CPU of the driver itself`,
      value: (user + system) / 1e6,
      unit: "s",
    },
    { label: `${labelOf(plan)}: queries that look`, value: looksASecond, unit: "a second" },
    ...(nodesCpu === null ? [] : nodeFigures(plan, nodesCpu)),
  ];
}

/** Looks at one node for what is committed in the next while. */
async function turn(
  reader: LoadConnection,
  pauseMs: number,
  written: Written,
  looks: Looks,
): Promise<void> {
  const { firstId, uncounted, answeredMs } = written;
  const from = written.begun;
  const endMs = performance.now() + turnMs;
  const seen = new Map<number, number>();
  let low = from;
  let to = Infinity;
  while (low < to && performance.now() < endMs + settleMs) {
    const query = JSON.stringify(["SELECT id FROM bench WHERE id >= ?", [firstId + low]]);
    const { status, body } = await reader.post("/v1/queries", query);
    if (status !== 200) throw new Error(`a query: ${status} ${body}`);
    looks.count++;
    const nowMs = performance.now();
    for (const [, id] of body.matchAll(/"row":\[\d+,\[(\d+)\]\]/g)) {
      const n = Number(id) - firstId;
      if (!seen.has(n)) seen.set(n, nowMs);
    }
    while (seen.has(low)) low++;
    if (to === Infinity && (nowMs >= endMs || written.over)) to = written.begun;
    await sleep(pauseMs);
  }
  for (let n = Math.max(from, uncounted); n < to && n < written.begun; n++) {
    const seenMs = seen.get(n);
    const answered = answeredMs[n];
    // A row may be seen before its commit is answered.
    if (seenMs === undefined || answered === undefined) looks.delays.push(Infinity);
    else looks.delays.push(Math.max(0, seenMs - answered));
  }
}

function labelOf({ urls, perSecond }: PropagationPlan): string {
  return `${urls.length} nodes, ${perSecond}/s`;
}

function delayFigures(
  plan: PropagationPlan,
  delays: readonly number[],
  commitMs: readonly number[],
): Figure[] {
  const what = labelOf(plan);
  const sorted = delays.toSorted((a, b) => a - b);
  const commits = commitMs.toSorted((a, b) => a - b);
  const [median, p99] = plan.urls.length <= 3 ? [5, 20] : [undefined, 150];
  return [
    {
      label: `${what}: readable elsewhere, median`,
      value: quantile(sorted, 0.5),
      unit: "ms",
      ...(median === undefined ? {} : { goal: median }),
    },
    {
      label: `${what}: readable elsewhere, p99`,
      value: quantile(sorted, 0.99),
      unit: "ms",
      goal: p99,
    },
    { label: `${what}: commit, median`, value: quantile(commits, 0.5), unit: "ms" },
    { label: `${what}: commit, p99`, value: quantile(commits, 0.99), unit: "ms" },
  ];
}

function nodeFigures(plan: PropagationPlan, nodesCpu: number): Figure[] {
  const { urls, perSecond, seconds } = plan;
  const what = labelOf(plan);
  const perVersion = (nodesCpu * 1000) / (perSecond * seconds * urls.length);
  return [
    { label: `${what}: CPU of all nodes, looks included`, value: nodesCpu, unit: "s" },
    { label: `${what}: CPU of a node for a version`, value: perVersion, unit: "ms" },
  ];
}

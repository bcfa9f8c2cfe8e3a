/** Measures how much one node of any cluster that speaks Corrosion's API takes, and knows nothing else of it. */
import { quantile, throughput } from "./http-load.ts";

/** The table that a cluster has to have. */
export const benchSchema =
  "CREATE TABLE bench (id INTEGER PRIMARY KEY NOT NULL, v TEXT NOT NULL DEFAULT '');";

export interface Figure {
  readonly label: string;
  readonly value: number;
  readonly unit: "ms" | "a second" | "s";
  /** What was asked for: at most (ms) or at least (a second). */
  readonly goal?: number;
}

const value = "x".repeat(64);
/** Programs that compile as they run get so much time before anything is counted, whoever they are. */
export const warmUpSeconds = 3;

/** Ids of different runs and phases do not meet. */
let nextId = Date.now() * 1000;
/** Room between phases. */
const idsApart = 1_000_000;

/** The first of ids that nobody else uses. */
export function freshIds(): number {
  nextId += idsApart;
  return nextId;
}

export function insert(id: number): string {
  return JSON.stringify([["INSERT INTO bench (id, v) VALUES (?, ?)", [id, value]]]);
}

/** One-row transactions and small queries from so many connections, each as fast as it can. */
export async function measureThroughput(
  url: string,
  connections: number,
  seconds: number,
): Promise<Figure[]> {
  const ms = seconds * 1000;
  const warmUpId = freshIds();
  const firstId = freshIds();
  const warmUp = (n: number): string => insert(warmUpId + n);
  await throughput(url, "/v1/transactions", connections, warmUpSeconds * 1000, warmUp);
  const writes = await throughput(url, "/v1/transactions", connections, ms, (n) => {
    return insert(firstId + n);
  });
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

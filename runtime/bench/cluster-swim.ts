/**
 * Whether anything that a node is at keeps its membership from answering: pings from outside while
 * statements run for seconds, a client takes its rows slowly, and a million cells are merged.
 */
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import type { OwnCluster } from "./cluster-own.ts";
import { Pinger, type PingTimes } from "./swim-pinger.ts";

export interface SwimPhase {
  readonly what: string;
  readonly times: PingTimes;
}

export interface SwimSizes {
  /** How long statements run, and the slow client reads, in seconds. */
  readonly seconds: number;
  /** Rows that are merged: as many cells. */
  readonly rows: number;
  readonly perTransaction: number;
}

/** What never ends by itself. */
const endless =
  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c";
const clusterId = 0;
const quietMs = 3000;
const mergeTimeoutMs = 300_000;
/** A client that takes some tens of rows at a time. */
const slowPieceBytes = 4096;
const slowEveryMs = 50;

/** Node 0 is pinged, node 1 writes what it merges; node 2 does not run: the pinger is in its place. */
export async function measureSwim(
  cluster: OwnCluster,
  { seconds, rows, perTransaction }: SwimSizes,
): Promise<SwimPhase[]> {
  // The pinger does not wait until a helper for the garbage gets a core.
  setFlagsFromString("--single-threaded-gc");
  await cluster.startAll(0, 2);
  const node = cluster.node(0);
  const { gossip: listen, tls } = cluster.identity(2);
  const { transport } = cluster;
  const pinger = await Pinger.start({ target: node.gossip, listen, tls, clusterId, transport });
  const phases: SwimPhase[] = [];
  const phase = async (what: string, work: () => Promise<void>): Promise<void> => {
    await pinger.take();
    await work();
    phases.push({ what, times: await pinger.take() });
  };
  try {
    await phase("nothing else", () => sleep(quietMs));
    await phase(`a writing statement of ${seconds} s`, async () => {
      const insert = `INSERT INTO bench (id, v) SELECT -1, (${endless})`;
      await node.transact([[insert, []]], `?timeout=${seconds}`);
    });
    await phase(`a query of ${seconds} s`, async () => {
      await (await node.post(`/v1/queries?timeout=${seconds}`, endless)).text();
    });
    const million = `a merge of ${rows.toLocaleString("en-US")} cells`;
    await phase(million, () => merge(cluster, rows, perTransaction));
    await phase("a client that reads slowly", () => readSlowly(node.api, seconds));
  } finally {
    await pinger.stop();
  }
  return phases;
}

async function merge(cluster: OwnCluster, rows: number, perTransaction: number): Promise<void> {
  const writer = cluster.node(1);
  const insert =
    "INSERT INTO bench (id, v) WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ?) SELECT ? + x, 'some text of a row' FROM c";
  for (let from = 0; from < rows; from += perTransaction) {
    const count = Math.min(perTransaction, rows - from);
    const { results } = await writer.transact([[insert, [count, from]]]);
    if (results[0]?.error !== undefined) throw new Error(results[0].error);
  }
  const untilMs = performance.now() + mergeTimeoutMs;
  for (;;) {
    const { db } = await cluster.node(0).get<{ db: { rows: number } }>("/v1/status");
    if (db.rows >= rows) return;
    if (performance.now() > untilMs) throw new Error(`${db.rows} of ${rows} rows were merged`);
    await sleep(50);
  }
}

/** Asks for every row, and takes them a little at a time. */
async function readSlowly(api: string, seconds: number): Promise<void> {
  const { hostname, port, host } = new URL(api);
  const body = JSON.stringify("SELECT id, v FROM bench ORDER BY v, id");
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  socket.pause();
  socket.write(
    `POST /v1/queries HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
  const untilMs = performance.now() + seconds * 1000;
  while (performance.now() < untilMs) {
    socket.read(slowPieceBytes);
    await sleep(slowEveryMs);
  }
  socket.destroy();
}

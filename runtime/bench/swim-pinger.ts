/**
 * A stranger with a certificate of the cluster, on a thread of its own, that pings a node again and
 * again and tells how long each answer took. Nodes answer pings of anybody whom they let in. It
 * shares the cores with the nodes: what it waited for one itself is taken off, as it is none of the
 * node's time. What the node waited for a core, behind its own store or others, is the node's.
 */
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Address, address } from "../../core/base/ids.ts";
import { decodeSwim, encodeSwim } from "../../core/wire/swim-messages.ts";
import { Writer } from "../../core/wire/writer.ts";
import { waitsOfThisThread } from "../net/contention.ts";
import { createTransport } from "../net/create-transport.ts";
import type { TransportKind, TransportTls } from "../net/transport.ts";

export interface PingerOptions {
  /** The node's gossip address. */
  readonly target: string;
  /** One of the cluster's addresses that nobody listens on, and the certificate for it. */
  readonly listen: string;
  readonly tls: TransportTls;
  readonly clusterId: number;
  readonly transport: TransportKind;
}

export interface PingTimes {
  /** Milliseconds of those that were answered, ascending, without what the pinger itself waited for a core. */
  readonly answers: readonly number[];
  /** Datagrams that got lost, or answers that had not come when it was asked. */
  readonly unanswered: number;
  /** Answers of which such a wait was taken off: the node took as long at least. */
  readonly shortened: number;
}

const everyMs = 10;
/** A wait of the pinger for a core up to this is left in its figures. */
const ownWaitMs = 3;

export class Pinger {
  readonly #worker: Worker;

  private constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** Resolves when the node has answered once. */
  static start(options: PingerOptions): Promise<Pinger> {
    const worker = new Worker(new URL(import.meta.url), { workerData: options });
    return new Promise((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", () => resolve(new Pinger(worker)));
    });
  }

  /** What came of the pings since the last time. */
  take(): Promise<PingTimes> {
    return new Promise((resolve) => {
      this.#worker.once("message", (times: PingTimes) => resolve(times));
      this.#worker.postMessage("take");
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}

interface Moment {
  readonly atMs: number;
  /** What this thread had waited for cores by then. */
  readonly waitedMs: number;
}

function waitedMs(): number {
  return waitsOfThisThread()?.ms ?? 0;
}

/** Now. The thread may lose its core between the reading of the two clocks: then both are read again. */
function moment(): Moment {
  let waited = waitedMs();
  for (;;) {
    const atMs = performance.now();
    const after = waitedMs();
    if (after === waited) return { atMs, waitedMs: waited };
    waited = after;
  }
}

async function ping({
  target,
  listen,
  tls,
  clusterId,
  transport: kind,
}: PingerOptions): Promise<void> {
  const ignore = (): void => undefined;
  const sent = new Map<number, Moment>();
  let answers: number[] = [];
  let shortened = 0;
  let begun = false;
  const transport = await createTransport({
    listen,
    clusterId,
    tls,
    kind,
    events: {
      message(_from, channel, bytes) {
        if (channel !== "swim") return;
        const decoded = decodeSwim(bytes);
        if (decoded.type !== "message" || decoded.message.kind !== "ack") return;
        const { seq } = decoded.message;
        const ping = sent.get(seq);
        if (ping === undefined) return;
        sent.delete(seq);
        const now = moment();
        const ownMs = now.waitedMs - ping.waitedMs;
        const wait = ownMs > ownWaitMs;
        if (wait) shortened++;
        answers.push(now.atMs - ping.atMs - (wait ? ownMs : 0));
        if (begun) return;
        begun = true;
        // What was lost while the connection came about says nothing of answers.
        answers = [];
        shortened = 0;
        sent.clear();
        parentPort?.postMessage("begun");
      },
      unreachable: ignore,
      rtt: ignore,
      datagramBytes: ignore,
      rejected: ignore,
    },
  });
  const to: Address = address(target);
  const writer = new Writer();
  let seq = 0;
  setInterval(() => {
    seq = (seq + 1) % 65_536;
    sent.set(seq, moment());
    transport.send(to, "swim", false, encodeSwim(writer, { kind: "ping", seq }));
  }, everyMs);
  parentPort?.on("message", () => {
    const taken = answers.sort((a, b) => a - b);
    const youngMs = performance.now() - everyMs * 2;
    const waiting = [...sent].filter(([, { atMs }]) => atMs < youngMs).map(([waits]) => waits);
    for (const waits of waiting) sent.delete(waits);
    const times: PingTimes = { answers: taken, unanswered: waiting.length, shortened };
    answers = [];
    shortened = 0;
    parentPort?.postMessage(times);
  });
}

if (!isMainThread && (workerData as Partial<PingerOptions> | null)?.target !== undefined) {
  await ping(workerData as PingerOptions);
}

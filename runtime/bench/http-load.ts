/**
 * Load for an HTTP API on the same machine: one connection sends one request after the other with as
 * little work as possible, so that what is measured is the server. HTTP/1.1 (RFC 9112), keep-alive,
 * bodies by length or in chunks; nothing else.
 */
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { assert } from "../../core/base/assert.ts";

const headEnd = Buffer.from("\r\n\r\n");
const lastChunk = Buffer.from("0\r\n\r\n");

export interface LoadAnswer {
  readonly status: number;
  /** As it came, chunk sizes between. */
  readonly body: string;
}

export class LoadConnection {
  readonly #socket: Socket;
  readonly #host: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve(answer: LoadAnswer): void; reject(error: Error): void } | null = null;

  private constructor(socket: Socket, host: string) {
    this.#socket = socket;
    this.#host = host;
    socket.setNoDelay(true);
    socket.on("data", (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      this.#look();
    });
    const failed = (error?: Error): void => {
      this.#waiting?.reject(error ?? new Error(`${host} closed the connection`));
      this.#waiting = null;
    };
    socket.on("error", failed);
    socket.on("close", () => failed());
  }

  /** @param url "http://host:port" */
  static open(url: string): Promise<LoadConnection> {
    const { hostname, port, host } = new URL(url);
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.removeListener("error", reject);
        resolve(new LoadConnection(socket, host));
      });
    });
  }

  /** One at a time. */
  post(path: string, body: string): Promise<LoadAnswer> {
    assert(this.#waiting === null, "a connection carries one request at a time");
    const length = Buffer.byteLength(body);
    this.#socket.write(
      `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
    );
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #look(): void {
    const bytes = this.#received;
    const at = bytes.indexOf(headEnd);
    if (at < 0 || this.#waiting === null) return;
    const head = bytes.toString("latin1", 0, at).toLowerCase();
    const from = at + headEnd.length;
    const length = /content-length: (\d+)/.exec(head)?.[1];
    if (length !== undefined && bytes.length < from + Number(length)) return;
    const whole = length !== undefined || bytes.subarray(-lastChunk.length).equals(lastChunk);
    if (!whole) return;
    const answer = { status: Number(head.slice(9, 12)), body: bytes.toString("utf8", from) };
    this.#received = Buffer.alloc(0);
    const waiting = this.#waiting;
    this.#waiting = null;
    waiting.resolve(answer);
  }
}

export interface Throughput {
  readonly perSecond: number;
  /** Milliseconds, ascending. */
  readonly latencies: readonly number[];
}

/** As many requests as `connections` can make one after the other. @throws Error on an answer that is no 200 */
export async function throughput(
  url: string,
  path: string,
  connections: number,
  ms: number,
  body: (n: number) => string,
): Promise<Throughput> {
  const open = await Promise.all(
    Array.from({ length: connections }, () => LoadConnection.open(url)),
  );
  const latencies: number[] = [];
  let n = 0;
  const begunMs = performance.now();
  await Promise.all(
    open.map(async (connection) => {
      while (performance.now() - begunMs < ms) {
        const from = performance.now();
        const { status, body: text } = await connection.post(path, body(n++));
        if (status !== 200 || text.includes('"error"'))
          throw new Error(`${url}: ${status} ${text}`);
        latencies.push(performance.now() - from);
      }
      connection.close();
    }),
  );
  const seconds = (performance.now() - begunMs) / 1000;
  return { perSecond: latencies.length / seconds, latencies: latencies.sort((a, b) => a - b) };
}

/** Calls `work` at a steady rate whatever it takes; ends when all calls have. */
export async function steadily(
  perSecond: number,
  ms: number,
  work: (n: number) => Promise<void>,
): Promise<void> {
  const begunMs = performance.now();
  const calls: Promise<void>[] = [];
  for (let n = 0; ; n++) {
    const dueMs = (n * 1000) / perSecond;
    if (dueMs >= ms) break;
    const waitMs = begunMs + dueMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    calls.push(work(n));
  }
  await Promise.all(calls);
}

export function quantile(ascending: readonly number[], part: number): number {
  return (
    ascending[Math.min(ascending.length - 1, Math.floor(ascending.length * part))] ?? Number.NaN
  );
}

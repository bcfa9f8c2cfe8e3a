/** The network thread as the main thread sees it: commands out, answers and news in. */
import { Worker } from "node:worker_threads";
import type {
  NetCommand,
  NetOptions,
  NetReplies,
  NetReport,
  NetRequest,
  NetTransaction,
} from "./net-messages.ts";
import { ServiceError } from "./node-service.ts";

/** Bodies of this length are handed over instead of copied. */
const transferFrom = 16 * 1024;

export class NetThread {
  readonly #worker: Worker;
  readonly #requests = new Map<number, (value: unknown) => void>();
  readonly #transactions = new Map<number, (result: Uint8Array) => void>();
  #nextId = 1;
  #batch: NetTransaction[] = [];
  #failed: ServiceError | null = null;

  /**
   * @param heard is called before anything is done with what the thread says. @param report is told of
   * everything but answers. @param crashed the thread ended of itself.
   */
  constructor(
    options: NetOptions,
    heard: () => void,
    report: (report: NetReport) => void,
    crashed: (error: Error) => void,
  ) {
    this.#worker = new Worker(new URL("./net-worker.ts", import.meta.url), {
      workerData: options,
      resourceLimits: { maxYoungGenerationSizeMb: 3 },
    });
    this.#worker.on("message", (message: NetReport) => {
      heard();
      if (message.type === "answers") this.#answers(message.list);
      else if (message.type === "reply") this.#reply(message.id, message.value);
      else report(message);
    });
    this.#worker.on("error", (error: Error) => crashed(error));
  }

  send(command: NetCommand): void {
    this.#worker.postMessage(command);
  }

  request<T extends NetRequest["type"]>(
    request: Extract<NetRequest, { type: T }>,
  ): Promise<NetReplies[T]> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#requests.set(id, (value) => resolve(value as NetReplies[T]));
      this.send({ type: "request", id, request });
    });
  }

  /** @returns the packed result. Those of one turn of the event loop go together. */
  transact(transaction: Omit<NetTransaction, "id">): Promise<Uint8Array> {
    if (this.#failed !== null) return Promise.reject(this.#failed);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      this.#transactions.set(id, resolve);
      if (this.#batch.length === 0) setImmediate(() => this.#flush());
      this.#batch.push({ id, ...transaction });
    });
  }

  /** Transactions that are not answered yet. */
  get pending(): number {
    return this.#transactions.size;
  }

  terminate(): Promise<number> {
    return this.#worker.terminate();
  }

  #flush(): void {
    const list = this.#batch;
    this.#batch = [];
    const transfer: ArrayBuffer[] = [];
    for (const { body } of list) {
      // What V8 has serialized fills a buffer of its own.
      if (body.length >= transferFrom && body.buffer instanceof ArrayBuffer) {
        transfer.push(body.buffer);
      }
    }
    this.#worker.postMessage({ type: "transact", list } satisfies NetCommand, transfer);
  }

  #answers(list: readonly (readonly [number, Uint8Array])[]): void {
    for (const [id, result] of list) {
      const resolve = this.#transactions.get(id);
      this.#transactions.delete(id);
      resolve?.(result);
    }
  }

  #reply(id: number, value: unknown): void {
    const resolve = this.#requests.get(id);
    this.#requests.delete(id);
    resolve?.(value);
  }
}

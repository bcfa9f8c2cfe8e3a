/** The network thread as the main thread sees it: commands out, answers and news in. */
import { Worker } from "node:worker_threads";
import type { NetCommand, NetOptions, NetReplies, NetReport, NetRequest } from "./net-messages.ts";
import { ServiceError } from "./node-service.ts";

export class NetThread {
  readonly #worker: Worker;
  readonly #requests = new Map<number, (value: unknown) => void>();
  #nextId = 1;
  #failed: ServiceError | null = null;

  /**
   * @param heard is called before anything is done with what the thread says. @param report is told of
   * everything but replies. @param crashed the thread ended of itself.
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
      if (message.type === "reply") this.#reply(message.id, message.value);
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

  terminate(): Promise<number> {
    return this.#worker.terminate();
  }

  #reply(id: number, value: unknown): void {
    const resolve = this.#requests.get(id);
    this.#requests.delete(id);
    resolve?.(value);
  }
}

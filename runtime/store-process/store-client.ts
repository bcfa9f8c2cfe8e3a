/**
 * The parent's side of the store process: starts it, asks of it what the node itself needs, and starts
 * it again when it has ended, or was to be ended. Transactions of clients reach it from the main
 * thread (`transaction-client.ts`); the versions that they make are told here.
 */
import { assert } from "../../core/base/assert.ts";
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import { Child } from "../ipc/child.ts";
import { machineMs } from "../ipc/clock.ts";
import type { FailedAnswer, OpenStore, StoreAnswer, StoreCommand } from "./messages.ts";
import { changes, type Job, JobQueue, type Lane } from "./job-queue.ts";
import { beginProgress, readProgress } from "./progress.ts";
import type { StoreClientOptions, StoreEnd } from "./store-options.ts";
import { unusable } from "./unusable.ts";

export type Opened = Extract<StoreAnswer, { type: "opened" }>;

/** The store works at one command while the next is on its way. */
const maxInFlight = 2;
/** So many restarts in this time, none of them asked for, and the node gives up. */
const maxRestarts = 5;
const restartWindowMs = 60_000;
const lockWaitMs = 10_000;

export class StoreClient {
  readonly #options: StoreClientOptions;
  readonly #progressPath: string;
  readonly #queue = new JobQueue();
  #child: Child<StoreCommand, StoreAnswer> | null = null;
  #inFlight: Job[] = [];
  /** The process is being started and brought level; nothing else is sent. */
  #starting: ((answer: StoreAnswer) => void) | null = null;
  #ready = false;
  #killed = false;
  #over = false;
  #closed: (() => void) | null = null;
  #busySinceMs = 0;
  /** The order to close, after which the process takes no other. */
  #lastJob: Job | null = null;
  readonly #restarts: number[] = [];
  restarts = 0;
  #dirty = false;

  private constructor(options: StoreClientOptions) {
    this.#options = options;
    this.#progressPath = progressPathOf(options.path);
    beginProgress(this.#progressPath);
  }

  /** Starts the process and opens the database. */
  static async open(
    options: StoreClientOptions,
  ): Promise<{ readonly client: StoreClient; readonly opened: Opened } | FailedAnswer> {
    let client: StoreClient;
    try {
      client = new StoreClient(options);
    } catch (error) {
      return { type: "failed", why: unusable(options.path, error), code: "open" };
    }
    client.#spawn();
    const answer = await client.#first({ type: "open", options: client.#openOptions() });
    if (answer.type === "opened") {
      await client.#admit();
      return { client, opened: answer };
    }
    client.#over = true;
    client.#child?.kill();
    if (answer.type === "failed") return answer;
    return { type: "failed", why: "the store process gave no answer", code: "bug" };
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** How long the store has had something of the node's to do without an answer, in ms. */
  get busyMs(): number {
    if (this.#inFlight.length === 0) return 0;
    const { sinceMs } = readProgress(this.#progressPath);
    return machineMs() - Math.max(sinceMs, this.#busySinceMs);
  }

  get waitingRequests(): number {
    return this.#queue.remote;
  }

  /** Something was written since the last `settled`. */
  takeDirty(): boolean {
    const was = this.#dirty;
    this.#dirty = false;
    return was;
  }

  protocol(request: StoreRequest, done: (response: StoreResponse) => void): void {
    this.#add("remote", { type: "protocol", request }, (answer) => {
      if (answer.type === "protocol") done(answer.response);
      else done({ type: "failed", why: answer.type === "failed" ? answer.why : answer.type });
    });
  }

  /** @param lane `remote`: as soon as what peers sent. */
  call(
    command: Exclude<StoreCommand, { type: "protocol" }>,
    lane: Lane = "remote",
  ): Promise<StoreAnswer> {
    return new Promise((resolve) => this.#add(lane, command, resolve));
  }

  /** Ends the process when all that waits is done, or after `graceMs` whatever it is at: SQLite takes back what was not committed. */
  async close(graceMs: number): Promise<void> {
    if (this.#over) return;
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve;
    });
    const done = new Promise<StoreAnswer>((resolve) => {
      this.#lastJob = { command: { type: "close" }, done: resolve, queuedMs: machineMs() };
    });
    const timer = setTimeout(() => {
      this.#options.log("warn", "the store process is at something long and is ended");
      this.#abandon();
    }, graceMs);
    this.#pump();
    const answer = await Promise.race([done, closed]);
    if (answer !== undefined && answer.type !== "done") {
      const why = answer.type === "failed" ? answer.why : answer.type;
      // Nothing is lost: the next start finds what this one could not put in order.
      this.#options.log("warn", "the database is left as it is", { why });
      this.#abandon();
    }
    await closed;
    clearTimeout(timer);
  }

  /** Ends the process as if it had crashed; it is started again. */
  restart(why: string): void {
    this.#options.log("warn", "the store process is restarted", { why });
    this.#kill();
  }

  #add(lane: Lane, command: StoreCommand, done: (answer: StoreAnswer) => void): void {
    if (this.#isClosing) {
      done({ type: "failed", why: "the store is closed", code: "open" });
      return;
    }
    this.#queue.add(lane, { command, done, queuedMs: machineMs() });
    this.#pump();
  }

  // Work under way

  #pump(): void {
    while (this.#ready && this.#inFlight.length < maxInFlight) {
      const nowMs = machineMs();
      const idle = this.#inFlight.length === 0;
      const job = this.#queue.next(nowMs, idle) ?? (idle ? this.#takeLast() : null);
      if (job === null) break;
      if (idle) this.#busySinceMs = nowMs;
      this.#inFlight.push(job);
      this.#dirty ||= changes(job.command);
      this.#child?.send(job.command);
    }
  }

  /** Nothing waits, and nothing is with the store: it may be closed, if it is to be. */
  #takeLast(): Job | null {
    const job = this.#lastJob;
    this.#lastJob = null;
    return job;
  }

  get #isClosing(): boolean {
    return this.#over || this.#closed !== null;
  }

  #answer(answer: StoreAnswer): void {
    if (answer.type === "committed") {
      this.#dirty = true;
      for (const { chunks, summary } of answer.versions) this.#options.committed(chunks, summary);
      return;
    }
    const starting = this.#starting;
    if (starting !== null) {
      this.#starting = null;
      starting(answer);
      return;
    }
    const job = this.#inFlight.shift();
    assert(job !== undefined, "an answer answers something");
    this.#busySinceMs = machineMs();
    job.done(answer);
    if (answer.type === "failed" && (answer.code === "damaged" || answer.code === "bug"))
      this.#end(answer);
    this.#pump();
  }

  // Ends and starts

  #spawn(): void {
    this.#killed = false;
    this.#child = new Child<StoreCommand, StoreAnswer>({
      script: new URL("./main.ts", import.meta.url),
      frame: (answer) => this.#answer(answer),
      ended: (code, signal) => this.#gone(code, signal),
    });
  }

  #first(command: StoreCommand): Promise<StoreAnswer> {
    return new Promise((resolve) => {
      this.#starting = resolve;
      this.#child?.send(command);
    });
  }

  #openOptions(): OpenStore {
    return { ...this.#options.open(), progressPath: this.#progressPath, lockWaitMs };
  }

  #abandon(): void {
    this.#over = true;
    this.#ready = false;
    if (this.#child === null) this.#closed?.();
    else this.#child.kill();
    giveUp(this.#inFlight);
  }

  #kill(): void {
    this.#killed = true;
    this.#ready = false;
    this.#child?.kill();
  }

  #gone(code: number | null, signal: string | null): void {
    this.#ready = false;
    this.#child = null;
    if (this.#closed !== null && code === 0) this.#over = true;
    if (this.#over) {
      this.#closed?.();
      return;
    }
    const starting = this.#starting;
    if (starting !== null) {
      this.#starting = null;
      const why = `the store process ended while it was opening the database (${code ?? signal})`;
      starting({ type: "failed", why, code: "bug" });
      return;
    }
    if (!this.#killed) {
      this.#options.log("error", "the store process ended by itself and is started again", {
        code,
        signal,
      });
    }
    const nowMs = machineMs();
    this.#restarts.push(nowMs);
    if (this.#restarts.length > maxRestarts) {
      const first = this.#restarts.shift() as number;
      if (!this.#killed && nowMs - first < restartWindowMs) {
        this.#end({ why: "the store process ends again and again", code: "bug" });
        return;
      }
    }
    void this.#reopen();
  }

  async #reopen(): Promise<void> {
    this.restarts++;
    const lost = this.#inFlight;
    this.#inFlight = [];
    this.#spawn();
    const opened = await this.#first({ type: "open", options: this.#openOptions() });
    if (opened.type !== "opened") {
      giveUp(lost);
      this.#end(opened.type === "failed" ? opened : { why: opened.type, code: "bug" });
      return;
    }
    if (!(await this.#catchUp())) return;
    // What the protocol asked is asked again: the store knows what it holds.
    this.#queue.putBack(lost);
    await this.#admit();
    this.#pump();
  }

  /** Lets transactions in. */
  async #admit(): Promise<void> {
    const { door } = this.#options;
    if (door !== null) await this.#first({ type: "admit", door });
    this.#ready = true;
  }

  /** Tells the protocol of versions whose commit it has not heard of. */
  async #catchUp(): Promise<boolean> {
    for (;;) {
      const own = await this.#first({ type: "serveOwn", after: this.#options.ownHead() });
      if (own.type !== "own") {
        this.#end(own.type === "failed" ? own : { why: own.type, code: "bug" });
        return false;
      }
      if (own.chunks.length === 0) return true;
      for (const version of Map.groupBy(own.chunks, (chunk) => chunk.version).values()) {
        this.#options.committed(version, own.summary);
      }
    }
  }

  #end(end: StoreEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#ready = false;
    this.#child?.kill();
    giveUp(this.#inFlight);
    this.#options.ended({ why: end.why, code: end.code });
  }
}

/** The file in which the store process of this database says what it is at. */
export function progressPathOf(dbPath: string): string {
  return `${dbPath}-progress`;
}

function giveUp(lost: readonly Job[]): void {
  const why = "the store process ended while it was at this";
  for (const job of lost) job.done({ type: "failed", why, code: "open" });
}

/**
 * The parent's side of the store process: starts it, gives it work by priority, and when a
 * transaction has overstayed its time, which SQLite cannot be made to notice, kills it and starts it
 * again. What was under way is then either found committed or is run again; nothing is run twice.
 */
import { assert } from "../../core/base/assert.ts";
import type { StoreRequest, StoreResponse } from "../../core/node/event.ts";
import { Child } from "../ipc/child.ts";
import { machineMs } from "../ipc/clock.ts";
import type { Frame } from "../ipc/frame.ts";
import type { FailedAnswer, OpenStore, StoreAnswer, StoreCommand } from "./messages.ts";
import { ProgressReader } from "./progress.ts";
import { recover, type Refusal, refusals } from "./recovery.ts";
import { failedResult, packResult } from "./result.ts";
import type { StoreClientOptions, StoreEnd } from "./store-options.ts";
import { unusable } from "./unusable.ts";
import {
  changes,
  hasDeadline,
  type Job,
  type Waiting,
  type Work,
  WorkQueue,
} from "./work-queue.ts";

export type Opened = Extract<StoreAnswer, { type: "opened" }>;

/** The store works at one command while the next is on its way. */
const maxInFlight = 2;
/** So many restarts in this time, none of them asked for, and the node gives up. */
const maxRestarts = 5;
const restartWindowMs = 60_000;
const lockWaitMs = 10_000;

export class StoreClient {
  readonly #options: StoreClientOptions;
  readonly #progress: ProgressReader;
  readonly #progressPath: string;
  readonly #queue = new WorkQueue(Date.now() * 1000);
  #child: Child<StoreCommand, StoreAnswer> | null = null;
  #inFlight: Work[] = [];
  /** The process is being started and brought level; nothing else is sent. */
  #starting: ((answer: StoreAnswer) => void) | null = null;
  #ready = false;
  #killed = false;
  #over = false;
  #closed: (() => void) | null = null;
  #timer: NodeJS.Timeout | null = null;
  #timerMs = Infinity;
  #busySinceMs = 0;
  /** The order to close, after which the process takes no other. */
  #lastJob: Job | null = null;
  readonly #restarts: number[] = [];
  restarts = 0;
  #dirty = false;

  private constructor(options: StoreClientOptions) {
    this.#options = options;
    this.#progressPath = `${options.path}-progress`;
    this.#progress = new ProgressReader(this.#progressPath);
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
      client.#ready = true;
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

  /** How long the store has been at its present command, in ms; 0 where that has a deadline of its own. */
  get busyMs(): number {
    const [work] = this.#inFlight;
    if (work === undefined || (work.type === "group" && hasDeadline(work.members))) return 0;
    return machineMs() - this.#busySinceMs;
  }

  get waitingTransactions(): number {
    return this.#queue.transactions;
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

  /** Several at once share a commit. */
  transact(list: readonly Omit<Waiting, "crashes" | "answered">[]): void {
    for (const given of list) {
      const waiting: Waiting = { ...given, crashes: 0, answered: false };
      if (this.#isClosing) this.#refuse(waiting, refusals.shuttingDown);
      else if (!this.#queue.addTransaction(waiting)) this.#refuse(waiting, refusals.overloaded);
    }
    this.#pump();
  }

  protocol(request: StoreRequest, done: (response: StoreResponse) => void): void {
    this.#add("remote", { type: "protocol", request }, (answer) => {
      if (answer.type === "protocol") done(answer.response);
      else done({ type: "failed", why: answer.type === "failed" ? answer.why : answer.type });
    });
  }

  /** @param lane `remote`: as soon as what peers sent. */
  call(
    command: Exclude<StoreCommand, { type: "group" | "protocol" }>,
    lane: "remote" | "upkeep" = "remote",
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
    this.#progress.close();
  }

  /** Ends the process as if it had crashed; it is started again. */
  restart(why: string): void {
    this.#options.log("warn", "the store process is restarted", { why });
    this.#kill();
  }

  #add(
    lane: "remote" | "upkeep",
    command: Job["command"],
    done: (answer: StoreAnswer) => void,
  ): void {
    if (this.#isClosing) {
      done({ type: "failed", why: "the store is closed", code: "open" });
      return;
    }
    this.#queue.addJob(lane, { command, done, queuedMs: machineMs() });
    this.#pump();
  }

  // Work under way

  #pump(): void {
    while (this.#ready && this.#inFlight.length < maxInFlight) {
      const nowMs = machineMs();
      const idle = this.#inFlight.length === 0;
      const work = this.#queue.next(nowMs, idle) ?? (idle ? this.#takeLast() : null);
      if (work === null) break;
      if (this.#inFlight.length === 0) this.#busySinceMs = nowMs;
      this.#inFlight.push(work);
      this.#send(work);
    }
    this.#schedule();
  }

  /** Nothing waits, and nothing is with the store: it may be closed, if it is to be. */
  #takeLast(): Work | null {
    const job = this.#lastJob;
    this.#lastJob = null;
    return job === null ? null : { type: "job", lane: "upkeep", job };
  }

  get #isClosing(): boolean {
    return this.#over || this.#closed !== null;
  }

  #send(work: Work): void {
    assert(this.#child !== null, "work goes to a process that runs");
    if (work.type === "job") {
      this.#dirty ||= changes(work.job.command);
      this.#child.send(work.job.command);
      return;
    }
    this.#dirty = true;
    const members = work.members.map(({ deadlineMs, key }) => ({ deadlineMs, key }));
    const bodies = work.members.map(({ body }) => body);
    this.#child.send({ type: "group", group: work.group, members }, bodies);
  }

  #answer({ head, blobs }: Frame<StoreAnswer>): void {
    const starting = this.#starting;
    if (starting !== null) {
      this.#starting = null;
      starting(head);
      return;
    }
    const work = this.#inFlight.shift();
    assert(work !== undefined, "an answer answers something");
    this.#busySinceMs = machineMs();
    if (work.type === "group") this.#groupDone(work.members, head, blobs);
    else work.job.done(head);
    if (head.type === "failed" && (head.code === "damaged" || head.code === "bug")) this.#end(head);
    this.#pump();
  }

  #groupDone(
    members: readonly Waiting[],
    answer: StoreAnswer,
    results: readonly Uint8Array[],
  ): void {
    if (answer.type !== "group") {
      const why = answer.type === "failed" ? answer.why : "";
      const code =
        answer.type === "failed" && answer.code === "disk" ? "disk_full" : "store_failed";
      for (const member of members) this.#refuse(member, { code, message: why });
      return;
    }
    for (const outcome of answer.members) {
      if (outcome.type === "committed") this.#options.committed(outcome.chunks, outcome.summary);
    }
    members.forEach((member, i) => this.#reply(member, results[i] as Uint8Array));
  }

  #reply(member: Waiting, result: Uint8Array): void {
    if (member.answered) return;
    member.answered = true;
    this.#options.answered(member.id, result);
  }

  #refuse(member: Waiting, error: Refusal): void {
    this.#reply(member, packResult(failedResult(0, error, 0)));
  }

  // Deadlines

  /** One timer, for the earliest deadline. */
  #schedule(): void {
    let atMs = this.#queue.earliestMs();
    for (const work of this.#inFlight) {
      // A process that is being ended for one of them answers no more.
      if (work.type !== "group" || this.#killed) continue;
      for (const { deadlineMs, answered } of work.members) {
        if (!answered && deadlineMs !== null && deadlineMs < atMs) atMs = deadlineMs;
      }
    }
    if (atMs === this.#timerMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerMs = atMs;
    this.#timer = null;
    if (atMs === Infinity) return;
    const delayMs = Math.min(Math.max(1, Math.ceil(atMs - machineMs())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#due(), delayMs);
  }

  #due(): void {
    this.#timer = null;
    this.#timerMs = Infinity;
    const nowMs = machineMs();
    for (const late of this.#queue.takeOverdue(nowMs)) this.#refuse(late, refusals.timedOut);
    if (!this.#killed && this.#ready && this.#overdueUnderWay(nowMs)) {
      this.#options.log(
        "warn",
        "a transaction overstayed its time: the store process is restarted",
      );
      this.#kill();
    }
    this.#schedule();
  }

  /** Answers what was not begun, which the process will not begin any more. @returns whether one was. */
  #overdueUnderWay(nowMs: number): boolean {
    const at = this.#progress.read();
    const place = this.#inFlight.findIndex(
      (work) => work.type === "group" && work.group === at.group,
    );
    let begun = false;
    this.#inFlight.forEach((work, i) => {
      // Before the one that it is at, everything is done, and the answer on its way.
      if (work.type !== "group" || i < place) return;
      work.members.forEach((member, m) => {
        if (member.answered || member.deadlineMs === null || member.deadlineMs > nowMs) return;
        if (i === place && m <= at.member) begun = true;
        else this.#refuse(member, refusals.timedOut);
      });
    });
    return begun;
  }

  // Ends and starts

  #spawn(): void {
    this.#killed = false;
    this.#child = new Child<StoreCommand, StoreAnswer>({
      script: new URL("./main.ts", import.meta.url),
      frame: (frame) => this.#answer(frame),
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
    this.#giveUp(this.#inFlight);
    for (const waiting of this.#queue.takeAll()) this.#refuse(waiting, refusals.shuttingDown);
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
    void this.#reopen(this.#killed);
  }

  async #reopen(wasKilled: boolean): Promise<void> {
    this.restarts++;
    const lost = this.#inFlight;
    this.#inFlight = [];
    this.#spawn();
    const opened = await this.#first({ type: "open", options: this.#openOptions() });
    if (opened.type !== "opened") {
      this.#giveUp(lost);
      this.#end(opened.type === "failed" ? opened : { why: opened.type, code: "bug" });
      return;
    }
    if (!(await this.#catchUp())) return;
    const found = recover(lost, opened.groups, wasKilled, machineMs());
    for (const [member, result] of found.replies) this.#reply(member, result);
    for (const [member, why] of found.refused) this.#refuse(member, why);
    this.#queue.putBack(found.again, found.jobs);
    this.#ready = true;
    this.#pump();
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

  #giveUp(lost: readonly Work[]): void {
    for (const work of lost) {
      if (work.type === "group")
        for (const member of work.members) this.#refuse(member, refusals.crashed);
      else work.job.done({ type: "failed", why: refusals.crashed.message, code: "open" });
    }
  }

  #end(end: StoreEnd): void {
    if (this.#over) return;
    this.#over = true;
    this.#ready = false;
    this.#child?.kill();
    this.#giveUp(this.#inFlight);
    for (const waiting of this.#queue.takeAll()) this.#refuse(waiting, refusals.crashed);
    this.#options.ended({ why: end.why, code: end.code });
  }
}

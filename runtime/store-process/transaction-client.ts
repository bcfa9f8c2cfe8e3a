/**
 * The main thread's side of the store process: hands it the transactions of clients in groups, on a
 * connection of its own, and takes back what came of each. When one has overstayed its time, which
 * SQLite cannot be made to notice, the process is ended and started again by who looks after it
 * (`store-client.ts`). What was under way is then either found committed or is run again; nothing is
 * run twice.
 */
import { machineMs } from "../ipc/clock.ts";
import { type DoorKey, FramePipe, SideDoor } from "../ipc/side-door.ts";
import type { CommittedGroup, Member, TransactAnswer, TransactCommand } from "./messages.ts";
import { readProgress } from "./progress.ts";
import { recover, type Refusal, refusals } from "./recovery.ts";
import { failedResult, type PlainResult } from "./result.ts";
import type { StoreEnd } from "./store-options.ts";
import { earliestOf, type Group, TransactionQueue, type Waiting } from "./transaction-queue.ts";

export interface TransactionClientOptions {
  /** Where the store process says what it is at. */
  readonly progressPath: string;
  /** Called before transactions are answered. */
  answering(): void;
  /** The store process is to be ended and started again. */
  restart(why: string): void;
  /** The store cannot go on. */
  ended(end: StoreEnd): void;
}

/** The store works at one group while the next is on its way. */
const maxInFlight = 2;

export class TransactionClient {
  readonly #options: TransactionClientOptions;
  readonly #queue = new TransactionQueue(Date.now() * 1000);
  readonly #door: SideDoor;
  #pipe: FramePipe<TransactAnswer> | null = null;
  /** The process that is there now has said what it holds. */
  #ready = false;
  #inFlight: Group[] = [];
  /** When the store last was through with a group. */
  #answeredMs = machineMs();
  #killed = false;
  #closing = false;
  #idle: (() => void) | null = null;
  #pumping = false;
  #timer: NodeJS.Timeout | null = null;
  #timerMs = Infinity;

  constructor(options: TransactionClientOptions) {
    this.#options = options;
    this.#door = new SideDoor(
      (socket) => {
        const pipe = new FramePipe<TransactAnswer>(
          socket,
          (answer) => this.#answer(answer),
          () => this.#gone(pipe),
        );
        this.#pipe = pipe;
      },
      (error) => options.ended({ why: `no socket for the store: ${error.message}`, code: "bug" }),
    );
  }

  /** For the store process. */
  get key(): DoorKey {
    return this.#door.key;
  }

  get waiting(): number {
    return this.#queue.size;
  }

  /**
   * How long the store has been at one thing, in ms; 0 for a transaction that has a deadline.
   * @param ofNode what can be told of what the node itself asked, which may wait behind a transaction.
   */
  busyMs(ofNode: number): number {
    const nowMs = machineMs();
    if (this.#inFlight.length > 0) {
      const at = readProgress(this.#options.progressPath);
      const group = this.#inFlight.find((one) => one.group === at.group);
      if (group !== undefined && !at.job) {
        return earliestOf(group.members) < Infinity ? 0 : nowMs - at.sinceMs;
      }
    }
    return Math.min(ofNode, nowMs - this.#answeredMs);
  }

  /** Those that wait together share a commit. */
  transact(
    given: Pick<Waiting, "statements" | "bytes" | "deadlineMs" | "key">,
  ): Promise<PlainResult> {
    return new Promise((done) => {
      const waiting: Waiting = { ...given, done, crashes: 0, answered: false };
      if (this.#closing) this.#refuse(waiting, refusals.shuttingDown);
      else if (!this.#queue.add(waiting)) this.#refuse(waiting, refusals.overloaded);
      else {
        this.#dueAt(given.deadlineMs ?? Infinity);
        this.#soon();
      }
    });
  }

  /** Takes nothing more. Ends when all is answered, or after `graceMs`. */
  async drain(graceMs: number): Promise<void> {
    this.#closing = true;
    if (this.#queue.size + this.#inFlight.length === 0) return;
    let timer: NodeJS.Timeout | null = null;
    await new Promise<void>((resolve) => {
      this.#idle = resolve;
      timer = setTimeout(resolve, graceMs);
    });
    if (timer !== null) clearTimeout(timer);
  }

  /** What is not answered is refused. */
  close(why: Refusal = refusals.shuttingDown): void {
    this.#closing = true;
    this.#ready = false;
    this.#door.close();
    const lost = this.#inFlight;
    this.#inFlight = [];
    for (const { members } of lost) for (const member of members) this.#refuse(member, why);
    for (const waiting of this.#queue.takeAll()) this.#refuse(waiting, why);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#idle?.();
  }

  // Work under way

  /** While the store is at a group the next gathers what this turn of the event loop brings. */
  #soon(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const pump = (): void => {
      this.#pumping = false;
      this.#pump();
    };
    if (this.#inFlight.length === 0) queueMicrotask(pump);
    else setImmediate(pump);
  }

  #pump(): void {
    while (this.#ready && this.#inFlight.length < maxInFlight) {
      const next = this.#queue.next();
      if (next === null) break;
      this.#inFlight.push(next);
      const members = next.members.map(({ statements, deadlineMs, key }): Member => {
        return { statements, deadlineMs, key };
      });
      this.#pipe?.send({ type: "group", group: next.group, members } satisfies TransactCommand);
    }
  }

  #answer(answer: TransactAnswer): void {
    if (answer.type === "hello") {
      this.#welcome(answer.groups);
      return;
    }
    const group = this.#inFlight.shift();
    if (group === undefined) return;
    this.#answeredMs = machineMs();
    this.#options.answering();
    const { members } = group;
    if (answer.type === "group") {
      members.forEach((member, i) => this.#reply(member, answer.results[i] as PlainResult));
    } else {
      const code = answer.code === "disk" ? "disk_full" : "store_failed";
      for (const member of members) this.#refuse(member, { code, message: answer.why });
      if (answer.code === "damaged" || answer.code === "bug") this.#options.ended(answer);
    }
    this.#pump();
    if (this.#inFlight.length === 0) this.#idle?.();
  }

  #reply(member: Waiting, result: PlainResult): void {
    if (member.answered) return;
    member.answered = true;
    member.done(result);
  }

  #refuse(member: Waiting, error: Refusal): void {
    this.#reply(member, failedResult(0, error, 0));
  }

  // Ends and starts of the process

  #gone(pipe: FramePipe<TransactAnswer>): void {
    if (this.#pipe !== pipe) return;
    this.#pipe = null;
    this.#ready = false;
  }

  /** @param committed the last groups, as the database has them. */
  #welcome(committed: readonly CommittedGroup[]): void {
    const lost = this.#inFlight;
    this.#inFlight = [];
    const found = recover(lost, committed, this.#killed, machineMs());
    this.#killed = false;
    for (const [member, result] of found.replies) this.#reply(member, result);
    for (const [member, why] of found.refused) this.#refuse(member, why);
    this.#queue.putBack(found.again);
    this.#ready = true;
    this.#pump();
    if (this.#inFlight.length === 0) this.#idle?.();
    this.#dueAt(this.#earliestMs());
  }

  // Deadlines

  /** One timer, for the earliest deadline that there was when it was set. */
  #dueAt(atMs: number): void {
    if (atMs >= this.#timerMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerMs = atMs;
    const delayMs = Math.min(Math.max(1, Math.ceil(atMs - machineMs())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#due(), delayMs);
  }

  #earliestMs(): number {
    let earliest = this.#queue.earliestMs();
    // A process that has ended, or is being ended for one of them, answers no more.
    if (this.#killed || !this.#ready) return earliest;
    for (const { members } of this.#inFlight) earliest = Math.min(earliest, earliestOf(members));
    return earliest;
  }

  #due(): void {
    this.#timer = null;
    this.#timerMs = Infinity;
    const nowMs = machineMs();
    for (const late of this.#queue.takeOverdue(nowMs)) this.#refuse(late, refusals.timedOut);
    if (!this.#killed && this.#ready && this.#overdueUnderWay(nowMs)) {
      this.#killed = true;
      this.#options.restart("a transaction overstayed its time");
    }
    this.#dueAt(this.#earliestMs());
  }

  /** Answers what was not begun, which the process will not begin any more. @returns whether one was. */
  #overdueUnderWay(nowMs: number): boolean {
    const at = readProgress(this.#options.progressPath);
    const place = this.#inFlight.findIndex(({ group }) => group === at.group);
    let begun = false;
    this.#inFlight.forEach(({ members }, i) => {
      // Before the one that it is at, everything is done, and the answer on its way.
      if (i < place) return;
      members.forEach((member, m) => {
        if (member.answered || member.deadlineMs === null || member.deadlineMs > nowMs) return;
        if (i === place && m <= at.member) begun = true;
        else this.#refuse(member, refusals.timedOut);
      });
    });
    return begun;
  }
}

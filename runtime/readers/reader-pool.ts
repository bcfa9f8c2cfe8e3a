/**
 * Readers, started when there is something to read and ended when there was nothing for a while.
 * Short queries are handed to a reader several at a time; when one of them takes long, those behind
 * it go to another. A query past its time is cancelled where it waits for its reader to take rows,
 * and ends its process where it keeps SQLite busy; queries that had not begun there run elsewhere.
 */
import { machineMs } from "../ipc/clock.ts";
import { type QueryRequest, type QueryResult, ServiceError } from "../agent/node-service.ts";
import { PendingQuery, type QueryOwner } from "./pending-query.ts";
import { Reader } from "./reader.ts";

export interface ReaderPoolOptions {
  readonly path: string;
  readonly maxReaders: number;
  /** One that had nothing to do for so long is ended… */
  readonly idleMs: number;
  /** …and the last one after this: who asked once will ask again, and a start takes a while. */
  readonly lastIdleMs: number;
}

/** Handed to one reader at a time: what hides the way there and back. */
const depth = 8;
/** A query that takes longer holds up those behind it no further. */
const slowMs = 15;
/** Open at one reader: past it a slow client's query waits for its turn. */
const maxOpen = 32;
/** Queries that wait for a reader; more are refused. */
const maxQueued = 4096;
/** A reader that was asked to let go has so long before it is ended. */
const graceMs = 100;
/** Readers that end by themselves so often in a row are not started again for a query. */
const maxFailures = 3;

export class ReaderPool implements QueryOwner {
  readonly #options: ReaderPoolOptions;
  readonly #readers = new Set<Reader>();
  #queue: PendingQuery[] = [];
  #nextId = 1;
  #failures = 0;
  #closed = false;
  #timer: NodeJS.Timeout | null = null;
  #timerMs = Infinity;
  readonly #deadlines = new Set<PendingQuery>();
  kills = 0;

  constructor(options: ReaderPoolOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#readers.size;
  }

  get queued(): number {
    return this.#queue.length;
  }

  query(request: QueryRequest): Promise<QueryResult> {
    return this.#run(request, null);
  }

  /** Copies the database to a new file, whole as of one moment. @throws ServiceError */
  async backup(path: string): Promise<void> {
    await this.#run({ sql: "", parameters: [], timeoutMs: null }, path);
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const stopping = new ServiceError("shutting_down", "the node is stopping");
    for (const query of this.#queue.splice(0)) query.fail(stopping);
    for (const reader of this.#readers) reader.kill();
  }

  more(query: PendingQuery): void {
    query.reader?.more(query);
    this.#schedule();
  }

  dropped(query: PendingQuery): void {
    this.#deadlines.delete(query);
    query.reader?.drop(query);
    this.#queue = this.#queue.filter((waiting) => waiting !== query);
  }

  #run(request: QueryRequest, backup: string | null): Promise<QueryResult> {
    if (this.#closed) {
      return Promise.reject(new ServiceError("shutting_down", "the node is stopping"));
    }
    if (this.#queue.length >= maxQueued) {
      return Promise.reject(
        new ServiceError("overloaded", "too many queries wait; try again in a moment"),
      );
    }
    const deadlineMs = request.timeoutMs === null ? Infinity : machineMs() + request.timeoutMs;
    const query = new PendingQuery(this.#nextId++, request, deadlineMs, this, backup);
    if (deadlineMs < Infinity) this.#deadlines.add(query);
    const { signal } = request;
    if (signal !== undefined) {
      const abort = (): void => {
        this.#letGo(query, new ServiceError("timeout", "nobody waits for the answer any more"));
      };
      if (signal.aborted) queueMicrotask(abort);
      else signal.addEventListener("abort", abort, { once: true });
    }
    this.#queue.push(query);
    this.#dispatch();
    return query.result;
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const reader = this.#choose();
      if (reader === null) break;
      const query = this.#queue.shift() as PendingQuery;
      if (!query.over) reader.begin(query);
    }
    if (this.#queue.length > 0 && this.#mayStart()) this.#start();
    this.#schedule();
  }

  /** The one with the least to do; one that has been at something for long gets nothing more. */
  #choose(): Reader | null {
    const nowMs = machineMs();
    let best: Reader | null = null;
    for (const reader of this.#readers) {
      const slow = reader.depth > 0 && nowMs - reader.headSinceMs > slowMs;
      if (reader.opening || slow || reader.depth >= depth || reader.open >= maxOpen) continue;
      if (best === null || reader.depth < best.depth) best = reader;
    }
    return best;
  }

  #mayStart(): boolean {
    if (this.#readers.size >= this.#options.maxReaders) return false;
    for (const reader of this.#readers) if (reader.opening) return false;
    return true;
  }

  #start(): void {
    const reader = new Reader(this.#options.path, {
      free: () => {
        this.#failures = 0;
        this.#dispatch();
      },
      ended: (ended, pending, why) => this.#ended(ended, pending, why),
    });
    this.#readers.add(reader);
  }

  #ended(reader: Reader, pending: readonly PendingQuery[], why: string | null): void {
    this.#readers.delete(reader);
    const again = pending.filter((query) => !query.begun && !query.over);
    const failure = new ServiceError("store_failed", "the reader of this query ended; try again");
    for (const query of pending) if (query.begun) query.fail(failure);
    if (this.#closed) {
      for (const query of again)
        query.fail(new ServiceError("shutting_down", "the node is stopping"));
      return;
    }
    for (const query of again) query.reader = null;
    this.#queue.unshift(...again);
    if (reader.opening && ++this.#failures >= maxFailures) {
      this.#failures = 0;
      const cannot = new ServiceError("store_failed", why ?? "no reader can be started");
      for (const query of this.#queue.splice(0)) query.fail(cannot);
      return;
    }
    this.#dispatch();
  }

  /** One timer, for whatever comes first: a deadline, a slow query, a reader to be ended. */
  #schedule(): void {
    let atMs = Infinity;
    for (const query of this.#deadlines) {
      if (query.over) this.#deadlines.delete(query);
      else if (query.deadlineMs < atMs) atMs = query.deadlineMs;
    }
    for (const reader of this.#readers) {
      if (reader.hasWaiting) atMs = Math.min(atMs, reader.headSinceMs + slowMs + 1);
      if (reader.idle) atMs = Math.min(atMs, reader.idleSinceMs + this.#idleLimitMs());
    }
    const soonest = Math.max(atMs, machineMs() + 1);
    if (this.#timer !== null && soonest >= this.#timerMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#timerMs = Infinity;
    if (soonest === Infinity || this.#closed) return;
    this.#timerMs = soonest;
    const delayMs = Math.min(Math.max(1, Math.ceil(soonest - machineMs())), 2 ** 31 - 1);
    this.#timer = setTimeout(() => this.#due(), delayMs);
    this.#timer.unref();
  }

  #due(): void {
    this.#timer = null;
    this.#timerMs = Infinity;
    const nowMs = machineMs();
    for (const query of this.#deadlines) if (query.deadlineMs <= nowMs) this.#timeOut(query);
    for (const reader of this.#readers) {
      if (reader.hasWaiting && nowMs - reader.headSinceMs > slowMs) {
        this.#queue.unshift(...reader.takeWaiting());
      }
      if (reader.idle && nowMs - reader.idleSinceMs >= this.#idleLimitMs()) {
        reader.kill();
        // The next one may be the last.
        break;
      }
    }
    this.#dispatch();
  }

  #idleLimitMs(): number {
    const { idleMs, lastIdleMs } = this.#options;
    return this.#readers.size > 1 ? idleMs : lastIdleMs;
  }

  #timeOut(query: PendingQuery): void {
    this.#letGo(query, new ServiceError("timeout", "the query took longer than its timeout"));
  }

  #letGo(query: PendingQuery, why: ServiceError): void {
    this.#deadlines.delete(query);
    if (query.over) return;
    const { reader } = query;
    this.dropped(query);
    query.fail(why);
    if (reader === null || reader.head !== query) return;
    // SQLite is at it, and cannot be told to stop.
    const sinceMs = reader.headSinceMs;
    setTimeout(() => {
      if (reader.head !== query || reader.headSinceMs !== sinceMs) return;
      this.kills++;
      reader.kill();
    }, graceMs).unref();
  }
}

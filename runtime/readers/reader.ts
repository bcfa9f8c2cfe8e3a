/** One reader process as its parent sees it: what it was asked, in order, and what became of it. */
import { assert } from "../../core/base/assert.ts";
import { Child } from "../ipc/child.ts";
import { machineMs } from "../ipc/clock.ts";
import type { ReaderAnswer, ReaderCommand } from "./messages.ts";
import type { PendingQuery } from "./pending-query.ts";

export interface ReaderEvents {
  /** It can take more. */
  free(reader: Reader): void;
  /** It has ended; these were with it. */
  ended(reader: Reader, pending: readonly PendingQuery[], why: string | null): void;
}

export class Reader {
  readonly #child: Child<ReaderCommand, ReaderAnswer>;
  readonly #events: ReaderEvents;
  readonly #queries = new Map<number, PendingQuery>();
  /** Asked and not answered, in order. The process is at the first. */
  readonly #asked: PendingQuery[] = [];
  #opening = true;
  #failure: string | null = null;
  idleSinceMs = machineMs();
  /** When it began with what it is at. */
  headSinceMs = 0;

  constructor(path: string, events: ReaderEvents) {
    this.#events = events;
    this.#child = new Child<ReaderCommand, ReaderAnswer>({
      script: new URL("./main.ts", import.meta.url),
      frame: (head) => this.#answer(head),
      ended: () => this.#ended(),
    });
    this.#child.send({ type: "open", path });
  }

  /** Commands under way. */
  get depth(): number {
    return this.#asked.length;
  }

  /** Queries that are open, most of them waiting for their reader. */
  get open(): number {
    return this.#queries.size;
  }

  get opening(): boolean {
    return this.#opening;
  }

  get head(): PendingQuery | null {
    return this.#asked[0] ?? null;
  }

  begin(query: PendingQuery): void {
    query.reader = this;
    this.#queries.set(query.id, query);
    this.#ask(query, query.command());
  }

  more(query: PendingQuery): void {
    this.#ask(query, { type: "more", id: query.id });
  }

  /** Lets go of a query: what was asked of it and has not begun is passed over, and answered as such. */
  drop(query: PendingQuery): void {
    if (!this.#queries.delete(query.id)) return;
    this.#child.send({ type: "cancel", id: query.id });
    if (this.#queries.size === 0) this.idleSinceMs = machineMs();
  }

  /** It has nothing to do. */
  get idle(): boolean {
    return this.#queries.size === 0 && this.#asked.length === 0 && !this.#opening;
  }

  /** Some query waits here behind another. */
  get hasWaiting(): boolean {
    return this.#asked.some((query, i) => i > 0 && this.#waits(query));
  }

  #waits(query: PendingQuery): boolean {
    return !query.begun && this.#queries.has(query.id);
  }

  /** Queries that wait behind one that takes long, to be run elsewhere. */
  takeWaiting(): PendingQuery[] {
    const waiting = this.#asked.slice(1).filter((query) => this.#waits(query));
    for (const query of waiting) this.drop(query);
    return waiting;
  }

  kill(): void {
    this.#child.kill();
  }

  #ask(query: PendingQuery, command: ReaderCommand): void {
    if (this.#asked.length === 0) this.headSinceMs = machineMs();
    this.#asked.push(query);
    this.#child.send(command);
  }

  #answer(answer: ReaderAnswer): void {
    if (answer.type === "opened") {
      this.#opening = false;
      this.headSinceMs = machineMs();
      this.#events.free(this);
      return;
    }
    if (answer.id === 0) {
      this.#failure = answer.type === "error" ? answer.error.message : null;
      this.#child.kill();
      return;
    }
    const asked = this.#asked.shift();
    assert(asked?.id === answer.id, "a reader answers in the order in which it was asked");
    this.headSinceMs = machineMs();
    const query = this.#queries.get(answer.id);
    if (query !== undefined && answer.type !== "skipped") {
      if (answer.type === "error" || answer.done) this.#queries.delete(answer.id);
      query.answered(answer);
    }
    this.#settle();
  }

  #settle(): void {
    if (this.#queries.size === 0) this.idleSinceMs = machineMs();
    this.#events.free(this);
  }

  #ended(): void {
    const pending = [...this.#queries.values()];
    this.#queries.clear();
    this.#asked.length = 0;
    this.#events.ended(this, pending, this.#failure);
  }
}

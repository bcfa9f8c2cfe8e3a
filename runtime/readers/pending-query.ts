/** A query between the one who asked it and the reader that answers. */
import type { QueryRequest, QueryResult, ServiceError } from "../agent/node-service.ts";
import { errorOf } from "../store-process/result.ts";
import type { ReaderAnswer, ReaderCommand, Row } from "./messages.ts";
import type { Reader } from "./reader.ts";

type Batch = { readonly rows: readonly Row[]; readonly done: boolean };

export interface QueryOwner {
  /** The next batch is wanted. */
  more(query: PendingQuery): void;
  /** Nobody wants the rest. */
  dropped(query: PendingQuery): void;
}

export class PendingQuery {
  readonly id: number;
  readonly request: QueryRequest;
  /** `machineMs`; Infinity: none. */
  readonly deadlineMs: number;
  readonly result: Promise<QueryResult>;
  /** Where it runs; null while it waits. */
  reader: Reader | null = null;
  /** Its first batch was answered: it cannot be run again elsewhere. */
  begun = false;
  over = false;
  readonly #owner: QueryOwner;
  readonly #backup: string | null;
  #resolve: (result: QueryResult) => void = () => {};
  #reject: (error: ServiceError) => void = () => {};
  #batch: Batch | null = null;
  #error: ServiceError | null = null;
  #wake: (() => void) | null = null;

  /** @param backup instead of a query: copy the database to this file. */
  constructor(
    id: number,
    request: QueryRequest,
    deadlineMs: number,
    owner: QueryOwner,
    backup: string | null = null,
  ) {
    this.id = id;
    this.request = request;
    this.deadlineMs = deadlineMs;
    this.#owner = owner;
    this.#backup = backup;
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  command(): ReaderCommand {
    const { id, request } = this;
    if (this.#backup !== null) return { type: "backup", id, path: this.#backup };
    const { sql, original, parameters } = request;
    return { type: "query", id, sql, original, parameters };
  }

  answered(answer: Extract<ReaderAnswer, { type: "rows" | "error" }>): void {
    if (this.over) return;
    if (answer.type === "error") {
      this.fail(errorOf(answer.error));
      return;
    }
    this.#batch = { rows: answer.rows, done: answer.done };
    if (answer.done) this.over = true;
    if (this.begun) this.#wake?.();
    else {
      this.begun = true;
      this.#resolve({ columns: answer.columns ?? [], batches: this.#batches() });
    }
  }

  /** Before the first batch the promise is rejected, later the next batch is. */
  fail(error: ServiceError): void {
    if (this.over && this.#batch === null) return;
    this.over = true;
    if (!this.begun) {
      this.#reject(error);
      return;
    }
    this.#batch = null;
    this.#error = error;
    this.#wake?.();
  }

  async *#batches(): AsyncGenerator<readonly Row[], void, undefined> {
    try {
      for (;;) {
        while (this.#batch === null && this.#error === null) {
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        }
        if (this.#error !== null) throw this.#error;
        const { rows, done } = this.#batch as Batch;
        this.#batch = null;
        if (rows.length > 0) yield rows;
        if (done) return;
        // Asked for only now: who takes rows slowly makes nobody read ahead.
        if (!this.over) this.#owner.more(this);
      }
    } finally {
      if (!this.over) {
        this.over = true;
        this.#owner.dropped(this);
      }
    }
  }
}

/**
 * Queries on read-only connections. A query whose rows are not all taken keeps a connection of its
 * own, so that the next one sees the newest state; between two steps the process listens, so that
 * what is cancelled while it waits is never begun.
 */
import { assert } from "../../core/base/assert.ts";
import { backupDatabase } from "../store/backup.ts";
import type { Db, Statement } from "../store/db.ts";
import { StoreOpenError } from "../store/open-database.ts";
import { openReader } from "../store/reader.ts";
import { fromSqlExact } from "../store/sql-value.ts";
import type { PlainError } from "../store-process/result.ts";
import { sqlFailure } from "../store-process/sql-failure.ts";
import {
  batchBytes,
  batchRows,
  type ReaderAnswer,
  type ReaderCommand,
  type Row,
} from "./messages.ts";
import { bound, notReadonly, refuseWrites, sizeOf } from "./query-rules.ts";

/** Statements kept prepared on a connection; past it all are forgotten. */
const maxPrepared = 128;
/** Connections kept for the next query; more are closed. */
const maxIdle = 2;
/** A process has several of them, and there are several processes. */
const cacheKiB = 4096;

class Connection {
  readonly db: Db;
  readonly #prepared = new Map<string, Statement>();

  constructor(path: string) {
    this.db = openReader(path, { cacheKiB });
  }

  prepare(sql: string): Statement {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const statement = this.db.prepare(sql) as Statement;
    if (this.#prepared.size >= maxPrepared) this.#prepared.clear();
    this.#prepared.set(sql, statement);
    return statement;
  }
}

interface OpenQuery {
  readonly connection: Connection;
  readonly rows: Iterator<unknown[]>;
  /** What ended the rows: told after those that were found before. */
  failure: unknown;
}

/** What is done in its turn. */
type Step = Exclude<ReaderCommand, { type: "cancel" }>;

export class ReaderServer {
  readonly #answer: (answer: ReaderAnswer) => void;
  #path = "";
  readonly #commands: Step[] = [];
  readonly #cancelled = new Set<number>();
  readonly #open = new Map<number, OpenQuery>();
  readonly #idle: Connection[] = [];
  #scheduled = false;

  constructor(answer: (answer: ReaderAnswer) => void) {
    this.#answer = answer;
  }

  take(command: ReaderCommand): void {
    if (command.type === "cancel") {
      this.#cancel(command.id);
      return;
    }
    this.#commands.push(command);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const command = this.#commands.shift();
      if (command !== undefined) this.#step(command);
      if (this.#commands.length > 0) this.#schedule();
    });
  }

  #cancel(id: number): void {
    const open = this.#open.get(id);
    if (open !== undefined) this.#close(id, open);
    else if (this.#commands.some((command) => "id" in command && command.id === id)) {
      this.#cancelled.add(id);
    }
  }

  #step(command: Step): void {
    const id = command.type === "open" ? 0 : command.id;
    if (this.#cancelled.delete(id)) {
      this.#answer({ type: "skipped", id });
      return;
    }
    try {
      switch (command.type) {
        case "open":
          this.#path = command.path;
          this.#idle.push(new Connection(command.path));
          this.#answer({ type: "opened" });
          break;
        case "query":
          this.#query(command);
          break;
        case "more":
          this.#more(id, null);
          break;
        case "backup":
          backupDatabase(this.#path, command.path);
          this.#answer({ type: "rows", id, columns: [], rows: [], done: true });
          break;
      }
    } catch (error) {
      const open = this.#open.get(id);
      if (open !== undefined) this.#close(id, open);
      this.#answer({ type: "error", id, error: queryFailure(error) });
    }
  }

  #query({ id, sql, original = sql, parameters }: Extract<ReaderCommand, { type: "query" }>): void {
    refuseWrites(sql);
    const connection = this.#idle.pop() ?? new Connection(this.#path);
    try {
      const statement = connection.prepare(sql);
      if (!statement.readonly || !statement.reader) throw notReadonly;
      const worded = original === sql ? statement : connection.prepare(original);
      const columns = worded.columns().map(({ name }) => name);
      const rows = statement.raw().safeIntegers().iterate(bound(parameters)) as Iterator<unknown[]>;
      this.#open.set(id, { connection, rows, failure: null });
      this.#more(id, columns);
    } catch (error) {
      if (!this.#open.has(id)) this.#release(connection);
      throw error;
    }
  }

  #more(id: number, columns: readonly string[] | null): void {
    const open = this.#open.get(id);
    if (open === undefined) {
      this.#answer({ type: "skipped", id });
      return;
    }
    if (open.failure !== null) throw open.failure;
    const rows: Row[] = [];
    const done = fill(rows, open);
    if (done) this.#close(id, open);
    this.#answer({ type: "rows", id, columns, rows, done });
  }

  #close(id: number, { connection, rows }: OpenQuery): void {
    assert(this.#open.delete(id), "a query is closed once");
    rows.return?.();
    this.#release(connection);
  }

  #release(connection: Connection): void {
    if (this.#idle.length < maxIdle) this.#idle.push(connection);
    else connection.db.close();
  }
}

/** Takes a batch of rows. @returns whether they were the last. @throws what SQLite throws before the first. */
function fill(rows: Row[], open: OpenQuery): boolean {
  let bytes = 0;
  try {
    while (rows.length < batchRows && bytes < batchBytes) {
      const next = open.rows.next();
      if (next.done === true) return true;
      const row = next.value.map(fromSqlExact);
      rows.push(row);
      for (const value of row) bytes += sizeOf(value);
    }
  } catch (error) {
    if (rows.length === 0) throw error;
    open.failure = error;
  }
  return false;
}

function queryFailure(error: unknown): PlainError {
  const given = error as { code?: unknown; message?: string };
  // The guards on replicated tables call a function that only the node's own connection has.
  const guarded = given.message?.includes("patina_writes_only_through_a_node") === true;
  if (error === notReadonly || guarded) {
    const hint = "send what writes to /v1/transactions";
    return { code: "not_readonly", message: notReadonly.message, sqlite: null, hint };
  }
  // A backup has no room where it is to be; all else that is wrong with that place is for the caller to mend.
  if (error instanceof StoreOpenError && error.sqlite?.startsWith("SQLITE_FULL") === true) {
    return sqlFailure({ code: error.sqlite, message: error.message });
  }
  return sqlFailure(given);
}

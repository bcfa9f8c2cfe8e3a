/**
 * Queries that are certain to be short (`short-program.ts`), answered at once on a connection of the
 * main thread: no process is started for them, and none is waited for. Whatever else is asked, or goes
 * wrong here, is for a reader process.
 *
 * Those of one turn of the event loop read from one snapshot, so that its locks are taken once. Each
 * had begun to arrive before the turn took it, so none is answered with less than was there when it
 * was asked; what the node learns within the turn ends the snapshot (`refresh`).
 */
import type { Statement as Query, WholeResult } from "../agent/node-service.ts";
import type { Db, Statement } from "../store/db.ts";
import { openReader } from "../store/reader.ts";
import { fromSqlExact } from "../store/sql-value.ts";
import { batchBytes, batchRows, type Row } from "./messages.ts";
import { bound, refuseWrites, sizeOf } from "./query-rules.ts";
import { type Instruction, lengthOf, type ProgramLength } from "./short-program.ts";

/** Texts remembered; past it all are forgotten. */
const maxKnown = 256;
/** A longer text takes SQLite some time to understand. */
const maxSqlLength = 4096;
const cacheKiB = 2048;
/** A statement that had too many rows so often is not tried again. */
const maxOverflows = 3;

interface Known {
  readonly statement: Statement;
  readonly columns: readonly string[];
  readonly length: Exclude<ProgramLength, "long">;
  overflows: number;
}

export class NearReader {
  readonly #path: string;
  #db: Db | null = null;
  /** Null: not for here. */
  readonly #known = new Map<string, Known | null>();
  #begin: Statement | null = null;
  #commit: Statement | null = null;
  /** A snapshot is held. */
  #holding = false;
  /** The end of this turn ends the snapshot. */
  #ending = false;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** All rows, or null: ask a reader process. */
  query(query: Query): WholeResult | null {
    const { sql, original } = query;
    if (this.#closed || sql.length > maxSqlLength || original !== undefined) return null;
    try {
      let known = this.#known.get(sql);
      if (known === undefined) {
        known = this.#learn(query);
        if (this.#known.size >= maxKnown) this.#known.clear();
        this.#known.set(sql, known);
      }
      return known === null ? null : this.#run(known, query);
    } catch {
      // The reader process says what is wrong.
      return null;
    }
  }

  /** The tables have changed, and with them what a statement takes. */
  forget(): void {
    this.#known.clear();
  }

  /** The next query sees all that is committed by then. */
  refresh(): void {
    if (!this.#holding) return;
    this.#holding = false;
    try {
      // An error amid a query may have ended it.
      if (this.#db?.inTransaction === true) this.#commit?.run();
    } catch {
      this.#disconnect();
    }
  }

  close(): void {
    this.#closed = true;
    this.#disconnect();
  }

  #disconnect(): void {
    this.#known.clear();
    this.#db?.close();
    this.#db = null;
    this.#holding = false;
  }

  #connect(): Db {
    const db = openReader(this.#path, { cacheKiB });
    this.#begin = db.prepare("BEGIN");
    this.#commit = db.prepare("COMMIT");
    return db;
  }

  #hold(): void {
    if (this.#holding) return;
    this.#begin?.run();
    this.#holding = true;
    if (this.#ending) return;
    this.#ending = true;
    setImmediate(() => {
      this.#ending = false;
      this.refresh();
    });
  }

  #learn({ sql, parameters }: Query): Known | null {
    refuseWrites(sql);
    this.#db ??= this.#connect();
    const statement = this.#db.prepare(sql) as Statement;
    if (!statement.readonly || !statement.reader) return null;
    const explain = this.#db.prepare(`EXPLAIN ${sql}`);
    const length = lengthOf(explain.all(bound(parameters)) as Instruction[]);
    if (length === "long") return null;
    const columns = statement.columns().map(({ name }) => name);
    return { statement: statement.raw().safeIntegers(), columns, length, overflows: 0 };
  }

  #run(known: Known, { parameters }: Query): WholeResult | null {
    const { statement, columns } = known;
    const values = bound(parameters);
    const rows: Row[] = [];
    this.#hold();
    if (known.length === "row") {
      for (const row of statement.all(values) as unknown[][]) rows.push(row.map(fromSqlExact));
      return { columns, rows };
    }
    let bytes = 0;
    for (const raw of statement.iterate(values) as IterableIterator<unknown[]>) {
      if (rows.length === batchRows || bytes >= batchBytes) {
        if (++known.overflows >= maxOverflows) this.#known.set(statement.source, null);
        return null;
      }
      const row = raw.map(fromSqlExact);
      rows.push(row);
      for (const value of row) bytes += sizeOf(value);
    }
    return { columns, rows };
  }
}

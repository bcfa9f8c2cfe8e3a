/**
 * Keeps the connection reading from one write transaction to the next. SQLite marks in shared memory
 * where in the write-ahead log a reader stands; to take that mark and to give it back costs four
 * system calls, a fifth of a transaction of one row. A connection that reads on needs neither: its
 * own commits move it forward.
 *
 * While it is kept, nobody can begin the write-ahead log anew, and most upkeep of the file is
 * refused. So it is given up now and then, and before all work that is not a plain transaction.
 */
import type { Db, Statement } from "./db.ts";

/** After so much it is given up for one transaction, in which SQLite copies the log into the database when it is due. */
const worth = 2048;
/** A transaction counts so much, each row that it changes, and so many bytes. */
const perTransaction = 16;
const perRow = 4;
const bytesPerPoint = 64;

export class HeldSnapshot {
  readonly #db: Db;
  readonly #begin: Statement;
  readonly #commit: Statement;
  readonly #statement: Statement | null;
  #reading: Iterator<unknown> | null = null;
  #left = 0;

  constructor(db: Db) {
    this.#db = db;
    this.#begin = db.prepare("BEGIN IMMEDIATE");
    this.#commit = db.prepare("COMMIT");
    if (db.memory) {
      this.#statement = null;
      return;
    }
    // Else better-sqlite3 refuses to write while a statement reads.
    db.unsafeMode(true);
    this.#statement = db.prepare("SELECT one FROM patina_state").raw();
  }

  /** Begins a transaction. `keep`: the connection may read on from the one before, and after it. */
  begin(keep: boolean): void {
    if (keep) this.#take();
    else this.release();
    try {
      this.#begin.run();
    } catch (error) {
      const { code = "" } = error as { code?: string };
      if (this.#reading === null || !code.startsWith("SQLITE_BUSY")) throw error;
      // Another process writes, or has written, to a local table. Who reads already is not made to wait for it.
      this.release();
      this.#begin.run();
    }
  }

  commit(): void {
    this.#commit.run();
  }

  #take(): void {
    if (this.#statement === null || (this.#reading !== null && this.#left > 0)) return;
    const isDue = this.#reading !== null;
    this.release();
    if (isDue) return;
    const reading = this.#statement.iterate();
    reading.next();
    this.#reading = reading;
    this.#left = worth;
  }

  /** A transaction has changed so many rows of replicated tables, and logs so many bytes of them. */
  spend(rows: number, bytes: number): void {
    // What it did to other tables nobody counts.
    this.#left -= rows === 0 ? worth : perTransaction + rows * perRow + bytes / bytesPerPoint;
  }

  /** The connection, reading nothing. */
  releasedDb(): Db {
    this.release();
    return this.#db;
  }

  release(): void {
    this.#reading?.return?.();
    this.#reading = null;
  }
}

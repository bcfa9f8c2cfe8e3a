/** The one connection that writes, with its statements prepared once. */
import type Database from "better-sqlite3";

export type Db = Database.Database;
export type Statement = Database.Statement;

/** Statements kept prepared; past it the one used longest ago goes. */
const maxStatements = 512;

/** Prepares a statement the first time that its text is asked for. */
export class StatementCache {
  readonly #db: Db;
  readonly #statements = new Map<string, Statement>();

  constructor(db: Db) {
    this.#db = db;
  }

  get(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql) as Statement;
    this.#statements.set(sql, statement);
    if (this.#statements.size > maxStatements) {
      for (const oldest of this.#statements.keys()) {
        this.#statements.delete(oldest);
        break;
      }
    }
    return statement;
  }

  clear(): void {
    this.#statements.clear();
  }
}

/** The one connection that writes, with its statements prepared once. */
import type Database from "better-sqlite3";
import { CorruptionError } from "./row-table.ts";
import type { SqlValue } from "./sql-value.ts";

export type Db = Database.Database;
export type Statement = Database.Statement;

/** Statements kept prepared; past it the one used longest ago goes. */
const maxStatements = 512;

/** Arguments handed over one by one stand on the stack, which has no room for tens of thousands. */
const maxArguments = 1024;

/** `statement.run(parameters)`: better-sqlite3 reads arguments in half the time that a list takes. */
export function runWith(statement: Statement, parameters: readonly SqlValue[]): Database.RunResult {
  return parameters.length <= maxArguments
    ? statement.run(...parameters)
    : statement.run(parameters);
}

/** `statement.all(parameters)`, as `runWith`. */
export function allWith(statement: Statement, parameters: readonly SqlValue[]): unknown[] {
  return parameters.length <= maxArguments
    ? statement.all(...parameters)
    : statement.all(parameters);
}

/** Prepares a statement the first time that its text is asked for. */
export class StatementCache {
  readonly #db: Db;
  readonly #statements = new Map<string, Statement>();
  /** Those that give the first column alone. */
  readonly #plucked = new Map<string, Statement>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** @throws CorruptionError when the file has not the tables and columns that it was made with */
  get(sql: string): Statement {
    return this.#statements.get(sql) ?? this.#keep(this.#statements, sql, this.#prepared(sql));
  }

  /** As `get(sql).pluck()`, without telling it each time. */
  pluck(sql: string): Statement {
    return this.#plucked.get(sql) ?? this.#keep(this.#plucked, sql, this.#prepared(sql).pluck());
  }

  #keep(kept: Map<string, Statement>, sql: string, statement: Statement): Statement {
    kept.set(sql, statement);
    if (kept.size > maxStatements) {
      for (const oldest of kept.keys()) {
        kept.delete(oldest);
        break;
      }
    }
    return statement;
  }

  #prepared(sql: string): Statement {
    try {
      return this.#db.prepare(sql) as Statement;
    } catch (error) {
      const { message } = error as Error;
      if (!/^no such (table|column): /.test(message)) throw error;
      throw new CorruptionError(`its tables are not as they were made (${message})`);
    }
  }

  clear(): void {
    this.#statements.clear();
    this.#plucked.clear();
  }
}

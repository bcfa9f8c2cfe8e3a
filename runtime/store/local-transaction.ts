/**
 * The SQL door: what a local transaction may do. It keeps the record of captured changes in step
 * with what SQLite takes back: failed statements, and savepoints that are rolled back to.
 */
import type { RunResult } from "better-sqlite3";
import { OpError } from "../../core/crdt/op-values.ts";
import { foldCase } from "../../core/crdt/parse-schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Capture } from "./capture.ts";
import { allWith, type Db, runWith, type Statement } from "./db.ts";
import type { Engine } from "./engine.ts";
import { classify, type StatementKind } from "./local-statement.ts";
import { PlainInsert } from "./plain-insert.ts";
import { fromSqlExact, type SqlValue, toSqlExact } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";
import { mayWait, WaitingInserts } from "./waiting-inserts.ts";

/** Positional, or by name with the prefix left out. */
export type Parameters = readonly Value[] | Readonly<Record<string, Value>>;

export interface LocalTransaction {
  /** @returns how many rows it changed itself. @throws when it fails; the transaction may go on, unless it was OR ROLLBACK. */
  run(sql: string, parameters?: Parameters): number;
  /** All rows, values exact. */
  all(sql: string, parameters?: Parameters): readonly (readonly Value[])[];
}

interface Prepared {
  readonly kind: StatementKind;
  readonly statement: Statement;
  /** Not null: its parameters may tell what it does. */
  readonly insert: PlainInsert | null;
}

/** Statements of users kept prepared; past it the one used longest ago goes. */
const maxPrepared = 256;

export class SqlDoor {
  readonly #db: Db;
  readonly #capture: Capture;
  readonly #waiting: WaitingInserts;
  readonly #prepared = new Map<string, Prepared>();
  #lastSql = "";
  #last: Prepared | null = null;
  /** Tables into which nothing but a statement itself inserts, by folded name. */
  #plans: ReadonlyMap<string, TablePlan> = new Map();
  #triggersFail = false;

  constructor({ db, statements, waiting }: Engine, capture: Capture) {
    this.#db = db;
    this.#capture = capture;
    this.#waiting = new WaitingInserts(statements, capture, waiting);
  }

  /** Some trigger of the schema raises FAIL. */
  get triggersFail(): boolean {
    return this.#triggersFail;
  }

  /** After a change of the schema. @param plans of tables into which no trigger inserts. */
  adopt(plans: readonly TablePlan[], triggersFail: boolean): void {
    this.#plans = new Map(plans.map((plan) => [foldCase(plan.schema.name), plan]));
    this.#triggersFail = triggersFail;
    this.#prepared.clear();
    this.#last = null;
  }

  /** A door for one transaction, which is under way. */
  open(): OpenTransaction {
    this.#waiting.begin();
    return new OpenTransaction(this.#db, this.#capture, this, this.#waiting);
  }

  prepare(sql: string): Prepared {
    // Programs often run one statement many times in a row.
    if (sql === this.#lastSql && this.#last !== null) return this.#last;
    const prepared = this.#find(sql);
    this.#lastSql = sql;
    this.#last = prepared;
    return prepared;
  }

  #find(sql: string): Prepared {
    const known = this.#prepared.get(sql);
    if (known !== undefined) return known;
    const { kind, sql: text, insert: form } = classify(sql);
    const plan = form === null ? undefined : this.#plans.get(foldCase(form.table));
    const insert =
      form === null || plan === undefined
        ? null
        : PlainInsert.of(plan, form, mayWait(this.#db, plan));
    const prepared = { kind, statement: this.#db.prepare(text) as Statement, insert };
    this.#prepared.set(sql, prepared);
    if (this.#prepared.size > maxPrepared) {
      for (const oldest of this.#prepared.keys()) {
        this.#prepared.delete(oldest);
        break;
      }
    }
    return prepared;
  }
}

export class OpenTransaction implements LocalTransaction {
  readonly #db: Db;
  readonly #capture: Capture;
  readonly #door: SqlDoor;
  readonly #waiting: WaitingInserts;
  readonly #savepoints: Savepoint[] = [];
  /** A statement has ended the transaction: nothing of it stays. */
  #doomedBy: Error | null = null;

  constructor(db: Db, capture: Capture, door: SqlDoor, waiting: WaitingInserts) {
    this.#db = db;
    this.#capture = capture;
    this.#door = door;
    this.#waiting = waiting;
  }

  /** To be called once the last statement is run. @throws what has ended the transaction before. */
  finish(): void {
    if (this.#doomedBy !== null) throw this.#doomedBy;
    this.#waiting.finish();
  }

  run(sql: string, parameters: Parameters = []): number {
    const prepared = this.#door.prepare(sql);
    if (this.#waits(prepared, parameters)) return 1;
    const mark = this.#begin(prepared);
    try {
      let changes = 0;
      if (prepared.statement.reader) {
        this.#tell(prepared);
        const rows = allBound(prepared.statement.raw(), parameters);
        // RETURNING gives back one row for each that was changed.
        if (!prepared.statement.readonly) changes = rows.length;
      } else changes = this.#change(prepared, parameters);
      this.#end(prepared);
      return changes;
    } catch (error) {
      throw this.#failed(prepared, mark, error as Error);
    }
  }

  all(sql: string, parameters: Parameters = []): readonly (readonly Value[])[] {
    const prepared = this.#door.prepare(sql);
    const mark = this.#begin(prepared);
    try {
      let rows: unknown[][] = [];
      this.#tell(prepared);
      if (!prepared.statement.reader) runBound(prepared.statement, parameters);
      else rows = allBound(prepared.statement.raw().safeIntegers(), parameters) as unknown[][];
      this.#end(prepared);
      return rows.map((row) => row.map(fromSqlExact));
    } catch (error) {
      throw this.#failed(prepared, mark, error as Error);
    }
  }

  /** @returns whether it inserts a row that may wait, and does now. */
  #waits({ insert }: Prepared, parameters: Parameters): boolean {
    if (insert === null || !isList(parameters)) return false;
    try {
      return this.#waiting.take(insert, parameters);
    } catch (error) {
      throw this.#doom(error as Error);
    }
  }

  /** @returns how many rows were changed. */
  #change(prepared: Prepared, parameters: Parameters): number {
    const { insert, statement } = prepared;
    const row = insert !== null && isList(parameters) ? insert.rowOf(parameters) : null;
    if (insert === null || row === null) {
      this.#tell(prepared);
      return runBound(statement, parameters).changes;
    }
    const { plan } = insert;
    const isGone = this.#capture.triggers.isGone(plan);
    if (!isGone) this.#capture.foretell(plan, row);
    const { changes, lastInsertRowid } = insert.inOrder
      ? runWith(statement, row)
      : runBound(statement, parameters);
    if (isGone) this.#capture.tell(plan, row, lastInsertRowid);
    this.#capture.triggers.inserted(plan, 1);
    this.#waiting.ran(insert);
    return changes;
  }

  /** SQLite is to tell the rows that the statement inserts. */
  #tell({ kind }: Prepared): void {
    if (kind.type === "statement" && kind.inserts) this.#capture.triggers.bring();
  }

  /** What OR FAIL had done before it failed would stay, and nobody could say what that was. */
  #isWrapped({ kind }: Prepared): boolean {
    return kind.type === "statement" && (kind.mayFail || this.#door.triggersFail);
  }

  #begin(prepared: Prepared): number {
    // Outside the transaction it would be carried out all the same, and no version would tell of it.
    if (this.#doomedBy !== null) throw ended();
    this.#settle();
    if (this.#isWrapped(prepared)) this.#db.exec("SAVEPOINT patina_statement");
    return this.#capture.length;
  }

  #settle(): void {
    try {
      this.#waiting.settle();
    } catch (error) {
      throw this.#doom(error as Error);
    }
  }

  #end(prepared: Prepared): void {
    if (this.#isWrapped(prepared)) this.#db.exec("RELEASE patina_statement");
    else if (prepared.kind.type !== "statement") this.#step(prepared.kind);
  }

  /** @returns what to throw. */
  #failed(prepared: Prepared, mark: number, error: Error): Error {
    if (!this.#db.inTransaction || isDoom(prepared.kind, error)) return this.#doom(error);
    if (this.#isWrapped(prepared)) {
      this.#db.exec("ROLLBACK TO patina_statement; RELEASE patina_statement");
    } else if (mayBeHalfDone(prepared, error)) return this.#doom(error);
    this.#capture.cut(mark);
    return error;
  }

  /** Nothing of the transaction stays, and nothing more of it is run. */
  #doom(error: Error): Error {
    this.#doomedBy ??= error;
    this.#waiting.forget();
    return error;
  }

  /** Follows SQLite's stack of savepoints; it has succeeded already, so the name is on it. */
  #step({ name, type }: Exclude<StatementKind, { type: "statement" }>): void {
    if (type === "savepoint") {
      this.#savepoints.push({ name, mark: this.#capture.length });
      return;
    }
    const at = this.#savepoints.findLastIndex((savepoint) => savepoint.name === name);
    if (type === "rollbackTo") {
      this.#capture.cut((this.#savepoints[at] as Savepoint).mark);
      this.#savepoints.length = at + 1;
    } else {
      this.#savepoints.length = at;
    }
  }
}

/** What conflict clauses are about; foreign keys, RAISE(ABORT) and all else undo the statement alone. */
const conflicts = ["PRIMARYKEY", "UNIQUE", "ROWID", "NOTNULL", "CHECK"].map(
  (kind) => `SQLITE_CONSTRAINT_${kind}`,
);

function isDoom(kind: StatementKind, error: Error): boolean {
  if (kind.type !== "statement" || !kind.dooms) return false;
  return conflicts.includes((error as { code?: string }).code ?? "");
}

/**
 * SQLite keeps a journal that undoes the half of a statement for constraints and functions alone.
 * What else ends one halfway (a value that grows too long, JSON that `json_each` cannot read)
 * leaves rows changed, and its code does not tell it from a function's failure.
 */
function mayBeHalfDone({ statement }: Prepared, error: Error): boolean {
  const { code = "" } = error as { code?: string };
  return !statement.readonly && /^SQLITE_(?!CONSTRAINT)/u.test(code);
}

function ended(): OpError {
  return new OpError("SQLITE_ABORT", "an earlier statement has rolled the transaction back");
}

interface Savepoint {
  readonly name: string;
  /** How many changes were captured when it was set. */
  readonly mark: number;
}

function runBound(statement: Statement, parameters: Parameters): RunResult {
  return isList(parameters)
    ? runWith(statement, listed(parameters))
    : statement.run(named(parameters));
}

function allBound(statement: Statement, parameters: Parameters): unknown[] {
  return isList(parameters)
    ? allWith(statement, listed(parameters))
    : statement.all(named(parameters));
}

function isList(parameters: Parameters): parameters is readonly Value[] {
  return Array.isArray(parameters);
}

function listed(parameters: readonly Value[]): SqlValue[] {
  // A copy has exactly the room that it needs; what `push` makes room for is garbage soon.
  const list = parameters.slice() as SqlValue[];
  for (let i = 0; i < list.length; i++) list[i] = toSqlExact(parameters[i] as Value);
  return list;
}

function named(parameters: Readonly<Record<string, Value>>): Record<string, SqlValue> {
  const entries = Object.entries(parameters).map(
    ([name, value]) => [name, toSqlExact(value)] as const,
  );
  return Object.fromEntries(entries);
}

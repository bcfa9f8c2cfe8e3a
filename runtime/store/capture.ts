/**
 * Records what local transactions do to replicated tables, whoever does it: statements, upserts,
 * REPLACE, foreign-key actions, the user's own triggers. TEMP triggers hand each changed row to a
 * function of this connection; other connections to the file do not have them. The order is that
 * of the changes, so that what a failed statement or a ROLLBACK TO took back can be cut off.
 *
 * A statement that may call a function keeps a journal of every page that it changes, to undo what
 * it did when the function fails. One that calls an aggregate does not, which costs a delete or an
 * update of one row less than the call costs more. So aggregates take deletes and updates; they
 * never fail.
 */
import { assert } from "../../core/base/assert.ts";
import { OpError } from "../../core/crdt/op-values.ts";
import type { Affinity } from "../../core/crdt/schema.ts";
import type { Db } from "./db.ts";
import { InsertTriggers } from "./insert-triggers.ts";
import { rowidName, rowidNames } from "./rowid-clocks.ts";
import { quoteName, quoteText } from "./schema-source.ts";
import { isAmbiguous } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";

/** Changes of one transaction kept in memory until it commits; more must be cut into several. */
const maxChanges = 4_000_000;

export type CapturedKind = "insert" | "delete" | "update" | "rekey";

/** Changes of one kind to one table. */
export interface CapturedStream {
  readonly plan: TablePlan;
  readonly kind: CapturedKind;
  /** INTEGERs are bigints; else they are numbers, and none is ambiguous. */
  readonly exact: boolean;
  /** Rows as their statements told them, in text that is UTF-8 and with no −0. */
  readonly told: boolean;
}

/**
 * Changes in the order in which they were made, side by side; large transactions have many. `args`
 * as SQLite told them: of an insert or delete the key, then the data columns; of an update the data
 * column's position, the key, the value before and after; of a rekey the whole row before, then
 * the whole row after. In a table with clocks under rowids the rowid comes last.
 */
export interface CapturedChanges {
  readonly streams: readonly CapturedStream[];
  readonly args: readonly (readonly unknown[])[];
}

const none: never[] = [];

export class Capture {
  readonly #db: Db;
  /** Changes are recorded; off while the store itself writes rows, as merges do. */
  on = false;
  #streams: CapturedStream[] = none;
  #args: unknown[][] = none;
  /** There were more changes than are kept. */
  #overflowed = false;
  /** The row that the statement at hand inserts next, and its table. */
  #foretoldPlan: TablePlan | null = null;
  #foretold: unknown[] = none;
  /** All that it inserts where they are several, and how many of them it has. */
  #foretoldRows: readonly unknown[][] = none;
  #inserted = 0;
  readonly #told = new Map<TablePlan, CapturedStream>();
  readonly triggers: InsertTriggers;

  constructor(db: Db) {
    this.#db = db;
    this.triggers = new InsertTriggers(db);
    db.function("patina_writes_only_through_a_node", () => null);
    db.function("patina_is_local", () => (this.on ? 1 : 0));
  }

  /** How many changes were recorded: a mark to cut off at. */
  get length(): number {
    return this.#args.length;
  }

  /** The statement about to be run inserts this row alone, or fails: SQLite need not tell it. */
  foretell(plan: TablePlan, row: unknown[]): void {
    this.#foretoldPlan = plan;
    this.#foretold = row;
    this.#foretoldRows = none;
    this.#inserted = 0;
  }

  /** As `foretell`, of a statement that inserts these rows in this order. */
  foretellRows(plan: TablePlan, rows: readonly unknown[][]): void {
    this.foretell(plan, rows[0] as unknown[]);
    this.#foretoldRows = rows;
  }

  /** A statement has inserted this row into a table whose trigger is gone. @param rowid as SQLite gave it. */
  tell(plan: TablePlan, row: unknown[], rowid: unknown): void {
    const stream = this.#told.get(plan);
    assert(stream !== undefined, "a row is inserted into a table that is captured");
    if (plan.rowids !== null) row.push(rowid);
    this.#push(stream, row);
  }

  /** Between two transactions: the trigger goes of a table that has needed none for long. @param free makes the connection read nothing. */
  spareTriggers(free: () => void): void {
    if (!this.triggers.isDue) return;
    free();
    this.triggers.takeLast((plan) => ({
      name: functionName(plan, "insert"),
      sql: insertTriggerOf(plan).replace("TRIGGER", "TRIGGER IF NOT EXISTS"),
    }));
  }

  /** What was recorded since `mark` was taken back. */
  cut(mark: number): void {
    this.triggers.rolledBack();
    this.#foretoldPlan = null;
    if (mark === this.length) return;
    this.#streams.length = mark;
    this.#args.length = mark;
  }

  /** All that was recorded; begins anew. @throws OpError when that was too much. */
  take(): CapturedChanges {
    const changes = { streams: this.#streams, args: this.#args };
    const overflowed = this.#overflowed;
    this.forget();
    if (overflowed) {
      const why = `a transaction changes at most ${maxChanges} rows; cut it into several`;
      throw new OpError("SQLITE_TOOBIG", why);
    }
    return changes;
  }

  /** Begins anew. */
  forget(): void {
    this.#streams = none;
    this.#args = none;
    this.#overflowed = false;
    this.#foretoldPlan = null;
  }

  /** What was recorded is taken back with all else that the transaction did. */
  fail(): void {
    this.triggers.rolledBack();
    this.forget();
  }

  install(plan: TablePlan): void {
    const kinds: readonly CapturedKind[] = ["insert", "delete", "update", "rekey"];
    for (const kind of kinds) {
      const isDoubtful = doubtOf(plan, kind);
      const stream = { plan, kind, exact: false, told: false };
      const options = { varargs: true, deterministic: false };
      this.#db.function(functionName(plan, kind), options, (...args: unknown[]) => {
        if (!this.on) return 0;
        if (isDoubtful(args)) return 1;
        this.#push(stream, args);
        return 0;
      });
      if (kind === "insert") this.#installQuestion(plan);
      const exact = { ...options, safeIntegers: true };
      const exactStream = { plan, kind, exact: true, told: false };
      this.#db.function(functionName(plan, kind, "exact"), exact, (...args: unknown[]) => {
        this.#push(exactStream, args);
        return 0;
      });
      this.#db.aggregate(functionName(plan, kind, "collect"), {
        ...options,
        start: 0,
        step: (_: unknown, ...args: unknown[]) => {
          if (this.on) this.#push(stream, args);
        },
      });
      this.#db.aggregate(functionName(plan, kind, "collect_exact"), {
        ...exact,
        start: 0,
        step: (_: unknown, ...args: unknown[]) => {
          if (this.on) this.#push(exactStream, args);
        },
      });
    }
    for (const sql of triggersOf(plan)) this.#db.exec(sql);
  }

  /** Whether a row that was inserted is to be told; its rowid, where clocks stand under rowids, is told here. */
  #installQuestion(plan: TablePlan): void {
    const stream: CapturedStream = { plan, kind: "insert", exact: false, told: true };
    this.#told.set(plan, stream);
    const taken = (): unknown[] | null => {
      if (this.#foretoldPlan === null) return null;
      assert(this.#foretoldPlan === plan, "a row is inserted where it was foretold");
      const row = this.#foretold;
      const next = this.#foretoldRows[++this.#inserted];
      if (next === undefined) this.#foretoldPlan = null;
      else this.#foretold = next;
      this.#push(stream, row);
      return row;
    };
    const name = functionName(plan, "insert", "asks");
    const options = { deterministic: false };
    if (plan.rowids === null) {
      this.#db.function(name, options, () => (this.#asks(plan) && taken() === null ? 1 : 0));
      return;
    }
    this.#db.function(name, options, (rowid: unknown) => {
      if (!this.#asks(plan)) return 0;
      const row = taken();
      row?.push(rowid);
      return row === null ? 1 : 0;
    });
  }

  /** After a ROLLBACK TO the trigger may be there, though nobody counts on it. */
  #asks(plan: TablePlan): boolean {
    return this.on && !this.triggers.isGone(plan);
  }

  /** All tables are about to be installed anew. */
  renew(): void {
    this.#told.clear();
    this.triggers.reset();
  }

  uninstall(plan: TablePlan): void {
    for (const name of triggerNames(plan)) this.#db.exec(`DROP TRIGGER IF EXISTS temp.${name}`);
  }

  #push(stream: CapturedStream, args: unknown[]): void {
    if (this.#args.length >= maxChanges) {
      this.#overflowed = true;
      return;
    }
    if (this.#args.length === 0) {
      // Mostly one alone: as literals they take a third of the room that `push` would make.
      this.#streams = [stream];
      this.#args = [args];
      return;
    }
    this.#streams.push(stream);
    this.#args.push(args);
  }
}

function functionName(plan: TablePlan, kind: CapturedKind, how = "capture"): string {
  return `patina_${how}_${plan.n}_${kind}`;
}

/** Tells whether some argument, with INTEGERs as numbers, may be one of two values. */
function doubtOf(plan: TablePlan, kind: CapturedKind): (args: readonly unknown[]) => boolean {
  const row = [...plan.keyAffinities, ...plan.dataAffinities];
  if (!row.includes("blob")) return hasUnsafe;
  // A rowid is a number that needs no such care.
  const last = plan.rowids === null ? 0 : 1;
  const keys = plan.keyAffinities;
  const affinityOf =
    kind === "update"
      ? // The position of the column comes first and is never in doubt.
        (i: number, args: readonly unknown[]) =>
          i === 0 ? "integer" : (keys[i - 1] ?? plan.dataAffinities[Number(args[0])] ?? "blob")
      : (i: number) => row[i % row.length] ?? "blob";
  return (args) =>
    args.some((arg, i) => i < args.length - last && isAmbiguous(arg, affinityOf(i, args)));
}

/** Only integers too large for a number are in doubt where every column has an affinity of its own. */
function hasUnsafe(args: readonly unknown[]): boolean {
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (typeof arg !== "number") continue;
    if (arg > Number.MAX_SAFE_INTEGER || arg < Number.MIN_SAFE_INTEGER) return true;
  }
  return false;
}

function triggerNames(plan: TablePlan): string[] {
  const updates = plan.dataNames.map((_, i) => `patina_capture_${plan.n}_update_${i}`);
  return ["insert", "delete", "rekey", "rowid"]
    .map((kind) => `patina_capture_${plan.n}_${kind}`)
    .concat(updates);
}

/** An argument in SQL. */
interface Told {
  readonly sql: string;
  readonly affinity: Affinity;
}

function toldOf({ keyNames, dataNames, keyAffinities, dataAffinities }: TablePlan) {
  const names = [...keyNames, ...dataNames];
  const affinities = [...keyAffinities, ...dataAffinities];
  return (side: string, i: number): Told => {
    return { sql: `${side}.${names[i]}`, affinity: affinities[i] ?? "blob" };
  };
}

/** Its affinity is never asked for. */
function toldRowid(plan: TablePlan, side: string): Told[] {
  return plan.rowids === null ? [] : [{ sql: `${side}.${rowidName}`, affinity: "text" }];
}

function toldRow(plan: TablePlan, side: string): Told[] {
  const told = toldOf(plan);
  return [...plan.keyNames, ...plan.dataNames].map((_, i) => told(side, i));
}

function insertTriggerOf(plan: TablePlan): string {
  const args = [...toldRow(plan, "NEW"), ...toldRowid(plan, "NEW")];
  return trigger(plan, "insert", "insert", "INSERT", null, args);
}

function triggersOf(plan: TablePlan): string[] {
  const { keyNames, dataNames } = plan;
  const told = toldOf(plan);
  const row = (side: string) => toldRow(plan, side);
  const rowid = (side: string) => toldRowid(plan, side);
  // An INTEGER PRIMARY KEY goes by other names too, as rowid, of which UPDATE OF knows nothing.
  const rekey = plan.schema.rowidKey ? "UPDATE" : `UPDATE OF ${keyNames.join(", ")}`;
  const keyChanged = keyNames.map((name) => `OLD.${name} IS NOT NEW.${name}`).join(" OR ");
  const both = [...row("OLD"), ...row("NEW"), ...rowid("OLD")];
  const sqls = [
    insertTriggerOf(plan),
    trigger(plan, "delete", "delete", "DELETE", null, [...row("OLD"), ...rowid("OLD")]),
    trigger(plan, "rekey", "rekey", rekey, keyChanged, both),
  ];
  if (plan.rowids !== null) sqls.push(rowidTrigger(plan));
  for (let i = 0; i < dataNames.length; i++) {
    const column = keyNames.length + i;
    const position: Told = { sql: String(i), affinity: "text" };
    const keys = row("OLD").slice(0, keyNames.length);
    const args = [position, ...keys, told("OLD", column), told("NEW", column), ...rowid("OLD")];
    const event = `UPDATE OF ${dataNames[i]}`;
    sqls.push(trigger(plan, `update_${i}`, "update", event, differs(plan, i), args));
  }
  return sqls;
}

/** True for every difference in value or storage class, whatever collation the column has. */
function differs(plan: TablePlan, i: number): string {
  const name = plan.dataNames[i] as string;
  const values = `OLD.${name} IS NOT NEW.${name} COLLATE BINARY`;
  if (plan.dataAffinities[i] !== "blob") return values;
  return `(${values} OR typeof(OLD.${name}) <> typeof(NEW.${name}))`;
}

function trigger(
  plan: TablePlan,
  suffix: string,
  kind: CapturedKind,
  event: string,
  when: string | null,
  args: readonly Told[],
): string {
  const condition = when === null ? "" : `WHEN ${when} `;
  return (
    `CREATE TEMP TRIGGER patina_capture_${plan.n}_${suffix} AFTER ${event} ON main.${plan.table} ${condition}BEGIN ` +
    `SELECT ${collects(plan, kind, args) ? collectSql(plan, kind, args) : callSql(plan, kind, args)}; END`
  );
}

/** Clocks stand under rowids, which therefore stay as they are. */
function rowidTrigger(plan: TablePlan): string {
  const why = quoteText(
    `the rowid of a row of ${plan.schema.name} cannot be changed; leave it out`,
  );
  return (
    `CREATE TEMP TRIGGER patina_capture_${plan.n}_rowid AFTER UPDATE OF ${rowidNames.join(", ")} ON main.${plan.table} ` +
    `WHEN OLD.${rowidName} IS NOT NEW.${rowidName} BEGIN SELECT RAISE(ABORT, ${why}); END`
  );
}

/**
 * Whether an aggregate takes the change. Inserts keep a journal in any case, as a key may be there
 * already. Statements on STRICT tables need one: a value of the wrong type ends them halfway. And
 * only a function tells which of the values without affinity are INTEGERs.
 */
function collects({ schema }: TablePlan, kind: CapturedKind, args: readonly Told[]): boolean {
  return kind !== "insert" && !schema.strict && args.every(({ affinity }) => affinity !== "blob");
}

function callSql(plan: TablePlan, kind: CapturedKind, args: readonly Told[]): string {
  const list = args.map(({ sql }) => sql).join(", ");
  const told = `CASE ${functionName(plan, kind)}(${list}) WHEN 1 THEN ${functionName(plan, kind, "exact")}(${list}) END`;
  if (kind !== "insert") return told;
  const rowid = plan.rowids === null ? "" : `NEW.${rowidName}`;
  return `CASE ${functionName(plan, kind, "asks")}(${rowid}) WHEN 1 THEN ${told} END`;
}

function collectSql(plan: TablePlan, kind: CapturedKind, args: readonly Told[]): string {
  const list = args.map(({ sql }) => sql).join(", ");
  const usual = `${functionName(plan, kind, "collect")}(${list})`;
  const doubts = args
    .filter(({ affinity }) => affinity === "integer" || affinity === "numeric")
    .map(
      ({ sql }) => `${sql} NOT BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER}`,
    );
  if (doubts.length === 0) return usual;
  const exact = `${functionName(plan, kind, "collect_exact")}(${list})`;
  return `CASE WHEN ${doubts.join(" OR ")} THEN (SELECT ${exact}) ELSE (SELECT ${usual}) END`;
}

/** What makes every other connection fail when it writes to the table: it has no such function. */
export function guardsOf(table: string): string[] {
  return ["INSERT", "UPDATE", "DELETE"].map((event) => {
    const name = quoteName(`patina_guard_${event.toLowerCase()}_${table}`);
    // Never called, and left out of the program: the name alone must be known for a statement to be prepared.
    return (
      `CREATE TRIGGER ${name} AFTER ${event} ON ${quoteName(table)} BEGIN ` +
      `SELECT EXISTS (SELECT patina_writes_only_through_a_node()) WHERE 0; END`
    );
  });
}

/**
 * Records what local transactions do to replicated tables, whoever does it: statements, upserts,
 * REPLACE, foreign-key actions, the user's own triggers. TEMP triggers hand each changed row to a
 * function of this connection; other connections to the file do not have them. The order is that
 * of the changes, so that what a failed statement or a ROLLBACK TO took back can be cut off.
 */
import { OpError } from "../../core/crdt/op-values.ts";
import type { Db } from "./db.ts";
import { quoteName } from "./schema-source.ts";
import { isAmbiguous } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";

/** Changes of one transaction kept in memory until it commits; more must be cut into several. */
const maxChanges = 4_000_000;

export type CapturedKind = "insert" | "delete" | "update" | "rekey";

/**
 * Changes in the order in which they were made, side by side; large transactions have many. `args`
 * as SQLite told them: of an insert or delete the key, then the data columns; of an update the data
 * column's position, the key, the value before and after; of a rekey the whole row before, then
 * the whole row after. `exact`: INTEGERs are bigints; else they are numbers, and none is ambiguous.
 */
export interface CapturedChanges {
  readonly plans: readonly TablePlan[];
  readonly kinds: readonly CapturedKind[];
  readonly args: readonly (readonly unknown[])[];
  readonly exact: readonly boolean[];
}

export class Capture {
  readonly #db: Db;
  /** Changes are recorded; off while the store itself writes rows, as merges do. */
  on = false;
  #plans: TablePlan[] = [];
  #kinds: CapturedKind[] = [];
  #args: unknown[][] = [];
  #exact: boolean[] = [];

  constructor(db: Db) {
    this.#db = db;
    db.function("patina_writes_only_through_a_node", () => null);
    db.function("patina_is_local", () => (this.on ? 1 : 0));
  }

  /** How many changes were recorded: a mark to cut off at. */
  get length(): number {
    return this.#plans.length;
  }

  /** What was recorded since `mark` was taken back. */
  cut(mark: number): void {
    this.#plans.length = mark;
    this.#kinds.length = mark;
    this.#args.length = mark;
    this.#exact.length = mark;
  }

  /** All that was recorded; begins anew. */
  take(): CapturedChanges {
    const changes = {
      plans: this.#plans,
      kinds: this.#kinds,
      args: this.#args,
      exact: this.#exact,
    };
    this.#plans = [];
    this.#kinds = [];
    this.#args = [];
    this.#exact = [];
    return changes;
  }

  install(plan: TablePlan): void {
    const kinds: readonly CapturedKind[] = ["insert", "delete", "update", "rekey"];
    for (const kind of kinds) {
      const affinities = affinitiesOfArgs(plan, kind);
      const options = { varargs: true, deterministic: false };
      this.#db.function(functionName(plan, kind), options, (...args: unknown[]) => {
        if (!this.on) return null;
        for (let i = 0; i < args.length; i++) {
          if (typeof args[i] === "number" && isAmbiguous(args[i], affinities(i, args))) return 1;
        }
        this.#push(plan, kind, args, false);
        return null;
      });
      const exact = { ...options, safeIntegers: true };
      this.#db.function(functionName(plan, kind, "exact"), exact, (...args: unknown[]) => {
        this.#push(plan, kind, args, true);
        return null;
      });
    }
    for (const sql of triggersOf(plan)) this.#db.exec(sql);
  }

  uninstall(plan: TablePlan): void {
    for (const name of triggerNames(plan)) this.#db.exec(`DROP TRIGGER IF EXISTS temp.${name}`);
  }

  #push(plan: TablePlan, kind: CapturedKind, args: unknown[], exact: boolean): void {
    if (this.#plans.length >= maxChanges) {
      const why = `a transaction changes at most ${maxChanges} rows; cut it into several`;
      throw new OpError("SQLITE_TOOBIG", why);
    }
    this.#plans.push(plan);
    this.#kinds.push(kind);
    this.#args.push(args);
    this.#exact.push(exact);
  }
}

function functionName(plan: TablePlan, kind: CapturedKind, how = "capture"): string {
  return `patina_${how}_${plan.n}_${kind}`;
}

/** The affinity of argument `i`. */
function affinitiesOfArgs(plan: TablePlan, kind: CapturedKind) {
  const row = [...plan.keyAffinities, ...plan.dataAffinities];
  const keys = plan.keyAffinities;
  if (kind === "update") {
    // The position of the column comes first and is never in doubt.
    return (i: number, args: readonly unknown[]) => {
      if (i === 0) return "integer" as const;
      return keys[i - 1] ?? plan.dataAffinities[Number(args[0])] ?? "blob";
    };
  }
  return (i: number) => row[i % row.length] ?? "blob";
}

function triggerNames(plan: TablePlan): string[] {
  const updates = plan.dataNames.map((_, i) => `patina_capture_${plan.n}_update_${i}`);
  return ["insert", "delete", "rekey"]
    .map((kind) => `patina_capture_${plan.n}_${kind}`)
    .concat(updates);
}

function triggersOf(plan: TablePlan): string[] {
  const { keyNames, dataNames } = plan;
  const row = (side: string) => [...keyNames, ...dataNames].map((name) => `${side}.${name}`);
  const keyChanged = keyNames.map((name) => `OLD.${name} IS NOT NEW.${name}`).join(" OR ");
  const sqls = [
    trigger(plan, "insert", "insert", "INSERT", null, row("NEW")),
    trigger(plan, "delete", "delete", "DELETE", null, row("OLD")),
    trigger(plan, "rekey", "rekey", `UPDATE OF ${keyNames.join(", ")}`, keyChanged, [
      ...row("OLD"),
      ...row("NEW"),
    ]),
  ];
  for (let i = 0; i < dataNames.length; i++) {
    const name = dataNames[i] as string;
    const args = [String(i), ...keyNames.map((key) => `OLD.${key}`), `OLD.${name}`, `NEW.${name}`];
    sqls.push(trigger(plan, `update_${i}`, "update", `UPDATE OF ${name}`, differs(plan, i), args));
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
  args: readonly string[],
): string {
  const list = args.join(", ");
  const condition = when === null ? "" : `WHEN ${when} `;
  return (
    `CREATE TEMP TRIGGER patina_capture_${plan.n}_${suffix} AFTER ${event} ON main.${plan.table} ${condition}BEGIN ` +
    `SELECT CASE ${functionName(plan, kind)}(${list}) WHEN 1 THEN ${functionName(plan, kind, "exact")}(${list}) END; END`
  );
}

/** What makes every other connection fail when it writes to the table: it has no such function. */
export function guardsOf(table: string): string[] {
  return ["INSERT", "UPDATE", "DELETE"].map((event) => {
    const name = quoteName(`patina_guard_${event.toLowerCase()}_${table}`);
    // Never called: the name alone must be known for a statement to be prepared.
    return (
      `CREATE TRIGGER ${name} AFTER ${event} ON ${quoteName(table)} BEGIN ` +
      `SELECT patina_writes_only_through_a_node() WHERE 0; END`
    );
  });
}

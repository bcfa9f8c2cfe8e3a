/**
 * The triggers that tell of rows that are inserted, taken away while nothing needs them. A statement
 * that says itself which rows it inserts needs none (`plain-insert.ts`), and without it costs a good
 * deal less. Once many rows in a row came that way, the table's trigger goes; before any other
 * statement that may insert it is back, in the same transaction, so that nothing is missed. Each time
 * it comes back SQLite prepares its statements anew, so it stays longer each time.
 */
import type { Db } from "./db.ts";
import type { TablePlan } from "./table-plan.ts";

/** So many rows in a row before the first trigger goes; later up to `mostRows`. */
const leastRows = 1024;
const mostRows = 1024 * 1024;
const longer = 4;

export class InsertTriggers {
  readonly #db: Db;
  /** Tables of which the trigger went, with what makes it. */
  readonly #gone = new Map<TablePlan, string>();
  /** In the transaction under way they are there all the same. */
  #back = false;
  /** Rows inserted since the last statement that needed them, and the table of the last one. */
  #rows = 0;
  #last: TablePlan | null = null;
  #needed = leastRows;

  constructor(db: Db) {
    this.#db = db;
  }

  /** No row that is inserted into the table is told. */
  isGone(plan: TablePlan): boolean {
    return this.#gone.size > 0 && !this.#back && this.#gone.has(plan);
  }

  /** A statement that says itself what it inserts has inserted so many rows. */
  inserted(plan: TablePlan, rows: number): void {
    this.#rows += rows;
    this.#last = plan;
  }

  /** A statement may insert rows that must be told. */
  bring(): void {
    this.#rows = 0;
    if (this.#gone.size === 0 || this.#back) return;
    this.#make();
    this.#back = true;
    this.#needed = Math.min(longer * this.#needed, mostRows);
  }

  /** Something was rolled back, and perhaps that they are back. */
  rolledBack(): void {
    this.#back = false;
  }

  /** Before a transaction: there are so many rows in a row that a trigger shall go. */
  get isDue(): boolean {
    if (this.#back) {
      // However the transaction ended in which they came.
      this.#make();
      this.#gone.clear();
      this.#back = false;
    }
    return this.#rows >= this.#needed && this.#last !== null && !this.#gone.has(this.#last);
  }

  /** Takes away that of the table into which rows were inserted last. @param triggerOf its name and what makes it, with IF NOT EXISTS. */
  takeLast(triggerOf: (plan: TablePlan) => { readonly name: string; readonly sql: string }): void {
    const plan = this.#last as TablePlan;
    const { name, sql } = triggerOf(plan);
    this.#db.exec(`DROP TRIGGER temp.${name}`);
    this.#gone.set(plan, sql);
  }

  /** All tables have theirs, made anew. */
  reset(): void {
    this.#gone.clear();
    this.#back = false;
    this.#rows = 0;
    this.#last = null;
  }

  #make(): void {
    for (const sql of this.#gone.values()) this.#db.exec(sql);
  }
}

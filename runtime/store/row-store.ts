/**
 * Where the living rows of one replicated table stand: in the table itself or, when they lose a
 * UNIQUE constraint, aside (`unique-rows.ts`).
 */
import type { Value } from "../../core/crdt/value.ts";
import type { StatementCache } from "./db.ts";
import { CorruptionError, describeKey, RowTable } from "./row-table.ts";
import { asideNameOf, type TablePlan } from "./table-plan.ts";
import { quoteName } from "./schema-source.ts";

export interface StoredRow {
  readonly values: Value[];
  readonly aside: boolean;
}

export class RowStore {
  readonly plan: TablePlan;
  readonly table: RowTable;
  /** Null: the table has no UNIQUE constraint. */
  readonly aside: RowTable | null;
  readonly #statements: StatementCache;
  /** Rows that stand aside. */
  asideCount = 0;

  constructor(plan: TablePlan, statements: StatementCache) {
    this.plan = plan;
    this.#statements = statements;
    this.table = new RowTable(plan, plan.table, statements);
    const name = quoteName(asideNameOf(plan.schema.name));
    this.aside = plan.hasAside ? new RowTable(plan, name, statements) : null;
  }

  countAside(): void {
    if (this.aside === null) return;
    const count = this.#statements.get(`SELECT count(*) FROM ${this.aside.name}`).pluck().get();
    this.asideCount = count as number;
  }

  /** Living rows. @throws CorruptionError when one stands nowhere. */
  read(keys: readonly (readonly Value[])[]): StoredRow[] {
    const found = this.table.read(keys);
    return keys.map((key, i) => {
      const values = found[i] ?? null;
      if (values !== null) return { values, aside: false };
      const beside = this.asideCount > 0 ? (this.aside?.read([key])[0] ?? null) : null;
      if (beside !== null) return { values: beside, aside: true };
      const { table } = this.plan;
      throw new CorruptionError(`table ${table} has lost the row with key ${describeKey(key)}`);
    });
  }
}

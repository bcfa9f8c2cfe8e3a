/**
 * What a merge may break, since it is never stopped: CHECK constraints and foreign keys. They are
 * looked for when somebody asks, so they cost nothing while nobody does, and what is listed is
 * true at that moment. The view `patina_conflicts` lists them for any SQLite tool.
 */
import { foldCase } from "../../core/crdt/parse-schema.ts";
import type { ConstraintSchema, TableSchema } from "../../core/crdt/schema.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Db } from "./db.ts";
import type { Engine } from "./engine.ts";
import { quoteName, quoteText } from "./schema-source.ts";
import { fromSqlExact } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";

export interface BrokenQuery {
  readonly kind: "check" | "foreign key";
  readonly table: string;
  /** As it stands in the schema. */
  readonly constraint: string;
  /** FROM and WHERE of the rows that break it; the table is called `t`. */
  readonly from: string;
}

/** Something in the schema that local transactions are held to and merges are not. */
export function hasConstraints(db: Db, schemas: readonly TableSchema[]): boolean {
  const references = db
    .prepare("SELECT 1 FROM pragma_table_list AS l, pragma_foreign_key_list(l.name) LIMIT 1")
    .get();
  if (references !== undefined) return true;
  return schemas.some(({ constraints }) => constraints.some(({ kind }) => kind === "check"));
}

export interface Conflict {
  /** `unique`: the row stands aside. */
  readonly kind: BrokenQuery["kind"] | "unique";
  readonly table: string;
  readonly key: readonly Value[];
  readonly constraint: string;
}

/** By table, then by constraint, then by key. */
export function findConflicts(engine: Engine): Conflict[] {
  const conflicts: Conflict[] = [];
  const plans = [...engine.plans.values()];
  const queries = brokenQueries(
    engine.db,
    plans.map(({ schema }) => schema),
  );
  for (const { kind, table, constraint, from } of queries) {
    const { keyNames } = engine.plans.get(table) as TablePlan;
    const keys = keyNames.map((name) => `t.${name}`).join(", ");
    const rows = engine.db.prepare(`SELECT ${keys} ${from} ORDER BY ${keys}`).raw().safeIntegers();
    for (const row of rows.all() as unknown[][]) {
      conflicts.push({ kind, table, key: row.map(fromSqlExact), constraint });
    }
  }
  for (const plan of plans) {
    const { aside, asideCount } = engine.rows(plan);
    if (aside === null || asideCount === 0) continue;
    const keys = plan.keyNames.join(", ");
    const rows = engine.db.prepare(`SELECT ${keys} FROM ${aside.name} ORDER BY ${keys}`);
    for (const row of rows.raw().safeIntegers().all() as unknown[][]) {
      const key = row.map(fromSqlExact);
      conflicts.push({ kind: "unique", table: plan.schema.name, key, constraint: "UNIQUE" });
    }
  }
  return conflicts;
}

export function brokenQueries(db: Db, schemas: readonly TableSchema[]): BrokenQuery[] {
  const queries: BrokenQuery[] = [];
  for (const schema of schemas) {
    const { name: table } = schema;
    for (const constraint of schema.constraints) {
      if (constraint.kind !== "check") continue;
      const from = `FROM ${quoteName(table)} AS t WHERE NOT (${checked(constraint)})`;
      queries.push({ kind: "check", table, constraint: constraint.text, from });
    }
    queries.push(...foreignKeys(db, table));
  }
  return queries;
}

/** The condition: what stands in the parentheses behind CHECK. */
function checked({ text }: ConstraintSchema): string {
  const at = /\bCHECK\s*\(/i.exec(text);
  if (at === null) throw new Error(`a CHECK without its word: ${text}`);
  return text.slice(at.index + at[0].length, text.lastIndexOf(")"));
}

interface ForeignKeyRow {
  readonly id: number;
  readonly table: string;
  readonly from: string;
  readonly to: string | null;
}

function foreignKeys(db: Db, table: string): BrokenQuery[] {
  const rows = db
    .prepare('SELECT id, "table", "from", "to" FROM pragma_foreign_key_list(?) ORDER BY id, seq')
    .all(table) as ForeignKeyRow[];
  const byId = new Map<number, ForeignKeyRow[]>();
  for (const row of rows) byId.set(row.id, [...(byId.get(row.id) ?? []), row]);
  return [...byId.values()].map((columns) => {
    const parent = (columns[0] as ForeignKeyRow).table;
    const keys = keyColumnsOf(db, parent);
    const matches = columns.map(({ from, to }, i) => {
      return `p.${quoteName(to ?? keys[i] ?? from)} = t.${quoteName(from)}`;
    });
    const told = columns.map(({ from }) => `t.${quoteName(from)} IS NOT NULL`);
    return {
      kind: "foreign key",
      table,
      constraint: `(${columns.map(({ from }) => from).join(", ")}) REFERENCES ${parent}`,
      from:
        `FROM ${quoteName(table)} AS t WHERE ${told.join(" AND ")} AND NOT EXISTS ` +
        `(SELECT 1 FROM ${quoteName(parent)} AS p WHERE ${matches.join(" AND ")})`,
    };
  });
}

function keyColumnsOf(db: Db, table: string): string[] {
  return db
    .prepare("SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk")
    .pluck()
    .all(table) as string[];
}

/** The view `patina_conflicts`: kind, table, key as SQL literals, constraint. */
export function conflictsView(
  queries: readonly BrokenQuery[],
  schemas: readonly TableSchema[],
  asides: readonly string[],
): string {
  const columns = 'kind, "table", "key", "constraint"';
  const selects = queries.map(({ kind, table, constraint, from }) => {
    const schema = schemas.find(({ name }) => foldCase(name) === foldCase(table));
    const keys = (schema?.keyColumns ?? []).map(
      (i) => `quote(t.${quoteName(schema?.columns[i]?.name ?? "")})`,
    );
    return `SELECT ${quoteText(kind)}, ${quoteText(table)}, ${keys.join(" || ', ' || ")}, ${quoteText(constraint)} ${from}`;
  });
  const all = [...selects, ...asides, "SELECT NULL, NULL, NULL, NULL WHERE 0"];
  return `CREATE VIEW patina_conflicts (${columns}) AS ${all.join(" UNION ALL ")}`;
}

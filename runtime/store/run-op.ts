/** Carries out the operations of the Store port as SQL statements, which the capture then sees like any other. */
import {
  checkNames,
  dataValue,
  insertedValues,
  keyAlone,
  keyInRow,
  OpError,
} from "../../core/crdt/op-values.ts";
import type { TableRules } from "../../core/crdt/table-rules.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Op } from "../../core/node/store.ts";
import type { Engine } from "./engine.ts";
import { quoteName } from "./schema-source.ts";
import { type SqlValue, toSql } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";

type Columns = Readonly<Record<string, Value>>;

/** @throws OpError, or what SQLite has against it. */
export function runOp(engine: Engine, op: Op): void {
  const plan = engine.plans.get(op[1]);
  if (plan === undefined) throw new OpError("SQLITE_ERROR", `no such table: ${op[1]}`);
  const { rules } = plan;
  switch (op[0]) {
    case "insert":
      insert(engine, plan, op[2]);
      return;
    case "upsert": {
      checkNames(rules, op[2]);
      const { key } = keyInRow(rules, op[2]);
      if (isThere(engine, plan, key)) set(engine, plan, key, op[2]);
      else insert(engine, plan, op[2]);
      return;
    }
    case "update":
      update(engine, plan, op[2], op[3]);
      return;
    case "delete": {
      const at = keyAlone(rules, op[2]);
      if (at === null) return;
      engine.statements
        .get(`DELETE FROM ${plan.table} WHERE ${whereKey(plan)}`)
        .run(keyParameters(plan, at.key));
      return;
    }
    default:
      throw new OpError("SQLITE_ERROR", `no such operation: ${(op as Op)[0]}`);
  }
}

function insert(engine: Engine, plan: TablePlan, columns: Columns): void {
  const { rules } = plan;
  checkNames(rules, columns);
  const { key } = keyInRow(rules, columns);
  // That the row is there is said before what is wrong with its values, as SQLite would not.
  if (isThere(engine, plan, key)) throw keyTaken(rules);
  const values = insertedValues(rules, columns);
  const names = [...plan.keyNames, ...plan.dataNames];
  const parameters = keyParameters(plan, key);
  values.forEach((value, i) => parameters.push(toSql(value, plan.dataAffinities[i] ?? "blob")));
  engine.statements
    .get(
      `INSERT INTO ${plan.table} (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")})`,
    )
    .run(parameters);
}

function update(engine: Engine, plan: TablePlan, keyColumns: Columns, columns: Columns): void {
  const { rules } = plan;
  checkNames(rules, columns);
  const at = keyAlone(rules, keyColumns);
  if (at === null || !isThere(engine, plan, at.key)) return;
  const { key, keyText } = at;
  set(engine, plan, key, columns);
  if (!rules.keyColumns.some((column) => columns[column.name] !== undefined)) return;
  const names = rules.keyColumns.map((column) => column.name);
  const moved = Object.fromEntries(
    names.map((name, i) => [name, columns[name] === undefined ? key[i] : columns[name]]),
  );
  const target = keyInRow(rules, moved as Columns);
  if (target.keyText === keyText) return;
  if (isThere(engine, plan, target.key)) throw keyTaken(rules);
  const assignments = plan.keyNames.map((name) => `${name} = ?`).join(", ");
  engine.statements
    .get(`UPDATE ${plan.table} SET ${assignments} WHERE ${whereKey(plan)}`)
    .run([...keyParameters(plan, target.key), ...keyParameters(plan, key)]);
}

/** Sets the data columns given; a row that is there. */
function set(engine: Engine, plan: TablePlan, key: readonly Value[], columns: Columns): void {
  const { rules } = plan;
  const names: string[] = [];
  const parameters: SqlValue[] = [];
  rules.dataColumns.forEach(({ name, affinity }, i) => {
    const given = columns[name];
    if (given === undefined) return;
    names.push(quoteName(name));
    parameters.push(toSql(dataValue(rules, i, given), affinity));
  });
  if (names.length === 0) return;
  const assignments = names.map((name) => `${name} = ?`).join(", ");
  engine.statements
    .get(`UPDATE ${plan.table} SET ${assignments} WHERE ${whereKey(plan)}`)
    .run([...parameters, ...keyParameters(plan, key)]);
}

function isThere(engine: Engine, plan: TablePlan, key: readonly Value[]): boolean {
  const found = engine.statements
    .get(`SELECT 1 FROM ${plan.table} WHERE ${whereKey(plan)}`)
    .get(keyParameters(plan, key));
  return found !== undefined;
}

function whereKey(plan: TablePlan): string {
  return plan.keyNames.map((name) => `${name} = ?`).join(" AND ");
}

function keyParameters(plan: TablePlan, key: readonly Value[]): SqlValue[] {
  return key.map((value, i) => toSql(value, plan.keyAffinities[i] ?? "blob"));
}

function keyTaken(rules: TableRules): OpError {
  const columns = rules.keyColumns.map((column) => `${rules.name}.${column.name}`);
  const what = `UNIQUE constraint failed: ${columns.join(", ")}`;
  return new OpError("SQLITE_CONSTRAINT_PRIMARYKEY", what);
}

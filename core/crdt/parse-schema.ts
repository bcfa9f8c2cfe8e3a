/**
 * Replicated tables from the text of their CREATE TABLE statements. What cannot be replicated is
 * refused with one line that names the table, the column and the mend; what only SQLite can
 * enforce (UNIQUE, CHECK, foreign keys, generated columns) is recorded. `docs/schema.md` says how
 * merge policies are declared.
 */
import { utf8Length } from "../base/utf8.ts";
import { maxKeyColumns, maxNameBytes } from "../wire/limits.ts";
import { affinityOf, normalise, zeroOf } from "./affinity.ts";
import { type ColumnSyntax, type KeyPart, TableParser, type TableSyntax } from "./parse-table.ts";
import type {
  Affinity,
  ColumnSchema,
  ConstraintSchema,
  MergePolicy,
  TableSchema,
} from "./schema.ts";
import { SchemaError, tokenize } from "./sql-tokens.ts";
import { whyNotStored } from "./store-class.ts";
import { isCount } from "./policies.ts";
import type { Value } from "./value.ts";

export type ParsedSchema =
  /** Sorted by name, in code-unit order. */
  | { readonly ok: true; readonly tables: readonly TableSchema[] }
  /** One line; `statement` and `at`: index into the list given and offset in that text. */
  | { readonly ok: false; readonly error: string; readonly statement: number; readonly at: number };

/** Each text holds any number of CREATE TABLE statements. */
export function parseSchema(sql: readonly string[]): ParsedSchema {
  const tables: TableSchema[] = [];
  const names = new Set<string>();
  for (let statement = 0; statement < sql.length; statement++) {
    try {
      const text = sql[statement] as string;
      const parser = new TableParser(text, tokenize(text));
      while (!parser.atEnd()) {
        const syntax = parser.table();
        const folded = foldCase(syntax.name);
        if (names.has(folded))
          throw new SchemaError(`table ${syntax.name} is there twice`, syntax.at);
        names.add(folded);
        tables.push(toTable(syntax));
      }
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      return { ok: false, error: error.message, statement, at: error.at };
    }
  }
  tables.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { ok: true, tables };
}

/** SQLite's names differ by more than the case of ASCII letters. */
export function foldCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

function toTable(syntax: TableSyntax): TableSchema {
  const { name, strict, withoutRowid } = syntax;
  checkName(`table ${name}`, name, syntax.at);
  if (/^sqlite_/i.test(name)) {
    throw new SchemaError(
      `table ${name}: names that begin with sqlite_ are SQLite's own`,
      syntax.at,
    );
  }
  const seen = new Set<string>();
  for (const column of syntax.columns) {
    checkName(`column ${column.name} of ${name}`, column.name, column.at);
    const folded = foldCase(column.name);
    if (seen.has(folded))
      throw new SchemaError(`column ${column.name} of ${name} is there twice`, column.at);
    seen.add(folded);
  }
  const stored = syntax.columns.filter((column) => column.generated === null);
  const key = keyOf(syntax, stored);
  const rowidKey = isRowid(syntax, stored, key);
  const impliedNotNull = strict || withoutRowid || rowidKey;
  const columns = stored.map((column, i) =>
    toColumn(syntax, column, key.includes(i), impliedNotNull),
  );
  const table: TableSchema = {
    name,
    columns,
    keyColumns: key,
    dataColumns: columns.map((_, i) => i).filter((i) => !key.includes(i)),
    strict,
    withoutRowid,
    rowidKey,
    constraints: constraintsOf(syntax),
  };
  for (const column of columns) checkDefault(table, column, syntax);
  return table;
}

function checkName(what: string, name: string, at: number): void {
  if (name === "") throw new SchemaError(`${what}: a name is not empty`, at);
  if (name.includes("\0")) throw new SchemaError(`${what}: a name has no NUL in it`, at);
  if (!name.isWellFormed()) throw new SchemaError(`${what}: the name is not Unicode text`, at);
  if (utf8Length(name) <= maxNameBytes) return;
  throw new SchemaError(`${what}: a name has at most ${maxNameBytes} bytes`, at);
}

/** Indexes of the key columns among `stored`. */
function keyOf(syntax: TableSyntax, stored: readonly ColumnSyntax[]): number[] {
  const { name } = syntax;
  const own = syntax.columns.filter((column) => column.primaryKey !== null);
  if (own.length + Number(syntax.key !== null) > 1) {
    throw new SchemaError(
      `table ${name} has two primary keys: list the columns in one PRIMARY KEY (…)`,
      syntax.at,
    );
  }
  const only = own[0];
  const parts: KeyPart[] =
    only !== undefined ? [{ name: only.name, collation: null, at: only.at }] : (syntax.key ?? []);
  if (parts.length === 0) {
    throw new SchemaError(
      `table ${name} has no primary key: rows are told apart by it on every node, so declare one`,
      syntax.at,
    );
  }
  if (parts.length > maxKeyColumns) {
    throw new SchemaError(`table ${name}: a key has at most ${maxKeyColumns} columns`, syntax.at);
  }
  return parts.map((part, i) => {
    const at = stored.findIndex((column) => foldCase(column.name) === foldCase(part.name));
    if (at < 0)
      throw new SchemaError(
        `the primary key of ${name} names ${part.name}, which is no stored column`,
        part.at,
      );
    const twice = parts.findIndex((other) => foldCase(other.name) === foldCase(part.name)) !== i;
    if (twice)
      throw new SchemaError(`the primary key of ${name} names ${part.name} twice`, part.at);
    const column = stored[at] as ColumnSyntax;
    const collation = part.collation ?? column.collation;
    if (collation !== null && !/^binary$/i.test(collation)) {
      throw new SchemaError(
        `column ${column.name} of ${name}: COLLATE ${collation} would make keys of different bytes equal; leave it out of the primary key`,
        part.at,
      );
    }
    return at;
  });
}

/** An INTEGER PRIMARY KEY is the rowid, but for the quirk that DESC behind the column undoes it. */
function isRowid(
  syntax: TableSyntax,
  stored: readonly ColumnSyntax[],
  key: readonly number[],
): boolean {
  if (syntax.withoutRowid || key.length !== 1) return false;
  const column = stored[key[0] as number] as ColumnSyntax;
  return /^integer$/i.test(column.type.trim()) && column.primaryKey !== "descending";
}

function toColumn(
  table: TableSyntax,
  column: ColumnSyntax,
  isKey: boolean,
  impliedNotNull: boolean,
): ColumnSchema {
  const where = `column ${column.name} of ${table.name}`;
  const fail = (why: string) => new SchemaError(`${where}: ${why}`, column.at);
  const type = column.type.replace(/\s+/g, " ");
  const affinity = columnAffinity(table, column, fail);
  const notNull = column.notNull || (isKey && impliedNotNull);
  const policy = policyOf(column, fail);
  if (column.autoincrement) {
    throw fail(
      "AUTOINCREMENT counts on one node only; use a key that no two nodes choose, such as a UUID",
    );
  }
  if (isKey) checkKeyColumn(type, notNull, policy, fail);
  if (policy === "counter" && (affinity !== "integer" || !notNull)) {
    throw fail(
      "a counter is NOT NULL and counts integers; write INTEGER COUNTER NOT NULL DEFAULT 0",
    );
  }
  const declared = column.defaultValue;
  if (declared instanceof SchemaError) {
    throw fail(`${declared.message}; a default must be the same on every node, so write a literal`);
  }
  const value: Value = declared === undefined ? null : normalise(declared, affinity);
  const hasDefault = declared !== undefined && !(notNull && value === null);
  return {
    name: column.name,
    declaredType: type,
    affinity,
    notNull,
    defaultValue: value === null && notNull ? zeroOf(affinity) : value,
    hasDefault,
    policy,
  };
}

function checkKeyColumn(
  type: string,
  notNull: boolean,
  policy: MergePolicy,
  fail: (why: string) => SchemaError,
): void {
  if (type === "" || /^any$/i.test(type)) {
    throw fail(
      "a primary key needs a type, or 1 and '1' would be two rows; write TEXT, INTEGER or BLOB",
    );
  }
  if (!notNull) {
    throw fail("SQLite lets this primary key be NULL, many times over; add NOT NULL");
  }
  if (policy !== "lww")
    throw fail(`a primary key does not merge; leave out ${policy.toUpperCase()}`);
}

/** The types of STRICT tables; a merge policy may follow in a comment only, since SQLite knows no other words. */
const strictTypes = new Set(["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]);

function columnAffinity(
  table: TableSyntax,
  column: ColumnSyntax,
  fail: (why: string) => SchemaError,
): Affinity {
  if (!table.strict) return affinityOf(column.type);
  const type = column.type.toUpperCase();
  if (!strictTypes.has(type)) {
    const policy = /^(\w+) (counter|max|min)$/i.exec(column.type.replace(/\s+/g, " "));
    if (policy !== null) {
      throw fail(
        `in a STRICT table write ${policy[1]} /* patina: ${(policy[2] as string).toLowerCase()} */`,
      );
    }
    throw fail(
      `a STRICT table knows INT, INTEGER, REAL, TEXT, BLOB and ANY, not ${column.type || "a missing type"}`,
    );
  }
  return type === "ANY" ? "blob" : affinityOf(type);
}

function policyOf(column: ColumnSyntax, fail: (why: string) => SchemaError): MergePolicy {
  const inType = /(?:^|\s)(counter|max|min)\s*(?:\(.*\))?$/i.exec(column.type)?.[1]?.toLowerCase();
  const said = column.directive;
  if (said !== null && !/^(counter|max|min|lww)$/.test(said)) {
    throw fail(`"patina: ${said}" is no merge policy; there are counter, max, min and lww`);
  }
  if (said !== null && inType !== undefined && said !== inType) {
    throw fail(`its type says ${inType} and its comment says ${said}`);
  }
  return (said ?? inType ?? "lww") as MergePolicy;
}

function checkDefault(table: TableSchema, column: ColumnSchema, syntax: TableSyntax): void {
  if (!column.hasDefault) return;
  const why =
    column.policy === "counter" && !isCount(column.defaultValue)
      ? `column ${column.name} of ${table.name} counts integers`
      : whyNotStored(table, column, column.defaultValue);
  if (why !== null) throw new SchemaError(`${why}: mend its DEFAULT`, syntax.at);
}

function constraintsOf(syntax: TableSyntax): ConstraintSchema[] {
  const constraints: ConstraintSchema[] = [];
  for (const column of syntax.columns) {
    const prefix = `${column.name} `;
    for (const { kind, text } of column.constraints)
      constraints.push({ kind, text: prefix + text });
    if (column.generated !== null) {
      constraints.push({ kind: "generated", text: prefix + column.generated });
    }
  }
  constraints.push(...syntax.constraints);
  return constraints;
}

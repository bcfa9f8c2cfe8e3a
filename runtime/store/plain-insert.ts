/**
 * Statements that tell in full which row they insert: `INSERT INTO t (a, b) VALUES (?, ?)`, with a
 * parameter for each column. SQLite need not hand such a row to the store once more, which is most
 * of what capturing it costs: it only says that the row is there.
 */
import { foldCase } from "../../core/crdt/parse-schema.ts";
import type { Affinity } from "../../core/crdt/schema.ts";
import type { Token } from "../../core/crdt/sql-tokens.ts";
import type { Value } from "../../core/crdt/value.ts";
import type { Statement } from "./db.ts";
import { isPunctuation, isWord } from "./schema-source.ts";
import type { SqlValue } from "./sql-value.ts";
import type { TablePlan } from "./table-plan.ts";

/** A statement of that form, as it is written. */
export interface InsertForm {
  readonly table: string;
  /** Null: those of the table, in declared order. */
  readonly columns: readonly string[] | null;
  /** Parameters. */
  readonly count: number;
}

/** @param tokens of the whole statement. @returns null for any other. */
export function insertFormOf(tokens: readonly Token[]): InsertForm | null {
  const table = tokens[2];
  if (!isWord(tokens[0], "INSERT") || !isWord(tokens[1], "INTO") || table?.kind !== "name") {
    return null;
  }
  let at = 3;
  let columns: string[] | null = null;
  if (isPunctuation(tokens[at], "(")) {
    const names = listed(tokens, at, (token) => (token?.kind === "name" ? token.name : null));
    if (names === null) return null;
    columns = names;
    at += 2 * names.length + 1;
  }
  if (!isWord(tokens[at], "VALUES") || !isPunctuation(tokens[++at], "(")) return null;
  const values = listed(tokens, at, (token) => (isPunctuation(token, "?") ? "?" : null));
  if (values === null) return null;
  const count = values.length;
  at += 2 * count + 1;
  if (isPunctuation(tokens[at], ";")) at++;
  return at === tokens.length ? { table: table.name, columns, count } : null;
}

/** What stands in the brackets that open at `at`, between commas; null: something else than `read` knows. */
function listed(
  tokens: readonly Token[],
  at: number,
  read: (token: Token | undefined) => string | null,
): string[] | null {
  const list: string[] = [];
  for (let i = at + 1; ; i += 2) {
    const item = read(tokens[i]);
    if (item === null) return null;
    list.push(item);
    if (isPunctuation(tokens[i + 1], ")")) return list;
    if (!isPunctuation(tokens[i + 1], ",")) return null;
  }
}

export class PlainInsert {
  readonly plan: TablePlan;
  /** Rows may wait, see `waiting-inserts.ts`. */
  readonly mayWait: boolean;
  /** Statements for rows that waited, by how many they are and whether they tell the keys. */
  readonly many: (Statement | undefined)[] = [];
  /** The parameters are in the order of what is captured. */
  readonly inOrder: boolean;
  /** Which parameter is which of the values that are captured: the key, then the data columns. */
  readonly #parameters: readonly number[];
  readonly #affinities: readonly Affinity[];
  readonly #keyColumns: number;

  private constructor(plan: TablePlan, parameters: readonly number[], mayWait: boolean) {
    this.plan = plan;
    this.mayWait = mayWait;
    this.#parameters = parameters;
    this.inOrder = parameters.every((parameter, i) => parameter === i);
    this.#affinities = [...plan.keyAffinities, ...plan.dataAffinities];
    this.#keyColumns = plan.keyAffinities.length;
  }

  /** @returns null when the statement does not give every column of this table once. */
  static of(plan: TablePlan, { columns, count }: InsertForm, mayWait: boolean): PlainInsert | null {
    const { schema } = plan;
    const all = schema.columns.map(({ name }) => foldCase(name));
    const given = columns === null ? all : columns.map(foldCase);
    const isGenerated = schema.constraints.some(({ kind }) => kind === "generated");
    if (isGenerated || given.length !== all.length || count !== all.length) return null;
    const captured = [...schema.keyColumns, ...schema.dataColumns];
    const parameters = captured.map((column) => given.indexOf(all[column] as string));
    return parameters.includes(-1) ? null : new PlainInsert(plan, parameters, mayWait);
  }

  /**
   * The row as a trigger would hand it over (`capture.ts`), with INTEGERs as numbers, which may be
   * bound as they are: the columns have affinities that make INTEGERs of them. Null when SQLite may
   * store something else than it is given.
   */
  rowOf(given: readonly Value[]): SqlValue[] | null {
    const parameters = this.#parameters;
    if (given.length !== parameters.length) return null;
    // A copy has exactly the room that it needs.
    const row = given.slice() as SqlValue[];
    for (let i = 0; i < row.length; i++) {
      const value = given[parameters[i] as number] as Value;
      if (value === null ? i < this.#keyColumns : !isKept(value, this.#affinities[i] as Affinity)) {
        return null;
      }
      // SQLite knows no −0.
      row[i] = value === 0 ? 0 : (value as SqlValue);
    }
    return row;
  }
}

/** A column of this affinity keeps the value as it is, and the value alone tells what it is. */
function isKept(value: Value, affinity: Affinity): boolean {
  switch (typeof value) {
    case "number":
      if (affinity === "real") return Number.isFinite(value);
      return (affinity === "integer" || affinity === "numeric") && Number.isSafeInteger(value);
    case "string":
      return (affinity === "text" || affinity === "blob") && value.isWellFormed();
    default:
      return false;
  }
}

/**
 * What a statement of a local transaction is, told from its words before it is run. Transactions
 * are the store's to begin and end, tables are the schema files' to make, and what the store keeps
 * for itself is nobody else's to write.
 */
import { OpError } from "../../core/crdt/op-values.ts";
import { SchemaError, type Token, tokenize } from "../../core/crdt/sql-tokens.ts";
import { foldCase } from "../../core/crdt/parse-schema.ts";
import { type InsertForm, insertFormOf } from "./plain-insert.ts";
import { pragmaTells } from "./telling-pragmas.ts";
import { isPunctuation, isWord, ownName, ownPrefix } from "./schema-source.ts";

export type StatementKind =
  /**
   * `mayFail`: what OR FAIL leaves behind must be taken back. `dooms`: when it fails the whole
   * transaction does, as OR ROLLBACK says. `inserts`: rows may come by it.
   */
  | {
      readonly type: "statement";
      readonly mayFail: boolean;
      readonly dooms: boolean;
      readonly inserts: boolean;
    }
  | { readonly type: "savepoint"; readonly name: string }
  | { readonly type: "release"; readonly name: string }
  | { readonly type: "rollbackTo"; readonly name: string };

const ordinary = ["SELECT", "VALUES", "WITH", "INSERT", "REPLACE", "UPDATE", "DELETE", "EXPLAIN"];

const refusals: Readonly<Record<string, string>> = {
  BEGIN: "a transaction is under way already; leave BEGIN out",
  COMMIT: "the transaction is committed after its last statement; leave COMMIT out",
  END: "the transaction is committed after its last statement; leave END out",
  CREATE: "tables, indexes, views and triggers are made by schema files",
  ALTER: "tables are changed by schema files",
  DROP: "what is to go is left out of the schema files",
  PRAGMA: "pragmas belong into the node's configuration",
  ATTACH: "other databases cannot be attached",
  DETACH: "other databases cannot be attached",
  VACUUM: "a node's file is vacuumed while the node stands still",
};

export interface ClassifiedStatement {
  readonly kind: StatementKind;
  /** What SQLite is given: OR ROLLBACK is carried out by the store, for it would end more than this transaction. */
  readonly sql: string;
  /** Not null: it inserts one row, which its parameters tell. */
  readonly insert: InsertForm | null;
}

/** @throws OpError with what to do instead. */
export function classify(sql: string): ClassifiedStatement {
  const tokens = tokensOf(sql);
  const first = tokens[0];
  if (first === undefined) throw refused("the statement is empty");
  const verb = first.kind === "name" && first.quote === "" ? first.name.toUpperCase() : "";
  const insert = insertFormOf(tokens);
  if (verb === "SAVEPOINT") {
    return { sql, insert, kind: { type: "savepoint", name: nameAt(tokens, 1) } };
  }
  if (verb === "RELEASE") {
    const name = nameAt(tokens, isWord(tokens[1], "SAVEPOINT") ? 2 : 1);
    return { sql, insert, kind: { type: "release", name } };
  }
  if (verb === "ROLLBACK") return { sql, insert, kind: rollback(tokens) };
  if (!ordinary.includes(verb)) {
    throw refused(refusals[verb] ?? `${verb || "this"} is no statement of a transaction`);
  }
  for (let i = 0; i < tokens.length; i++) refuseOwn(tokens, i, verb);
  const mayFail = tokens.some((token) => isWord(token, "FAIL"));
  const inserts = tokens.some((token) => isWord(token, "INSERT") || isWord(token, "REPLACE"));
  const ending = tokens.find(
    (token, i) => isWord(token, "ROLLBACK") && isWord(tokens[i - 1], "OR"),
  );
  if (ending === undefined) {
    return { sql, insert, kind: { type: "statement", mayFail, dooms: false, inserts } };
  }
  const text = `${sql.slice(0, ending.at)}ABORT${sql.slice(ending.end)}`;
  return { sql: text, insert, kind: { type: "statement", mayFail, dooms: true, inserts } };
}

/** What only reads may be asked of a reader (`reader.ts`). @throws OpError with what to do instead. */
export function checkRead(sql: string): void {
  const tokens = tokensOf(sql);
  const first = tokens[0];
  if (first === undefined) throw refused("the statement is empty");
  const verb = first.kind === "name" && first.quote === "" ? first.name.toUpperCase() : "";
  if (["SELECT", "VALUES", "WITH", "EXPLAIN"].includes(verb)) return;
  if (verb === "PRAGMA" && tellsOnly(tokens)) return;
  throw refused(`${verb || "this"} is no query; a query begins with SELECT, VALUES or WITH`);
}

/** PRAGMA [schema.]name [= argument | (argument)] */
function tellsOnly(tokens: readonly Token[]): boolean {
  const at = isPunctuation(tokens[2], ".") ? 3 : 1;
  const [token, next] = [tokens[at], tokens[at + 1]];
  const argument = next !== undefined && !isPunctuation(next, ";");
  return token?.kind === "name" && pragmaTells(token.name.toLowerCase(), argument);
}

function tokensOf(sql: string): Token[] {
  try {
    return tokenize(sql).filter(({ kind }) => kind !== "directive");
  } catch (error) {
    if (error instanceof SchemaError) throw refused(error.message);
    throw error;
  }
}

function rollback(tokens: readonly Token[]): StatementKind {
  let at = 1;
  if (isWord(tokens[at], "TRANSACTION")) at++;
  if (!isWord(tokens[at], "TO")) {
    throw refused("a transaction is rolled back by failing it; leave ROLLBACK out");
  }
  at++;
  if (isWord(tokens[at], "SAVEPOINT") && tokens[at + 1] !== undefined) at++;
  return { type: "rollbackTo", name: nameAt(tokens, at) };
}

/** SQLite's savepoints differ by more than the case of ASCII letters. */
function nameAt(tokens: readonly Token[], at: number): string {
  const token = tokens[at];
  if (token?.kind !== "name" && token?.kind !== "string") throw refused("a savepoint has a name");
  const name = foldCase(token.name);
  if (name.startsWith(ownPrefix)) {
    throw refused(`${token.name}: names that begin with ${ownPrefix} are the node's own`);
  }
  return name;
}

/** The store's own tables may be read; its functions may not be called. */
function refuseOwn(tokens: readonly Token[], i: number, verb: string): void {
  const own = ownName(tokens, i);
  if (own === null) return;
  const reads = verb === "SELECT" || verb === "VALUES" || verb === "EXPLAIN";
  if (reads && !isPunctuation(tokens[i + 1], "(")) return;
  throw refused(`${own}: names that begin with ${ownPrefix} are the node's own`);
}

function refused(why: string): OpError {
  return new OpError("SQLITE_AUTH", why);
}

/**
 * Schema files, split into statements and sorted by kind. A schema file says what there is, it
 * does nothing: CREATE TABLE, CREATE INDEX, CREATE VIEW and CREATE TRIGGER, and nothing else.
 * Each refusal names the file, the line and what to write instead.
 *
 * A table stays on its node when its statement carries the comment `patina: local` before the
 * column list: `CREATE TABLE cache /* patina: local *\/ (…)`. The comment survives in
 * sqlite_schema, so anybody who looks there sees it.
 */
import { foldCase } from "../../core/crdt/parse-schema.ts";
import { SchemaError, type Token, tokenize } from "../../core/crdt/sql-tokens.ts";

export interface SchemaSource {
  /** File name, for messages. */
  readonly name: string;
  readonly text: string;
}

export type ObjectKind = "table" | "index" | "view" | "trigger";

export interface SchemaObject {
  readonly kind: ObjectKind;
  readonly name: string;
  /** Of an index: the table that it is on. Else the name itself. */
  readonly table: string;
  /** A table that is not replicated. */
  readonly local: boolean;
  readonly unique: boolean;
  /** From CREATE to the last token, without the semicolon. */
  readonly sql: string;
  readonly tokens: readonly Token[];
  readonly source: string;
  readonly line: number;
}

export interface SchemaRefusal {
  readonly source: string;
  readonly line: number;
  /** One line: what is wrong and what to write instead. */
  readonly why: string;
}

export type SplitSchema =
  | { readonly ok: true; readonly objects: readonly SchemaObject[] }
  | { readonly ok: false; readonly refusal: SchemaRefusal };

/** Names that begin so belong to Patina's own tables. */
export const ownPrefix = "patina_";

export function splitSchema(sources: readonly SchemaSource[]): SplitSchema {
  const objects: SchemaObject[] = [];
  const seen = new Map<string, SchemaObject>();
  for (const source of sources) {
    try {
      for (const object of objectsOf(source)) {
        const folded = foldCase(object.name);
        const twin = seen.get(folded);
        if (twin !== undefined) {
          const where = `${twin.source}:${twin.line}`;
          return refused(object, `${object.kind} ${object.name} is there twice (also at ${where})`);
        }
        seen.set(folded, object);
        objects.push(object);
      }
    } catch (error) {
      if (!(error instanceof SchemaError)) throw error;
      const line = lineAt(source.text, error.at);
      return { ok: false, refusal: { source: source.name, line, why: error.message } };
    }
  }
  return { ok: true, objects };
}

function refused(object: SchemaObject, why: string): SplitSchema {
  return { ok: false, refusal: { source: object.source, line: object.line, why } };
}

export function formatRefusal({ source, line, why }: SchemaRefusal): string {
  return `${source}:${line}: ${why}`;
}

/** @param at offset in `text`; lines count from 1. */
export function lineAt(text: string, at: number): number {
  let line = 1;
  for (let i = text.indexOf("\n"); i >= 0 && i < at; i = text.indexOf("\n", i + 1)) line++;
  return line;
}

/**
 * The statement that stands on a line, with the name of what it makes where that can be read; from a text
 * that is not whole, all from there to the end. Null: none does.
 */
export function statementAt(
  text: string,
  line: number,
): { readonly from: number; readonly to: number; readonly name: string | null } | null {
  let tokens: readonly Token[];
  let broken = false;
  try {
    tokens = tokenize(text);
  } catch (error) {
    if (!(error instanceof SchemaError)) throw error;
    tokens = tokenize(text.slice(0, error.at));
    broken = true;
  }
  for (let from = 0; from < tokens.length; ) {
    const to = endOfStatement(tokens, from);
    const statement = tokens.slice(from, to);
    from = to + 1;
    const words = statement.filter((token) => token.kind !== "directive");
    const [first] = words;
    const last = statement[statement.length - 1];
    if (first === undefined || last === undefined) continue;
    const unfinished = broken && from >= tokens.length;
    if (!unfinished && lineAt(text, last.end - 1) < line) continue;
    return { from: first.at, to: unfinished ? text.length : last.end, name: nameMade(words) };
  }
  return null;
}

function nameMade(words: readonly Token[]): string | null {
  let at = isWord(words[1], "UNIQUE") ? 2 : 1;
  if (!isWord(words[0], "CREATE") || kindOf(words[at]) === null) return null;
  at += isWord(words[at + 1], "IF") ? 4 : 1;
  const token = words[at];
  return token?.kind === "name" || token?.kind === "string" ? token.name : null;
}

/** @throws SchemaError */
function objectsOf(source: SchemaSource): SchemaObject[] {
  const tokens = tokenize(source.text);
  const objects: SchemaObject[] = [];
  let from = 0;
  while (from < tokens.length) {
    if (isPunctuation(tokens[from], ";")) {
      from++;
      continue;
    }
    const to = endOfStatement(tokens, from);
    const statement = tokens.slice(from, to);
    if (statement.some((token) => token.kind !== "directive")) {
      objects.push(readObject(source, statement));
    }
    from = to + 1;
  }
  return objects;
}

/** Index of the semicolon that ends the statement, or the number of tokens. */
function endOfStatement(tokens: readonly Token[], from: number): number {
  let at = from;
  while (at < tokens.length && (tokens[at] as Token).kind === "directive") at++;
  const isTrigger = isWord(tokens[at], "CREATE") && triggerWord(tokens, at + 1);
  let inBody = false;
  let cases = 0;
  for (; at < tokens.length; at++) {
    const token = tokens[at] as Token;
    if (isPunctuation(token, ";") && !inBody) return at;
    if (!isTrigger) continue;
    if (isWord(token, "BEGIN")) inBody = true;
    else if (isWord(token, "CASE")) cases++;
    else if (isWord(token, "END")) {
      if (cases > 0) cases--;
      else if (inBody) inBody = false;
    }
  }
  return at;
}

function triggerWord(tokens: readonly Token[], at: number): boolean {
  const temporary = isWord(tokens[at], "TEMP") || isWord(tokens[at], "TEMPORARY");
  return isWord(tokens[temporary ? at + 1 : at], "TRIGGER");
}

const mends: Readonly<Record<string, string>> = {
  INSERT: "a schema file writes no rows; insert them through a node",
  REPLACE: "a schema file writes no rows; insert them through a node",
  UPDATE: "a schema file writes no rows; update them through a node",
  DELETE: "a schema file writes no rows; delete them through a node",
  DROP: "leave the statement out, and what it drops as well",
  ALTER: "change the CREATE statement itself; an added column is found and added",
  PRAGMA: "what a pragma sets belongs into the node's configuration",
  BEGIN: "all schema files are applied in one transaction anyway; leave it out",
  COMMIT: "all schema files are applied in one transaction anyway; leave it out",
};

/** @throws SchemaError */
function readObject(source: SchemaSource, statement: readonly Token[]): SchemaObject {
  const words = statement.filter((token) => token.kind !== "directive");
  const first = words[0] as Token;
  const verb = first.kind === "name" && first.quote === "" ? first.name.toUpperCase() : "";
  if (verb !== "CREATE") {
    const found = source.text.slice(first.at, first.end);
    const mend = mends[verb] ?? "a schema file holds CREATE TABLE, INDEX, VIEW and TRIGGER alone";
    throw new SchemaError(`${found}: ${mend}`, first.at);
  }
  let at = 1;
  if (isWord(words[at], "TEMP") || isWord(words[at], "TEMPORARY")) {
    throw new SchemaError("a schema file makes nothing temporary; leave out TEMP", first.at);
  }
  if (isWord(words[at], "VIRTUAL")) {
    throw new SchemaError("a virtual table cannot be replicated; leave it out", first.at);
  }
  const unique = isWord(words[at], "UNIQUE");
  if (unique) at++;
  const kind = kindOf(words[at]);
  if (kind === null) {
    throw new SchemaError("after CREATE comes TABLE, INDEX, VIEW or TRIGGER", first.at);
  }
  at++;
  if (isWord(words[at], "IF")) at += 3;
  const name = nameOf(words[at], first.at, `the ${kind}'s name`);
  if (isPunctuation(words[at + 1], ".")) {
    throw new SchemaError(`${kind} ${name}: leave out the schema name before the dot`, first.at);
  }
  if (foldCase(name).startsWith(ownPrefix)) {
    throw new SchemaError(
      `${kind} ${name}: names that begin with ${ownPrefix} are Patina's own; take another`,
      first.at,
    );
  }
  refuseEnding(words, `${kind} ${name}`);
  refuseOwnNames(words, kind, name);
  const on = kind === "index" ? tableAfterOn(words, at + 1, first.at) : name;
  const last = statement[statement.length - 1] as Token;
  return {
    kind,
    name,
    table: on,
    local: kind === "table" && saysLocal(statement),
    unique,
    sql: source.text.slice(first.at, last.end),
    tokens: words,
    source: source.name,
    line: lineAt(source.text, first.at),
  };
}

/** @throws SchemaError for a conflict clause that would end a whole transaction, and others committed together with it. */
function refuseEnding(words: readonly Token[], what: string): void {
  const at = conflictClause(words, "ROLLBACK");
  if (at < 0) return;
  const why = "ROLLBACK would end more than the statement; write ABORT";
  throw new SchemaError(`${what}: ${why}`, (words[at] as Token).at);
}

/** Index of `word` in OR word, ON CONFLICT word or RAISE(word, …); −1 for none. */
export function conflictClause(words: readonly Token[], word: "ROLLBACK" | "FAIL"): number {
  return words.findIndex((token, i) => {
    if (!isWord(token, word)) return false;
    const [before, earlier] = [words[i - 1], words[i - 2]];
    if (isWord(before, "OR")) return true;
    if (isWord(before, "CONFLICT")) return isWord(earlier, "ON");
    return isPunctuation(before, "(") && isWord(earlier, "RAISE");
  });
}

/** "UPDATE OR IGNORE" and the like among them. */
const wordsBeforeTables = "INTO UPDATE FROM JOIN ON ABORT FAIL IGNORE REPLACE ROLLBACK".split(" ");

/** What token `i` names if that is Patina's own, else null. SQLite takes a string for a name where a table's comes. */
export function ownName(tokens: readonly Token[], i: number): string | null {
  const token = tokens[i] as Token;
  if (token.kind !== "name" && token.kind !== "string") return null;
  if (!foldCase(token.name).startsWith(ownPrefix)) return null;
  if (token.kind === "name") return token.name;
  const before = tokens[i - 1];
  const isTable =
    isPunctuation(before, ".") || wordsBeforeTables.some((word) => isWord(before, word));
  return isTable ? token.name : null;
}

/** Views may read what Patina keeps; everything else leaves it alone, and nobody calls its functions. */
function refuseOwnNames(words: readonly Token[], kind: ObjectKind, name: string): void {
  for (let i = 0; i < words.length; i++) {
    const own = ownName(words, i);
    if (own === null || (kind === "view" && !isPunctuation(words[i + 1], "("))) continue;
    throw new SchemaError(
      `${kind} ${name}: ${own} is Patina's own, as all names that begin with ${ownPrefix}; leave it out`,
      (words[i] as Token).at,
    );
  }
}

function kindOf(token: Token | undefined): ObjectKind | null {
  for (const kind of ["table", "index", "view", "trigger"] as const) {
    if (isWord(token, kind.toUpperCase())) return kind;
  }
  return null;
}

function tableAfterOn(words: readonly Token[], from: number, at: number): string {
  if (!isWord(words[from], "ON")) throw new SchemaError("an index says ON which table it is", at);
  return nameOf(words[from + 1], at, "the table's name");
}

function nameOf(token: Token | undefined, at: number, what: string): string {
  if (token?.kind === "name" || token?.kind === "string") return token.name;
  throw new SchemaError(`${what} is missing`, at);
}

/** A directive before the column list, or before the statement itself. */
function saysLocal(statement: readonly Token[]): boolean {
  for (const token of statement) {
    if (isPunctuation(token, "(")) return false;
    if (token.kind === "directive" && token.text === "local") return true;
  }
  return false;
}

export function isWord(token: Token | undefined, word: string): boolean {
  return token?.kind === "name" && token.quote === "" && token.name.toUpperCase() === word;
}

export function isPunctuation(token: Token | undefined, text: string): boolean {
  return token?.kind === "punctuation" && token.text === text;
}

/** A name in SQL text, whatever it contains. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A text literal in SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/**
 * What a changed schema asks of a table that exists. Columns can be added in place; everything
 * else would mean rewriting rows, which schema files do not do.
 */
import type { Token } from "../../core/crdt/sql-tokens.ts";
import { isPunctuation, isWord, type SchemaObject } from "./schema-source.ts";

export type TableDiff =
  /** Definitions of the columns to add, in declared order. */
  | { readonly type: "grows"; readonly added: readonly string[] }
  | { readonly type: "refused"; readonly why: string };

interface Definition {
  /** Tokens with single spaces: equal for definitions that differ in layout alone. */
  readonly text: string;
  /** As it stands in the statement. */
  readonly sql: string;
  readonly column: string | null;
}

export function tableDiff(now: SchemaObject, next: SchemaObject): TableDiff {
  const before = definitionsOf(now);
  const after = definitionsOf(next);
  if (before.tail !== after.tail) {
    const why = `table ${next.name} cannot become «${after.tail}» in place; it was «${before.tail}»`;
    return { type: "refused", why };
  }
  const left = new Map(before.definitions.map((definition) => [definition.text, definition]));
  const added: Definition[] = [];
  for (const definition of after.definitions) {
    if (!left.delete(definition.text)) added.push(definition);
  }
  for (const gone of left.values()) {
    const what = gone.column === null ? `the constraint «${gone.text}»` : `column ${gone.column}`;
    const twin = added.find(({ column }) => column !== null && column === gone.column);
    const why =
      twin === undefined
        ? `${what} of ${next.name} is gone from the schema; put it back`
        : `${what} of ${next.name} was «${gone.text}» and cannot become «${twin.text}» in place; put it back`;
    return { type: "refused", why };
  }
  const constraint = added.find(({ column }) => column === null);
  if (constraint !== undefined) {
    const why = `table ${next.name} exists without «${constraint.text}», which cannot be added in place; leave it out`;
    return { type: "refused", why };
  }
  return { type: "grows", added: added.map(({ sql }) => sql) };
}

/** Column definitions and table constraints, and what stands behind the closing parenthesis. */
function definitionsOf(object: SchemaObject): {
  readonly definitions: readonly Definition[];
  readonly tail: string;
} {
  const { tokens } = object;
  const base = (tokens[0] as Token).at;
  const open = tokens.findIndex((token) => isPunctuation(token, "("));
  const definitions: Definition[] = [];
  let depth = 0;
  let from = open + 1;
  let at = open;
  for (; at < tokens.length; at++) {
    const token = tokens[at];
    if (isPunctuation(token, "(")) depth++;
    if (isPunctuation(token, ")")) depth--;
    const ends = depth === 0 || (depth === 1 && isPunctuation(token, ","));
    if (!ends) continue;
    if (at > from) definitions.push(definitionOf(object, tokens.slice(from, at), base));
    from = at + 1;
    if (depth === 0) break;
  }
  return { definitions, tail: textOf(object, tokens.slice(at + 1), base).toUpperCase() };
}

const constraintWords = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];

function definitionOf(object: SchemaObject, tokens: readonly Token[], base: number): Definition {
  const first = tokens[0] as Token;
  const isConstraint = constraintWords.some((word) => isWord(first, word));
  const last = tokens[tokens.length - 1] as Token;
  return {
    text: textOf(object, tokens, base),
    sql: object.sql.slice(first.at - base, last.end - base),
    column: isConstraint || first.kind === "punctuation" || !("name" in first) ? null : first.name,
  };
}

function textOf(object: SchemaObject, tokens: readonly Token[], base: number): string {
  return tokens.map((token) => object.sql.slice(token.at - base, token.end - base)).join(" ");
}

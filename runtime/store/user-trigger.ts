/**
 * The user's own triggers. They fire for local changes alone: what a trigger did on the node that
 * made a change comes with that change's version, and must not be done once more where it is merged.
 */
import { SchemaError, type Token } from "../../core/crdt/sql-tokens.ts";
import { isPunctuation, isWord, type SchemaObject } from "./schema-source.ts";

/** The statement with `WHEN patina_is_local() AND (…)`. INSTEAD OF triggers of views never see merges. */
export function localTrigger(object: SchemaObject): string {
  const { sql, tokens } = object;
  const base = (tokens[0] as Token).at;
  if (tokens.some((token, i) => isWord(token, "INSTEAD") && isWord(tokens[i + 1], "OF")))
    return sql;
  let on = tokens.findIndex((token) => isWord(token, "ON"));
  if (on < 0) throw new SchemaError(`trigger ${object.name} says ON which table it is`, base);
  on += 2;
  if (isPunctuation(tokens[on], ".")) on += 2;
  if (isWord(tokens[on], "FOR")) on += 3;
  const next = tokens[on];
  if (next === undefined) throw new SchemaError(`trigger ${object.name} has no body`, base);
  const at = next.at - base;
  if (isWord(next, "BEGIN")) return `${sql.slice(0, at)}WHEN patina_is_local() ${sql.slice(at)}`;
  if (!isWord(next, "WHEN")) throw new SchemaError(`trigger ${object.name} has no body`, base);
  const begin = tokens.findIndex((token, i) => i > on && isWord(token, "BEGIN"));
  if (begin < 0) throw new SchemaError(`trigger ${object.name} has no body`, base);
  const condition = sql.slice(next.end - base, (tokens[begin] as Token).at - base);
  return `${sql.slice(0, at)}WHEN patina_is_local() AND (${condition.trim()}\n) ${sql.slice((tokens[begin] as Token).at - base)}`;
}

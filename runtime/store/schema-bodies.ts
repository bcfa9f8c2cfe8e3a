/**
 * Whether views and triggers can be used with the tables that there are. SQLite takes them as they are
 * written, and tells what is wrong when somebody reads the view or fires the trigger.
 */
import type { Db } from "./db.ts";
import { isPunctuation, isWord, quoteName, type SchemaObject } from "./schema-source.ts";

export interface BrokenBody {
  readonly object: SchemaObject;
  /** As SQLite says it. */
  readonly why: string;
}

/** The first view or trigger that nobody could use; null: there is none. Nothing is run. */
export function brokenBody(db: Db, objects: readonly SchemaObject[]): BrokenBody | null {
  for (const object of objects) {
    const why =
      object.kind === "view"
        ? whyNot(db, `SELECT * FROM ${quoteName(object.name)}`)
        : object.kind === "trigger"
          ? whyNotFired(db, object)
          : null;
    if (why !== null) return { object, why };
  }
  return null;
}

function whyNot(db: Db, sql: string): string | null {
  try {
    db.prepare(sql);
    return null;
  } catch (error) {
    const { message, code } = error as { message: string; code?: unknown };
    if (typeof code !== "string") throw error;
    return message;
  }
}

/** What fires it is prepared, which compiles it, and other triggers of the table as well. */
function whyNotFired(db: Db, { tokens }: SchemaObject): string | null {
  const at = tokens.findIndex(
    (token) => isWord(token, "INSERT") || isWord(token, "UPDATE") || isWord(token, "DELETE"),
  );
  let on = tokens.findIndex((token, i) => i > at && isWord(token, "ON")) + 1;
  if (isPunctuation(tokens[on + 1], ".")) on += 2;
  const name = tokens[on];
  if (at < 0 || (name?.kind !== "name" && name?.kind !== "string")) return null;
  const table = quoteName(name.name);
  if (isWord(tokens[at], "INSERT")) return whyNot(db, `INSERT INTO ${table} DEFAULT VALUES`);
  if (isWord(tokens[at], "DELETE")) return whyNot(db, `DELETE FROM ${table}`);
  const columns = db
    .prepare("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0")
    .pluck()
    .all(name.name) as string[];
  const sets = columns.map((column) => `${quoteName(column)} = ${quoteName(column)}`);
  return whyNot(db, `UPDATE ${table} SET ${sets.join(", ")}`);
}

/**
 * What a statement really reads and writes, as SQLite itself finds when it prepares it: the
 * authorizer of `node:sqlite` on an empty copy of the schema in memory. Views, triggers, foreign key
 * actions, subqueries and common tables are all seen through.
 *
 * The node's data is in the hands of another build of SQLite. What that one understands and this one
 * does not (UPDATE … LIMIT, say) is told apart from what is wrong by a copy in that build.
 */
import { constants, DatabaseSync } from "node:sqlite";
import BetterSqlite from "better-sqlite3";
import { assert } from "../../core/base/assert.ts";
import type { SchemaInfo } from "../agent/node-service.ts";
import { pragmaTells } from "../store/telling-pragmas.ts";

export type Inspection =
  | {
      readonly type: "statement";
      /** Changes nothing. */
      readonly readonly: boolean;
      /** Tables, folded to lower case; views are seen through and not named. */
      readonly reads: readonly string[];
      readonly writes: readonly string[];
      /** Sets a mark in a transaction or goes back to one. */
      readonly savepoint: boolean;
    }
  /** Good SQL, but what it touches cannot be told. `own`: it names tables of the node's own. */
  | {
      readonly type: "opaque";
      readonly readonly: boolean;
      readonly own: boolean;
      readonly why: string;
    }
  /** Nobody may do that here. */
  | { readonly type: "refused"; readonly why: string; readonly hint: string | null }
  /** Bad SQL, in SQLite's words. */
  | { readonly type: "error"; readonly message: string };

/** Texts longer than this are inspected each time anew. */
const maxCachedLength = 16_384;
const maxCached = 2_048;
/**
 * Columns and subqueries that a statement may come to once views and common tables are put in their
 * places. Common tables that use each other twice double with each step: a dozen steps keep SQLite
 * busy for seconds, thirty for ever. No statement that a person or a library writes comes near.
 */
const maxReferences = 6_000;

/** Complaints that another build of SQLite may not share; the rest is wrong everywhere. */
const dependsOnBuild =
  /syntax error|no such (function|table|module|column|collation)|wrong number of arguments|unrecognized token|incomplete input|contains no statements/;

/** Functions in FROM that read nothing but their arguments. */
const argumentTables = new Set(["json_each", "json_tree", "jsonb_each", "jsonb_tree"]);
/** As `sqlite_schema` is called inside SQLite. */
const schemaTables = new Set(["sqlite_master", "sqlite_temp_master"]);

const pragmaHint = "what a pragma sets belongs into the node's configuration";
const schemaHint = "tables, indexes, views and triggers come from schema files; see docs/schema.md";

export class SqlInspector {
  readonly #schema: () => SchemaInfo;
  readonly #cache = new Map<string, Inspection>();
  /** Without foreign keys: what is read to keep them is not what the statement reads. */
  #copy: DatabaseSync | null = null;
  /** With them: what they change along is what the statement writes. */
  #linked: DatabaseSync | null = null;
  #twin: BetterSqlite.Database | null = null;
  #views: ReadonlySet<string> = new Set();
  #tables: ReadonlySet<string> = new Set();
  /** Something of the schema could not be made here, a trigger perhaps: what a write does is not known. */
  #incomplete = false;
  #probe: Probe = new Probe();

  constructor(schema: () => SchemaInfo) {
    this.#schema = schema;
  }

  /** After a change of the schema: what was found no longer holds. */
  forget(): void {
    this.#cache.clear();
    this.#incomplete = false;
    this.#copy?.close();
    this.#copy = null;
    this.#linked?.close();
    this.#linked = null;
    this.#twin?.close();
    this.#twin = null;
  }

  close(): void {
    this.forget();
  }

  inspect(sql: string): Inspection {
    const known = this.#cache.get(sql);
    if (known !== undefined) return known;
    const found = this.#look(sql);
    if (sql.length <= maxCachedLength) {
      this.#cache.set(sql, found);
      if (this.#cache.size > maxCached) this.#forgetOldest();
    }
    return found;
  }

  #forgetOldest(): void {
    for (const oldest of this.#cache.keys()) {
      this.#cache.delete(oldest);
      return;
    }
  }

  #look(sql: string): Inspection {
    const verb = firstWord(sql);
    const refusal = refusedVerbs[verb];
    if (refusal !== undefined) return { type: "refused", ...refusal };
    const probe = new Probe();
    try {
      this.#prepare((this.#copy ??= this.#open(false)), sql, probe);
      if (probe.changes) this.#prepare((this.#linked ??= this.#open(true)), sql, probe);
    } catch (error) {
      if (probe.refusal !== null) return { type: "refused", ...probe.refusal };
      const { message } = error as Error;
      return dependsOnBuild.test(message)
        ? this.#askTwin(sql, message)
        : { type: "error", message };
    }
    // The second statement of a text is not seen here; the other build refuses it.
    if (sql.includes(";") && /;\s*\S/.test(sql)) {
      const other = this.#askTwin(sql, "");
      if (other.type === "error") return other;
    }
    for (const table of probe.reads) {
      const why = this.#tables.has(table) ? null : pragmaRefusal(table);
      if (why !== null) return { type: "refused", ...why };
    }
    if (probe.changes && this.#incomplete) {
      const why = "the schema uses what this build of SQLite does not have";
      return { type: "opaque", readonly: false, own: namesOwn(sql), why };
    }
    const notView = (table: string): boolean => !this.#views.has(table);
    return {
      type: "statement",
      readonly: !probe.changes,
      reads: [...probe.reads].filter(notView),
      writes: [...probe.writes].filter(notView),
      savepoint: probe.savepoint,
    };
  }

  /** @param message why the inspecting build did not understand it. */
  #askTwin(sql: string, message: string): Inspection {
    const twin = (this.#twin ??= this.#openTwin());
    try {
      const statement = twin.prepare(sql);
      return { type: "opaque", readonly: statement.readonly, own: namesOwn(sql), why: message };
    } catch (error) {
      // The node's own tables are not in the copies.
      const said = (error as Error).message;
      const own = /^no such (table|column|function): (main\.)?patina_/i.test(said);
      return own ? ownTables(sql, said) : { type: "error", message: said };
    }
  }

  #prepare(copy: DatabaseSync, sql: string, probe: Probe): void {
    this.#probe = probe;
    probe.readsCount = copy === this.#copy;
    copy.prepare(sql);
  }

  #open(foreignKeys: boolean): DatabaseSync {
    const copy = new DatabaseSync(":memory:", { enableForeignKeyConstraints: foreignKeys });
    for (const statement of this.#statements()) {
      if (!tryExec(copy, statement)) this.#incomplete = true;
    }
    // With recursive triggers REPLACE fires those of the rows that it deletes, as in the store. With
    // count_changes INSERT … SELECT is never done by copying pages, which asks no authorizer.
    copy.exec("PRAGMA recursive_triggers = ON; PRAGMA count_changes = ON");
    this.#views = namesOf(copy, "view");
    this.#tables = namesOf(copy, "table");
    this.#copy ??= foreignKeys ? null : copy;
    if (foreignKeys) this.#listen(copy);
    else this.#checkCopying(copy);
    return copy;
  }

  #listen(copy: DatabaseSync): void {
    copy.setAuthorizer((action, a, b, _database, inside) =>
      this.#probe.ask(action, a, b, inside) ? constants.SQLITE_OK : constants.SQLITE_DENY,
    );
  }

  /** That copying pages is off is vital, and nothing that SQLite promises. */
  #checkCopying(copy: DatabaseSync): void {
    copy.setAuthorizer(null);
    copy.exec("CREATE TEMP TABLE patina_a (x); CREATE TEMP TABLE patina_b (x)");
    const probe = new Probe();
    this.#listen(copy);
    this.#prepare(copy, "INSERT INTO patina_a SELECT * FROM patina_b", probe);
    assert(probe.reads.has("patina_b"), "SQLite tells what INSERT … SELECT reads");
    copy.setAuthorizer(null);
    copy.exec("DROP TABLE temp.patina_a; DROP TABLE temp.patina_b");
    this.#listen(copy);
  }

  #openTwin(): BetterSqlite.Database {
    const twin = new BetterSqlite(":memory:");
    for (const statement of this.#statements()) tryExec(twin, statement);
    return twin;
  }

  #statements(): readonly string[] {
    return this.#schema().statements.filter((statement) => !isOwn(statement));
  }
}

function namesOf(copy: DatabaseSync, type: "table" | "view"): ReadonlySet<string> {
  const rows = copy.prepare("SELECT name FROM sqlite_schema WHERE type = ?").all(type);
  return new Set(rows.map(({ name }) => String(name).toLowerCase()));
}

/** SQLite's pragmas are tables too (`SELECT * FROM pragma_optimize`), and not all of them only tell. */
function pragmaRefusal(table: string): Refusal | null {
  const name = /^pragma_(.+)/.exec(table)?.[1];
  if (name === undefined || pragmaTells(name, false) || pragmaTells(name, true)) return null;
  return { why: `${table} is not for clients`, hint: pragmaHint };
}

/** @returns false where one build cannot make what the other could; then nothing is made. */
function tryExec(database: { exec(sql: string): unknown }, statement: string): boolean {
  try {
    database.exec(statement);
    return true;
  } catch {
    return false;
  }
}

function isOwn(statement: string): boolean {
  return /^\s*CREATE\s+(?:UNIQUE\s+|TEMP\s+|TEMPORARY\s+)*(?:TABLE|INDEX|VIEW|TRIGGER)\s+(?:IF\s+NOT\s+EXISTS\s+)?["'`[]?patina_/i.test(
    statement,
  );
}

function ownTables(sql: string, why: string): Inspection {
  const reads = /^(select|values|with|explain)$/i.test(firstWord(sql));
  if (!reads) {
    return {
      type: "refused",
      why: "names that begin with patina_ are the node's own",
      hint: "write to tables of the schema alone",
    };
  }
  return { type: "opaque", readonly: true, own: true, why };
}

function namesOwn(sql: string): boolean {
  return /patina_/i.test(sql);
}

interface Refusal {
  readonly why: string;
  readonly hint: string | null;
}

/** Collects what SQLite asks while it prepares one statement. */
class Probe {
  readonly reads = new Set<string>();
  readonly writes = new Set<string>();
  changes = false;
  savepoint = false;
  /** False: reads are not noted any more. */
  readsCount = true;
  refusal: Refusal | null = null;
  #references = 0;

  /** @returns false to refuse. */
  ask(action: number, a: string | null, b: string | null, inside: string | null): boolean {
    switch (action) {
      case constants.SQLITE_SELECT:
        return this.#refer();
      case constants.SQLITE_RECURSIVE:
        return true;
      case constants.SQLITE_SAVEPOINT:
        this.savepoint = true;
        return true;
      case constants.SQLITE_TRANSACTION:
        return this.#refuse(transactionRefusal.why, transactionRefusal.hint);
      case constants.SQLITE_READ:
        this.#read((a ?? "").toLowerCase());
        return this.#refer();
      case constants.SQLITE_INSERT:
      case constants.SQLITE_UPDATE:
      case constants.SQLITE_DELETE:
        return this.#write((a ?? "").toLowerCase(), inside);
      case constants.SQLITE_FUNCTION:
        return (
          b?.toLowerCase() !== "load_extension" || this.#refuse("extensions cannot be loaded", null)
        );
      case constants.SQLITE_PRAGMA:
        return this.#pragma((a ?? "").toLowerCase(), b);
      default:
        return this.#refuse("only rows are read and written here", schemaHint);
    }
  }

  #refer(): boolean {
    if (++this.#references <= maxReferences) return true;
    return this.#refuse(
      `the statement refers to more than ${maxReferences} columns once its views and common tables are put in`,
      "take it apart",
    );
  }

  #read(table: string): void {
    if (!this.readsCount || table === "" || argumentTables.has(table)) return;
    this.reads.add(schemaTables.has(table) ? "sqlite_schema" : table);
  }

  #write(table: string, inside: string | null): boolean {
    this.changes = true;
    if (table.startsWith("sqlite_") && inside === null) {
      return this.#refuse(`${table} is SQLite's own`, "write to tables of the schema alone");
    }
    this.writes.add(table);
    return true;
  }

  #pragma(name: string, argument: string | null): boolean {
    if (pragmaTells(name, argument !== null)) {
      this.reads.add("sqlite_schema");
      return true;
    }
    return this.#refuse(`PRAGMA ${name} is not for clients`, pragmaHint);
  }

  #refuse(why: string, hint: string | null): false {
    this.refusal ??= { why, hint };
    return false;
  }
}

const transactionRefusal: Refusal = {
  why: "transactions are begun and ended by the node",
  hint: "send all statements of a transaction in one request to /v1/transactions",
};
const schemaRefusal: Refusal = {
  why: "the schema is not changed by statements",
  hint: schemaHint,
};
const fileRefusal: Refusal = { why: "other databases cannot be attached", hint: null };

/** By what they begin with: SQLite's authorizer is not asked about all of them. */
const refusedVerbs: Readonly<Record<string, Refusal | undefined>> = {
  BEGIN: transactionRefusal,
  COMMIT: transactionRefusal,
  END: transactionRefusal,
  CREATE: schemaRefusal,
  ALTER: schemaRefusal,
  DROP: schemaRefusal,
  ATTACH: fileRefusal,
  DETACH: fileRefusal,
  VACUUM: {
    why: "the file is vacuumed by the node itself",
    hint: "patina backup writes a compact copy",
  },
  REINDEX: { why: "indexes are kept by the node", hint: null },
  ANALYZE: { why: "statistics are kept by the node", hint: null },
};

/** The first word after space and comments, in capitals; "" when there is none. */
export function firstWord(sql: string): string {
  const match = /^(?:[\s;\ufeff]|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))*([A-Za-z]+)/.exec(sql);
  return match?.[1]?.toUpperCase() ?? "";
}

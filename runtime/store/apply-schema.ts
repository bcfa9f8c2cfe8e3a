/**
 * Makes the database what the schema files say, in one transaction: tables, columns, indexes,
 * views and triggers that are new are made, views and triggers that changed are made anew, and
 * nothing that holds data is ever dropped.
 */
import { foldCase, parseSchema } from "../../core/crdt/parse-schema.ts";
import type { ColumnSchema, TableSchema } from "../../core/crdt/schema.ts";
import { tokenize } from "../../core/crdt/sql-tokens.ts";
import { schemaChange } from "../../core/crdt/schema-change.ts";
import { type Capture, guardsOf } from "./capture.ts";
import type { Db } from "./db.ts";
import type { Engine } from "./engine.ts";
import { brokenBody } from "./schema-bodies.ts";
import { tableDiff } from "./schema-diff.ts";
import {
  conflictClause,
  formatRefusal,
  isWord,
  type ObjectKind,
  quoteName,
  quoteText,
  type SchemaObject,
  type SchemaRefusal,
  type SchemaSource,
  splitSchema,
} from "./schema-source.ts";
import { brokenQueries, conflictsView } from "./constraints.ts";
import { toSqlExact, typeOfAffinity } from "./sql-value.ts";
import {
  asideNameOf,
  birthsAfter,
  type ColumnBirths,
  clockTableSql,
  TablePlan,
} from "./table-plan.ts";
import {
  hasRowids,
  leaveRowidsSql,
  mayHaveRowids,
  rowidClockNameOf,
  rowidClockTableSql,
} from "./rowid-clocks.ts";
import { localTrigger } from "./user-trigger.ts";
import { type UniqueIndex, uniqueIndexesOf } from "./unique-index.ts";

/** The schema files cannot be applied; nothing changed. */
export class SchemaRefusedError extends RangeError {
  override name = "SchemaRefusedError";
  readonly refusal: SchemaRefusal;

  constructor(refusal: SchemaRefusal) {
    super(formatRefusal(refusal));
    this.refusal = refusal;
  }
}

/** An object of an earlier schema, as `patina_object` has it. */
interface StoredObject {
  readonly n: number;
  readonly kind: ObjectKind;
  readonly name: string;
  readonly local: number;
  readonly sql: string;
  readonly since: string;
}

/** The plans of the replicated tables that the database has. */
export function loadPlans(db: Db): TablePlan[] {
  return storedObjects(db)
    .filter(({ kind, local }) => kind === "table" && local === 0)
    .map((stored) => {
      const parsed = parseSchema([stored.sql]);
      if (!parsed.ok)
        throw new Error(`table ${stored.name} is stored as what it cannot be: ${parsed.error}`);
      const schema = parsed.tables[0] as TableSchema;
      const births = parseBirths(stored.since);
      return new TablePlan(
        stored.n,
        schema,
        births,
        uniqueIndexesOf(db, schema),
        hasAside(db, schema),
        hasRowids(db, schema),
      );
    });
}

export interface SchemaTraits {
  /** Some conflict clause is FAIL, which leaves half a statement behind. */
  readonly fails: boolean;
  /** Some foreign key is checked only at the commit. */
  readonly defers: boolean;
  /** There are triggers, which may do anything while a statement is run. */
  readonly triggers: boolean;
}

/** What of the schema decides how transactions are carried out. */
export function schemaTraits(db: Db): SchemaTraits {
  const objects = storedObjects(db);
  const tokens = objects.map(({ sql }) => tokenize(sql));
  return {
    triggers: objects.some(({ kind }) => kind === "trigger"),
    fails: tokens.some((words) => conflictClause(words, "FAIL") >= 0),
    defers: tokens.some((words) => words.some((word) => isWord(word, "DEFERRED"))),
  };
}

function storedObjects(db: Db): StoredObject[] {
  return db
    .prepare("SELECT n, kind, name, local, sql, since FROM patina_object")
    .all() as StoredObject[];
}

function parseBirths(since: string): ColumnBirths {
  const list = JSON.parse(since) as [name: string, slot: number, since: number][];
  return new Map(list.map(([name, slot, from]) => [name, { slot, since: from }]));
}

function formatBirths(births: ColumnBirths): string {
  return JSON.stringify([...births].map(([name, { slot, since }]) => [name, slot, since]));
}

/**
 * Inside a transaction in which everything is folded. @returns true when anything changed; then
 * the plans must be loaded again. @throws SchemaRefusedError
 */
export function applySchema(engine: Engine, sources: readonly SchemaSource[]): boolean {
  const split = splitSchema(sources);
  if (!split.ok) throw new SchemaRefusedError(split.refusal);
  const applying = new Applying(engine, split.objects);
  return applying.run();
}

class Applying {
  readonly #engine: Engine;
  readonly #objects: readonly SchemaObject[];
  readonly #stored: ReadonlyMap<string, StoredObject>;
  #changed = false;

  constructor(engine: Engine, objects: readonly SchemaObject[]) {
    this.#engine = engine;
    this.#objects = objects;
    this.#stored = new Map(
      storedObjects(engine.db).map((object) => [foldCase(object.name), object]),
    );
  }

  run(): boolean {
    const schemas = this.#replicated();
    this.#refuseLosses(schemas);
    for (const kind of ["trigger", "view", "index"] as const) this.#dropOld(kind);
    for (const object of this.#objects) {
      if (object.kind !== "table") continue;
      const schema = schemas.get(object.name) ?? null;
      const stored = this.#stored.get(foldCase(object.name));
      if (stored === undefined) this.#createTable(object, schema);
      else if (stored.sql !== object.sql) this.#growTable(object, stored, schema);
    }
    for (const kind of ["index", "view", "trigger"] as const) {
      for (const object of this.#objects) {
        if (object.kind !== kind || this.#isThere(object)) continue;
        const schema = schemas.get(object.table) ?? null;
        if (object.unique && schema !== null) this.#createUnique(object, schema);
        else this.#createOther(object);
      }
    }
    if (this.#changed) {
      this.#createOwn([...schemas.values()]);
      this.#refuseBroken();
    }
    return this.#changed;
  }

  /** What was right may be broken by a column that was added. */
  #refuseBroken(): void {
    const broken = brokenBody(this.#engine.db, this.#objects);
    if (broken === null) return;
    const { object, why } = broken;
    this.#refuse(object, `${object.kind} ${object.name}: ${why}`);
  }

  /** Rows that break it already stand aside first; which of them it shows is settled afterwards. */
  #createUnique(object: SchemaObject, schema: TableSchema): void {
    const { db } = this.#engine;
    this.#leaveRowids(schema);
    db.exec("SAVEPOINT patina_unique");
    try {
      db.exec(object.sql);
    } catch (error) {
      db.exec("ROLLBACK TO patina_unique");
      const { code } = error as { code?: string };
      if (code === undefined || !code.startsWith("SQLITE_CONSTRAINT")) {
        this.#refuse(object, `index ${object.name}: ${(error as Error).message}`);
      }
      this.#run(asideTableSql(schema));
      const names = columnNames(schema);
      this.#run(
        `INSERT INTO ${quoteName(asideNameOf(schema.name))} (${names}) SELECT ${names} FROM ${quoteName(schema.name)}`,
      );
      this.#run(`DELETE FROM ${quoteName(schema.name)}`);
      this.#create(object, object.sql);
    }
    db.exec("RELEASE patina_unique");
    this.#remember(object, "[]");
    this.#uniquesOf(object, schema);
  }

  /** @throws SchemaRefusedError where no rule could decide over a UNIQUE constraint. */
  #uniquesOf(object: SchemaObject, schema: TableSchema): readonly UniqueIndex[] {
    try {
      return uniqueIndexesOf(this.#engine.db, schema);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      return this.#refuse(object, error.message);
    }
  }

  /** Places for rows that lose a UNIQUE constraint, and the view that lists what merges broke. */
  #createOwn(schemas: readonly TableSchema[]): void {
    const { db } = this.#engine;
    const asides: string[] = [];
    for (const schema of schemas) {
      const object = this.#objects.find(({ name }) => name === schema.name) as SchemaObject;
      const uniques = this.#uniquesOf(object, schema);
      if (uniques.length > 0) this.#run(asideTableSql(schema));
      if (!hasAside(db, schema)) continue;
      asides.push(asideSelect(schema));
      for (const { name, columns } of uniques) {
        const list = columns.map(quoteName).join(", ");
        const index = quoteName(`patina_aside_${schema.name} ${name}`);
        this.#run(
          `CREATE INDEX IF NOT EXISTS ${index} ON ${quoteName(asideNameOf(schema.name))} (${list})`,
        );
      }
    }
    this.#run("DROP VIEW IF EXISTS patina_conflicts");
    this.#run(conflictsView(brokenQueries(db, schemas), schemas, asides));
  }

  /** By name as declared. */
  #replicated(): Map<string, TableSchema> {
    const schemas = new Map<string, TableSchema>();
    for (const object of this.#objects) {
      if (object.kind !== "table" || object.local) continue;
      const parsed = parseSchema([object.sql]);
      if (!parsed.ok) {
        const line = object.line + object.sql.slice(0, parsed.at).split("\n").length - 1;
        throw new SchemaRefusedError({ source: object.source, line, why: parsed.error });
      }
      const schema = parsed.tables[0] as TableSchema;
      if (schema.columns.length > maxColumns) {
        this.#refuse(
          object,
          `table ${object.name} has more than ${maxColumns} columns; cut it into two`,
        );
      }
      schemas.set(schema.name, schema);
    }
    return schemas;
  }

  #refuseLosses(schemas: ReadonlyMap<string, TableSchema>): void {
    for (const stored of this.#stored.values()) {
      if (stored.kind !== "table") continue;
      const object = this.#objects.find(({ name }) => foldCase(name) === foldCase(stored.name));
      if (object === undefined) {
        const why = `table ${stored.name} is gone from the schema; put it back`;
        throw new SchemaRefusedError({
          source: this.#objects[0]?.source ?? "schema",
          line: 1,
          why,
        });
      }
      if (object.kind !== "table" || object.local !== (stored.local === 1)) {
        const was = stored.local === 1 ? "local" : "replicated";
        this.#refuse(object, `table ${stored.name} was ${was} and stays so; take another name`);
      }
    }
    const now = [...this.#engine.plans.values()].map(({ schema }) => schema);
    for (const schema of now) {
      const next = schemas.get(schema.name);
      const object = this.#objects.find(({ name }) => foldCase(name) === foldCase(schema.name));
      if (object === undefined) continue;
      const why = schemaChange([schema], next === undefined ? [] : [next]);
      if (why !== null) this.#refuse(object, why);
    }
  }

  #dropOld(kind: ObjectKind): void {
    for (const stored of this.#stored.values()) {
      if (stored.kind !== kind) continue;
      const object = this.#objects.find(({ name }) => foldCase(name) === foldCase(stored.name));
      if (object !== undefined && object.kind === kind && object.sql === stored.sql) continue;
      this.#run(`DROP ${kind.toUpperCase()} IF EXISTS ${quoteName(stored.name)}`);
      this.#engine.db.prepare("DELETE FROM patina_object WHERE n = ?").run(stored.n);
      this.#changed = true;
    }
  }

  /** From now on rows may stand aside, and lose their rowids: all clocks come to stand under keys. */
  #leaveRowids(schema: TableSchema): void {
    if (!hasRowids(this.#engine.db, schema)) return;
    const plan = this.#engine.plans.get(schema.name);
    // A table made just now has no rows.
    if (plan !== undefined) for (const sql of leaveRowidsSql(plan)) this.#run(sql);
    this.#run(`DROP TABLE ${quoteName(rowidClockNameOf(schema.name))}`);
  }

  #isThere(object: SchemaObject): boolean {
    const stored = this.#stored.get(foldCase(object.name));
    return stored?.kind === object.kind && stored.sql === object.sql;
  }

  #createTable(object: SchemaObject, schema: TableSchema | null): void {
    this.#create(object, object.sql);
    if (schema === null) {
      this.#remember(object, "[]");
      return;
    }
    this.#run(clockTableSql(schema));
    const isPlain = this.#uniquesOf(object, schema).length === 0;
    const keyed = !(isPlain && mayHaveRowids(schema, allColumns(this.#engine.db, schema.name)));
    if (!keyed) this.#run(rowidClockTableSql(schema.name));
    for (const sql of guardsOf(schema.name)) this.#run(sql);
    this.#remember(object, formatBirths(birthsAfter(new Map(), schema, 0)), keyed);
  }

  #growTable(object: SchemaObject, stored: StoredObject, schema: TableSchema | null): void {
    const now = splitSchema([{ name: "stored", text: stored.sql }]);
    const before = now.ok ? now.objects[0] : undefined;
    if (before === undefined)
      throw new Error(`table ${stored.name} is stored as what it cannot be`);
    const diff = tableDiff(before, object);
    if (diff.type === "refused") this.#refuse(object, diff.why);
    for (const definition of diff.added) {
      this.#create(object, `ALTER TABLE ${quoteName(object.name)} ADD COLUMN ${definition}`);
    }
    if (schema !== null && hasAside(this.#engine.db, schema)) this.#growAside(stored, schema);
    const births =
      schema === null
        ? "[]"
        : formatBirths(birthsAfter(parseBirths(stored.since), schema, this.#engine.lastId));
    this.#engine.db
      .prepare("UPDATE patina_object SET sql = ?, since = ? WHERE n = ?")
      .run(object.sql, births, stored.n);
    this.#changed = true;
  }

  #growAside(stored: StoredObject, schema: TableSchema): void {
    const before = parseBirths(stored.since);
    for (const i of schema.dataColumns) {
      const column = schema.columns[i] as ColumnSchema;
      if (before.has(column.name)) continue;
      const table = quoteName(asideNameOf(schema.name));
      const value = this.#engine.db
        .prepare("SELECT quote(?)")
        .pluck()
        .get(toSqlExact(column.defaultValue)) as string;
      this.#run(`ALTER TABLE ${table} ADD COLUMN ${asideColumn(column)} DEFAULT ${value}`);
    }
  }

  #createOther(object: SchemaObject): void {
    const sql = object.kind === "trigger" ? localTrigger(object) : object.sql;
    this.#create(object, sql);
    this.#remember(object, "[]");
  }

  /** Runs a statement of the user's; what SQLite says against it is said with file and line. */
  #create(object: SchemaObject, sql: string): void {
    try {
      this.#run(sql);
    } catch (error) {
      this.#refuse(object, `${object.kind} ${object.name}: ${(error as Error).message}`);
    }
  }

  #run(sql: string): void {
    this.#engine.db.exec(sql);
    this.#changed = true;
  }

  #remember(object: SchemaObject, since: string, keyed = true): void {
    this.#engine.db
      .prepare(
        "INSERT INTO patina_object (kind, name, local, sql, since, keyed) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(object.kind, object.name, object.local ? 1 : 0, object.sql, since, Number(keyed));
    this.#changed = true;
  }

  #refuse(object: SchemaObject, why: string): never {
    throw new SchemaRefusedError({ source: object.source, line: object.line, why });
  }
}

/** The rows of a replicated table that lose a UNIQUE constraint: the same columns, held to nothing. */
function asideTableSql(schema: TableSchema): string {
  const columns = schema.columns.map(asideColumn);
  const keys = schema.keyColumns.map((i) => quoteName(schema.columns[i]?.name ?? ""));
  return (
    `CREATE TABLE IF NOT EXISTS ${quoteName(asideNameOf(schema.name))} ` +
    `(${columns.join(", ")}, PRIMARY KEY (${keys.join(", ")})) WITHOUT ROWID`
  );
}

function asideColumn({ name, affinity }: ColumnSchema): string {
  return `${quoteName(name)} ${typeOfAffinity(affinity)}`;
}

/** Generated columns too. */
function allColumns(db: Db, table: string): string[] {
  return db.prepare("SELECT name FROM pragma_table_xinfo(?)").pluck().all(table) as string[];
}

function columnNames(schema: TableSchema): string {
  return schema.columns.map(({ name }) => quoteName(name)).join(", ");
}

/** Its rows as `patina_conflicts` lists them. */
function asideSelect(schema: TableSchema): string {
  const keys = schema.keyColumns.map((i) => `quote(${quoteName(schema.columns[i]?.name ?? "")})`);
  return `SELECT 'unique', ${quoteText(schema.name)}, ${keys.join(" || ', ' || ")}, 'UNIQUE' FROM ${quoteName(asideNameOf(schema.name))}`;
}

function hasAside(db: Db, { name }: TableSchema): boolean {
  const found = db
    .prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?")
    .get(asideNameOf(name));
  return found !== undefined;
}

/** A changed row is handed to a function, which takes at most 1,000 arguments, twice over. */
const maxColumns = 400;

/** Captures the changes of the tables that `engine` has. */
export function installCapture(engine: Engine, capture: Capture): void {
  capture.renew();
  for (const plan of engine.plans.values()) {
    capture.uninstall(plan);
    capture.install(plan);
  }
}

/**
 * What `npm run bench store` compares: plain SQLite, Patina, and the native extension that
 * Corrosion uses. Each opens a database of its own, runs the same statements in transactions of
 * the same size, and is asked for its file's size.
 */
import { rmSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import { actorId } from "../../core/base/ids.ts";
import type { Value } from "../../core/crdt/value.ts";
import { usualCacheKiB, walPages } from "../store/open-database.ts";
import { SqliteStore } from "../store/sqlite-store.ts";

export type SubjectName = "plain" | "patina" | "extension";

/** Runs one statement with these parameters. */
export type RunSql = (sql: string, parameters: readonly Value[]) => void;

export interface Session {
  transaction(body: (run: RunSql) => void): void;
  /** Bytes of the database file once everything is in it. */
  sizeBytes(): number;
  vacuum(): void;
  close(): void;
}

export interface Subject {
  readonly name: SubjectName;
  open(path: string, schema: string): Session;
}

type Sqlite = Database.Database;

export const plainSubject: Subject = {
  name: "plain",
  open(path, schema) {
    const db = openPlain(path);
    db.exec(schema);
    return sessionOf(db, path, () => db.close());
  },
};

/**
 * Plain SQLite with Patina's settings, which calls an empty function for each row and writes one
 * row to a second table in each transaction: the least that a store does which captures changes by
 * triggers and logs versions.
 */
export const loggedSubject: Subject = {
  name: "plain",
  open(path, schema) {
    const db = openPlain(path);
    giveSettings(db);
    db.exec(schema);
    db.exec("CREATE TABLE log (id INTEGER PRIMARY KEY, ms INTEGER, effects BLOB, payload BLOB)");
    db.function("captured", { varargs: true, deterministic: false }, () => null);
    for (const [event, row] of [
      ["INSERT", "NEW.id, NEW.a, NEW.b, NEW.c, NEW.d"],
      ["UPDATE", "0, OLD.id, OLD.b, NEW.b"],
      ["DELETE", "OLD.id, OLD.a, OLD.b, OLD.c, OLD.d"],
    ]) {
      db.exec(
        `CREATE TEMP TRIGGER after_${event} AFTER ${event} ON main.t BEGIN SELECT captured(${row}); END`,
      );
    }
    const insert = db.prepare("INSERT INTO log VALUES (?, ?, ?, ?)");
    const [effects, payload] = [new Uint8Array(45), new Uint8Array(60)];
    let id = 0;
    const log = () => {
      insert.run(++id, wallMs++, effects, payload);
    };
    return sessionOf(db, path, () => db.close(), log);
  },
};

let isEven = false;

/** From here on plain SQLite and the extension get Patina's page cache and checkpoints, instead of SQLite's own. */
export function giveEvenSettings(): void {
  isEven = true;
}

export function openPlain(path: string): Sqlite {
  removeDatabase(path);
  const db = new Database(path);
  db.pragma("journal_mode = WAL");
  db.pragma("synchronous = NORMAL");
  if (isEven) giveSettings(db);
  return db;
}

/** Patina's page cache and checkpoints. */
function giveSettings(db: Sqlite): void {
  db.pragma(`cache_size = -${usualCacheKiB}`);
  db.pragma(`wal_autocheckpoint = ${walPages}`);
  db.pragma("temp_store = MEMORY");
}

/** The wall clock of measured transactions; a millisecond each. */
let wallMs = 1_780_000_000_000;

export const patinaSubject: Subject = {
  name: "patina",
  open(path, schema) {
    const store = openPatina(path, schema, "a");
    return {
      transaction(body) {
        const outcome = store.transact(wallMs++, (transaction) => {
          body((sql, parameters) => transaction.run(sql, parameters));
        });
        if (outcome.type === "failed") throw new Error(outcome.error);
      },
      sizeBytes() {
        store.checkpoint();
        return store.sizeBytes();
      },
      vacuum: () => store.vacuum(),
      close: () => store.close(),
    };
  },
};

/** @param letter of which its actor id is made. */
export function openPatina(path: string, schema: string, letter: string): SqliteStore {
  removeDatabase(path);
  return new SqliteStore({ path, actor: actorId(letter.repeat(32)), schema: [schema] });
}

/** @param library the extension's file. */
export function extensionSubject(library: string): Subject {
  return {
    name: "extension",
    open(path, schema) {
      const db = openExtension(path, schema, library);
      return sessionOf(db, path, () => closeExtension(db), stamper(db));
    },
  };
}

export function openExtension(path: string, schema: string, library: string): Sqlite {
  const db = openPlain(path);
  db.loadExtension(library.replace(/\.so$/, ""));
  db.exec(schema);
  const tables = db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'crsql%'")
    .pluck()
    .all() as string[];
  for (const table of tables) {
    if (!table.startsWith("__crsql") && !table.startsWith("sqlite_")) {
      db.prepare("SELECT crsql_as_crr(?)").get(table);
    }
  }
  // As Corrosion sets it.
  db.prepare("SELECT crsql_config_set('merge-equal-values', 1)").get();
  return db;
}

/** Gives the transaction under way its timestamp, as Corrosion does in each: nanoseconds as text. */
export function stamper(db: Sqlite): () => void {
  const setTs = db.prepare("SELECT crsql_set_ts(?)");
  return () => {
    setTs.get(`${7_645_000_000_000_000_000n + BigInt(wallMs++)}`);
  };
}

export function closeExtension(db: Sqlite): void {
  db.prepare("SELECT crsql_finalize()").get();
  db.close();
}

function sessionOf(db: Sqlite, path: string, close: () => void, begun = () => {}): Session {
  const begin = db.prepare("BEGIN");
  const commit = db.prepare("COMMIT");
  const statements = new Map<string, Database.Statement>();
  const run: RunSql = (sql, parameters) => {
    let statement = statements.get(sql);
    if (statement === undefined) {
      statement = db.prepare(sql);
      statements.set(sql, statement);
    }
    statement.run(parameters);
  };
  return {
    transaction(body) {
      begin.run();
      begun();
      body(run);
      commit.run();
    },
    sizeBytes() {
      db.pragma("wal_checkpoint(TRUNCATE)");
      return statSync(path).size;
    },
    vacuum: () => db.exec("VACUUM"),
    close,
  };
}

export function removeDatabase(path: string): void {
  for (const suffix of ["", "-wal", "-shm", "-lock"]) rmSync(path + suffix, { force: true });
}

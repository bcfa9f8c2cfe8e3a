/** Opens the file: whose it is, how it is kept, and that nobody else writes to it. */
import Database from "better-sqlite3";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { Db } from "./db.ts";
import { applicationId, layout, layoutVersion } from "./layout.ts";

/** Why a store cannot be opened, and what to do about it, in one line. */
export class StoreOpenError extends Error {
  override name = "StoreOpenError";
}

/** When a commit is on the disk: after each, or at checkpoints and whenever SQLite likes; `off` for tests alone. */
export type Synchronous = "full" | "normal" | "off";

export interface DatabaseOptions {
  /** ":memory:" for a store that is gone when it is closed. */
  readonly path: string;
  /** Taken by a new database. */
  readonly actor: ActorId;
  readonly node: NodeId;
  readonly synchronous: Synchronous;
  /** Page cache in KiB. */
  readonly cacheKiB: number;
}

/** Pages of the write-ahead log after which SQLite copies them into the database. */
const walPages = 4000;

export function openDatabase(options: DatabaseOptions): Db {
  let db: Db;
  try {
    db = new Database(options.path, { timeout: 5000 });
  } catch (error) {
    throw new StoreOpenError(`cannot open ${options.path}: ${(error as Error).message}`);
  }
  try {
    prepare(db, options);
    return db;
  } catch (error) {
    db.close();
    throw explained(options.path, error as Error);
  }
}

function prepare(db: Db, options: DatabaseOptions): void {
  db.pragma(`cache_size = -${options.cacheKiB}`);
  db.pragma("temp_store = MEMORY");
  const fresh = isEmpty(db);
  if (!fresh) checkLayout(db, options.path);
  if (options.path !== ":memory:") {
    const mode = db.pragma("journal_mode = WAL", { simple: true }) as string;
    if (mode !== "wal")
      throw new StoreOpenError(
        `${options.path} cannot keep a write-ahead log here: journal mode is ${mode}`,
      );
  }
  db.pragma(`synchronous = ${options.synchronous}`);
  db.pragma(`wal_autocheckpoint = ${walPages}`);
  // Without it a row that REPLACE deletes would not be seen.
  db.pragma("recursive_triggers = ON");
  if (fresh) create(db, options);
}

function isEmpty(db: Db): boolean {
  return db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
}

function checkLayout(db: Db, path: string): void {
  const id = db.pragma("application_id", { simple: true });
  if (id !== applicationId) {
    throw new StoreOpenError(
      `${path} is a database of another program; give Patina a file of its own and insert the rows through a node`,
    );
  }
  const version = db.pragma("user_version", { simple: true }) as number;
  if (version > layoutVersion) {
    throw new StoreOpenError(
      `${path} was written by a newer Patina (layout ${version}; this one knows ${layoutVersion}); run that one, or restore a backup from before`,
    );
  }
}

function create(db: Db, { actor, node }: DatabaseOptions): void {
  db.transaction(() => {
    db.pragma(`application_id = ${applicationId}`);
    db.pragma(`user_version = ${layoutVersion}`);
    db.exec(layout);
    db.prepare("INSERT INTO patina_actor VALUES (0, ?, x'')").run(actor);
    db.prepare("INSERT INTO patina_state VALUES (1, ?, ?, 0, 0, 0, 0, 0, 0, 0, 1, 1)").run(
      actor,
      node,
    );
  })();
}

function explained(path: string, error: Error & { code?: string }): Error {
  if (error instanceof StoreOpenError) return error;
  switch (error.code) {
    case "SQLITE_READONLY":
    case "SQLITE_READONLY_DIRECTORY":
    case "SQLITE_CANTOPEN":
      return new StoreOpenError(
        `${path} cannot be written: give the node's user write permission on the file and its directory`,
      );
    case "SQLITE_NOTADB":
      return new StoreOpenError(
        `${path} is not a SQLite database, or its first page is damaged; restore a backup, or move it away to begin empty and be filled by the peers`,
      );
    case "SQLITE_CORRUPT":
      return new StoreOpenError(
        `${path} is damaged (${error.message}); restore a backup, or move it away to begin empty and be filled by the peers`,
      );
    case "SQLITE_FULL":
      return new StoreOpenError(`${path} cannot be opened: the disk is full; make room`);
    case "SQLITE_BUSY":
      return new StoreOpenError(`${path} is locked by another process; stop it first`);
    default:
      return error;
  }
}

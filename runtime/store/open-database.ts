/** Opens the file: whose it is, how it is kept, and that nobody else writes to it. */
import { existsSync, statSync } from "node:fs";
import Database from "better-sqlite3";
import type { ActorId, NodeId } from "../../core/base/ids.ts";
import type { Db } from "./db.ts";
import { storeError } from "./store-error.ts";
import { applicationId, layout, layoutVersion, upgrades } from "./layout.ts";

/** Why a store cannot be opened, and what to do about it, in one line. */
export class StoreOpenError extends Error {
  override name = "StoreOpenError";
  /** SQLite's name for it (sqlite.org/rescode.html), where it has one. */
  readonly sqlite: string | null;

  constructor(message: string, sqlite: string | null = null) {
    super(message);
    this.sqlite = sqlite;
  }
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
  /** Page cache in KiB; null: `usualCacheKiB`. */
  readonly cacheKiB: number | null;
  /** The file may grow to this; null: to what the disk has. */
  readonly maxBytes: number | null;
}

/**
 * Pages of the write-ahead log, 63 MiB, after which SQLite copies them into the database. A page that
 * many transactions write is copied once, so that more is cheaper; but a commit waits for the copying,
 * and whoever opens the file after a crash reads the log. A node at rest copies sooner (`upkeep.ts`).
 */
export const walPages = 16000;

/** Page cache of the connection that writes, unless another is asked for. */
export const usualCacheKiB = 32_768;

/** A write-ahead log that readers made grow is cut to this when it begins anew. */
const walBytesKept = 64 * 1024 * 1024;

/** Of the sizes that SQLite's pages have (sqlite.org/fileformat2.html, section 1.3). */
const smallestPage = 512;

/** How long a statement waits for another process, as a reader that begins or ends does. */
export const busyTimeoutMs = 5000;

export function openDatabase(options: DatabaseOptions): Db {
  refuseScrap(options.path);
  let db: Db;
  try {
    db = new Database(options.path, { timeout: busyTimeoutMs });
  } catch (error) {
    throw explained(options.path, error);
  }
  try {
    prepare(db, options);
    return db;
  } catch (error) {
    db.close();
    throw explained(options.path, error);
  }
}

/**
 * SQLite takes a file that is shorter than its smallest page for an empty database and writes over it.
 * Where a journal lies beside it, it is what a power loss left of a first page: SQLite mends that.
 * @throws StoreOpenError
 */
export function refuseScrap(path: string): void {
  if (path === ":memory:") return;
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) {
    throw new StoreOpenError(`${path} is a folder; name a file in it`);
  }
  const bytes = found?.size ?? 0;
  if (bytes === 0 || bytes >= smallestPage || existsSync(`${path}-journal`)) return;
  throw new StoreOpenError(
    `${path} is not a SQLite database (${bytes} bytes long); move it away, or name another file`,
  );
}

function prepare(db: Db, options: DatabaseOptions): void {
  db.pragma(`cache_size = -${options.cacheKiB ?? usualCacheKiB}`);
  db.pragma("temp_store = MEMORY");
  const fresh = isEmpty(db);
  if (!fresh) checkLayout(db, options.path);
  // Only a file that has no pages yet takes it.
  if (fresh) db.pragma("auto_vacuum = INCREMENTAL");
  if (options.path !== ":memory:") {
    const mode = db.pragma("journal_mode = WAL", { simple: true }) as string;
    if (mode !== "wal")
      throw new StoreOpenError(
        `${options.path} cannot keep a write-ahead log here: journal mode is ${mode}`,
      );
  }
  db.pragma(`synchronous = ${options.synchronous}`);
  db.pragma(`wal_autocheckpoint = ${walPages}`);
  db.pragma(`journal_size_limit = ${walBytesKept}`);
  if (options.maxBytes !== null) {
    const pageSize = db.pragma("page_size", { simple: true }) as number;
    db.pragma(`max_page_count = ${Math.max(1, Math.floor(options.maxBytes / pageSize))}`);
  }
  // Without it a row that REPLACE deletes would not be seen.
  db.pragma("recursive_triggers = ON");
  if (fresh) create(db, options);
  else upgrade(db);
}

/** Brings an older layout up to this program's, all at once or not at all. */
function upgrade(db: Db): void {
  const before = db.pragma("user_version", { simple: true }) as number;
  if (before === layoutVersion) return;
  db.transaction(() => {
    for (let version = before; version < layoutVersion; version++) {
      upgrades[version]?.(db);
    }
    db.pragma(`user_version = ${layoutVersion}`);
  })();
}

function isEmpty(db: Db): boolean {
  return db.prepare("SELECT count(*) FROM sqlite_schema").pluck().get() === 0;
}

/** @throws StoreOpenError */
export function checkLayout(db: Db, path: string): void {
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
    db.prepare("INSERT INTO patina_actor VALUES (0, ?, x'', NULL)").run(actor);
    db.prepare(
      "INSERT INTO patina_state (one, actor, node, epoch, clock_ms, clock_counter, far_ms, far_counter, far_seen, folded, next_id) " +
        "VALUES (1, ?, ?, 0, 0, 0, 0, 0, 0, 0, 1)",
    ).run(actor, node);
  })();
}

/** What to throw for what SQLite threw. */
export function explained(path: string, error: unknown): unknown {
  if (error instanceof StoreOpenError) return error;
  const told = storeError(path, error);
  return told === null ? error : new StoreOpenError(told.message, told.code);
}

/**
 * Keeps every other process from opening the store: a lock on a file beside it, which goes with the
 * process. Readers of the database itself are not in the way. @throws StoreOpenError
 */
export function lockDatabase(path: string): Db {
  let lock: Db | null = null;
  try {
    lock = new Database(`${path}-lock`, { timeout: 0 });
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if ((error as { code?: string }).code !== "SQLITE_BUSY") throw explained(path, error);
    throw new StoreOpenError(
      `${path} is open in another process; stop that one, or give this node a file of its own`,
    );
  }
}

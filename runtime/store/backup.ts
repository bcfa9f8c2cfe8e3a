/**
 * Copies of a database that is in use, and back. A copy is marked as one: whoever opens it goes on
 * under a fresh author's name (`renewal.ts`), since the original may have written more since.
 */
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { dirname } from "node:path";
import Database from "better-sqlite3";
import type { Db } from "./db.ts";
import {
  busyTimeoutMs,
  checkLayout,
  explained,
  refuseScrap,
  StoreOpenError,
} from "./open-database.ts";

export interface Copied {
  readonly bytes: number;
}

/**
 * Writes the database at `from` as it is at this moment to the new file `to`, without its free
 * pages. Writers go on meanwhile; it may be called from another thread or process than theirs.
 * @throws StoreOpenError
 */
export function backupDatabase(from: string, to: string): Copied {
  refuseTarget(to);
  const source = connect(from, { readonly: true });
  try {
    checkLayout(source, from);
    return copyFrom(source, to);
  } catch (error) {
    throw explained(to, error);
  } finally {
    source.close();
  }
}

/** As `backupDatabase`, from an open connection outside a transaction; nothing is written meanwhile. @throws StoreOpenError */
export function backupFrom(source: Db, to: string): Copied {
  refuseTarget(to);
  try {
    return copyFrom(source, to);
  } catch (error) {
    throw explained(to, error);
  }
}

function copyFrom(source: Db, to: string): Copied {
  const partial = `${to}.partial`;
  rmSync(partial, { force: true });
  try {
    source.prepare("VACUUM INTO ?").run(partial);
    mark(partial);
    return place(partial, to);
  } catch (error) {
    rmSync(partial, { force: true });
    throw error;
  }
}

/**
 * Puts a copy of the backup `from` at `to`, where no file is yet, whole and checked. Copies made by
 * other means, as by `cp` while the node stood still, are marked as backups too. @throws StoreOpenError
 */
export function restoreBackup(from: string, to: string): Copied {
  refuseTarget(to);
  if (!existsSync(from)) throw new StoreOpenError(`${from} is not there; name a backup`);
  for (const suffix of ["-wal", "-shm"]) {
    if (!existsSync(to + suffix)) continue;
    throw new StoreOpenError(`${to}${suffix} is left of another database; move it away first`);
  }
  refuseScrap(from);
  const partial = `${to}.partial`;
  try {
    copyFileSync(from, partial);
    if (existsSync(`${from}-wal`)) copyFileSync(`${from}-wal`, `${partial}-wal`);
    check(partial, from);
    mark(partial);
    return place(partial, to);
  } catch (error) {
    throw explained(from, error);
  } finally {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(partial + suffix, { force: true });
  }
}

function refuseTarget(path: string): void {
  if (existsSync(path))
    throw new StoreOpenError(`${path} exists already; name a file that does not`);
  if (!existsSync(dirname(path)))
    throw new StoreOpenError(`${path}: its folder is not there; make it`);
}

function connect(path: string, options: { readonly readonly: boolean }): Db {
  try {
    return new Database(path, { ...options, fileMustExist: true, timeout: busyTimeoutMs });
  } catch (error) {
    throw explained(path, error);
  }
}

/** @param name for messages. @throws StoreOpenError, and what SQLite has against it */
function check(path: string, name: string): void {
  const db = connect(path, { readonly: false });
  try {
    checkLayout(db, name);
    const found = db.pragma("quick_check(1)", { simple: true }) as string;
    if (found === "ok") return;
    throw new StoreOpenError(`${name} is damaged (${found}); take another backup`);
  } finally {
    db.close();
  }
}

function mark(path: string): void {
  const db = connect(path, { readonly: false });
  try {
    db.pragma("journal_mode = DELETE");
    db.prepare("UPDATE patina_state SET backup = 1").run();
  } finally {
    db.close();
  }
}

/** After it the file is there, whole, whatever happens to the machine. */
function place(partial: string, to: string): Copied {
  sync(partial);
  const { size } = statSync(partial);
  renameSync(partial, to);
  sync(dirname(to));
  return { bytes: size };
}

function sync(path: string): void {
  const file = openSync(path, "r");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/**
 * Connections that only read, for threads and processes beside the node's: they see every committed
 * transaction whole, wait for no writer, and no writer waits for them.
 */
import Database from "better-sqlite3";
import type { Db } from "./db.ts";
import { checkRead } from "./local-statement.ts";
import { busyTimeoutMs, checkLayout, explained, refuseScrap } from "./open-database.ts";

export interface ReaderOptions {
  /** Page cache in KiB. Default 8 MiB. */
  readonly cacheKiB?: number;
}

/**
 * A better-sqlite3 connection on which nothing can be written. Statements from strangers go through
 * `checkRead` first: ATTACH and VACUUM INTO reach other files even here. @throws StoreOpenError
 */
export function openReader(path: string, { cacheKiB = 8192 }: ReaderOptions = {}): Db {
  refuseScrap(path);
  let db: Db | null = null;
  try {
    db = new Database(path, { readonly: true, fileMustExist: true, timeout: busyTimeoutMs });
    checkLayout(db, path);
    db.pragma("query_only = ON");
    db.pragma("temp_store = MEMORY");
    db.pragma(`cache_size = -${cacheKiB}`);
    return db;
  } catch (error) {
    db?.close();
    throw explained(path, error);
  }
}

export { checkRead };

/**
 * Work on the file that a running node does now and then, in steps so short that a maintenance loop
 * can put one between two transactions: the write-ahead log is kept small, free pages are given back.
 */
import { statSync } from "node:fs";
import type { Db } from "./db.ts";
import { busyTimeoutMs } from "./open-database.ts";

export interface CheckpointOptions {
  /** Past it the log is begun anew, for which readers are waited for. Default 64 MiB. */
  readonly maxBytes?: number;
  /** How long at most; writers wait as long. Default 100. */
  readonly waitMs?: number;
}

export interface WalCheckpoint {
  /** Pages in the log before, and how many of them are in the database now; fewer while a reader still looks at an older state. */
  readonly pages: number;
  readonly copied: number;
  /** The log was emptied. */
  readonly emptied: boolean;
  /** Size of the log's file afterwards. */
  readonly walBytes: number;
}

interface PragmaRow {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

/** Bytes of the write-ahead log's file; 0 where there is none. */
export function walBytesOf(path: string): number {
  return statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0;
}

/**
 * Copies the write-ahead log into the database as far as no reader is in the way. Only when its file
 * is larger than `maxBytes` are readers waited for, so that it can be emptied; while one reads on
 * for longer than `waitMs` it grows, and the next call tries again.
 */
export function checkpointWal(
  db: Db,
  path: string,
  options: CheckpointOptions = {},
): WalCheckpoint {
  const { maxBytes = 64 * 1024 * 1024, waitMs = 100 } = options;
  const passive = run(db, "PASSIVE");
  let emptied = false;
  if (walBytesOf(path) > maxBytes) {
    db.pragma(`busy_timeout = ${waitMs}`);
    try {
      emptied = run(db, "TRUNCATE").busy === 0;
    } finally {
      db.pragma(`busy_timeout = ${busyTimeoutMs}`);
    }
  }
  const { log: pages, checkpointed: copied } = passive;
  return { pages, copied, emptied, walBytes: walBytesOf(path) };
}

function run(db: Db, mode: "PASSIVE" | "TRUNCATE"): PragmaRow {
  return (db.pragma(`wal_checkpoint(${mode})`) as PragmaRow[])[0] as PragmaRow;
}

/** Pages that hold nothing. */
export function freePagesOf(db: Db): number {
  return db.pragma("freelist_count", { simple: true }) as number;
}

/**
 * Gives back up to `pages` free pages at the end of the file, moving others down into the gaps; a
 * transaction of its own. @returns how many.
 */
export function vacuumSome(db: Db, pages: number): number {
  const before = freePagesOf(db);
  if (before === 0) return 0;
  db.pragma(`incremental_vacuum(${Math.max(1, Math.floor(pages))})`);
  return before - freePagesOf(db);
}

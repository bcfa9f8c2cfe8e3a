/** What can go wrong with the file itself, said in one line with what to do about it. */
import { OpError } from "../../core/crdt/op-values.ts";
import { CorruptionError } from "./row-table.ts";

/** The store could not do it; nothing of it was done. */
export class StoreError extends Error {
  override name = "StoreError";
  /** SQLite's name for it (sqlite.org/rescode.html). */
  readonly code: string;
  /** What is in the file cannot be trusted any more: the store does nothing from now on. */
  readonly damaged: boolean;

  constructor(code: string, message: string, damaged: boolean) {
    super(message);
    this.code = code;
    this.damaged = damaged;
  }
}

/** What to do about a damaged file. */
export const afterDamage =
  "stop the node and restore a backup, or move the file away to begin empty and be filled by the peers";

/** Null when the error is not about the file. */
export function storeError(path: string, error: unknown): StoreError | null {
  if (error instanceof StoreError) return error;
  if (error instanceof OpError) return null;
  if (error instanceof CorruptionError) {
    const why = `${path} is damaged: ${error.message}; ${afterDamage}`;
    return new StoreError("SQLITE_CORRUPT", why, true);
  }
  const { code, message } = error as { code?: unknown; message?: string };
  if (typeof code !== "string") return null;
  const told = explain(code, path, oneLine(message ?? ""));
  return told === null ? null : new StoreError(code, told, /^SQLITE_(CORRUPT|NOTADB)/.test(code));
}

function explain(code: string, path: string, message: string): string | null {
  if (/^SQLITE_(READONLY|CANTOPEN|PERM)/.test(code)) {
    return `${path} cannot be written: give the node's user write permission on the file and its directory`;
  }
  if (code.startsWith("SQLITE_NOTADB")) {
    return `${path} is not a SQLite database, or its first page is damaged; ${afterDamage}`;
  }
  if (code.startsWith("SQLITE_CORRUPT")) return `${path} is damaged (${message}); ${afterDamage}`;
  if (code.startsWith("SQLITE_FULL")) {
    return `${path}: the disk is full; make room, nothing was lost but what was being written`;
  }
  if (code.startsWith("SQLITE_IOERR")) {
    return `${path}: the disk failed (${code}: ${message}); look at the machine's log`;
  }
  if (code.startsWith("SQLITE_BUSY")) return `${path} is locked by another process; stop that one`;
  return null;
}

/** SQLite shows what it could not read, and in a damaged file that may be anything. */
function oneLine(message: string): string {
  const text = message.replace(/[^\x20-\x7e]+/g, " ").trim();
  return text.length > 200 ? `${text.slice(0, 200)} …` : text;
}

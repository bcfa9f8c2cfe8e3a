/** What a failing statement is to the client that sent it. */
import type { PlainError } from "./result.ts";

const busyHint = "try again in a moment";

/** @param error as SQLite or the store threw it, with SQLite's name for it in `code`. */
export function sqlFailure(error: {
  readonly code?: unknown;
  readonly message?: string;
}): PlainError {
  const sqlite =
    typeof error.code === "string" && error.code.startsWith("SQLITE_") ? error.code : null;
  const message = error.message ?? "";
  const plain = (code: PlainError["code"], hint: string | null): PlainError => {
    return { code, message, sqlite, hint };
  };
  if (sqlite === null) return plain("sql", null);
  if (sqlite === "SQLITE_AUTH") return plain("refused", null);
  if (sqlite.startsWith("SQLITE_FULL")) return plain("disk_full", "make room on the disk");
  if (/^SQLITE_(BUSY|LOCKED)/.test(sqlite)) return plain("overloaded", busyHint);
  if (/^SQLITE_(IOERR|CORRUPT|NOTADB|READONLY|CANTOPEN|PERM|NOMEM)/.test(sqlite)) {
    return plain("store_failed", "the node's log says more");
  }
  return plain("sql", null);
}

/**
 * The process id of a running agent, in a file beside its database: for `patina tls rotate` and for
 * people. The second line says what its last reload came to.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";

/** What became of a reload. */
export interface ReloadOutcome {
  /** A line each. */
  readonly changes: readonly string[];
  /** Why nothing was changed; null: it was taken over. */
  readonly error: string | null;
}

export interface NotedReload extends ReloadOutcome {
  /** Counts the reloads of this process, from 1. */
  readonly count: number;
}

export function pidPath(dbPath: string): string {
  return `${dbPath}.pid`;
}

/** The process that the file names, if it runs. */
export function runningPid(dbPath: string): number | null {
  let pid: number;
  try {
    pid = Number.parseInt(readFileSync(pidPath(dbPath), "utf8"), 10);
  } catch {
    return null;
  }
  return Number.isSafeInteger(pid) && pid > 0 && isRunning(pid) ? pid : null;
}

/** Ids are given anew: where the system tells what a process runs, it must be an agent. */
function isRunning(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes("agent");
  } catch {
    if (process.platform === "linux") return false;
  }
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Does nothing where the file cannot be written: opening the database says why. */
export function writePid(dbPath: string): void {
  write(dbPath, `${process.pid}\n`);
}

/** Leaves word of this process's last reload. */
export function noteReload(dbPath: string, outcome: ReloadOutcome): void {
  const count = (lastReload(dbPath, process.pid)?.count ?? 0) + 1;
  const noted: NotedReload = { count, ...outcome };
  write(dbPath, `${process.pid}\n${JSON.stringify(noted)}\n`);
}

/** What the last reload of that process came to; null: there was none, or another runs now. */
export function lastReload(dbPath: string, pid: number): NotedReload | null {
  try {
    const [first, second = ""] = readFileSync(pidPath(dbPath), "utf8").split("\n");
    return first === String(pid) && second !== "" ? (JSON.parse(second) as NotedReload) : null;
  } catch {
    return null;
  }
}

/** Removes the file, unless another process has taken it over. */
export function removePid(dbPath: string): void {
  const path = pidPath(dbPath);
  try {
    if (Number.parseInt(readFileSync(path, "utf8"), 10) === process.pid) rmSync(path);
  } catch {
    // It is gone already.
  }
}

/** Whoever reads it meets the old text or the new one, whole. */
function write(dbPath: string, text: string): void {
  const path = pidPath(dbPath);
  try {
    writeFileSync(`${path}-new`, text);
    renameSync(`${path}-new`, path);
  } catch {
    // Told by whoever opens the database.
  }
}

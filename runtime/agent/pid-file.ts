/** The process id of a running agent, in a file beside its database: for `patina reload` and for people. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";

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

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

export function writePid(dbPath: string): void {
  writeFileSync(pidPath(dbPath), `${process.pid}\n`);
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

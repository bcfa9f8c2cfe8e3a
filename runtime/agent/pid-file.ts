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
  try {
    writeFileSync(pidPath(dbPath), `${process.pid}\n`);
  } catch {
    // Told by whoever opens the database.
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

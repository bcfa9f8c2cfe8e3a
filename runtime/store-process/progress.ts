/**
 * What the store process is at, kept in a small file that is read when a transaction is overdue:
 * while SQLite is at a statement the process can say nothing else. The file also names the process,
 * so that one that outlived its parent can be found and ended.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from "node:fs";
import { machineMs } from "../ipc/clock.ts";

export interface Progress {
  readonly group: number;
  /** The member that was begun last. */
  readonly member: number;
  /** That group is over: the store is at something that the node itself asked. */
  readonly job: boolean;
  /** When it began that, by `machineMs`; of jobs, the first after a group. */
  readonly sinceMs: number;
}

/** Group, member, whether it is at a job, since when, process id: 64-bit floats. */
const fieldCount = 5;
const bytes = fieldCount * 8;

export class ProgressWriter {
  readonly #file: number;
  readonly #fields = new Float64Array(fieldCount);
  readonly #bytes = new Uint8Array(this.#fields.buffer);

  constructor(path: string) {
    this.#file = openSync(path, "r+");
    this.#fields[4] = process.pid;
    this.at(0, 0);
  }

  at(group: number, member: number): void {
    this.#fields[0] = group;
    this.#fields[1] = member;
    this.#fields[2] = 0;
    this.#write();
  }

  /** It begins something that the node asked. */
  atJob(): void {
    if (this.#fields[2] === 1) return;
    this.#fields[2] = 1;
    this.#write();
  }

  #write(): void {
    this.#fields[3] = machineMs();
    writeSync(this.#file, this.#bytes, 0, bytes, 0);
  }
}

/** Begins the file anew, before a process is started. @throws what the file system says */
export function beginProgress(path: string): void {
  endOrphan(path);
  const file = openSync(path, "w");
  ftruncateSync(file, bytes);
  closeSync(file);
}

export function readProgress(path: string): Progress {
  const fields = new Float64Array(fieldCount);
  const file = openSync(path, "r");
  try {
    readSync(file, new Uint8Array(fields.buffer), 0, bytes, 0);
  } finally {
    closeSync(file);
  }
  const [group, member, job, sinceMs] = fields as unknown as [number, number, number, number];
  return { group, member, job: job === 1, sinceMs };
}

/**
 * A store process ends with its parent, unless SQLite keeps it at a statement. Nobody waits for what
 * it does any more, and it holds the lock of the database. The caller knows that no node runs on it.
 */
function endOrphan(path: string): void {
  let pid: number;
  try {
    const text = readFileSync(path);
    if (text.length < bytes) return;
    pid = text.readDoubleLE(bytes - 8);
    const words = readFileSync(`/proc/${pid}/cmdline`, "utf8");
    if (!words.includes("store-process")) return;
  } catch {
    // No such file, or no such process.
    return;
  }
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has just ended.
  }
}

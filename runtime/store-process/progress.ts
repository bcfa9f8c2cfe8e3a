/**
 * Where the store process is in a group of transactions, kept in a small file that the parent reads
 * when one of them is overdue: while SQLite is at a statement the process can say nothing else. The
 * file also names the process, so that one that outlived its parent can be found and ended.
 */
import { closeSync, ftruncateSync, openSync, readFileSync, readSync, writeSync } from "node:fs";

export interface Progress {
  readonly group: number;
  /** The member that was begun last. */
  readonly member: number;
}

/** Group, member, process id: 64-bit floats. */
const fieldCount = 3;
const bytes = fieldCount * 8;

export class ProgressWriter {
  readonly #file: number;
  readonly #fields = new Float64Array(fieldCount);
  readonly #bytes = new Uint8Array(this.#fields.buffer);

  constructor(path: string) {
    this.#file = openSync(path, "r+");
    this.#fields[2] = process.pid;
    this.at(0, 0);
  }

  at(group: number, member: number): void {
    this.#fields[0] = group;
    this.#fields[1] = member;
    writeSync(this.#file, this.#bytes, 0, bytes, 0);
  }
}

export class ProgressReader {
  readonly #file: number;

  /** Begins the file anew. @throws what the file system says */
  constructor(path: string) {
    endOrphan(path);
    this.#file = openSync(path, "w+");
    ftruncateSync(this.#file, bytes);
  }

  read(): Progress {
    const fields = new Float64Array(fieldCount);
    readSync(this.#file, new Uint8Array(fields.buffer), 0, bytes, 0);
    return { group: fields[0] as number, member: fields[1] as number };
  }

  close(): void {
    closeSync(this.#file);
  }
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

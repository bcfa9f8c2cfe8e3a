/**
 * Where the store process is in a group of transactions, kept in a small file that the parent reads
 * when one of them is overdue. While SQLite is at a statement the process can say nothing else.
 */
import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";

export interface Progress {
  readonly group: number;
  /** The member that was begun last. */
  readonly member: number;
}

const bytes = 16;

export class ProgressWriter {
  readonly #file: number;
  readonly #fields = new Float64Array(2);
  readonly #bytes = new Uint8Array(this.#fields.buffer);

  constructor(path: string) {
    this.#file = openSync(path, "r+");
  }

  at(group: number, member: number): void {
    this.#fields[0] = group;
    this.#fields[1] = member;
    writeSync(this.#file, this.#bytes, 0, bytes, 0);
  }
}

export class ProgressReader {
  readonly #file: number;

  constructor(path: string) {
    this.#file = openSync(path, "w+");
    ftruncateSync(this.#file, bytes);
  }

  read(): Progress {
    const fields = new Float64Array(2);
    readSync(this.#file, new Uint8Array(fields.buffer), 0, bytes, 0);
    return { group: fields[0] as number, member: fields[1] as number };
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Certificates and keys on the disk. Keys are for their owner's eyes; nothing is overwritten unasked. */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
import { systemReason, usageError } from "./exit-codes.ts";

const keyMode = 0o600;
const certificateMode = 0o644;

export interface FileToWrite {
  readonly path: string;
  readonly text: string;
  readonly secret: boolean;
}

/**
 * Each file is written beside its place first, and moved there when all are written.
 * @throws CliError (exit 2) when one cannot be written, or is there already and `replace` is not set.
 */
export function writeFiles(files: readonly FileToWrite[], replace: boolean, hint: string): void {
  const there = files.find(({ path }) => existsSync(path));
  if (there !== undefined && !replace) throw usageError(`${there.path} is there already: ${hint}`);
  const written: string[] = [];
  let path = "";
  try {
    for (const file of files) {
      path = file.path;
      mkdirSync(dirname(path), { recursive: true });
      const beside = besideOf(path);
      rmSync(beside, { force: true });
      const mode = file.secret ? keyMode : certificateMode;
      writeFileSync(beside, file.text, { flag: "wx", mode });
      written.push(beside);
      // Whatever the process's own mask allows to others.
      chmodSync(beside, mode);
    }
    for (const file of files) {
      path = file.path;
      renameSync(besideOf(path), path);
    }
  } catch (error) {
    throw usageError(`cannot write ${path}: ${systemReason(error)}`);
  } finally {
    for (const beside of written) rmSync(beside, { force: true });
  }
}

/** @throws CliError (exit 2) naming the path, the reason and what to do. */
export function readTextFile(path: string, hint: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw usageError(`cannot read ${path}: ${systemReason(error)} (${hint})`);
  }
}

function besideOf(path: string): string {
  return `${path}.${process.pid}.new`;
}

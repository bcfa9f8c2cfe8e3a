/** A copy of the source in which a fault can be put, and the programs that are run in it. */
import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Mutant, mutate } from "./mutant.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

const copied = [
  "core",
  "sim",
  "runtime",
  "test",
  "package.json",
  "tsconfig.base.json",
  "tsconfig.json",
  "vitest.config.ts",
];

export interface Ended {
  readonly output: string;
  readonly errors: string;
  /** Null: it was stopped because it did not end. */
  readonly exitCode: number | null;
}

export class Workspace {
  readonly folder: string;

  /** @param from the repository, or another copy of it. */
  constructor(from: string = root) {
    this.folder = mkdtempSync(join(tmpdir(), "patina-mutant-"));
    for (const name of copied) {
      cpSync(join(from, name), join(this.folder, name), {
        recursive: true,
        filter: (path) => !path.includes("node_modules"),
      });
    }
    symlinkSync(join(root, "node_modules"), join(this.folder, "node_modules"), "dir");
  }

  /** Puts the fault in; returns what takes it out again. */
  apply(mutant: Mutant): () => void {
    const path = join(this.folder, mutant.file);
    const source = readFileSync(path, "utf8");
    writeFileSync(path, mutate(mutant, source));
    return () => writeFileSync(path, source);
  }

  /** Runs a Node.js program here. @param onLine is told each line of its output as it comes. */
  async run(
    args: readonly string[],
    limitMs: number,
    onLine?: (line: string) => void,
  ): Promise<Ended> {
    return await new Promise((resolve, reject) => {
      const child = spawn(process.execPath, args, {
        cwd: this.folder,
        stdio: ["ignore", "pipe", "pipe"],
        env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
      });
      let output = "";
      let errors = "";
      let partial = "";
      let stopped = false;
      const limit = setTimeout(() => {
        stopped = true;
        child.kill("SIGKILL");
      }, limitMs);
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        const lines = (partial + text).split("\n");
        partial = lines.pop() as string;
        for (const line of lines) onLine?.(line);
      });
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        errors += text;
      });
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(limit);
        resolve({ output, errors, exitCode: stopped ? null : (code ?? 1) });
      });
    });
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

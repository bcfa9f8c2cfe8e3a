/** Runs `patina` as a user does: a process of its own, seen by its exit code and its two outputs. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Finished {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const main = fileURLToPath(new URL("../../runtime/cli/main.ts", import.meta.url));

export function patina(
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout, stderr }));
  });
}

/** The single JSON object that a command printed. @throws unless standard output is exactly one line of JSON. */
export function printedJson(finished: Finished): Record<string, unknown> {
  if (!/^[^\n]+\n$/.test(finished.stdout))
    throw new Error(`not one line: ${finished.stdout}\n${finished.stderr}`);
  return JSON.parse(finished.stdout) as Record<string, unknown>;
}

export interface Folder {
  path(name: string): string;
  remove(): void;
}

export function temporaryFolder(): Folder {
  const root = mkdtempSync(join(tmpdir(), "patina-test-"));
  return { path: (name) => join(root, name), remove: () => rmSync(root, { recursive: true }) };
}

/** A scenario file of a few virtual seconds with a cut and a crash in it. */
export const smallScenario = {
  name: "small",
  nodes: 4,
  durationMs: 6000,
  network: { latencyMs: { min: 1, max: 10 }, loss: 0.01 },
  workload: [{ kind: "random", fromMs: 0, toMs: 5000, ratePerSec: 20, keys: 20 }],
  faults: [
    { kind: "partition", atMs: 1000, groups: [[0], [1, 2, 3]] },
    { kind: "crash", atMs: 1500, node: 2, disk: "kept" },
    { kind: "restart", atMs: 3000, node: 2 },
    { kind: "heal", atMs: 4000 },
  ],
};

/** Its last write cannot reach anybody in the time allowed: it fails with every seed and any number of nodes. */
export const failingScenario = {
  ...smallScenario,
  name: "failing",
  network: { latencyMs: { min: 200, max: 300 } },
  workload: [
    ...smallScenario.workload,
    { kind: "ops", atMs: 5990, node: 1, ops: [["upsert", "kv", { k: "late", v: "too late" }]] },
  ],
  expect: { convergeWithinMs: 50 },
};

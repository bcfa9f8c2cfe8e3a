/** `patina sim --runs`: sweeps, their shards, and that neither threads nor shards show in them. */
import { existsSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  failingScenario,
  patina,
  printedJson,
  smallScenario,
  temporaryFolder,
} from "./patina-process.ts";
import { readTrace } from "./trace-reader.ts";

const folder = temporaryFolder();
const small = folder.path("small.json");
const failing = folder.path("failing.json");
beforeAll(() => {
  writeFileSync(small, JSON.stringify(smallScenario));
  writeFileSync(failing, JSON.stringify(failingScenario));
});
afterAll(() => folder.remove());

/** A report without what a clock measured. */
function timeless(report: Record<string, unknown>): unknown {
  const failed = report["failed"] as object[];
  return { ...report, wallMs: 0, failed: failed.map((run) => ({ ...run, wallMs: 0 })) };
}

async function sweep(...args: string[]): Promise<Record<string, unknown>> {
  return printedJson(await patina(["sim", ...args, "--json"]));
}

test("a sweep is the same with one thread and with three", async () => {
  const args = ["random-nemesis", "--runs", "9", "--nodes", "3-5", "--seed", "threads"];
  const [one, three] = [await sweep(...args, "--jobs", "1"), await sweep(...args, "--jobs", "3")];
  expect(timeless(three)).toEqual(timeless(one));
  expect(one).toMatchObject({
    runs: 9,
    ok: true,
    failed: [],
    nodes: "3-5",
    scenario: "random-nemesis",
  });
  const faults = one["faults"] as Record<string, number>;
  expect(Object.values(faults).reduce((a, b) => a + b, 0)).toBeGreaterThan(9);
});

test("shards merge to the whole, failures included, whatever order they are named in", async () => {
  const args = [failing, "--runs", "5", "--seed", "shards"];
  const whole = await sweep(...args);
  const files: string[] = [];
  for (const i of [1, 2, 3]) {
    const file = folder.path(`shard-${i}.json`);
    const shard = await patina(["sim", ...args, "--shard", `${i}/3`, "--json"]);
    expect(shard.status).toBe(1);
    writeFileSync(file, shard.stdout);
    files.unshift(file);
  }
  const merged = await patina(["sim", "merge", ...files, "--json"]);
  expect(merged.status).toBe(1);
  expect(timeless(printedJson(merged))).toEqual(timeless(whole));
  expect((whole["failed"] as { run: number }[]).map(({ run }) => run)).toEqual([1, 2, 3, 4, 5]);

  const missing = await patina(["sim", "merge", ...files.slice(1)]);
  expect([missing.status, missing.stdout]).toEqual([2, ""]);
  expect(missing.stderr).toContain("shard 3 of 3 is missing");
  const twice = await patina(["sim", "merge", ...files, files[0] ?? ""]);
  expect(twice.stderr).toContain("shard 3 is in ");
});

test("what is no shard is refused by merge", async () => {
  const file = folder.path("whole.json");
  writeFileSync(
    file,
    (await patina(["sim", small, "--runs", "2", "--seed", "w", "--json"])).stdout,
  );
  const { status, stderr } = await patina(["sim", "merge", file]);
  expect(status).toBe(2);
  expect(stderr).toContain("not the result of a shard");
});

test("of several runs only those that fail are traced and dumped, their number before the extension", async () => {
  const good = await patina([
    "sim",
    small,
    "--runs",
    "2",
    "--seed",
    "f",
    "--trace",
    folder.path("good.ndjson.gz"),
  ]);
  expect(good.status).toBe(0);
  expect(existsSync(folder.path("good.1.ndjson.gz"))).toBe(false);
  expect(existsSync(folder.path("good.ndjson.gz"))).toBe(false);

  const args = ["--trace", folder.path("bad.ndjson.gz"), "--dump", folder.path("bad.json")];
  const bad = await patina(["sim", failing, "--runs", "2", "--seed", "f", ...args]);
  expect(bad.status).toBe(1);
  for (const run of [1, 2]) {
    expect(readTrace(folder.path(`bad.${run}.ndjson.gz`)).header.seed).toBe(`f/${run}`);
    expect(existsSync(folder.path(`bad.${run}.json`))).toBe(true);
  }
});

test("a failed run of a sweep is repeated by the line that it prints", async () => {
  const report = await sweep("random-nemesis", "--runs", "3", "--nodes", "3-9", "--seed", "again");
  expect(report).toMatchObject({ ok: true });
  const failed = await sweep(failing, "--runs", "1", "--nodes", "4-9", "--seed", "again");
  const [run] = failed["failed"] as {
    seed: string;
    nodes: number;
    traceHash: string;
    violations: { repro: string }[];
  }[];
  const words = run?.violations[0]?.repro.split(" ").slice(1) ?? [];
  expect(words).toEqual(["sim", failing, "--nodes", String(run?.nodes), "--seed", "again/1"]);
  const repeated = printedJson(await patina([...words, "--json"]));
  expect(repeated["traceHash"]).toBe(run?.traceHash);
});

test("a sweep for people tells the faults by kind and how long agreement took", async () => {
  const { status, stdout } = await patina(["sim", small, "--runs", "3", "--seed", "p"]);
  expect(status).toBe(0);
  expect(stdout).toContain("✓ small: 3 runs, none failed");
  expect(stdout).toMatch(/faults +3 crash, 3 partition/);
  expect(stdout).toMatch(/agreement +after .* in the median/);
});

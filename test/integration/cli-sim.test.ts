/** `patina sim` with one run: what it prints and writes. */
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  failingScenario,
  patina,
  printedJson,
  smallScenario,
  temporaryFolder,
} from "./patina-process.ts";
import { checkTrace, readTrace } from "./trace-reader.ts";

const folder = temporaryFolder();
const small = folder.path("small.json");
const failing = folder.path("failing.json");
beforeAll(() => {
  writeFileSync(small, JSON.stringify(smallScenario));
  writeFileSync(failing, JSON.stringify(failingScenario));
});
afterAll(() => folder.remove());

test("--list names every scenario once, with --json as an array", async () => {
  const { status, stdout } = await patina(["sim", "--list", "--json"]);
  const list = JSON.parse(stdout) as { name: string; summary: string; nodes: number }[];
  expect(status).toBe(0);
  expect(new Set(list.map(({ name }) => name)).size).toBe(list.length);
  for (const name of [
    "control",
    "split-heal",
    "one-way-cut",
    "rolling-restart",
    "churn-100",
    "random-nemesis",
  ]) {
    expect(list.find((entry) => entry.name === name)).toEqual({
      name,
      summary: expect.stringMatching(/\.$/) as string,
      nodes: expect.any(Number) as number,
    });
  }
  const text = await patina(["sim", "--list"]);
  for (const { name } of list) expect(text.stdout).toContain(name);
});

test("--json prints one object with every field, and nothing else to standard output", async () => {
  const finished = await patina(["sim", small, "--seed", "42", "--json"]);
  const result = printedJson(finished);
  expect(finished.status).toBe(0);
  expect(result).toMatchObject({
    scenario: "small",
    seed: "42",
    store: "memory",
    nodes: 4,
    ok: true,
    converged: true,
    violations: [],
    stateHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    traceHash: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
    writes: {
      acked: expect.any(Number) as number,
      failed: expect.any(Number) as number,
      lost: 0,
      lostWithDisk: 0,
    },
  });
  for (const key of ["convergedAfterMs", "virtualMs", "wallMs", "events", "messages", "bytes"]) {
    expect(result[key], key).toBeGreaterThan(0);
  }
  const planes = result["planes"] as Record<string, { messages: number; bytes: number }>;
  expect(Object.keys(planes)).toEqual(["swim", "gossip", "sync"]);
  const messages = Object.values(planes).reduce((sum, plane) => sum + plane.messages, 0);
  expect(messages).toBe(result["messages"]);
});

test("without --seed one is drawn and printed, and repeats the run", async () => {
  const drawn = await patina(["sim", small, "--json"]);
  const result = printedJson(drawn);
  expect(drawn.stderr).toContain(`seed ${String(result["seed"])} (drawn`);
  const again = printedJson(
    await patina(["sim", small, "--json", "--seed", String(result["seed"])]),
  );
  expect({ ...again, wallMs: 0 }).toEqual({ ...result, wallMs: 0 });
});

test("--quiet silences the talk, not the data", async () => {
  const { stdout, stderr } = await patina(["sim", small, "--seed", "1", "--quiet"]);
  expect(stderr).toBe("");
  expect(stdout).toContain("small, seed 1, 4 nodes: all agree");
});

test("what is printed for people carries no colour away from a terminal", async () => {
  const { stdout, stderr } = await patina(["sim", small, "--seed", "1"]);
  expect(stdout + stderr).not.toContain("\u001b");
});

test("several scenarios run one after another, each with files of its own name", async () => {
  const finished = await patina([
    "sim",
    small,
    "control",
    "--seed",
    "5",
    "--json",
    "--trace",
    folder.path("several.ndjson"),
  ]);
  const results = finished.stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { scenario: string });
  expect(results.map(({ scenario }) => scenario)).toEqual(["small", "control"]);
  expect(readTrace(folder.path("several.small.ndjson")).header.scenario).toBe("small");
  expect(readTrace(folder.path("several.control.ndjson")).header.scenario).toBe("control");
});

test("--nodes makes a built-in scenario larger, and refuses a file that it does not fit", async () => {
  const nine = printedJson(
    await patina(["sim", "split-heal", "--nodes", "9", "--seed", "1", "--json"]),
  );
  expect(nine).toMatchObject({ nodes: 9, ok: true });
  const two = await patina(["sim", small, "--nodes", "2", "--seed", "1"]);
  expect(two.stderr).toContain("--nodes 2 does not fit: ");
  expect(two.status).toBe(2);
});

test("--doublecheck runs twice and finds the same", async () => {
  const result = printedJson(
    await patina(["sim", small, "--seed", "8", "--doublecheck", "--json"]),
  );
  expect(result).toMatchObject({
    ok: true,
    doublecheck: { equal: true, traceHash: result["traceHash"] },
  });
});

test("the same seed gives the same trace, plain and compressed, on both stores", async () => {
  const plain = folder.path("plain.ndjson");
  const packed = folder.path("packed.ndjson.gz");
  const sqlite = folder.path("sqlite.ndjson");
  await patina(["sim", small, "--seed", "9", "--trace", plain]);
  await patina(["sim", small, "--seed", "9", "--trace", packed]);
  await patina(["sim", small, "--seed", "9", "--trace", sqlite, "--store", "sqlite"]);
  const text = readFileSync(plain, "utf8");
  expect(gunzipSync(readFileSync(packed)).toString("utf8") === text).toBe(true);
  expect(readFileSync(sqlite, "utf8") === text).toBe(true);
});

test("a trace holds what its readers may rely on", async () => {
  const file = folder.path("relied.ndjson");
  await patina(["sim", small, "--seed", "10", "--trace", file]);
  const trace = readTrace(file);
  expect(trace.header).toMatchObject({ trace: 1, source: "sim", seed: "10", scenario: "small" });
  expect(Object.keys(trace.header).sort()).toEqual([
    "nodes",
    "options",
    "scenario",
    "schema",
    "seed",
    "source",
    "trace",
  ]);
  expect(checkTrace(trace)).toEqual([]);
  const kinds = new Set(trace.lines.map(({ k }) => k));
  expect([...kinds]).toEqual(
    expect.arrayContaining([
      "send",
      "recv",
      "drop",
      "member",
      "commit",
      "apply",
      "state",
      "fault",
      "lift",
      "crash",
      "restart",
      "end",
    ]),
  );
});

test("--dump writes the tables of every node, rows by primary key", async () => {
  const file = folder.path("dump.json");
  await patina(["sim", small, "--seed", "11", "--dump", file]);
  const { nodes } = JSON.parse(readFileSync(file, "utf8")) as {
    nodes: {
      node: number;
      alive: boolean;
      tables: Record<string, { columns: string[]; rows: unknown[][] }>;
    }[];
  };
  expect(nodes.map(({ node, alive }) => [node, alive])).toEqual([0, 1, 2, 3].map((n) => [n, true]));
  const [first] = nodes;
  expect(first?.tables["kv"]?.columns).toEqual(["k", "v", "n"]);
  const keys = first?.tables["kv"]?.rows.map(([k]) => k as string) ?? [];
  expect(keys.length).toBeGreaterThan(0);
  expect(keys).toEqual(keys.toSorted());
  for (const node of nodes) expect(node.tables).toEqual(first?.tables);
});

test("a run that fails ends with exit 1, and names the line that repeats it", async () => {
  const file = folder.path("failing.ndjson");
  const finished = await patina([
    "sim",
    failing,
    "--seed",
    "2",
    "--nodes",
    "4",
    "--json",
    "--trace",
    file,
  ]);
  expect(finished.status).toBe(1);
  const result = printedJson(finished);
  expect(result).toMatchObject({ ok: false, converged: false, convergedAfterMs: null });
  const [violation] = result["violations"] as { check: string; atMs: number; repro: string }[];
  expect(violation).toMatchObject({
    check: "converge",
    repro: `patina sim ${failing} --nodes 4 --seed 2`,
  });
  expect(checkTrace(readTrace(file))).toEqual([]);
  expect(readTrace(file).lines.some(({ k }) => k === "violation")).toBe(true);
});

test("--shrink writes a smaller scenario that fails by itself", async () => {
  const file = folder.path("shrunk.json");
  const finished = await patina(["sim", failing, "--seed", "2", "--shrink", file]);
  expect(finished.status).toBe(1);
  const shrunk = JSON.parse(readFileSync(file, "utf8")) as {
    faults: unknown[];
    workload: unknown[];
    seed: string;
  };
  expect(shrunk.faults.length).toBeLessThan(failingScenario.faults.length);
  // Of about a hundred writes.
  expect(shrunk.workload.length).toBeLessThan(20);
  expect(shrunk.seed).toBe("2");
  const again = await patina(["sim", file, "--json"]);
  expect(again.status).toBe(1);
  expect(printedJson(again)).toMatchObject({ seed: "2", ok: false });
});

test("--shrink writes nothing when the run holds", async () => {
  const finished = await patina([
    "sim",
    small,
    "--seed",
    "2",
    "--shrink",
    folder.path("none.json"),
  ]);
  expect(finished.status).toBe(0);
  expect(finished.stderr).toContain("nothing to shrink");
  expect(() => readFileSync(folder.path("none.json"))).toThrow("ENOENT");
});

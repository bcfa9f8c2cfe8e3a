/** How the command line answers those who do not know it yet, or mistype. */
import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { patina, smallScenario, temporaryFolder } from "./patina-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

test.each([["--help"], ["demo", "--help"], ["sim", "--help"], ["sim", "merge", "--help"]])(
  "help begins with an example: %s %s",
  async (...words) => {
    const { status, stdout, stderr } = await patina(words.filter((word) => word !== undefined));
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^Examples?:\n {2}\$ patina /);
    expect(stdout).toContain("Usage: patina");
  },
);

test("every command has --json and --quiet", async () => {
  for (const words of [["demo"], ["sim"], ["sim", "merge"]]) {
    const { stdout } = await patina([...words, "--help"]);
    expect(stdout).toMatch(/--json/);
    expect(stdout).toMatch(/--quiet/);
  }
});

test.each([
  [["simm"], "(Did you mean sim?)"],
  [["sim", "--sed", "1"], "(Did you mean --seed?)"],
  [["sim", "split-hael"], "did you mean split-heal?"],
  [["sim", "split-heal", "--store", "memroy"], "did you mean memory?"],
])("a word that is not known names the nearest that is: %j", async (words, hint) => {
  const { status, stdout, stderr } = await patina(words);
  expect(stderr).toContain(hint);
  expect([status, stdout]).toEqual([2, ""]);
});

test.each([
  [[], "Usage: patina"],
  [["sim"], "which scenario?"],
  [["sim", "split-heal", "--runs", "none"], "--runs is a whole number"],
  [["sim", "split-heal", "--nodes", "9-3"], "--nodes is a number of nodes"],
  [["sim", "split-heal", "--nodes", "1"], "split-heal takes at least 2 nodes"],
  [["sim", "split-heal", "--runs", "9", "--shard", "4/3"], "--shard is I/N"],
  [["sim", "split-heal", "--shard", "1/3"], "--shard needs --runs"],
  [["sim", "split-heal", "--jobs", "0"], "--jobs is a whole number"],
  [["sim", "nowhere/scenario.json"], "nowhere/scenario.json: no such file"],
  [["sim", "merge", "nowhere.json"], "nowhere.json: no such file"],
  [["demo", "--nodes", "1"], "--nodes is a whole number from 2"],
])("wrong use ends with exit 2 and says what is wrong: %j", async (words, sentence) => {
  const { status, stdout, stderr } = await patina(words);
  expect(stderr).toContain(sentence);
  expect([status, stdout]).toEqual([2, ""]);
});

test.each(["--trace", "--dump", "--shrink"])(
  "%s to a path that cannot be written is told before the run",
  async (option) => {
    mkdirSync(folder.path("taken"), { recursive: true });
    for (const path of [folder.path("missing/file"), folder.path("taken")]) {
      // Ten thousand virtual years of run would not fit into this test's time.
      const { status, stdout, stderr } = await patina(["sim", "churn-100", option, path]);
      expect(stderr).toMatch(new RegExp(`^patina: ${option}: cannot write ${path}: [^\\n]+\\n$`));
      expect([status, stdout]).toEqual([2, ""]);
    }
  },
);

test.each([
  [
    "an unknown key",
    { ...smallScenario, durationMs: undefined, duration: 5000 },
    /duration.*durationMs/,
  ],
  ["a wrong type", { ...smallScenario, nodes: "five" }, /nodes/],
  [
    "a node out of range",
    { ...smallScenario, faults: [{ kind: "crash", atMs: 10, node: 9, disk: "kept" }] },
    /faults\[0\]\.node/,
  ],
  [
    "overlapping times",
    {
      ...smallScenario,
      faults: [
        { kind: "crash", atMs: 10, node: 1, disk: "kept" },
        { kind: "crash", atMs: 20, node: 1, disk: "kept" },
      ],
    },
    /faults\[1\]/,
  ],
])(
  "a scenario file with %s is one line that names file and key, and exit 3",
  async (what, scenario, key) => {
    const file = folder.path(`${what.replaceAll(" ", "-")}.json`);
    writeFileSync(file, JSON.stringify(scenario));
    const { status, stdout, stderr } = await patina(["sim", file]);
    expect(stderr.split("\n")).toHaveLength(2);
    expect(stderr).toContain(`patina: ${file}: `);
    expect(stderr).toMatch(key);
    expect([status, stdout]).toEqual([3, ""]);
  },
);

test("a file that is no JSON is not a scenario: exit 3", async () => {
  const file = folder.path("broken.json");
  writeFileSync(file, "{");
  const { status, stderr } = await patina(["sim", file]);
  expect(stderr).toMatch(/broken\.json: not JSON/);
  expect(status).toBe(3);
});

test("SQL in a workload needs the SQLite store, and the line says so", async () => {
  const file = folder.path("sql.json");
  const work = { kind: "sql", atMs: 10, node: 0, statements: ["INSERT INTO kv (k) VALUES ('a')"] };
  writeFileSync(file, JSON.stringify({ ...smallScenario, workload: [work] }));
  const { status, stderr } = await patina(["sim", file]);
  expect(stderr).toContain("workload[0] is SQL");
  expect(stderr).toContain("--store sqlite");
  expect(status).toBe(2);
});

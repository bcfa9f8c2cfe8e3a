/** `patina experiment`: that neither threads nor shards show in results, and what it says to mistakes. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { patina, printedJson, temporaryFolder } from "./patina-process.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const name = "01-failure-detection";
const quick = ["experiment", "run", name, "--quick", "--seed", "cli"];

/** Results without what a clock measured. */
function timeless(results: Record<string, unknown>): unknown {
  return { ...results, run: null };
}

test("the list names every experiment", async () => {
  const { status, stdout } = await patina(["experiment", "list", "--json"]);
  expect(status).toBe(0);
  const list = JSON.parse(stdout) as { name: string; cells: number }[];
  expect(list.map((each) => each.name)).toContain(name);
  for (const { cells } of list) expect(cells).toBeGreaterThan(0);
});

test("one thread, three threads and two shards give the same results", async () => {
  const one = printedJson(await patina([...quick, "--jobs", "1", "--json"]));
  const three = printedJson(await patina([...quick, "--jobs", "3", "--json"]));
  expect(timeless(three)).toEqual(timeless(one));
  const out = folder.path("shards");
  for (const i of [2, 1]) {
    const shard = await patina([...quick, "--shard", `${i}/2`, "--jobs", "1", "--out", out]);
    expect(shard).toMatchObject({ status: 0, stdout: "" });
  }
  const files = readdirSync(out).map((file) => join(out, file));
  const merged = await patina(["experiment", "merge", ...files.toReversed(), "--json"]);
  expect(merged.status).toBe(0);
  expect(timeless(printedJson(merged))).toEqual(timeless(one));

  const missing = await patina(["experiment", "merge", ...files.slice(1)]);
  expect(missing).toMatchObject({ status: 2, stdout: "" });
  expect(missing.stderr).toContain("shard 1 of 2 is missing");
  const changed = readFileSync(files[0] ?? "", "utf8").replace('"seed":"cli/1"', '"seed":"cli/0"');
  writeFileSync(folder.path("changed.json"), changed);
  const other = await patina(["experiment", "merge", folder.path("changed.json"), files[1] ?? ""]);
  expect(other.stderr).toContain("made by another version");
  const twice = await patina(["experiment", "merge", ...files, files[0] ?? ""]);
  expect(twice.stderr).toContain("shard 1 is in");
});

test("results are written to --out, and pages are made anew from them", async () => {
  const out = folder.path("out");
  const { status, stdout } = await patina([...quick, "--out", out, "--quiet"]);
  expect(status).toBe(0);
  expect(stdout).toContain("✓");
  const own = join(out, name);
  expect(readdirSync(own).toSorted()).toEqual([
    "README.md",
    "plot.svg",
    "results.csv",
    "results.json",
  ]);
  expect(readFileSync(join(out, "report.html"), "utf8")).toContain("<svg");
  const page = readFileSync(join(own, "README.md"), "utf8");
  writeFileSync(join(own, "README.md"), "");
  expect((await patina(["experiment", "render", name, "--out", out])).status).toBe(0);
  expect(readFileSync(join(own, "README.md"), "utf8")).toBe(page);
});

test("results of another experiment that cannot be read cost a remark, not the run", async () => {
  const out = folder.path("torn");
  mkdirSync(join(out, "07-conflict-rules"), { recursive: true });
  writeFileSync(join(out, "07-conflict-rules", "results.json"), "{");
  const { status, stderr } = await patina([...quick, "--out", out, "--quiet"]);
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stderr).toContain("patina experiment render all");
  expect(existsSync(join(out, name, "results.json"))).toBe(true);
  expect(existsSync(join(out, "README.md"))).toBe(false);
});

test("mistakes are told in one line, with exit code 2", async () => {
  const file = folder.path("no-shard.json");
  writeFileSync(file, "{}");
  for (const [args, says] of [
    [["run", "01-failure-detektion", "--quick"], `did you mean ${name}?`],
    [["run", "nothing-like-it", "--quick"], "patina experiment list"],
    [["run", name, "--shard", "3/2"], "--shard is I/N"],
    [["run", name, "--quick", "--out", file], "cannot write"],
    [["merge", file], "not a shard"],
    [["merge", folder.path("nowhere.json")], "no such file"],
    [["render", name, "--out", folder.path("empty")], "holds no results"],
    [["render", "07", "--out", folder.path("torn")], "results.json holds no results"],
    [["rnu"], "did you mean"],
  ] as const) {
    const { status, stdout, stderr } = await patina(["experiment", ...args]);
    expect({ status, stdout }, stderr).toEqual({ status: 2, stdout: "" });
    expect(stderr.toLowerCase()).toContain(says.toLowerCase());
  }
  expect(existsSync(folder.path("empty"))).toBe(false);
});

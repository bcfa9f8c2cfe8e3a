/** `patina demo`, the first thing that anybody runs. */
import { readFileSync, writeFileSync } from "node:fs";
import { afterAll, expect, test } from "vitest";
import { patina, printedJson, temporaryFolder } from "./patina-process.ts";
import { checkTrace, readTrace } from "./trace-reader.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

test("the demo tells what was cut, how far the sides drifted, and that all agree again", async () => {
  const dir = folder.path("told");
  const { status, stdout, stderr } = await patina(["demo", "--dir", dir, "--once"]);
  expect(status).toBe(0);
  expect(stderr).toContain("the network is cut: n0 n1 | n2 n3 n4");
  expect(stdout).toMatch(
    /✓ All 5 nodes hold the same data again, [\d.]+ m?s after healing; no write was lost\./,
  );
  expect(stdout).toMatch(/cut +n0 n1 \| n2 n3 n4, from 10 s to 40 s/);
  expect(stdout).toMatch(
    /drifted apart +at 40 s, \d+ of \d+ rows differed and n\d lacked [\d,]+ of [\d,]+ versions/,
  );
  for (const plane of ["swim", "gossip", "sync"]) expect(stdout).toContain(`(${plane})`);
  const hashes = [...stdout.matchAll(/^ +n\d +([0-9a-f]{16})$/gm)].map(([, hash]) => hash);
  expect(hashes).toHaveLength(5);
  expect(new Set(hashes).size).toBe(1);

  const trace = readTrace(folder.path("told/split-heal.ndjson.gz"));
  expect(checkTrace(trace)).toEqual([]);
  expect(trace.lines.at(-1)).toMatchObject({ k: "end", converged: true, hash: hashes[0] });

  // The real cluster after it.
  expect(stderr).toMatch(/n2 was killed \(kill -9 \d+\); the others took 50 rows meanwhile/);
  expect(stdout).toContain("✓ All 3 nodes hold the same 80 rows, n2 included");
  const rows = [...stdout.matchAll(/^ +(n\d) +80 +([0-9a-f]{16}) +http:/gm)];
  expect(rows.map(([, name]) => name)).toEqual(["n0", "n1", "n2"]);
  expect(new Set(rows.map(([, , hash]) => hash)).size).toBe(1);

  // The picture: the cut is there to be seen, and gone at the end.
  const strips = stdout.split("\n").filter((line) => /^ +n\d +[█▓▒░]+$/.test(line));
  expect(strips).toHaveLength(5);
  for (const strip of strips) {
    expect(strip).toContain("░");
    expect(strip.endsWith("█")).toBe(true);
  }
});

test("the demo's scenario file and seed give the very same run again", async () => {
  const dir = folder.path("again");
  const told = printedJson(
    await patina([
      "demo",
      "--dir",
      dir,
      "--seed",
      "other",
      "--nodes",
      "3",
      "--once",
      "--json",
      "--quiet",
    ]),
  );
  expect(told).toMatchObject({ ok: true, nodes: 3, seed: "other" });
  expect(told["cluster"]).toMatchObject({
    agreed: true,
    acknowledged: 80,
    nodes: [{ rows: 80 }, { rows: 80 }, { rows: 80 }],
  });
  const result = printedJson(
    await patina(["sim", folder.path("again/split-heal.json"), "--seed", "other", "--json"]),
  );
  expect(result["traceHash"]).toBe(told["traceHash"]);
  expect(JSON.parse(readFileSync(folder.path("again/split-heal.json"), "utf8"))).toMatchObject({
    name: "split-heal",
  });
});

test("a folder that cannot be made is told before the run", async () => {
  const file = folder.path("file");
  writeFileSync(file, "");
  const { status, stdout, stderr } = await patina(["demo", "--dir", file]);
  expect([status, stdout]).toEqual([2, ""]);
  expect(stderr).toMatch(/^patina: --dir: cannot make [^\n]+\n$/);
});

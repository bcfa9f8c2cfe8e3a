import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { CliError } from "../../../runtime/cli/exit-codes.ts";
import {
  OutputFile,
  assertWritable,
  insertBeforeExtension,
} from "../../../runtime/cli/output-file.ts";

const dir = mkdtempSync(join(tmpdir(), "patina-output-"));
afterAll(() => rmSync(dir, { recursive: true }));

function written(name: string, parts: readonly string[]): Buffer {
  const file = new OutputFile(join(dir, name));
  for (const part of parts) file.write(part);
  file.close();
  return readFileSync(join(dir, name));
}

// Lines of several blocks, one line that is larger than a block, and a short one after it.
const parts = [
  ...Array.from({ length: 60_000 }, (_, i) => `line ${i} with an é and ${i * i}\n`),
  `${"ü".repeat(700_000)}\n`,
  "end\n",
];

test("what is written in parts is read as a whole", () => {
  expect(written("a.ndjson", parts).toString("utf8") === parts.join("")).toBe(true);
});

test("a .gz file is one gzip member with the same text, and equal text gives equal bytes", () => {
  const first = written("b.ndjson.gz", parts);
  expect(gunzipSync(first).toString("utf8") === parts.join("")).toBe(true);
  expect(first.length).toBeLessThan(parts.join("").length / 3);
  expect(written("c.ndjson.gz", parts).equals(first)).toBe(true);
});

test("an empty .gz file is still a gzip file", () => {
  expect(gunzipSync(written("empty.gz", [])).length).toBe(0);
});

test("a path is tried without leaving a file or touching one that is there", () => {
  const fresh = join(dir, "fresh");
  assertWritable("--trace", fresh);
  expect(existsSync(fresh)).toBe(false);
  const old = join(dir, "old");
  writeFileSync(old, "kept");
  assertWritable("--trace", old);
  expect(readFileSync(old, "utf8")).toBe("kept");
});

test("a path that cannot be written is wrong use, told with option, path and reason", () => {
  const folder = join(dir, "folder");
  mkdirSync(folder);
  expect(() => assertWritable("--trace", folder)).toThrow(
    `--trace: cannot write ${folder}: it is a folder`,
  );
  const missing = join(dir, "missing", "t.ndjson");
  expect(() => assertWritable("--dump", missing)).toThrow(CliError);
  expect(() => assertWritable("--dump", missing)).toThrow("no such file or folder");
});

test("a run's number goes before the extension, which begins at the first dot of the name", () => {
  expect(insertBeforeExtension("out.d/trace.ndjson.gz", "17")).toBe("out.d/trace.17.ndjson.gz");
  expect(insertBeforeExtension("out.d/trace", "17")).toBe("out.d/trace.17");
  expect(insertBeforeExtension(".hidden", "17")).toBe(".hidden.17");
});

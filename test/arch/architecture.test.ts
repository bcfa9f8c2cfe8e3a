/** The rules of the architecture hold for every file, and each rule finds what it is there to find. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  finishedRule,
  importRule,
  importsOf,
  lockRule,
  purityRule,
  type Rule,
  selfContainedRule,
  shapeRule,
} from "./rules.ts";
import { codeFiles, root, sourceFile, writtenFiles } from "./source-tree.ts";
import { tokensOf } from "./tokens.ts";

const files = codeFiles();
const check = (rule: Rule, path: string, text: string): string[] => rule(sourceFile(path, text));

describe("imports", () => {
  test("every file imports only from the rooms that its own may import from", () => {
    expect(files.length).toBeGreaterThan(50);
    expect(files.flatMap(importRule)).toEqual([]);
  });

  test.each([
    ["core/swim/x.ts", 'import { a } from "../../sim/kernel.ts";'],
    ["core/swim/x.ts", 'import type { A } from "../../runtime/store/a.ts";'],
    ["core/swim/x.ts", 'export { a } from "../../sim/kernel.ts";'],
    ["core/swim/x.ts", 'const a = await import("../../sim/kernel.ts");'],
    ["core/swim/x.ts", 'import { a } from "seedrandom";'],
    ["core/swim/x.ts", 'import { a } from "../../../elsewhere.ts";'],
    ["sim/x.ts", 'import { a } from "../runtime/store/a.ts";'],
    ["sim/x.ts", 'import a from "better-sqlite3";'],
    ["sim/x.ts", 'import { readFileSync } from "node:fs";'],
    ["runtime/store/x.ts", 'import { a } from "../../sim/kernel.ts";'],
    ["runtime/cli/x.ts", 'import { a } from "../../test/arch/rules.ts";'],
    ["visualizer/x.ts", 'import { a } from "../runtime/store/a.ts";'],
    ["experiments/01-x/run.ts", 'import { a } from "../../visualizer/a.ts";'],
    ["core/swim/x.ts", 'import "../../docs/x.ts";'],
  ])("in %s it finds %s", (path, text) => {
    expect(check(importRule, path, text)).toHaveLength(1);
  });

  test.each([
    ["core/swim/x.ts", 'import { a } from "../base/assert.ts";'],
    ["sim/x.ts", 'import seedrandom from "seedrandom"; import { a } from "../core/base/ids.ts";'],
    ["runtime/cli/x.ts", 'await import("../../sim/kernel.ts");'],
    ["runtime/store/x.ts", 'import a from "better-sqlite3"; import "node:fs";'],
    ["test/unit/x.test.ts", 'import { a } from "../../runtime/store/a.ts";'],
    ["core/swim/x.ts", '// import { a } from "../../sim/kernel.ts"\nconst s = "../../sim/a.ts";'],
  ])("in %s it passes %s", (path, text) => {
    expect(check(importRule, path, text)).toEqual([]);
  });
});

describe("purity", () => {
  test("nothing in the core or the simulator depends on a host, a clock, chance or a locale", () => {
    expect(files.flatMap(purityRule)).toEqual([]);
  });

  test.each([
    "const t = Date.now();",
    "const t = new Date();",
    "const r = Math.random();",
    "const l = Math.log(x);",
    "const l = Math.exp(x);",
    "const l = Math.pow(x, 2);",
    "const l = Math.sin(x) + 1;",
    "const l = Math.log2(x);",
    "const l = Math.hypot(x, y);",
    "const { log } = Math;",
    'const l = Math["log"](x);',
    "const p = x ** 2;",
    "const p = 2 ** 0.5;",
    "setTimeout(f, 5);",
    "const t = performance.now();",
    "const e = process.env;",
    "const g = globalThis;",
    'import { readFileSync } from "node:fs";',
    "names.sort((a, b) => a.localeCompare(b));",
    "const text = n.toLocaleString();",
    "console.log(1);",
    "const b = new TextEncoder();",
    "const b = Buffer.from(x);",
    "const x = `${Date.now()}`;",
    "const w = new WeakRef(x);",
  ])("in core and sim it finds %s", (text) => {
    expect(check(purityRule, "core/swim/x.ts", text)).toHaveLength(1);
    expect(check(purityRule, "sim/x.ts", text)).toHaveLength(1);
    expect(check(purityRule, "runtime/x.ts", text)).toEqual([]);
  });

  test.each(["async function f() {}", "const x = await y;", "return Promise.resolve();"])(
    "in core it finds %s",
    (text) => {
      expect(check(purityRule, "core/swim/x.ts", text)).toHaveLength(1);
      expect(check(purityRule, "sim/x.ts", text)).toEqual([]);
    },
  );

  test.each([
    "// Date.now() in a comment, and Math.random()",
    '/* setTimeout */ const s = "Date.now()"; const t = `performance`;',
    "const r = /Math.random(\\/)/.test(x);",
    "const n = 2 ** 53 + Number(10n ** BigInt(p)) + Math.floor(x) + Math.sqrt(y);",
    "const o = { process: 1, self: this.self }; o.process = 2;",
  ])("it passes %s", (text) => {
    expect(check(purityRule, "core/swim/x.ts", text)).toEqual([]);
  });
});

describe("shape", () => {
  test("files are short, kebab-case, and none is a barrel", () => {
    expect(files.flatMap(shapeRule)).toEqual([]);
  });

  test("it finds long files, other names and barrels", () => {
    const long = "x;\n".repeat(451);
    expect(check(shapeRule, "core/a/x.ts", long)).toHaveLength(1);
    expect(check(shapeRule, "core/a/x.ts", "x;\n".repeat(450))).toEqual([]);
    for (const path of ["core/a/memoryStore.ts", "core/a/Memory.ts", "core/a/memory_store.ts"]) {
      expect(check(shapeRule, path, "")).toHaveLength(1);
    }
    expect(check(shapeRule, "core/rowState/x.ts", "")).toHaveLength(1);
    expect(check(shapeRule, "core/a/index.ts", "")).toHaveLength(1);
    expect(check(shapeRule, "test/unit/a/row-state.test.ts", "")).toEqual([]);
  });

  test("nothing is left unfinished, skipped or singled out", () => {
    expect(writtenFiles().flatMap(finishedRule)).toEqual([]);
  });

  test("it finds unfinished work and tests that do not count", () => {
    for (const word of ["TO", "FIX", "X"].map((part, i) => part + ["DO", "ME", "XX"][i])) {
      expect(check(finishedRule, "core/a/x.ts", `// ${word}: later`)).toHaveLength(1);
    }
    for (const text of ['test.skip("a", f);', 'describe.only("a", f);', 'it.todo("a");']) {
      expect(check(finishedRule, "test/unit/x.test.ts", text)).toHaveLength(1);
    }
    expect(check(finishedRule, "test/unit/x.test.ts", 'test("a", () => list.skip(1));')).toEqual(
      [],
    );
  });
});

describe("the repository by itself", () => {
  test("no file names a place outside the repository", () => {
    expect(writtenFiles().flatMap(selfContainedRule)).toEqual([]);
  });

  test("it finds such names", () => {
    const place = ["wo", "rk"].join("");
    expect(check(selfContainedRule, "docs/x.md", `see /${place}/main/x`)).toHaveLength(1);
  });

  test("the lock file names no registry", () => {
    expect(lockRule(readFileSync(join(root, "package-lock.json"), "utf8"))).toEqual([]);
    expect(lockRule('{\n  "resolved": "https://example.org/x.tgz"\n}')).toHaveLength(1);
  });
});

describe("the scanner under the rules", () => {
  const words = (text: string) =>
    tokensOf(text)
      .filter((token) => token.kind === "word")
      .map((token) => token.text);

  test("it tells code from comments, strings, templates and regular expressions", () => {
    expect(words('a // b\n/* c */ d \'e\' "f\\"g" h')).toEqual(["a", "d", "h"]);
    expect(words("`a ${b + `c ${d} e` + {f: 1}.f} g` + h")).toEqual(["b", "d", "f", "f", "h"]);
    expect(words("x = a / b / c; y = /d[/]e'/g; z")).toEqual(["x", "a", "b", "c", "y", "z"]);
    expect(words("#!/usr/bin/env node\na; this.#b")).toEqual(["a", "this", "#b"]);
  });

  test("it knows the line of each token, past comments and templates of several lines", () => {
    const tokens = tokensOf("a\n/* \n */ b `x\ny` c\n// z\nd");
    expect(tokens.map((token) => [token.text, token.line])).toEqual([
      ["a", 1],
      ["b", 3],
      ["x\ny", 3],
      ["c", 4],
      ["d", 6],
    ]);
  });

  test("imports of all forms are found with their lines", () => {
    const text =
      'import a from "a";\nimport "b";\nexport * from "c";\nconst d = import("d");\nf("e")';
    expect(importsOf(tokensOf(text))).toEqual([
      { from: "a", line: 1 },
      { from: "b", line: 2 },
      { from: "c", line: 3 },
      { from: "d", line: 4 },
    ]);
  });
});

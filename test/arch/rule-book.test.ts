/** Every rule of `core/SPEC.md` is checked by a test that says so, and no test names a rule that is not there. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { codeFiles, root, sourceFile } from "./source-tree.ts";
import {
  idsOfTitle,
  mustNameRule,
  readRuleBook,
  testsIn,
  titleProblems,
  uncheckedRules,
} from "./spec-rules.ts";

const book = readRuleBook(readFileSync(join(root, "core/SPEC.md"), "utf8"));
const tests = codeFiles()
  .filter((file) => file.path.startsWith("test/") && !file.path.startsWith("test/arch/"))
  .flatMap(testsIn);

describe("the rule book", () => {
  test("is written in its form, each rule once", () => {
    expect(book.problems).toEqual([]);
    expect(book.ids.length).toBeGreaterThan(20);
  });

  test("is named by every title that has to, and only rules that are there", () => {
    expect(tests.length).toBeGreaterThan(50);
    expect(titleProblems(tests, new Set(book.ids))).toEqual([]);
  });

  test("has no rule that no test checks", () => {
    expect(uncheckedRules(tests, book.ids)).toEqual([]);
  });
});

describe("how titles and rules are found", () => {
  test("a rule is a list item in bold; others and repetitions are told with their lines", () => {
    const text =
      "# X\n\n- **AB01** One.\n- **AB02** Two.\n- **AB01** Again.\n- **nonsense** Four.\n";
    const { ids, problems } = readRuleBook(text);
    expect(ids).toEqual(["AB01", "AB02"]);
    expect(problems).toEqual([
      "core/SPEC.md:5 defines AB01 again",
      'core/SPEC.md:6 is not written "- **XY01** sentence"',
    ]);
  });

  const file = (path: string, text: string) => testsIn(sourceFile(path, text));

  test("titles are read from tests of every form", () => {
    const text = [
      'test("AB01: plain", () => {});',
      "it('AB02: quoted', f);",
      'test.each([["x (", 1], [")", 2]])("AB03: %s", f);',
      "test(`AB04: ${name}`, f);",
      'test.concurrent.for(cases)("AB05, AB06: two", f);',
      "test(title, f);",
      "// test('AB07: a comment', f)",
      'r.test("AB08: no test"); const it = 5;',
    ].join("\n");
    expect(file("test/unit/swim/x.test.ts", text).map(({ title }) => title)).toEqual([
      "AB01: plain",
      "AB02: quoted",
      "AB03: %s",
      "AB04: ",
      "AB05, AB06: two",
      null,
    ]);
  });

  test("a title without a rule, with an unknown one, or not written out is a problem where it must have one", () => {
    const text =
      'test("does things", f);\ntest("AB09: unknown", f);\ntest(title, f);\ntest("AB01: x", f);';
    const ids = new Set(["AB01"]);
    expect(titleProblems(file("test/unit/swim/x.test.ts", text), ids)).toHaveLength(3);
    expect(titleProblems(file("test/contract/store-contract.ts", text), ids)).toHaveLength(3);
    expect(titleProblems(file("test/unit/cli/x.test.ts", text), ids)).toHaveLength(1);
    expect(mustNameRule("test/unit/swimming/x.test.ts")).toBe(false);
  });

  test("a rule counts as checked when a title begins with it, alone or among others", () => {
    const found = file(
      "test/unit/swim/x.test.ts",
      'test("AB01, AB02: x", f);\ntest("see AB03", f);',
    );
    expect(uncheckedRules(found, ["AB01", "AB02", "AB03"])).toEqual(["AB03"]);
    expect(idsOfTitle("AB01 case 12: x")).toEqual(["AB01"]);
    expect(idsOfTitle("AB01 without a colon")).toEqual([]);
    expect(idsOfTitle("AB01:")).toEqual([]);
  });
});

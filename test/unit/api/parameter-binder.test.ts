/** Parameters meet variables as SQLite has them meet. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import Database from "better-sqlite3";
import type { Value } from "../../../core/crdt/value.ts";
import { ApiError } from "../../../runtime/api/api-error.ts";
import { ParameterBinder } from "../../../runtime/api/parameter-binder.ts";
import { withoutPrefixes } from "../../../runtime/store-process/result.ts";

const database = new Database(":memory:");

function read(sql: string, parameters: readonly Value[] | Record<string, Value>): unknown {
  const bound = new ParameterBinder().bind({ sql, parameters });
  return database.prepare(bound.sql).raw().get(withoutPrefixes(bound.parameters));
}

describe("a list", () => {
  test.each<[string, readonly Value[], readonly Value[]]>([
    ["SELECT ?, ?", ["a", "b"], ["a", "b"]],
    ["SELECT ?1, ?2, ?1", ["a", "b"], ["a", "b", "a"]],
    ["SELECT ?2, ?1", ["a", "b"], ["b", "a"]],
    ["SELECT ?2, ?", ["a", "b", "c"], ["b", "c"]],
    ["SELECT ?, ?3, ?", ["a", "b", "c", "d"], ["a", "c", "d"]],
    ["SELECT :a, @b, $c, :a", ["a", "b", "c"], ["a", "b", "c", "a"]],
    ["SELECT :a, ?2, ?", ["a", "b", "c"], ["a", "b", "c"]],
    ["SELECT '?1', \"x\".a, ? FROM (SELECT 1 AS a) x -- ?2", ["b"], ["?1", 1, "b"]],
    ["SELECT ':a' /* :b */, [y].a FROM (SELECT 2 AS a) [y]", [], [":a", 2]],
  ])("%s", (sql, parameters, row) => {
    expect(read(sql, parameters)).toEqual(row);
  });

  test("of another length is an error", () => {
    for (const list of [[], ["a"], ["a", "b", "c"]]) {
      expect(() => read("SELECT ?1, ?2", list)).toThrow(ApiError);
    }
  });

  test("column names stay what they are without a mix", () => {
    const { sql } = new ParameterBinder().bind({ sql: "SELECT ?1, :a", parameters: [1, 2] });
    expect(sql).toBe("SELECT ?1, :a");
  });

  test("keeps the statement as it came where its variables are given other names", () => {
    const bind = (sql: string, parameters: readonly Value[] | Record<string, Value>): unknown =>
      new ParameterBinder().bind({ sql, parameters }).original;
    expect(bind("SELECT ?, ?4", ["a", "b", "c", "d"])).toBe("SELECT ?, ?4");
    expect(bind("SELECT :a, @a", { ":a": 1 })).toBe("SELECT :a, @a");
    expect(bind("SELECT ?1, :a", [1, 2])).toBeUndefined();
    expect(bind("SELECT ?", [1])).toBeUndefined();
  });

  test("is bound as SQLite numbers the variables", () => {
    const one = fc.constantFrom("?", "?", "?1", "?2", "?5", ":a", ":b", "@a", "$c");
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), (variables) => {
        const sql = `SELECT ${variables.map((text, i) => `${text} AS c${i}`).join(", ")}`;
        const values = [
          "v1",
          "v2",
          "v3",
          "v4",
          "v5",
          "v6",
          "v7",
          "v8",
          "v9",
          "v10",
          "v11",
          "v12",
          "v13",
        ];
        const count = countOf(variables);
        const list = values.slice(0, count);
        expect(read(sql, list)).toEqual(expected(variables, list));
      }),
    );
  });
});

/** SQLite's rule, said once more: a plain ? is one above the highest so far, a new name too. */
function expected(variables: readonly string[], list: readonly string[]): readonly string[] {
  let highest = 0;
  const names = new Map<string, number>();
  return variables.map((text) => {
    let n = /^\?\d/.test(text) ? Number(text.slice(1)) : names.get(text);
    n ??= highest + 1;
    if (text !== "?") names.set(text, n);
    highest = Math.max(highest, n);
    return list[n - 1] as string;
  });
}

function countOf(variables: readonly string[]): number {
  let highest = 0;
  const names = new Set<string>();
  for (const text of variables) {
    if (/^\?\d/.test(text)) highest = Math.max(highest, Number(text.slice(1)));
    else if (text === "?" || !names.has(text)) highest++;
    names.add(text);
  }
  return highest;
}

describe("an object", () => {
  test("fills by name; what it leaves out is NULL, as rusqlite has it", () => {
    expect(read("SELECT :a, @b, $c", { ":a": 1, "@b": 2, $c: 3 })).toEqual([1, 2, 3]);
    expect(read("SELECT :a, :b", { ":b": 2 })).toEqual([null, 2]);
    expect(read("SELECT ?, :b", { ":b": 2 })).toEqual([null, 2]);
    expect(read("SELECT :a, @a, ?7", { "@a": 2, "?7": 3 })).toEqual([null, 2, 3]);
    expect(read("SELECT ?, ?", {})).toEqual([null, null]);
  });

  test("names only what is there, with its sign", () => {
    expect(() => read("SELECT :a", { ":x": 1 })).toThrow('no parameter ":x"');
    expect(() => read("SELECT 1", { ":x": 1 })).toThrow(ApiError);
    expect(() => read("SELECT :a", { a: 1 })).toThrow("is no name of a parameter");
  });
});

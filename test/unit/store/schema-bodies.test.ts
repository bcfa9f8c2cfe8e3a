/** Views and triggers that could not be used with the tables that there are. */
import { describe, expect, test } from "vitest";
import { rows, sql, storeMaker, t0 } from "./stores.ts";

const kv = "CREATE TABLE kv (k TEXT NOT NULL PRIMARY KEY, v TEXT, w TEXT AS (v || '!') STORED)";
const log = "CREATE TABLE log /* patina: local */ (k, v)";

function trigger(when: string, body: string, on = "kv"): string {
  return `CREATE TRIGGER g ${when} ON ${on} BEGIN ${body}; END`;
}

describe("schema files", () => {
  const open = storeMaker();
  const refusal = (...statements: string[]): string => {
    try {
      open("a", [{ name: "s.sql", text: statements.join(";\n") }]);
    } catch (error) {
      expect((error as Error).name).toBe("SchemaRefusedError");
      return (error as Error).message;
    }
    return "";
  };

  test.each([
    [["CREATE VIEW w AS SELECT * FROM none"], /^s\.sql:3: view w: no such table: main\.none$/],
    [["CREATE VIEW w AS SELECT none FROM kv"], /^s\.sql:3: view w: no such column: none$/],
    [
      [trigger("AFTER INSERT", "INSERT INTO none VALUES (1)")],
      /^s\.sql:3: trigger g: no such table: /,
    ],
    [[trigger("AFTER INSERT", "INSERT INTO log VALUES (1)")], /trigger g: table log has 2 columns/],
    [
      [trigger("BEFORE DELETE", "DELETE FROM log WHERE none = 1")],
      /trigger g: no such column: none/,
    ],
    [[trigger("AFTER UPDATE OF v", "SELECT new.none")], /trigger g: no such column: new\.none/],
    [
      ["CREATE VIEW w AS SELECT k FROM kv", trigger("INSTEAD OF INSERT", "SELECT new.none", "w")],
      /^s\.sql:4: trigger g: no such column: new\.none$/,
    ],
  ])("%j is refused", (statements, why) => {
    expect(refusal(kv, log, ...statements)).toMatch(why);
  });

  test.each([
    [trigger("AFTER INSERT", "INSERT INTO log VALUES (new.k, new.w)")],
    [trigger("AFTER UPDATE OF v", "INSERT INTO log (k) VALUES (old.k)")],
    [trigger("INSTEAD OF INSERT", "INSERT INTO kv (k) VALUES (new.k)", "w")],
    [trigger("INSTEAD OF UPDATE", "UPDATE kv SET v = new.v WHERE k = old.k", "main.w")],
    [trigger("INSTEAD OF DELETE", "DELETE FROM kv WHERE k = old.k", "'w'")],
  ])("%s is taken", (statement) => {
    expect(refusal(kv, log, "CREATE VIEW w AS SELECT k, v FROM kv", statement)).toBe("");
  });

  test("a column that breaks a trigger is refused, and the trigger goes on", () => {
    const counted = "CREATE TABLE seen (k TEXT NOT NULL PRIMARY KEY)";
    const fires = trigger("AFTER INSERT", "INSERT INTO seen VALUES (new.k)");
    const store = open("a", [kv, counted, fires]);
    const grown = counted.replace("PRIMARY KEY", "PRIMARY KEY, n INTEGER");
    expect(() => store.migrate(t0, [kv, grown, fires])).toThrow(
      /trigger g: table seen has 2 columns but 1 values were supplied/,
    );
    sql(store, "INSERT INTO kv VALUES ('a', 'b')");
    expect(rows(store, "seen")).toEqual([["a"]]);
    store.migrate(t0, [kv, grown, fires.replace("INTO seen", "INTO seen (k)")]);
    sql(store, "INSERT INTO kv VALUES ('c', 'd')");
    expect(rows(store, "seen")).toEqual([
      ["a", null],
      ["c", null],
    ]);
  });
});

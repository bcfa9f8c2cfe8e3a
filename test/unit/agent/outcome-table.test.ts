import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { OutcomeTable } from "../../../runtime/store-process/outcome-table.ts";
import { requestPrint } from "../../../runtime/store-process/request-print.ts";
import type { PlainResult } from "../../../runtime/store-process/result.ts";

const result: PlainResult = { type: "committed", version: null, results: [], seconds: 0.5 };
const print = (sql: string) => requestPrint([{ sql, parameters: [1] }]);

test("a key that comes with another request is refused, and with the same one answered", () => {
  const table = new OutcomeTable(new Database(":memory:"));
  table.write(1000, 0, 0, 6, { key: "k", print: print("A") }, result);
  expect(table.answerOf({ key: "k", print: print("A") })).toMatchObject({ version: 7 });
  expect(table.answerOf({ key: "k", print: print("B") })).toMatchObject({
    type: "failed",
    error: { code: "key_reused" },
  });
  expect(table.answerOf({ key: "other", print: print("B") })).toBeNull();
});

test("what an earlier build kept is answered whatever the request", () => {
  const db = new Database(":memory:");
  new OutcomeTable(db).write(1000, 0, 0, 6, { key: "k", print: print("A") }, result);
  db.exec("ALTER TABLE patina_answer DROP COLUMN print");
  const table = new OutcomeTable(db);
  expect(table.answerOf({ key: "k", print: print("B") })).toMatchObject({ version: 7 });
  table.write(1000, 1, 0, 7, { key: "new", print: print("A") }, result);
  expect(table.answerOf({ key: "new", print: print("B") })).toMatchObject({ type: "failed" });
});

test("the print is of what is asked, not of how it is spelt", () => {
  const named = (parameters: Record<string, number>) => requestPrint([{ sql: "A", parameters }]);
  expect(named({ ":a": 1, ":b": 2 })).toEqual(named({ ":b": 2, ":a": 1 }));
  expect(named({ ":a": 1, ":b": 2 })).not.toEqual(named({ ":a": 2, ":b": 1 }));
  const values = [1, { real: 1 }, "1", 2n ** 60n, new Uint8Array([1]), null, 1.5];
  const prints = values.map((value) =>
    Buffer.from(requestPrint([{ sql: "A", parameters: [value] }])).toString("hex"),
  );
  expect(new Set(prints).size).toBe(values.length);
});

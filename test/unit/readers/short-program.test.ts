/** Which queries may run on the main thread, told from SQLite's programs. */
import Database from "better-sqlite3";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Instruction, lengthOf } from "../../../runtime/readers/short-program.ts";

const schema = `
CREATE TABLE bench (id INTEGER PRIMARY KEY NOT NULL, v TEXT NOT NULL DEFAULT '');
CREATE TABLE item (sku TEXT PRIMARY KEY NOT NULL, stock INT, note TEXT);
CREATE INDEX item_stock ON item (stock);
CREATE TABLE pair (a TEXT, b INT, c, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE VIEW small AS SELECT * FROM bench WHERE id < 10;`;

function lengthOfSql(sql: string): string {
  const db = new Database(":memory:");
  try {
    db.exec(schema);
    return lengthOf(db.prepare(`EXPLAIN ${sql}`).all() as Instruction[]);
  } finally {
    db.close();
  }
}

describe("a query of one row at the most", () => {
  test.each([
    "SELECT 1",
    "SELECT id, v FROM bench WHERE id = 3",
    "SELECT * FROM item WHERE sku = 'a'",
    "SELECT item.sku, bench.v FROM item JOIN bench ON bench.id = item.stock WHERE item.sku = 'a'",
    "SELECT * FROM small WHERE id = 3",
  ])("%s", (sql) => expect(lengthOfSql(sql)).toBe("row"));
});

describe("a query that yields a row in each of its steps", () => {
  test.each([
    "SELECT id FROM bench WHERE id >= 7",
    "SELECT * FROM bench",
    "SELECT * FROM item WHERE stock = 1 LIMIT 10",
    "SELECT * FROM item WHERE stock > 1 ORDER BY stock DESC",
    "SELECT * FROM pair WHERE a = 'x'",
  ])("%s", (sql) => expect(lengthOfSql(sql)).toBe("rows"));
});

describe("a query that may take any time before its next row", () => {
  test.each([
    "SELECT count(*) FROM bench",
    "SELECT max(note) FROM item",
    "SELECT * FROM item WHERE note = 'x'",
    "SELECT * FROM item WHERE stock = 1 AND note = 'x'",
    "SELECT * FROM bench LIMIT 1 OFFSET 100000",
    "SELECT * FROM item ORDER BY note",
    "SELECT DISTINCT note FROM item",
    "SELECT * FROM bench a, item b WHERE a.v = b.note",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < 0",
    "SELECT randomblob(1000000000)",
    "SELECT * FROM bench WHERE v LIKE '%x%'",
    "SELECT (SELECT count(*) FROM item) FROM bench WHERE id = 1",
  ])("%s", (sql) => expect(lengthOfSql(sql)).toBe("long"));
});

test("an opcode that is not known makes a program long", () => {
  const known = [
    { opcode: "Init", p2: 1 },
    { opcode: "ResultRow", p2: 1 },
    { opcode: "Halt", p2: 0 },
  ];
  expect(lengthOf(known)).toBe("row");
  expect(lengthOf([...known, { opcode: "NextWeek", p2: 0 }])).toBe("long");
});

test("no program of which a walk finds a circle without a row counts as short", () => {
  const opcodes = ["Column", "Goto", "Next", "ResultRow", "Halt", "If"];
  const instruction = fc.record({ opcode: fc.constantFrom(...opcodes), p2: fc.nat({ max: 9 }) });
  fc.assert(
    fc.property(fc.array(instruction, { minLength: 1, maxLength: 10 }), (program) => {
      const whole = [...program, { opcode: "Halt", p2: 0 }];
      if (lengthOf(whole) === "long") return;
      for (let start = 0; start < whole.length; start++) {
        // Everything that can be reached from here without a row; here itself must not be among it.
        const reached = new Set<number>();
        const todo = [start];
        for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
          const { opcode, p2 } = whole[at] as Instruction;
          if (opcode === "Halt" || opcode === "ResultRow") continue;
          const next = opcode === "Goto" ? [p2] : opcode === "Column" ? [at + 1] : [at + 1, p2];
          for (const to of next) {
            expect(to).not.toBe(start);
            if (!reached.has(to)) todo.push(to);
            reached.add(to);
          }
        }
      }
    }),
  );
});
